//! What trouble costs: the same load undisturbed and with faults of the service,
//! over the emulator in process.
//!
//! ```text
//! cargo bench --workspace --bench adversity -- [ROWS]
//! ```
//!
//! A request takes a lognormal 150 ms, 6 ms for each record, and 2 ms more for
//! each operation of a `$batch`. Up to 20,000 rows that is on a clock that only
//! the waits move: the rate against the undisturbed one is that of the service's
//! time and does not depend on the machine. With more rows it takes as long as it
//! says. The processor time (client and service) stands beside it.
//!
//! Prints for each trouble the records that landed and were doubled, the requests
//! that it cost, and both ratios. Default: 20,000 rows, batches of 200. Bad
//! records are a thousandth of all, spread or together. Fails where a record is
//! lost or doubled, or an aim is missed.

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
use dvsync_emulator::{Assertion, Emulator, RecorderSettings, Settings};
use dvsync_engine::job::Job;
use dvsync_engine::{Parts, Progress, Report, Stop, client_settings};
use http::Request;
use serde_json::{Value, json};

const URL: &str = "http://127.0.0.1:9";
const BATCH: usize = 200;
/// One of so many records is refused by the service.
const BAD: usize = 1000;

/// A paused clock waits for the thread that reads, which waits for room once more
/// chunks are read than can be under way.
const PAUSED_MAX: usize = 20_000;
/// More requests for each refused batch, at most.
const MORE_MAX: u64 = 2;

fn main() {
    dvsync_cli::set_allocator();
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
    let rows = arguments.next().map_or(PAUSED_MAX, |text| text.parse().unwrap());
    println!("{rows} rows, batches of {BATCH}");
    let writes =
        |effect: Value| json!({"method": "POST", "path": "CreateMultiple", "effect": effect});
    let every = |times: u64, effect: Value| {
        let mut fault = writes(effect);
        fault["every"] = json!(times);
        Some(fault)
    };
    let throttled = json!({"kind": "reply", "status": 429, "code": "0x80072322",
        "message": "too many", "retry_after_seconds": 1});
    let mut undisturbed: Option<Played> = None;
    let mut missed = 0;
    for (what, bad, fault, least) in [
        ("undisturbed", Bad::None, None, 0.0),
        ("429 on every 5th write", Bad::None, every(5, throttled), 0.0),
        (
            "reply lost on every 100th write",
            Bad::None,
            every(100, json!({"kind": "cut_after_commit"})),
            0.0,
        ),
        ("deadlock on every 10th write", Bad::None, every(10, json!({"kind": "deadlock"})), 0.0),
        ("bad records, spread", Bad::Spread, None, 0.80),
        ("bad records, together", Bad::Together, None, 0.95),
    ] {
        let played = play(rows, bad, fault);
        let plain = undisturbed.as_ref().unwrap_or(&played);
        let rate = plain.report.seconds / played.report.seconds;
        let processor = plain.processor.as_secs_f64() / played.processor.as_secs_f64();
        let more = played.report.requests.sent.saturating_sub(plain.report.requests.sent);
        println!(
            "{what}: {} of {} good records landed, {} doubled, {} dead-lettered; {} requests, \
             {} retried, {} throttled; {:.0} s of the service, {:.1} % of the undisturbed rate; \
             {:.1} s of processor, {:.0} %",
            played.landed,
            rows - played.bad,
            played.doubled,
            played.report.counts.dead_lettered,
            played.report.requests.sent,
            played.report.requests.retried,
            played.report.requests.throttled,
            played.report.seconds,
            rate * 100.0,
            played.processor.as_secs_f64(),
            processor * 100.0,
        );
        assert_eq!((played.landed, played.doubled), (rows - played.bad, 0), "{what}");
        assert_eq!(played.report.counts.dead_lettered, u64::try_from(played.bad).unwrap());
        if bad != Bad::None {
            let refused = u64::try_from(match bad {
                Bad::Spread => played.bad,
                _ => played.bad.div_ceil(BATCH),
            });
            let refused = refused.unwrap();
            let is_met = rate >= least && more <= MORE_MAX * refused;
            println!(
                "  {refused} batches refused, {more} more requests; aims: {MORE_MAX} for each, \
                 {:.0} % of the rate: {}",
                least * 100.0,
                if is_met { "met" } else { "MISSED" }
            );
            missed += i32::from(!is_met);
        }
        undisturbed.get_or_insert(played);
    }
    std::process::exit(missed);
}

/// One load, on a clock of its own.
fn play(rows: usize, bad: Bad, fault: Option<Value>) -> Played {
    let runtime = if rows <= PAUSED_MAX {
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()
    } else {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()
    };
    let runtime = runtime.unwrap();
    let before = processor_time();
    let mut played = runtime.block_on(sync(rows, bad, fault));
    played.processor = processor_time() - before;
    played
}

/// User and system time of this process (Linux).
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
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
    processor: Duration,
}

async fn sync(rows: usize, bad: Bad, fault: Option<Value>) -> Played {
    let folder = tempfile::tempdir().unwrap();
    let count = write_rows(&folder.path().join("rows.csv"), rows, bad);
    let schema = "[tables.new_thing]\nset = \"new_things\"\nprimary_name = \"new_name\"\n\
         [tables.new_thing.columns]\n\
         new_no = { type = \"text\", max_length = 50 }\nnew_name = { type = \"text\" }\n\
         new_contactid = { type = \"lookup\", targets = [\"contact\"], schema_name = \"new_ContactId\" }\n";
    let latency = "[latency]\nbase_ms = { median = 150, sigma = 0.5 }\nper_record_ms = 6\n\
         per_operation_ms = 2\n";
    let settings = Settings::from_toml(latency).unwrap().with_schema(schema).unwrap();
    let recorder = RecorderSettings { creates_max: 2 * rows, ..RecorderSettings::default() };
    let emulator = Emulator::new(Settings { recorder, ..settings }).unwrap();
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
         [batch]\nrecords = {BATCH}\n"
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
    Played {
        report,
        landed,
        doubled: twice.violations.len(),
        bad: count,
        processor: Duration::ZERO,
    }
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
