//! What trouble costs: the same load undisturbed and with faults of the service,
//! over the emulator in process.
//!
//! ```text
//! cargo bench --workspace --bench adversity -- [ROWS]
//! ```
//!
//! Prints for each trouble the records that landed and were doubled, requests,
//! and the rate against the undisturbed one. Default: 200,000 rows, batches of
//! 200. Bad records are a thousandth of all, spread or together.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "figures are its output")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dvsync_cli::Embedded;
use dvsync_dataverse::{Client, Clock};
use dvsync_emulator::{Assertion, Emulator, Settings};
use dvsync_engine::job::Job;
use dvsync_engine::{Parts, Progress, Report, Stop, client_settings};
use http::Request;
use serde_json::{Value, json};

const URL: &str = "http://127.0.0.1:9";
const BATCH: usize = 200;
/// One of so many records is refused by the service.
const BAD: usize = 1000;

fn main() {
    dvsync_cli::set_allocator();
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
    let rows = arguments.next().map_or(200_000, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("{rows} rows, batches of {BATCH}");
    let writes =
        |effect: Value| json!({"method": "POST", "path": "CreateMultiple", "effect": effect});
    let throttled = |seconds: u64| {
        json!({"kind": "reply", "status": 429, "code": "0x80072322", "message": "too many",
            "retry_after_seconds": seconds})
    };
    let mut every_fifth = writes(throttled(0));
    every_fifth["every"] = json!(5);
    let mut lost = writes(json!({"kind": "cut_after_commit"}));
    lost["every"] = json!(100);
    let mut deadlock = writes(json!({"kind": "deadlock"}));
    deadlock["every"] = json!(10);
    let mut undisturbed = None;
    for (what, bad, fault) in [
        ("undisturbed", Bad::None, None),
        ("429 on every 5th write", Bad::None, Some(every_fifth)),
        ("reply lost on every 100th write", Bad::None, Some(lost)),
        ("deadlock on every 10th write", Bad::None, Some(deadlock)),
        ("bad records, spread", Bad::Spread, None),
        ("bad records, together", Bad::Together, None),
    ] {
        let played = runtime.block_on(play(rows, bad, fault));
        let seconds = played.report.seconds;
        let ratio = undisturbed.get_or_insert(seconds).to_owned() / seconds;
        let counts = &played.report.counts;
        println!(
            "{what}: {} of {} good records landed, {} doubled, {} dead-lettered; {} requests, \
             {} retried; {:.2} s, {:.0} % of the undisturbed rate",
            played.landed,
            rows - played.bad,
            played.doubled,
            counts.dead_lettered,
            played.report.requests.sent,
            played.report.requests.retried,
            seconds,
            ratio * 100.0
        );
        assert_eq!((played.landed, played.doubled), (rows - played.bad, 0), "{what}");
        assert_eq!(counts.dead_lettered, u64::try_from(played.bad).unwrap(), "{what}");
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Bad {
    None,
    Spread,
    Together,
}

struct Played {
    report: Report,
    landed: usize,
    doubled: usize,
    bad: usize,
}

async fn play(rows: usize, bad: Bad, fault: Option<Value>) -> Played {
    let folder = tempfile::tempdir().unwrap();
    let count = write_rows(&folder.path().join("rows.csv"), rows, bad);
    let schema = "[tables.new_thing]\nset = \"new_things\"\nprimary_name = \"new_name\"\n\
         [tables.new_thing.columns]\n\
         new_no = { type = \"text\", max_length = 50 }\nnew_name = { type = \"text\" }\n\
         new_contactid = { type = \"lookup\", targets = [\"contact\"], schema_name = \"new_ContactId\" }\n";
    let emulator = Emulator::new(Settings::default().with_schema(schema).unwrap()).unwrap();
    let emulator = Arc::new(emulator);
    if let Some(fault) = fault {
        let said = ask(&emulator, "POST", "/emulator/faults", &fault);
        assert!(said.is_null(), "{said}");
    }
    let text = format!(
        "name = \"adversity\"\nmode = \"upsert\"\n\
         [source]\npath = \"rows.csv\"\nkey = [\"no\"]\ntypes = {{ no = \"text\", name = \"text\", contact = \"text\" }}\n\
         [target]\nurl = \"{URL}\"\nentity = \"new_thing\"\nmatch = {{ columns = [\"new_no\"] }}\n\
         [[target.principals]]\nname = \"p\"\ntoken = {{ env = \"TOKEN\" }}\n\
         [columns.new_no]\nfrom = \"no\"\n[columns.new_name]\nfrom = \"name\"\n\
         [columns.new_contactid]\nfrom = \"contact\"\n\
         [batch]\nrecords = {BATCH}\n[retry]\nbase = \"1ms\"\nmax = \"10ms\"\n"
    );
    let path = folder.path().join("job.toml");
    std::fs::write(&path, text).unwrap();
    let job = Job::load(&path, &BTreeMap::new(), &|_| Some("emulator".to_owned())).unwrap();
    let clock = Clock::new();
    let transport = Arc::new(Embedded::new(Arc::clone(&emulator), clock));
    let client = Client::new(client_settings(&job, URL), transport, clock).unwrap();
    let parts = Parts { client, clock, rule: None, seed: 0, swaps: None };
    let report = dvsync_engine::run(&job, parts, &Progress::new(), &Stop::new()).await.unwrap();
    report.counts.check().unwrap();
    let twice = emulator.check(&Assertion::NoCreateTwice);
    let path = "/api/data/v9.2/RetrieveTotalRecordCount(EntityNames=['new_thing'])";
    let said = ask(&emulator, "GET", path, &Value::Null);
    let landed = said["EntityRecordCountCollection"]["Values"][0].as_u64().unwrap();
    let landed = usize::try_from(landed).unwrap();
    Played { report, landed, doubled: twice.violations.len(), bad: count }
}

/// A bad row points to a contact that is not there: only the service can tell.
fn write_rows(path: &Path, rows: usize, bad: Bad) -> usize {
    const NOBODY: &str = "00000000-0000-4000-8000-000000000001";
    let mut text = String::from("no,name,contact\n");
    let bad_rows = if bad == Bad::None { 0 } else { rows / BAD };
    for row in 0..rows {
        let is_bad = match bad {
            Bad::None => false,
            Bad::Spread => row % BAD == BAD / 2,
            Bad::Together => row < bad_rows,
        };
        let contact = if is_bad { NOBODY } else { "" };
        writeln!(text, "K{row:08},Store number {row},{contact}").unwrap();
    }
    std::fs::write(path, text).unwrap();
    bad_rows
}

fn ask(emulator: &Emulator, method: &str, path: &str, body: &Value) -> Value {
    let request = Request::builder()
        .method(method)
        .uri(format!("{URL}{}", path.replace('\'', "%27")))
        .header("authorization", "Bearer emulator")
        .header("content-type", "application/json")
        .body(if body.is_null() { Bytes::new() } else { body.to_string().into() })
        .unwrap();
    let response = emulator.handle(request, Duration::from_secs(1_763_800_000)).response;
    assert!(response.status().is_success(), "{:?}", response.body());
    serde_json::from_slice(response.body()).unwrap_or(Value::Null)
}
