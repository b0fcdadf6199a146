use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Bench, counts, uuid};

fn job(mode: &str, more: &str) -> String {
    format!(
        "mode = \"{mode}\"\n[source]\npath = \"rows.csv\"\nkey = [\"no\"]\n\
         types = {{ no = \"text\", name = \"text\" }}\n\
         [target]\nentity = \"account\"\nmatch = {{ key = [\"accountnumber\"] }}\n\
         [columns.accountnumber]\nfrom = \"no\"\n[columns.name]\nfrom = \"name\"\n{more}"
    )
}

const CREATE: &str = "CreateMultiple";
const UPDATE: &str = "UpdateMultiple";

fn throttle(path: &str, seconds: u64) -> Value {
    json!({"path": path, "times": 1, "effect": {"kind": "reply", "status": 429,
        "code": "0x80072321", "message": "slow down", "retry_after_seconds": seconds}})
}

/// Accounts `A1`, `A2`, ... named `Old`, and rows that call them `New`.
fn renamed(rows: u128) -> Bench {
    let bench = Bench::new();
    let mut text = "no,name\n".to_owned();
    for number in 1..=rows {
        bench.put(
            "accounts",
            number,
            json!({"accountnumber": format!("A{number}"), "name": "Old"}),
        );
        text.push_str(&format!("A{number},New\n"));
    }
    bench.file("rows.csv", text);
    bench
}

#[tokio::test(start_paused = true)]
async fn parents_that_the_same_run_writes_are_found_in_later_rounds() {
    let bench = Bench::new();
    bench.file("rows.csv", "no,name,parent\nD,4,C\nC,3,B\nB,2,A\nA,1,\nX,9,nobody\n");
    let lookup = "[columns.parentaccountid]\nlookup = { entity = \"account\", \
        by = \"accountnumber\", from = \"parent\", on_missing = \"defer\" }\n";
    let job = bench.job(&job("upsert", lookup));
    let report = bench.run(&job).await;
    assert_eq!(counts(&report), (4, 0, 0, 0, 1, 0), "{:?}", report.causes);
    assert_eq!(report.causes.len(), 1, "what was resolved is no cause: {:?}", report.causes);
    assert_eq!(report.causes[0].count, 1);
    let names = bench.column("accounts", "_parentaccountid_value", "accountnumber");
    assert_eq!(names.iter().filter(|parent| !parent.is_null()).count(), 3);
    assert_eq!(bench.letters(&report), ["rows.csv:6 lookup_missing parentaccountid"]);
    let standing = bench.standing(&job);
    assert_eq!(standing.iter().filter(|letter| letter.ends_with("resolved")).count(), 3);
    let letter = bench.letter_records(&report).remove(0);
    assert!(letter.attempts > 3, "tried until the deadline: {letter:?}");
    assert!(bench.clock.now() < Duration::from_secs(601), "and not after it");
    let stored = bench.journal(&job).run(&report.run_id).unwrap();
    assert_eq!(stored.counts, report.counts);
}

#[tokio::test(start_paused = true)]
async fn a_throttle_longer_than_the_job_waits_is_waited_for_at_the_end() {
    let bench = Bench::new();
    let rows: String = (0..40).map(|row| format!("A{row},Name\n")).collect();
    bench.file("rows.csv", format!("no,name\n{rows}"));
    bench.fault(&throttle(CREATE, 90));
    let more = "[limits]\nwait_max = \"10s\"\n[batch]\nrecords = 20\n";
    let report = bench.run(&bench.job(&job("upsert", more))).await;
    assert_eq!(counts(&report), (40, 0, 0, 0, 0, 0), "{:?}", report.causes);
    assert_eq!(report.status.as_str(), "complete");
    assert!(bench.clock.now() >= Duration::from_secs(90));
}

#[tokio::test(start_paused = true)]
async fn without_a_deadline_nothing_is_tried_again() {
    let bench = Bench::new();
    bench.file("rows.csv", "no,name\nA1,One\nA2,Two\n");
    bench.fault(&throttle(CREATE, 90));
    let more = "[limits]\nwait_max = \"10s\"\n[retry]\ndeferred_deadline = \"0s\"\n";
    let report = bench.run(&bench.job(&job("upsert", more))).await;
    assert_eq!(counts(&report), (0, 0, 0, 0, 2, 0), "{:?}", report.causes);
    assert_eq!(report.status.as_str(), "incomplete");
    assert!(bench.clock.now() < Duration::from_secs(90));
}

/// One of ten records is deleted while the run waits for a throttle.
async fn vanishing(mode: &str) -> (Bench, dvsync_engine::Report) {
    let bench = renamed(10);
    bench.fault(&throttle(UPDATE, 30));
    bench.forget_requests();
    let job = bench.job(&job(mode, "[limits]\nwait_max = \"60s\"\n"));
    let deleted = async {
        bench.clock.sleep_until(bench.clock.now() + Duration::from_secs(10)).await;
        assert_eq!(
            bench.ask("DELETE", &format!("/api/data/v9.2/accounts({})", uuid(3)), &Value::Null).0,
            204
        );
    };
    let (report, ()) = tokio::join!(bench.run(&job), deleted);
    // Throttled, refused with the name of the record, landed without it.
    assert_eq!(bench.calls(UPDATE), 3);
    (bench, report)
}

#[tokio::test(start_paused = true)]
async fn a_record_that_vanishes_is_created_again_by_an_upsert() {
    let (bench, report) = vanishing("upsert").await;
    assert_eq!(counts(&report), (1, 9, 0, 0, 0, 0), "{:?}", report.causes);
    assert_eq!(bench.column("accounts", "name", "accountnumber"), vec!["New"; 10]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_vanishes_is_unmatched_in_an_update() {
    let (bench, report) = vanishing("update").await;
    assert_eq!(counts(&report), (0, 9, 0, 1, 0, 0), "{:?}", report.causes);
    assert_eq!(bench.letters(&report), ["rows.csv:4 no_match -"]);
    assert_eq!(bench.column("accounts", "name", "accountnumber"), vec!["New"; 9]);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_may_still_commit_holds_its_records_across_runs() {
    let bench = renamed(4);
    let cut = json!({"path": UPDATE, "effect": {"kind": "cut_before_commit"}});
    bench.fault(&cut);
    let once = "[retry]\nattempts = 1\ndeferred_deadline = \"0s\"\n";
    let first = bench.run(&bench.job(&job("upsert", once))).await;
    assert_eq!(counts(&first), (0, 0, 0, 0, 4, 0), "{:?}", first.causes);
    let doubts: Vec<_> =
        bench.journal(&bench.job(&job("upsert", ""))).doubts().map(Result::unwrap).collect();
    assert_eq!(doubts.len(), 1);
    let asked = bench.clock.now();

    // Another run, at once, with newer data: what the service commits late, 100
    // seconds on, must not overwrite it.
    bench.no_faults();
    bench.file("rows.csv", "no,name\nA1,Newer\nA2,Old\nA5,Five\n");
    let job = bench.job(&job("upsert", ""));
    let late = async {
        bench.clock.sleep_until(asked + Duration::from_secs(100)).await;
        for number in [1, 2] {
            let path = format!("/api/data/v9.2/accounts({})", uuid(number));
            assert_eq!(bench.ask("PATCH", &path, &json!({"name": "New"})).0, 204);
        }
    };
    let (report, ()) = tokio::join!(bench.run(&job), late);
    assert_eq!(counts(&report), (1, 2, 0, 0, 0, 0), "{:?}", report.causes);
    let waited = bench.clock.now() - asked;
    assert!(waited >= Duration::from_secs(149), "{waited:?}");
    let names = bench.column("accounts", "name", "accountnumber");
    assert_eq!(names, ["Newer", "Old", "Old", "Old", "Five"]);
    // The next run finds that its time has passed, and closes it.
    bench.run(&job).await;
    assert_eq!(bench.journal(&job).doubts().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_create_of_unknown_fate_is_found_by_the_next_run() {
    for effect in ["cut_after_commit", "cut_before_commit"] {
        let bench = Bench::new();
        bench.file("rows.csv", "no,name\nA1,One\nA2,Two\n");
        bench.fault(&json!({"path": CREATE, "times": 1, "effect": {"kind": effect}}));
        // It cannot even be looked for.
        let down = json!({"kind": "reply", "status": 503, "code": "", "message": "down"});
        bench.fault(&json!({"path": "$batch", "times": 9, "effect": down}));
        let once = "[retry]\nattempts = 1\ndeferred_deadline = \"0s\"\n";
        let first = bench.try_run(&bench.job(&job("upsert", once)), None).await;
        if let Ok(report) = &first {
            assert_eq!(report.counts.created, 0, "never counted as written: {report:?}");
        }
        bench.no_faults();
        let job = bench.job(&job("upsert", ""));
        let report = bench.run(&job).await;
        assert_eq!(report.counts.created + report.counts.unchanged, 2, "{:?}", report.causes);
        assert_eq!(bench.column("accounts", "name", "accountnumber"), ["One", "Two"]);
        bench.clock.sleep_until(bench.clock.now() + Duration::from_secs(200)).await;
        bench.run(&job).await;
        assert_eq!(bench.journal(&job).doubts().count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_cut_again_and_again_are_halved() {
    let bench = renamed(64);
    bench.fault(&json!({"path": UPDATE, "times": 5, "effect": {"kind": "cut_before_commit"}}));
    let job = bench.job(&job("upsert", "[retry]\nbase = \"10ms\"\nmax = \"20ms\"\n"));
    bench.forget_requests();
    let report = bench.run(&job).await;
    assert_eq!(counts(&report), (0, 64, 0, 0, 0, 0), "{:?}", report.causes);
    // 64, 64, 32, 16, 8 are cut; 4, 4, 8, 16, 32 land.
    assert_eq!(bench.writes().0, 10);
}
