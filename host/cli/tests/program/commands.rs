//! Whole commands against the embedded emulator and one over HTTP.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::harness::{JOB, Place};

#[test]
fn a_run_reports_what_became_of_each_row_and_a_second_writes_nothing() {
    let place = Place::new(250);
    let report = place.json(&["run", "job.toml", "--report", "json"], 0);
    assert_eq!(report["status"], "complete");
    assert_eq!(report["counts"]["created"], 250);
    let kept: serde_json::Value =
        serde_json::from_str(&place.read(".dvsync/accounts.report.json")).unwrap();
    assert_eq!(kept, report);
    let again = place.json(&["run", "job.toml", "--report", "json"], 0);
    assert_eq!(again["counts"]["unchanged"], 250);
}

#[test]
fn dead_letters_end_with_1_and_can_be_shown() {
    let place = Place::new(3);
    let long = "x".repeat(200);
    place.write("accounts.csv", &format!("number,name\nA1,Good\nA2,{long}\nA3,\"broken\n"));
    let run = place.run(&["run", "job.toml"]);
    assert_eq!(run.exit, Some(1), "{run:?}");
    let runs = place.json(&["runs", "list", "--report", "json"], 0);
    let id = runs[0]["run_id"].as_str().unwrap();
    let shown = place.json(&["runs", "show", id, "--report", "json"], 0);
    assert_eq!(shown["status"], "with_dead_letters");
    assert_eq!(shown["counts"]["dead_lettered"], 2);
    assert_eq!(shown["causes"].as_array().unwrap().len(), 2);
    let text = place.run(&["runs", "show", id]).stdout;
    assert!(text.contains("accounts.csv:3 `A2`"), "{text}");
    assert!(text.contains("in `name`"), "{text}");
}

#[test]
fn a_run_that_does_not_exist_is_told() {
    let place = Place::new(1);
    place.run(&["run", "job.toml"]);
    for (run, said) in [
        ("20260101T000000-0000", "there is no run `20260101T000000-0000`"),
        ("yesterday", "`yesterday` is not a run id"),
    ] {
        let ended = place.run(&["runs", "show", run]);
        assert_eq!(ended.exit, Some(64));
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn check_tells_each_thing_and_how_to_mend_it() {
    let place = Place::new(2);
    let good = place.run(&["check", "job.toml"]);
    assert_eq!(good.exit, Some(0), "{good:?}");
    assert!(good.stdout.lines().all(|line| line.starts_with("ok ")), "{}", good.stdout);

    place.write("job.toml", &JOB.replace("columns.name", "columns.nam"));
    let ended = place.run(&["check", "job.toml"]);
    assert_eq!(ended.exit, Some(64));
    assert!(ended.stdout.contains("failed mapping: "), "{}", ended.stdout);
    assert!(ended.stdout.contains("`nam`"), "{}", ended.stdout);

    place.write("job.toml", &JOB.replace("accounts.csv", "other.csv"));
    let findings = place.json(&["check", "job.toml", "--report", "json"], 64);
    let failed: Vec<_> = findings.as_array().unwrap().iter().filter(|f| f["ok"] == false).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["what"], "source");
}

/// An emulator over HTTP, ended when it is dropped.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(place: &Place) -> Self {
        let mut child = place
            .program(&["emulator", "--port", "0", "--token", "right", "--quiet"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim_end().to_owned() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn over_http_a_wrong_token_is_configuration_and_silence_is_unreachable() {
    let place = Place::new(20);
    let served = Served::start(&place);
    let job = JOB.replace("\"emulator\"", &format!("\"{}\"", served.address));
    let short = "[[target.principals]]\ntoken = { env = \"TOKEN\" }\n[retry]\nattempts = 1\n";
    place.write("job.toml", &format!("{job}{short}"));
    let run = |token: &str| {
        let output = place.program(&["run", "job.toml"]).env("TOKEN", token).output().unwrap();
        crate::harness::Ended::of(&output)
    };
    let right = run("right");
    assert_eq!(right.exit, Some(0), "{right:?}");
    assert!(right.stdout.contains("20 created"), "{}", right.stdout);
    let wrong = run("wr0ng-t0ken");
    assert_eq!(wrong.exit, Some(64), "{wrong:?}");
    assert!(wrong.stderr.contains("401"), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("wr0ng-t0ken"), "{}", wrong.stderr);
    drop(served);
    let gone = run("right");
    assert_eq!(gone.exit, Some(75), "{gone:?}");
    assert!(gone.stderr.contains("cannot reach"), "{}", gone.stderr);
}
