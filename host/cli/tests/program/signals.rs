//! Ctrl-C, and going on afterwards.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::harness::{JOB, Place};

/// Slow enough that Ctrl-C comes while batches are on their way.
const SLOW: &str = "[target.emulator]\nlatency = \"200ms\"\n[batch]\nrecords = 20\n";

#[test]
fn an_interrupted_run_ends_with_2_and_the_next_one_goes_on() {
    const ROWS: usize = 20_000;
    let place = Place::new(ROWS);
    let slow = JOB.replace("[columns.name]", &format!("{SLOW}[columns.name]"));
    place.write("slow.toml", &slow.replace("entity =", "concurrency_max = 2\nentity ="));
    let mut child = place
        .program(&["run", "slow.toml", "--report", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let syncing = said.by_ref().any(|line| line.unwrap().contains(&format!("of {ROWS} rows")));
    assert!(syncing, "the run never said that it syncs");
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    said.for_each(|line| drop(line.unwrap()));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["status"], "incomplete");
    let created = report["counts"]["created"].as_u64().unwrap();
    assert!(created < ROWS as u64, "{report}");

    let next = place.json(&["run", "job.toml", "--report", "json"], 0);
    assert_eq!(next["counts"]["unchanged"], created);
    assert_eq!(next["counts"]["created"].as_u64(), Some(ROWS as u64 - created));
}
