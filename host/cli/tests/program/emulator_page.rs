//! docs/emulator.md, carried out: each block of shell with `curl` in it is run
//! against emulators as the page starts them, and prints what the page says.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::Place;

/// An emulator that ends when it is dropped.
struct Running {
    child: Child,
    /// Host and port.
    authority: String,
}

impl Running {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.program(&["emulator", "--port", "0", "--quiet"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let authority = line.trim().rsplit_once("//").unwrap().1.to_owned();
        Self { child, authority }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Blocks of shell, with the line that each begins in.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (number, line) in page.lines().enumerate() {
        match line {
            "```sh" => {
                inside = true;
                blocks.push((number + 2, String::new()));
            }
            "```" => inside = false,
            _ if inside => {
                let block = &mut blocks.last_mut().unwrap().1;
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

#[test]
fn the_curl_examples_of_the_page_print_what_it_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/emulator.md");
    let page = std::fs::read_to_string(page).unwrap();
    let place = Place::new(0);
    let plain = Running::start(&place, &[]);
    let client = "11111111-1111-4111-8111-111111111111:secret";
    let secure =
        Running::start(&place, &["--tls", "--tls-pem", "emulator.pem", "--client", client]);
    let port = secure.authority.rsplit_once(':').unwrap().1;
    let blocks = blocks(&page);
    let with_curl: Vec<_> = blocks.iter().filter(|(_, text)| text.contains("curl ")).collect();
    assert!(with_curl.len() >= 8, "{} blocks only", with_curl.len());
    for (line, text) in with_curl {
        let script = text
            .replace("127.0.0.1:8080", &plain.authority)
            .replace("localhost:8443", &format!("localhost:{port}"));
        let output = Command::new("sh")
            .args(["-e", "-c", &script])
            .current_dir(place.path("."))
            .env("NO_PROXY", "*")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "line {line}: {}\n{said}{wrong}", output.status);
        let mut rest = said.as_str();
        for expected in text.lines().filter_map(|line| line.strip_prefix("#> ")) {
            let at = rest.find(expected);
            let at = at.unwrap_or_else(|| panic!("line {line}: no `{expected}` in\n{said}"));
            rest = &rest[at + expected.len()..];
        }
    }
}

#[test]
fn an_emulator_is_seeded_from_files_and_spoilt_by_a_file() {
    let place = Place::new(0);
    place.write("a.csv", "name,accountnumber,numberofemployees\nOne,007,3\nTwo,008,\n");
    let fault = r#"[{"operations": ["Metadata"], "effect": {"kind": "html", "status": 502}}]"#;
    place.write("faults.json", fault);
    let arguments = ["--seed-data", "account=a.csv", "--faults", "faults.json"];
    let running = Running::start(&place, &arguments);
    let get = |path: &str| {
        let url = format!("http://{}/api/data/v9.2/{path}", running.authority);
        let token = "Authorization: Bearer emulator";
        let output = Command::new("curl").args(["-s", "-i", "-H", token, &url]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let row = get("accounts(accountnumber='007')?$select=name,numberofemployees");
    assert!(row.contains("\"name\":\"One\"") && row.contains("\"numberofemployees\":3"), "{row}");
    assert!(get("EntityDefinitions").starts_with("HTTP/1.1 502"));
}

#[test]
fn settings_that_cannot_be_are_told_with_their_place() {
    let place = Place::new(0);
    place.write("bad.toml", "[[faults]]\neffect = { kind = \"explode\" }\n");
    place.write("bad.csv", "nome\nOne\n");
    for (arguments, part) in [
        (["--faults", "bad.toml"], "unknown variant `explode`"),
        (["--seed-data", "account=bad.csv"], "bad.csv:2: 400 Bad Request"),
        (["--seed-data", "account=none.csv"], "none.csv"),
        (["--tls-cert", "bad.toml"], "--tls-key"),
        (["--client", "x"], "found no secret"),
        (["--web-servers", "0"], "from 1 to 1000, found 0"),
    ] {
        let ended = place.run(&["emulator", "--port", "0", arguments[0], arguments[1]]);
        assert_eq!(ended.exit, Some(64), "{ended:?}");
        assert!(ended.stderr.contains(part), "{ended:?}");
    }
}
