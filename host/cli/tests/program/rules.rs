//! The kit of a rule's author: `dvsync rules ...`.

use std::path::Path;
use std::process::Command;

use crate::harness::{Ended, Place};

/// A new project, in a folder of its own.
struct Project(Place);

impl Project {
    fn new() -> Self {
        let place = Place::new(0);
        let made = place.run(&["rules", "new", "--lang", "rust", "my-rules"]);
        assert_eq!(made.exit, Some(0), "{made:?}");
        assert_eq!(made.stdout, "my-rules\n");
        Self(place)
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let mut program = self.0.program(&[&["rules"], arguments].concat());
        // The one crate that a project needs from outside is there already.
        program.current_dir(self.0.path("my-rules")).env("CARGO_NET_OFFLINE", "true");
        Ended::of(&program.output().unwrap())
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let file = format!("my-rules/{file}");
        let text = self.0.read(&file);
        assert!(text.contains(from), "{text}");
        self.0.write(&file, &text.replace(from, to));
    }
}

#[test]
fn a_new_project_builds_and_passes_its_tests_as_it_is() {
    let project = Project::new();
    let built = project.run(&["build"]);
    assert_eq!(built.exit, Some(0), "{built:?}");
    let lines: Vec<&str> = built.stdout.lines().collect();
    assert!(lines[0].ends_with("target/rules/my-rules.wasm"), "{built:?}");
    assert!(lines[1].ends_with(" bytes") && lines[2].starts_with("  sha256:"), "{built:?}");
    let tested = project.run(&["test"]);
    assert_eq!(tested.exit, Some(0), "{tested:?}");
    assert_eq!(
        tested.stdout,
        "ok     names: 5 rows\ncodes that occurred: no-name (2)\n\
         my-rules@0.1.0: all passed, 1 in number\n"
    );
    let checked = project.run(&["check"]);
    assert_eq!(checked.exit, Some(0), "{checked:?}");
    let bench = project.run(&["bench", "target/rules/my-rules.wasm", "--rows", "20000"]);
    assert_eq!(bench.exit, Some(0), "{bench:?}");
    assert!(bench.stdout.contains(" times as long as doing nothing"), "{bench:?}");
    // Natively, too.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--quiet", "--offline"]).current_dir(project.0.path("my-rules"));
    for outer in ["CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        cargo.env_remove(outer);
    }
    let native = Ended::of(&cargo.output().unwrap());
    assert_eq!(native.exit, Some(0), "{native:?}");
    assert!(native.stdout.contains("1 passed"), "{native:?}");
}

/// A project as generated, built, tested and checked; what was built the last time
/// is kept, so that a run without changes is quick.
#[allow(clippy::print_stderr, reason = "a test that is left out says so")]
fn a_new_project_in(language: &str, interpreter: &str, native: &[&str]) {
    let started = Command::new(interpreter).arg("--version").output();
    if !started.is_ok_and(|output| output.status.success()) {
        eprintln!("left out: `{interpreter}` is not installed");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new").join(language);
    let (project, kept) = (folder.join("my-rules"), folder.join("kept"));
    std::fs::create_dir_all(&folder).unwrap();
    if project.exists() {
        // May be gone already: then all is built.
        drop(std::fs::rename(project.join("target"), &kept));
        std::fs::remove_dir_all(&project).unwrap();
    }
    let place = Place::new(0);
    let run = |folder: &Path, arguments: &[&str]| {
        let mut program = place.program(&[&["rules"], arguments].concat());
        let ended = Ended::of(&program.current_dir(folder).output().unwrap());
        assert_eq!(ended.exit, Some(0), "{arguments:?}: {ended:?}");
        ended
    };
    assert_eq!(run(&folder, &["new", "--lang", language, "my-rules"]).stdout, "my-rules\n");
    if kept.exists() {
        std::fs::rename(&kept, project.join("target")).unwrap();
    }
    let built = run(&project, &["build"]);
    assert!(built.stdout.contains("target/rules/my-rules.wasm\n"), "{built:?}");
    assert!(built.stdout.contains(" bytes\n  sha256:"), "{built:?}");
    let tested = run(&project, &["test"]);
    assert_eq!(
        tested.stdout,
        "ok     names: 5 rows\ncodes that occurred: no-name (2)\n\
         my-rules@0.1.0: all passed, 1 in number\n"
    );
    // Nothing has changed: nothing is built, and the digest stays.
    assert!(!tested.stderr.contains("making a component"), "{tested:?}");
    run(&project, &["check"]);
    let inspected = run(&project, &["inspect", "target/rules/my-rules.wasm"]);
    assert!(inspected.stdout.contains("  imports   dvsync:rules/log@0.1.0, "), "{inspected:?}");
    assert!(!inspected.stdout.contains("wasi"), "{inspected:?}");
    let natively = Command::new(interpreter).args(native).current_dir(&project).output().unwrap();
    let natively = Ended::of(&natively);
    assert_eq!(natively.exit, Some(0), "{natively:?}");

    let rule = if language == "python" { "rule.py" } else { "src/rule.js" };
    let text = std::fs::read_to_string(project.join(rule)).unwrap();
    std::fs::write(project.join(rule), text.replace("transform", "trasform")).unwrap();
    let mut program = place.program(&["rules", "build"]);
    let broken = Ended::of(&program.current_dir(&project).output().unwrap());
    assert_eq!(broken.exit, Some(64), "{broken:?}");
    assert!(broken.stderr.contains("error: cannot load the rule in "), "{broken:?}");
    assert!(broken.stderr.contains("trasform"), "{broken:?}");
    std::fs::write(project.join(rule), text).unwrap();
}

#[test]
fn a_new_project_in_python_builds_and_passes_its_tests_as_it_is() {
    a_new_project_in("python", "python3", &["-m", "unittest", "discover", "tests"]);
}

#[test]
fn a_new_project_in_javascript_builds_and_passes_its_tests_as_it_is() {
    a_new_project_in("js", "node", &["--test", "test/rule.test.js"]);
}

#[test]
fn a_difference_names_row_and_column_and_can_be_taken_as_expected() {
    let project = Project::new();
    project.edit("fixtures/names/expected.csv", "Fahrräder Müller", "Müller");
    project.edit("fixtures/codes.txt", "no-name", "no-name\nno-city");
    let failed = project.run(&["test"]);
    assert_eq!(failed.exit, Some(1), "{failed:?}");
    assert_eq!(
        failed.stdout,
        "failed names: 5 rows\n       row 5, name: expected `Müller`, found `Fahrräder Müller`\n\
         codes that occurred: no-name (2)\ncodes that never occurred: no-city\n\
         my-rules@0.1.0: 1 of 1 failed\n"
    );
    let updated = project.run(&["test", "--update"]);
    assert_eq!(updated.exit, Some(0), "{updated:?}");
    let expected = project.0.read("my-rules/fixtures/names/expected.csv");
    assert!(expected.contains("Fahrräder Müller,\n"), "{expected}");

    let result = project.run(&["test", "--report", "json"]);
    let result: serde_json::Value = serde_json::from_str(&result.stdout).unwrap();
    assert_eq!(result["never"], serde_json::json!(["no-city"]));
    assert_eq!(result["codes"], serde_json::json!({"no-name": 2}));
    let other = project.run(&["test", "--case", "nmes"]);
    assert_eq!(other.exit, Some(64), "{other:?}");
    assert!(other.stderr.contains("there is no case `nmes`\nhint: there are `names`"), "{other:?}");
}

#[test]
fn a_rule_that_looks_at_other_rows_is_found_out() {
    let project = Project::new();
    project.edit(
        "src/lib.rs",
        "name.unwrap_or_default()",
        "&format!(\"{}{}\", name.unwrap_or_default(), rows.len())",
    );
    let failed = project.run(&["test", "--update"]);
    assert_eq!(failed.exit, Some(1), "{failed:?}");
    let said = "row 1 depends on more than itself: `name=Bike World5` in one call, \
                `name=Bike World1` when judged each row alone";
    assert!(failed.stdout.contains(said), "{failed:?}");
}

#[test]
fn a_crate_that_does_not_compile_is_told_in_the_compilers_words() {
    let project = Project::new();
    project.edit("src/lib.rs", "Ok(Self)", "Ok(Selves)");
    let failed = project.run(&["build"]);
    assert_eq!(failed.exit, Some(64), "{failed:?}");
    assert!(failed.stderr.contains("error: cannot compile `my-rules`:"), "{failed:?}");
    assert!(failed.stderr.contains("`Selves`"), "{failed:?}");
    let nothing = Place::new(0).run(&["rules", "build"]);
    assert_eq!(nothing.exit, Some(64));
    assert_eq!(
        nothing.stderr.lines().skip(1).collect::<Vec<_>>(),
        [
            "error: `.` holds no rule project",
            "hint: name the folder with the `Cargo.toml`, `pyproject.toml` or `package.json`; \
             `dvsync rules new NAME` makes one"
        ]
    );
}

#[test]
fn a_name_that_is_taken_or_wrong_is_refused() {
    let project = Project::new();
    let again = project.0.run(&["rules", "new", "my-rules"]);
    assert_eq!(again.exit, Some(64));
    assert!(again.stderr.starts_with("error: `my-rules` is there already\n"), "{again:?}");
    let wrong = project.0.run(&["rules", "new", "../x"]);
    assert_eq!(wrong.exit, Some(64));
    assert!(wrong.stderr.starts_with("error: `../x` is no name for a rule\n"), "{wrong:?}");
}

#[test]
fn a_shipped_rule_is_inspected_by_its_name() {
    let place = Place::new(2);
    let text = place.run(&["rules", "inspect", "account"]).stdout;
    for line in [
        "  contract  dvsync:rules@0.1.0",
        "  hooks     transform, matching, state, owner",
        "  tables    salespeople",
        "  reads source    name (text, required)",
        "a rule may read more where the source has it: see with --source FILE",
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` in {text}");
    }
    place.write("stores.csv", "account_number,name,employees\nA1,x,3\n");
    let inspect = ["rules", "inspect", "account", "--source", "stores.csv", "--report", "json"];
    let shown = place.json(&inspect, 0);
    let read: Vec<&str> = shown["needs"]["transform"]["reads_source"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert!(read.contains(&"employees"), "{read:?}");
    assert_eq!(shown["settings_schema"]["type"], "object");
    assert!(shown["was_cached"].is_boolean() && shown["bytes"].as_u64() > Some(10_000));

    place.write("settings.toml", "colour = \"blue\"\n");
    let wrong = place.run(&["rules", "inspect", "account", "--settings", "settings.toml"]);
    assert_eq!(wrong.exit, Some(64), "{wrong:?}");
    let said = "the settings do not fit the rule `account@0.1.0`: `colour`: unknown key `colour`";
    assert!(wrong.stderr.contains(said), "{wrong:?}");
    let missing = place.run(&["rules", "inspect", "acount"]);
    assert_eq!(missing.exit, Some(64));
    assert!(missing.stderr.contains("a shipped rule: `account` and `contact`"), "{missing:?}");
}

#[test]
fn check_tells_what_is_wrong_with_a_file() {
    let place = Place::new(0);
    place.write("a.wasm", "not wasm");
    let ended = place.run(&["rules", "check", "a.wasm"]);
    assert_eq!(ended.exit, Some(64));
    assert_eq!(
        ended.stdout,
        "failed rule: cannot admit the rule `a.wasm`: it is not WebAssembly\n       \
         hint: give the `.wasm` file that `dvsync rules build` made\n"
    );
}

#[test]
fn check_binds_a_rule_to_a_job_without_its_target() {
    let place = Place::new(3);
    let job = crate::harness::JOB.replace("url = \"emulator\"", "url = \"https://nobody.example\"")
        + "[[target.principals]]\ntoken = { env = \"NOT_SET\" }\n";
    place.write("job.toml", &job);
    let check = ["rules", "check", "account", "--job", "job.toml"];
    let missing = place.run(&check);
    assert_eq!(missing.exit, Some(64), "{missing:?}");
    let said = "failed binding: the rule `account@0.1.0` needs the table `salespeople`, which the \
                job does not grant\n       hint: add `[tables.salespeople]` to the job\n";
    assert!(missing.stdout.ends_with(said), "{missing:?}");

    place.write("people.csv", "sales_person_id,email\n7,ann@example.com\n");
    let granted = format!(
        "{job}[rules]\nplugin = \"contact\"\n[tables.salespeople]\npath = \"people.csv\"\n"
    );
    place.write("job.toml", &granted);
    let other = place.run(&check);
    let said = "needs the column `account_number`, which the source does not have";
    assert!(other.stdout.contains(said), "{other:?}");

    place.write(
        "job.toml",
        &granted
            .replace("\"number\"", "\"account_number\"")
            .replace("number = \"text\"", "account_number = \"text\""),
    );
    place.write("accounts.csv", "account_number,name\nA1,x\n");
    let fits = place.run(&check);
    assert_eq!(fits.exit, Some(0), "{fits:?}");
    assert!(
        fits.stdout.contains("ok     binding: columns of the source: transform reads 2"),
        "{fits:?}"
    );
}

#[test]
fn each_hook_of_a_shipped_rule_is_tested_by_fixtures() {
    let place = Place::new(0);
    let folder = place.path("fixtures/stores");
    std::fs::create_dir_all(folder.join("tables")).unwrap();
    for (name, text) in [
        ("source.csv", "account_number,name,sales_person_id,closed\nA1,Shop,7,false\nA2,,7,true\n"),
        ("target.csv", "accountnumber,statecode\nA1,1\n,\n"),
        ("tables/salespeople.csv", "sales_person_id,email\n7,ann@example.com\n"),
        ("settings.toml", "closed_status = 2\n"),
        ("case.toml", "entity = \"account\"\nnow = \"2026-02-01T00:00:00Z\"\n"),
    ] {
        place.write(&format!("fixtures/stores/{name}"), text);
    }
    let first = place.run(&["rules", "test", "account"]);
    assert_eq!(first.exit, Some(1), "{first:?}");
    assert!(first.stdout.contains("expected.csv`: write it with --update"), "{first:?}");
    let updated = place.run(&["rules", "test", "account", "--update"]);
    assert_eq!(updated.exit, Some(0), "{updated:?}");
    let expected = place.read("fixtures/stores/expected.csv");
    let header = expected.lines().next().unwrap();
    for column in ["matching.key", "state.statecode", "owner", "name", "verdict"] {
        assert!(header.split(',').any(|name| name == column), "{expected}");
    }
    assert!(expected.contains("user ann@example.com by internalemailaddress"), "{expected}");
    place.write("fixtures/stores/settings.toml", "closed_state = 2\n");
    let wrong = place.run(&["rules", "test", "account"]);
    assert_eq!(wrong.exit, Some(64), "{wrong:?}");
    assert!(wrong.stderr.starts_with("error: cannot judge the case `stores`\n"), "{wrong:?}");
    assert!(wrong.stderr.ends_with("hint: mend `fixtures/stores/settings.toml`\n"), "{wrong:?}");
    place.write("fixtures/stores/target.csv", "accountnumber,statecode\nA1,1\n");
    let short = place.run(&["rules", "test", "account"]);
    assert_eq!(short.exit, Some(64), "{short:?}");
    assert!(short.stderr.contains("has 1 rows and `source.csv` 2"), "{short:?}");
}
