//! A whole run, measured: Parquet through the account rule into an emulator in
//! a process of its own, over HTTP on the loopback.
//!
//! ```text
//! cargo bench --workspace --bench sync -- [ROWS] [BATCH]
//! ```
//!
//! Prints rows for each second, processor time of the host alone for each
//! record, and its peak memory; for the first load and for a second run over
//! unchanged rows, each in a process of its own. Defaults: 1,000,000 rows,
//! batches of 500.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "figures are its output")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use bytes::Bytes;
use dvsync_dataverse::{Client, Clock, HttpSettings, HttpTransport, Transport};
use dvsync_emulator::{Emulator, Settings};
use dvsync_engine::job::Job;
use dvsync_engine::{Parts, Progress, Stop, client_settings};
use dvsync_rules::{Sandbox, SandboxSettings};
use parquet::arrow::ArrowWriter;

const EMULATE: &str = "--emulate";
const SYNC: &str = "--sync";
const SCHEMA: &str = include_str!("../../examples/adventureworks/schema.toml");

fn main() {
    dvsync_cli::set_allocator();
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let runtime = dvsync_cli::runtime().unwrap();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [EMULATE] => runtime.block_on(emulate()),
        [SYNC, job, url, what] => runtime.block_on(sync(Path::new(job), url, what)),
        _ => {
            let number =
                |at: usize, or: usize| arguments.get(at).map_or(or, |text| text.parse().unwrap());
            runtime.block_on(measure(number(0, 1_000_000), number(1, 500)));
        }
    }
}

/// Serves until standard input ends, so that it never outlives its parent.
async fn emulate() {
    let emulator = Emulator::new(Settings::default().with_schema(SCHEMA).unwrap()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let parent = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
    let stop = async {
        drop(parent.await);
    };
    dvsync_emulator::serve(Arc::new(emulator), listener, None, stop).await.unwrap();
}

async fn measure(rows: usize, batch: usize) {
    let folder = tempfile::tempdir().unwrap();
    write_accounts(&folder.path().join("accounts.parquet"), rows);
    fs::write(folder.path().join("people.csv"), people()).unwrap();
    let (mut child, url) = start();
    seed_users(&url).await;
    let text = format!(
        "name = \"bench\"\nmode = \"upsert\"\n\
         [source]\npath = \"accounts.parquet\"\nkey = [\"account_number\"]\n\
         [target]\nurl = \"{url}\"\nentity = \"account\"\n\
         match = {{ key = [\"accountnumber\"] }}\n\
         [[target.principals]]\nname = \"p\"\ntoken = {{ env = \"TOKEN\" }}\n\
         [rules]\nplugin = \"account\"\n\
         [tables.salespeople]\npath = \"people.csv\"\n[batch]\nrecords = {batch}\n"
    );
    let path = folder.path().join("job.toml");
    fs::write(&path, text).unwrap();
    for what in ["first load", "second run"] {
        let mut sync = Command::new(std::env::current_exe().unwrap());
        let ended = sync.arg(SYNC).arg(&path).args([url.as_str(), what]).status().unwrap();
        assert!(ended.success(), "{what}: {ended}");
    }
    drop(child.stdin.take());
    child.wait().unwrap();
}

async fn sync(job: &Path, url: &str, what: &str) {
    let job = Job::load(job, &BTreeMap::new(), &|_| Some("emulator".to_owned())).unwrap();
    let clock = Clock::new();
    let transport = Arc::new(HttpTransport::new(&HttpSettings::default()).unwrap());
    let client = Client::new(client_settings(&job, url), transport, clock).unwrap();
    let sandbox = Sandbox::new(SandboxSettings::default()).unwrap();
    let rule = sandbox.admit(dvsync_cli::component("account").unwrap(), "account").unwrap();
    let parts = Parts { client, clock, rule: Some(rule), seed: 0, swaps: None };
    let before = processor_time();
    let report = dvsync_engine::run(&job, parts, &Progress::new(), &Stop::new()).await.unwrap();
    let spent = processor_time() - before;
    report.counts.check().unwrap();
    assert!(report.error.is_none(), "{report:?}");
    assert_eq!(report.counts.dead_lettered + report.counts.deferred, 0, "{:?}", report.causes);
    let read = report.counts.read as f64;
    println!(
        "{what}: {read} rows ({} created, {} updated, {} unchanged) in {:.1} s, {:.0} rows/s, \
         {:.2} us CPU of the host a row, peak memory {} MiB, {} requests",
        report.counts.created,
        report.counts.updated,
        report.counts.unchanged,
        report.seconds,
        read / report.seconds,
        spent.as_secs_f64() * 1e6 / read,
        peak_memory_mib(),
        report.requests.sent,
    );
}

fn start() -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg(EMULATE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (child, format!("http://{}", address.trim()))
}

const PEOPLE: usize = 17;

fn people() -> String {
    let rows: String = (0..PEOPLE).map(|n| format!("{n},p{n}@x.example\n")).collect();
    format!("sales_person_id,email\n{rows}")
}

async fn seed_users(url: &str) {
    let transport = HttpTransport::new(&HttpSettings::default()).unwrap();
    for n in 0..PEOPLE {
        let body = format!("{{\"lastname\":\"P{n}\",\"internalemailaddress\":\"p{n}@x.example\"}}");
        let request = http::Request::post(format!("{url}/api/data/v9.2/systemusers"))
            .header("authorization", "Bearer emulator")
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .unwrap();
        let reply = transport.send(request, Duration::from_secs(10)).await.unwrap();
        assert_eq!(reply.status(), 204);
    }
}

/// Twenty columns in the shape of a CRM export, deterministic.
fn write_accounts(path: &Path, rows: usize) {
    const CHUNK: usize = 50_000;
    let mut writer: Option<ArrowWriter<File>> = None;
    for start in (0..rows).step_by(CHUNK) {
        let batch = accounts(start..rows.min(start + CHUNK));
        let writer = writer.get_or_insert_with(|| {
            ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap()
        });
        writer.write(&batch).unwrap();
    }
    writer.unwrap().close().unwrap();
}

fn accounts(rows: std::ops::Range<usize>) -> RecordBatch {
    let text = |make: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new(rows.clone().map(|n| Some(make(n))).collect::<StringArray>())
    };
    let whole = |make: &dyn Fn(usize) -> usize| -> ArrayRef {
        let values = rows.clone().map(|n| i64::try_from(make(n)).ok());
        Arc::new(values.collect::<Int64Array>())
    };
    let pick = |n: usize, of: &[&str]| of[n % of.len()].to_owned();
    RecordBatch::try_from_iter([
        ("account_number", text(&|n| format!("AC{n:08}"))),
        ("name", text(&|n| format!("{} Store {n}", pick(n, &["Alpine", "River", "Old Town"])))),
        ("business_type", text(&|n| pick(n, &["BM", "BS", "OS"]))),
        ("phone", text(&|n| format!("{}-555-{:04}", 200 + n % 700, n % 10_000))),
        ("line1", text(&|n| format!("{} Main Street", n % 9_000))),
        ("line2", text(&|n| if n % 5 == 0 { "Suite 100".into() } else { String::new() })),
        ("city", text(&|n| pick(n, &["Seattle", "Ottawa", "Berlin", "Lyon"]))),
        ("state", text(&|n| pick(n, &["WA", "ON", "BE", "RA"]))),
        ("postal_code", text(&|n| format!("{:05}", n % 99_999))),
        ("country", text(&|n| pick(n, &["United States", "Canada", "Germany", "France"]))),
        ("employees", whole(&|n| n % 500)),
        ("annual_sales", whole(&|n| 10_000 * (n % 300))),
        ("annual_revenue", whole(&|n| 1_000 * (n % 300))),
        ("bank", text(&|n| pick(n, &["United Security", "Primary Bank & Reserve"]))),
        ("specialty", text(&|n| pick(n, &["Mountain", "Road", "Touring"]))),
        ("year_opened", whole(&|n| 1970 + n % 50)),
        ("internet", text(&|n| pick(n, &["DSL", "T1", "ISDN"]))),
        ("brands", text(&|n| pick(n, &["2", "4+", "AW", "3"]))),
        ("sales_person_id", whole(&|n| n % PEOPLE)),
        ("contact_email", text(&|n| format!("contact{n}@x.example"))),
    ])
    .unwrap()
}

/// User and system time of this process (Linux).
fn processor_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn peak_memory_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}
