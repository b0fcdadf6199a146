//! `kill -9` of the real program at any moment, and `run --resume`.
//!
//! Eight kills; `DVSYNC_KILLS=50` makes it so many.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use crate::harness::{JOB, Place};

/// Fewer than the 5,000 that the service counts at most.
const ROWS: usize = 4_800;

/// An emulator over HTTP that outlives the runs.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(place: &Place) -> Self {
        let settings = "[latency]\nbase_ms = 4.0\n";
        place.write("emulator.toml", settings);
        let mut child = place
            .program(&[
                "emulator",
                "--port",
                "0",
                "--token",
                "t",
                "--settings",
                "emulator.toml",
                "--quiet",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim_end().to_owned() }
    }

    fn get(&self, path: &str) -> serde_json::Value {
        let host = self.address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer t\r\n\
             Accept: application/json\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (_, body) = reply.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {reply}"))
    }

    /// Records in accepted and refused creates so far.
    fn records(&self) -> u64 {
        let said = self.get("/emulator/requests");
        let requests = said["requests"].as_array().unwrap();
        let writes = requests.iter().filter(|kind| {
            kind["method"] == "POST" && kind["path"].as_str().unwrap().contains("CreateMultiple")
        });
        writes.map(|kind| kind["records"].as_u64().unwrap()).sum()
    }

    fn count(&self) -> u64 {
        let said = self.get("/api/data/v9.2/accounts?$select=name&$count=true&$top=1");
        said["@odata.count"].as_u64().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Numbers that look random (SplitMix64).
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[test]
fn a_run_killed_at_any_moments_ends_as_an_undisturbed_one() {
    let kills: u64 = std::env::var_os("DVSYNC_KILLS")
        .map_or(8, |kills| kills.to_str().unwrap().parse().unwrap());
    let place = Place::new(ROWS);
    let served = Served::start(&place);
    let job = JOB.replace("\"emulator\"", &format!("\"{}\"", served.address));
    let more = "[[target.principals]]\ntoken = { env = \"TOKEN\" }\n[batch]\nrecords = 20\n\
        [limits]\ncommit_within = \"1s\"\n";
    let job = job.replace("entity =", "concurrency_max = 4\nentity =");
    place.write("job.toml", &format!("{job}{more}"));
    let mut seed = 20_261_122;
    let mut resume = false;
    let mut killed = 0;
    for kill in 0..kills {
        let before = served.records();
        // Somewhere within this kill's share of the rows, or before its first.
        let share = (ROWS as u64 - before.min(ROWS as u64)) / (kills - kill + 1);
        let wanted = before + random(&mut seed) % share.max(1);
        let mut arguments = vec!["run", "job.toml", "--quiet"];
        if resume {
            arguments.push("--resume");
        }
        let mut child = place
            .program(&arguments)
            .env("TOKEN", "t")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Each look is a request: no busier than the run itself.
        while served.records() <= wanted && child.try_wait().unwrap().is_none() {}
        let ended = child.try_wait().unwrap();
        if ended.is_none() {
            child.kill().unwrap();
            killed += 1;
        }
        child.wait().unwrap();
        let runs =
            place.run(&["runs", "list", "--journal", ".dvsync/accounts.db", "--report", "json"]);
        resume = runs.exit == Some(0) && runs.stdout.contains("run_id");
    }
    assert!(killed * 2 > kills, "{killed} of {kills} runs were killed");
    let last = |resume: bool| {
        let mut arguments = vec!["run", "job.toml", "--report", "json", "--quiet"];
        if resume {
            arguments.push("--resume");
        }
        place.program(&arguments).env("TOKEN", "t").output().unwrap()
    };
    let ended = last(true);
    let report: serde_json::Value = serde_json::from_slice(&ended.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ended.stderr)));
    assert_eq!(ended.status.code(), Some(0), "{report}");
    assert_eq!(report["counts"]["read"], ROWS as u64, "{report}");
    // What landed unseen before a kill was created by this run all the same.
    assert_eq!(report["counts"]["created"], ROWS as u64, "{report}");
    assert_eq!(served.count(), ROWS as u64);
    let again: serde_json::Value = serde_json::from_slice(&last(false).stdout).unwrap();
    assert_eq!(again["counts"]["unchanged"], ROWS as u64, "{again}");
}

#[test]
fn a_full_disk_ends_with_2_and_the_run_can_go_on() {
    let place = Place::new(ROWS);
    let served = Served::start(&place);
    let job = JOB.replace("\"emulator\"", &format!("\"{}\"", served.address));
    let more = "[[target.principals]]\ntoken = { env = \"TOKEN\" }\n[batch]\nrecords = 20\n";
    place.write("job.toml", &format!("{job}{more}"));
    // No file may grow beyond 400 KiB; the signal for it is ignored, as it is
    // where a disk is full.
    let limited = place.program(&["run", "job.toml", "--report", "json", "--quiet"]);
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 800; exec \"$0\" \"$@\""])
        .arg(limited.get_program())
        .args(limited.get_args())
        .current_dir(place.path(""))
        .env("TOKEN", "t")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["status"], "failed");
    assert!(report["message"].as_str().unwrap().starts_with("cannot write journal `"), "{report}");
    assert_eq!(report["hint"], "check free space and rights in the journal's folder");
    assert!(served.count() < ROWS as u64, "{report}");

    let ended = place
        .program(&["run", "job.toml", "--resume", "--report", "json", "--quiet"])
        .env("TOKEN", "t")
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let report: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(report["counts"]["read"], ROWS as u64);
    assert_eq!(served.count(), ROWS as u64);
}
