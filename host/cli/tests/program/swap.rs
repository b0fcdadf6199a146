//! Versions that are published while jobs follow them.

use crate::harness::{Ended, Place};
use crate::registry::{JOB, version};

/// A job that follows, over six files: six chunks.
fn place() -> Place {
    let place = Place::new(0);
    let job = JOB.replace("stores.csv", "stores-*.csv");
    let job = job.replace("plugin =", "swap = \"follow\"\nplugin =");
    place.write("job.toml", &job);
    place.write("people.csv", "sales_person_id,email\n7,ann@example.com\n");
    for file in 0..6 {
        place.write(&format!("stores-{file}.csv"), &format!("account_number,name\nA{file},One\n"));
    }
    place
}

fn good(ended: Ended) -> Ended {
    assert_eq!(ended.exit, Some(0), "{ended:?}");
    ended
}

/// Version and standing of the rules of a run, and the stage of its swaps.
fn ran(place: &Place) -> (Vec<String>, Vec<String>) {
    let report = place.json(&["run", "job.toml", "--report", "json"], 0);
    let list = |name: &str, show: &dyn Fn(&serde_json::Value) -> String| {
        report[name].as_array().unwrap().iter().map(show).collect()
    };
    let text = |of: &serde_json::Value, name: &str| of[name].as_str().unwrap().to_owned();
    let rules = list("rules", &|rule| text(rule, "version") + " " + &text(rule, "standing"));
    (rules, list("swaps", &|swap| text(swap, "name") + " " + &text(swap, "stage")))
}

fn status(place: &Place) -> (String, String) {
    let shown = place.json(&["rules", "status", "account", "--report", "json"], 0);
    let text = |name: &str| shown[name].as_str().unwrap().to_owned();
    (text("version"), text("stage"))
}

#[test]
fn a_job_that_follows_takes_what_is_published_and_goes_back_when_told() {
    let place = place();
    for number in ["0.2.0", "0.3.0"] {
        let file = version(&place, number);
        good(place.run(&["rules", "push", &file]));
    }
    let none = place.run(&["rules", "status", "account"]);
    assert!(none.stderr.contains("no version of `account` is published"), "{none:?}");

    good(place.run(&["rules", "publish", "account@0.2.0"]));
    assert_eq!(ran(&place), (vec!["0.2.0 live".to_owned()], vec![]));

    let published = ["rules", "publish", "account@0.3.0", "--canary", "0", "--shadow-chunks", "0"];
    good(place.run(&published));
    assert_eq!(status(&place), ("0.3.0".to_owned(), "registered".to_owned()));
    let (rules, swaps) = ran(&place);
    assert_eq!(swaps, ["account@0.3.0 watching"]);
    assert_eq!(rules.first().map(String::as_str), Some("0.3.0 live"), "{rules:?}");
    assert_eq!(status(&place), ("0.3.0".to_owned(), "watching".to_owned()));
    let shown = good(place.run(&["rules", "status", "account"])).stdout;
    assert!(shown.starts_with("account@0.3.0 (") && shown.contains("before it 0.2.0"), "{shown}");
    assert_eq!(ran(&place).0, ["0.3.0 live"], "the next run begins with it");

    good(place.run(&["rules", "rollback", "account"]));
    assert_eq!(status(&place), ("0.2.0".to_owned(), "rolled_back".to_owned()));
    assert_eq!(ran(&place).0, ["0.2.0 live"]);
    let again = place.run(&["rules", "rollback", "account"]);
    assert!(again.stderr.contains("has no version before it to go back to"), "{again:?}");
}

#[test]
fn a_version_that_fails_its_fixtures_or_is_quarantined_is_not_published() {
    let place = place();
    let file = version(&place, "0.2.0");
    good(place.run(&["rules", "push", &file]));
    std::fs::create_dir_all(place.path("fixtures/plain")).unwrap();
    place.write("fixtures/plain/source.csv", "account_number,name\nA1,One\n");
    place.write("fixtures/plain/expected.csv", "name\nTwo\n");
    std::fs::create_dir_all(place.path("fixtures/plain/tables")).unwrap();
    place.write("fixtures/plain/tables/salespeople.csv", "sales_person_id,email\n7,a@b.example\n");
    let failed = place.run(&["rules", "publish", "account@0.2.0", "--fixtures", "fixtures"]);
    assert!(failed.stderr.contains("the case `plain` fails"), "{failed:?}");
    good(place.run(&["rules", "quarantine", "account@0.2.0", "--reason", "odd"]));
    let kept = place.run(&["rules", "publish", "account@0.2.0"]);
    assert_eq!(kept.exit, Some(64), "{kept:?}");
    assert!(kept.stderr.contains("quarantine"), "{kept:?}");
    assert_eq!(place.run(&["rules", "status", "account"]).exit, Some(64));
}
