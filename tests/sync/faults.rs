use serde_json::json;

use crate::harness::{Bench, counts};

const JOB: &str = "mode = \"upsert\"
[source]
path = \"rows.csv\"
key = [\"no\"]
types = { no = \"text\" }
[target]
entity = \"account\"
match = { key = [\"accountnumber\"] }
[columns.accountnumber]
from = \"no\"
[columns.name]
from = \"name\"
[batch]
records = 20
[retry]
base = \"10ms\"
max = \"50ms\"
";

fn bench(rows: usize) -> Bench {
    let bench = Bench::new();
    let rows: String = (0..rows).map(|n| format!("N{n:04},Name {n}\n")).collect();
    bench.file("rows.csv", format!("no,name\n{rows}"));
    bench
}

/// Names in the target, each once, in order.
fn names(bench: &Bench) -> Vec<String> {
    let names = bench.column("accounts", "name", "accountnumber");
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn expected(rows: usize) -> Vec<String> {
    (0..rows).map(|n| format!("Name {n}")).collect()
}

/// All records land, none twice, under this fault.
async fn all_land(fault: serde_json::Value) {
    let bench = bench(200);
    bench.fault(&fault);
    let report = bench.run(&bench.job(JOB)).await;
    assert_eq!(counts(&report), (200, 0, 0, 0, 0, 0), "{fault}: {:?}", report.causes);
    assert_eq!(names(&bench), expected(200), "{fault}");
    bench.no_faults();
    let report = bench.run(&bench.job(JOB)).await;
    assert_eq!(counts(&report), (0, 0, 200, 0, 0, 0));
}

const CREATE: &str = "CreateMultiple";

#[tokio::test]
async fn a_lost_reply_neither_loses_nor_doubles() {
    all_land(json!({"path": CREATE, "every": 3, "effect": {"kind": "cut_after_commit"}})).await;
}

#[tokio::test]
async fn a_lost_request_neither_loses_nor_doubles() {
    all_land(json!({"path": CREATE, "every": 3, "effect": {"kind": "cut_before_commit"}})).await;
}

#[tokio::test]
async fn a_reply_that_is_cut_short_neither_loses_nor_doubles() {
    all_land(json!({"path": CREATE, "every": 3, "effect": {"kind": "truncate", "bytes": 40}}))
        .await;
}

#[tokio::test]
async fn a_server_error_is_tried_again() {
    let error = json!({"kind": "reply", "status": 503, "code": "", "message": "down"});
    all_land(json!({"path": CREATE, "every": 3, "effect": error})).await;
}

#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let message = "Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql Number: 1205";
    let error = json!({"kind": "reply", "status": 500, "code": "0x80044150", "message": message});
    all_land(json!({"path": CREATE, "every": 3, "effect": error})).await;
}

#[tokio::test]
async fn html_instead_of_a_reply_is_tried_again() {
    all_land(json!({"path": CREATE, "every": 3, "effect": {"kind": "html", "status": 502}})).await;
}

#[tokio::test(start_paused = true)]
async fn a_throttled_batch_waits_the_full_retry_after() {
    let bench = bench(200);
    let error = json!({"kind": "reply", "status": 429, "code": "0x80072322", "message": "slow down",
        "retry_after_seconds": 37});
    bench.fault(&json!({"path": CREATE, "times": 1, "effect": error}));
    let before = bench.clock.now();
    let report = bench.run(&bench.job(JOB)).await;
    assert_eq!(counts(&report), (200, 0, 0, 0, 0, 0));
    assert_eq!(report.requests.throttled, 1);
    assert!(bench.clock.now() - before >= std::time::Duration::from_secs(37));
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_what_the_job_allows_defers_the_records() {
    let bench = bench(20);
    let error = json!({"kind": "reply", "status": 429, "code": "0x80072321", "message": "slow down",
        "retry_after_seconds": 4000});
    bench.fault(&json!({"path": CREATE, "effect": error}));
    let report = bench.run(&bench.job(JOB)).await;
    assert_eq!(counts(&report), (0, 0, 0, 0, 20, 0));
    assert_eq!(report.status.as_str(), "incomplete");
    assert!(bench.clock.now() < std::time::Duration::from_secs(4000));
}

#[tokio::test]
async fn refused_records_are_found_in_two_requests_a_batch() {
    let bench = bench(100);
    let text: String = (0..100)
        .map(|n| format!("N{n:04},Name {n},{}\n", if n % 25 == 3 { 77 } else { 1 }))
        .collect();
    bench.file("rows.csv", format!("no,name,owner\n{text}"));
    // The host takes any guid for an owner; the service knows which exist.
    let job = JOB.replace("[batch]", "[columns.ownerid]\nfrom = \"owner\"\n[batch]");
    let text =
        text.replace(",77\n", ",00000000-0000-0000-0000-0000000000aa\n").replace(",1\n", ",\n");
    bench.file("rows.csv", format!("no,name,owner\n{text}"));
    let job = job.replace("from = \"owner\"", "from = \"owner\"\nwhen_null = \"leave\"");
    let report = bench.run(&bench.job(&job)).await;
    assert_eq!(counts(&report), (96, 0, 0, 0, 0, 4), "{:?}", report.causes);
    let letters = bench.letters(&report);
    assert!(letters[0].starts_with("rows.csv:5 0x"), "{letters:?}");
    // Metadata and reads apart: five batches, four of them refused once.
    assert_eq!(names(&bench).len(), 96);
}

#[tokio::test]
async fn a_server_that_goes_away_ends_the_run_and_the_next_one_goes_on() {
    let bench = bench(100);
    bench.fault(&json!({"path": CREATE, "effect": {"kind": "reply", "status": 403, "code": "0x80040220", "message": "missing prvCreateAccount privilege"}}));
    let report = bench.run(&bench.job(JOB)).await;
    assert_eq!(report.status.as_str(), "failed", "{report:?}");
    assert_eq!(report.counts.created, 0);
    bench.no_faults();
    let report = bench.run(&bench.job(JOB)).await;
    assert_eq!(counts(&report), (100, 0, 0, 0, 0, 0));
}

#[tokio::test]
async fn too_many_dead_letters_stop_the_run() {
    let bench = bench(5_000);
    let text: String = (0..5_000).map(|n| format!("N{n:04},{}\n", "x".repeat(200))).collect();
    bench.file("rows.csv", format!("no,name\n{text}"));
    let job = format!("{JOB}[limits]\ndead_letters_max_percent = 5.0\n");
    let report = bench.run(&bench.job(&job)).await;
    assert_eq!(report.status.as_str(), "incomplete");
    assert!(report.message.unwrap().contains("dead_letters_max_percent"));
}

#[tokio::test]
async fn records_beyond_a_days_worth_are_deferred_and_earlier_runs_count() {
    let bench = bench(100);
    let job = format!("{JOB}[limits]\nrecords_per_day = 60\n");
    let report = bench.run(&bench.job(&job)).await;
    assert_eq!(counts(&report), (60, 0, 0, 0, 40, 0), "{:?}", report.causes);
    assert_eq!(report.causes[0].code, "records_per_day");
    assert_eq!((report.principals[0].name.as_str(), report.principals[0].records), ("p", 60));
    let report = bench.run(&bench.job(&job)).await;
    assert_eq!(counts(&report), (0, 0, 60, 0, 40, 0), "{:?}", report.causes);
    let report = bench.run(&bench.job(&job.replace("60", "1000"))).await;
    assert_eq!(counts(&report), (40, 0, 60, 0, 0, 0), "{:?}", report.causes);
}

#[tokio::test]
async fn who_asks_to_stop_does_not_wait_for_a_throttle() {
    let bench = bench(100);
    let error = json!({"kind": "reply", "status": 429, "code": "0x80072321", "message": "slow down",
        "retry_after_seconds": 500});
    bench.fault(&json!({"path": CREATE, "effect": error}));
    let (job, stop) = (bench.job(JOB), dvsync_engine::Stop::new());
    let stopping = async {
        let throttled =
            || bench.ask("GET", "/emulator/requests", &json!(null)).1.to_string().contains("429");
        while !throttled() {
            tokio::task::yield_now().await;
        }
        stop.ask();
    };
    let (report, ()) = tokio::join!(bench.try_run_until(&job, None, &stop), stopping);
    let report = report.unwrap();
    report.counts.check().unwrap();
    assert_eq!((report.counts.created, report.counts.deferred), (0, 0), "{report:?}");
    assert_eq!(report.counts.not_reached, 100, "{report:?}");
    assert_eq!(report.status.as_str(), "incomplete");
    assert!(report.seconds < 400.0, "{}", report.seconds);
    bench.no_faults();
    let report = bench.run(&job).await;
    assert_eq!(counts(&report), (100, 0, 0, 0, 0, 0));
}
