//! The demo does what README says.

use crate::harness::Place;

/// Counts of the demo's jobs, in order.
fn counts(stdout: &str) -> Vec<serde_json::Value> {
    let reports = serde_json::Deserializer::from_str(stdout).into_iter::<serde_json::Value>();
    reports.map(|report| report.unwrap()["counts"].clone()).collect()
}

#[test]
fn the_demo_syncs_then_writes_nothing_then_exactly_what_was_changed() {
    let place = Place::new(0);
    let first = place.run(&["demo"]);
    assert_eq!(first.exit, Some(0), "{first:?}");
    assert!(first.stdout.contains("Run it again"), "{}", first.stdout);
    assert!(first.stdout.contains("bad-number in `employees`"), "{}", first.stdout);
    for path in ["data/accounts.csv", ".dvsync/accounts.db", ".dvsync/accounts.report.json"] {
        assert!(place.path(".dvsync-demo").join(path).exists(), "{path}");
    }

    let second = place.run(&["demo"]);
    assert_eq!(second.exit, Some(0), "{second:?}");
    assert!(second.stdout.contains("\nNothing was written"), "{}", second.stdout);

    let data = ".dvsync-demo/data/accounts.csv";
    let text = place.read(data);
    let line = text.lines().find(|line| line.starts_with("DV00000100,")).unwrap();
    let name = line.split(',').nth(1).unwrap();
    place.write(data, &text.replace(line, &line.replacen(name, "Another Name", 1)));
    let third = place.run(&["demo", "--report", "json"]);
    assert_eq!(third.exit, Some(0), "{third:?}");
    let counts = counts(&third.stdout);
    assert_eq!(counts.len(), 3);
    assert_eq!(counts[0]["updated"], 1);
    for counts in &counts {
        assert_eq!(counts["created"], 0);
    }
    assert_eq!(counts[1]["updated"], 0);
    assert_eq!(counts[2]["updated"], 0);
}
