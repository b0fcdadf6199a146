//! One case, played to its end and compared with the model.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use bytes::Bytes;
use dvsync_cli::Embedded;
use dvsync_dataverse::{Client, Clock};
use dvsync_emulator::{Assertion, Emulator, Settings};
use dvsync_engine::job::Job;
use dvsync_engine::journal::RunStatus;
use dvsync_engine::{Parts, Progress, Report, RulesOnResume, RunError, Stop, client_settings};
use http::Request;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::case::{CONTACTS, Case, Match, Mode, Row};
use crate::model::{self, End, Target, key};
use crate::mortal::Mortal;

const URL: &str = "http://127.0.0.1:9";
const API: &str = "/api/data/v9.2";
/// Processes that a version may take until the service is left in peace.
const PATIENCE: usize = 6;
/// And until the case counts as stuck.
const PROCESSES_MAX: usize = 20;

/// What was played.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    cases: u64,
    processes: u64,
    deaths: u64,
    requests: u64,
    retried: u64,
    throttled: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.cases += other.cases;
        self.processes += other.processes;
        self.deaths += other.deaths;
        self.requests += other.requests;
        self.retried += other.retried;
        self.throttled += other.throttled;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cases, {} processes, {} of them killed, {} requests, {} retried, {} throttled",
            self.cases, self.processes, self.deaths, self.requests, self.retried, self.throttled
        )
    }
}

/// How a process ended.
enum Ended {
    Died,
    Reported(Box<Report>),
}

pub(crate) fn play(case: &Case) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut world = World::new(case);
        let mut target = model::before(case);
        for (number, rows) in case.versions.iter().enumerate() {
            let deaths = if number == 0 { &case.deaths[..] } else { &[] };
            target = world.sync(rows, target, deaths).await;
        }
        world.again(case.versions.last().unwrap()).await;
        world.look_back();
        world.tally
    })
}

struct World<'a> {
    case: &'a Case,
    emulator: Arc<Emulator>,
    clock: Clock,
    folder: TempDir,
    tally: Tally,
    /// Nothing goes wrong any more.
    is_calm: bool,
}

impl<'a> World<'a> {
    fn new(case: &'a Case) -> Self {
        let clock = Clock::starting_at("2026-01-05T08:00:00Z".parse().unwrap());
        let settings = Settings::from_toml(&settings(case)).unwrap();
        let emulator = Arc::new(Emulator::new(settings).unwrap());
        let tally = Tally { cases: 1, ..Tally::default() };
        let folder = tempfile::tempdir().unwrap();
        let world = Self { case, emulator, clock, folder, tally, is_calm: false };
        let contacts = (0..CONTACTS)
            .map(|n| ("contacts", json!({"lastname": "C", "emailaddress1": email(n)})));
        let things = case.before.iter().map(|row| {
            ("new_things", json!({"new_no": key(row.no), "new_name": row.name, "new_n": row.n}))
        });
        // One a minute, the day before: the limits are for everybody.
        for (minute, (set, record)) in (0..).zip(contacts.chain(things)) {
            let at = world.now() - Duration::from_hours(24) + Duration::from_mins(minute);
            let (status, said) = world.ask_at(at, "POST", &format!("{API}/{set}"), &record);
            assert_eq!(status, 204, "{said}");
        }
        for fault in &case.faults {
            assert_eq!(world.ask("POST", "/emulator/faults", fault).0, 204, "{fault}");
        }
        world
    }

    /// Runs until one version of the source is in the target, whatever happens.
    async fn sync(&mut self, rows: &[Row], before: Target, deaths: &[(usize, bool)]) -> Target {
        std::fs::write(self.folder.path().join("rows.csv"), csv(rows)).unwrap();
        let job = self.job();
        let end = model::end(self.case, before, rows);
        let mut deaths = deaths.iter();
        let mut resume = false;
        for process in 0..PROCESSES_MAX {
            if process == PATIENCE {
                self.calm();
            }
            self.tally.processes += 1;
            let death = deaths.next().copied();
            match self.process(&job, resume, death).await {
                Ended::Died => {
                    self.tally.deaths += 1;
                    resume = self.case.resume;
                }
                Ended::Reported(report) => {
                    report.counts.check().unwrap();
                    self.tally.requests += report.requests.sent;
                    self.tally.retried += report.requests.retried;
                    self.tally.throttled += report.requests.throttled;
                    if matches!(report.status, RunStatus::Complete | RunStatus::WithDeadLetters) {
                        self.compare(&report, &end, rows);
                        return end.target;
                    }
                    resume = self.case.resume && report.status == RunStatus::Incomplete;
                }
            }
            self.an_hour_later().await;
        }
        panic!("stuck after {PROCESSES_MAX} processes");
    }

    /// What the service asked for, or may still commit, has passed.
    async fn an_hour_later(&self) {
        let later = self.clock.now() + Duration::from_hours(1);
        self.clock.sleep_until(later).await;
    }

    /// One process: until it has a report, or dies.
    async fn process(&self, job: &Job, resume: bool, death: Option<(usize, bool)>) -> Ended {
        let died = Arc::new(Notify::new());
        let transport = Arc::new(Mortal {
            inner: Embedded::new(Arc::clone(&self.emulator), self.clock),
            left: death.map(|(after, _)| AtomicUsize::new(after)),
            last_arrives: death.is_some_and(|(_, arrives)| arrives),
            died: Arc::clone(&died),
        });
        loop {
            let client = Client::new(client_settings(job, URL), transport.clone(), self.clock);
            let parts = Parts {
                client: client.unwrap(),
                clock: self.clock,
                rule: None,
                seed: 0,
                swaps: None,
            };
            let (progress, stop) = (Progress::new(), Stop::new());
            let life = async {
                if resume {
                    dvsync_engine::resume(job, parts, RulesOnResume::Same, &progress, &stop).await
                } else {
                    dvsync_engine::run(job, parts, &progress, &stop).await
                }
            };
            tokio::select! {
                ended = life => match ended {
                    Ok(report) => return Ended::Reported(Box::new(report)),
                    // The threads of the process before have not all ended.
                    Err(RunError::Journal(error)) if in_use(&error) => {
                        tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
                    }
                    // Killed before its journal had a run, or after the last one
                    // was complete.
                    Err(RunError::Job { .. }) if resume => {
                        return Box::pin(self.process(job, false, death)).await;
                    }
                    // Faults may keep a run from beginning.
                    Err(RunError::Client(error)) => {
                        assert!(!self.case.faults.is_empty() && !self.is_calm, "{error}");
                        return Ended::Died;
                    }
                    Err(error) => panic!("{error}"),
                },
                () = died.notified() => return Ended::Died,
            }
        }
    }

    fn compare(&self, report: &Report, end: &End, rows: &[Row]) {
        let found = self.target();
        assert_eq!(found, end.target, "{:?}", report.causes);
        assert_eq!(report.counts.read, u64::try_from(rows.len()).unwrap());
        assert_eq!(
            (report.counts.dead_lettered, report.counts.dropped),
            (end.dead_lettered, end.dropped),
            "{:?}",
            report.causes
        );
    }

    /// The same data again: nothing is written.
    async fn again(&mut self, rows: &[Row]) {
        self.calm();
        // A process that died may have left principals frozen for minutes.
        self.an_hour_later().await;
        assert_eq!(self.ask("DELETE", "/emulator/requests", &Value::Null).0, 204);
        let job = self.job();
        let Ended::Reported(report) = self.process(&job, false, None).await else {
            panic!("a service without faults ended the run");
        };
        report.counts.check().unwrap();
        assert_eq!(report.counts.read, u64::try_from(rows.len()).unwrap());
        if self.case.matching != Match::Blind {
            let written = (report.counts.created, report.counts.updated, report.counts.upserted);
            assert_eq!(written, (0, 0, 0), "{:?}", report.causes);
        }
    }

    /// What the service saw.
    fn look_back(&self) {
        let created = self.emulator.check(&Assertion::NoCreateTwice);
        assert!(created.holds(), "{:?}", created.violations);
        // A process that has died could not remember what it was asked to wait.
        if self.case.deaths.is_empty() {
            let grace = Duration::from_secs(1);
            let kept = self.emulator.check(&Assertion::RetryAfterKept { grace });
            assert!(kept.holds(), "{:?}", kept.violations);
        }
    }

    fn calm(&mut self) {
        self.is_calm = true;
        assert_eq!(self.ask("DELETE", "/emulator/faults", &Value::Null).0, 204);
    }

    fn job(&self) -> Job {
        let path = self.folder.path().join("job.toml");
        std::fs::write(&path, job(self.case)).unwrap();
        let token = |name: &str| Some(name.to_lowercase());
        Job::load(&path, &BTreeMap::new(), &token).unwrap_or_else(|error| panic!("{error}"))
    }

    /// All records; doubles fail.
    fn target(&self) -> Target {
        let contacts: BTreeMap<String, u32> = self
            .rows("contacts", "$select=contactid,emailaddress1")
            .into_iter()
            .map(|row| {
                let email = row["emailaddress1"].as_str().unwrap();
                let number = email.trim_start_matches('c').split('@').next().unwrap();
                (row["contactid"].as_str().unwrap().to_owned(), number.parse().unwrap())
            })
            .collect();
        let mut target = Target::new();
        for row in self.rows("new_things", "$select=new_no,new_name,new_n,_new_contactid_value") {
            let name = row["new_name"].as_str().unwrap_or_default().to_owned();
            let n = row["new_n"].as_i64().and_then(|n| i32::try_from(n).ok());
            let contact = row["_new_contactid_value"].as_str().map(|id| contacts[id]);
            let key = row["new_no"].as_str().unwrap().to_owned();
            let double = target.insert(key, (name, n, contact));
            assert!(double.is_none(), "two records of one key: {row} and {double:?}");
        }
        target
    }

    fn rows(&self, set: &str, query: &str) -> Vec<Value> {
        let (status, said) = self.ask("GET", &format!("{API}/{set}?{query}"), &Value::Null);
        assert_eq!(status, 200, "{said}");
        said["value"].as_array().unwrap().clone()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.ask_at(self.now(), method, path, body)
    }

    fn now(&self) -> Duration {
        Duration::try_from(self.clock.wall().as_duration()).unwrap()
    }

    /// As somebody whom no faults meet.
    fn ask_at(&self, now: Duration, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("{URL}{path}"))
            .header("authorization", "Bearer observer")
            .header("content-type", "application/json")
            .body(if body.is_null() { Bytes::new() } else { body.to_string().into() })
            .unwrap();
        let response = self.emulator.handle(request, now).response;
        let said = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), said)
    }
}

fn in_use(error: &dvsync_engine::journal::JournalError) -> bool {
    matches!(error, dvsync_engine::journal::JournalError::InUse { .. })
}

fn email(contact: u32) -> String {
    format!("c{contact}@x.example")
}

fn csv(rows: &[Row]) -> String {
    let mut out = String::from("no,name,n,contact\n");
    for row in rows {
        let name = row.name.replace('"', "\"\"");
        let n = row.n.map(|n| n.to_string()).unwrap_or_default();
        let contact = row.contact.map(email).unwrap_or_default();
        out.push_str(&format!("{},\"{name}\",{n},{contact}\n", key(row.no)));
    }
    out
}

fn settings(case: &Case) -> String {
    let mut out = format!("seed = {}\nweb_servers = {}\n", case.seed, case.servers);
    for number in 0..case.principals {
        out.push_str(&format!("[principals.p{number}]\ntoken = \"p{number}\"\n"));
    }
    out.push_str("[principals.observer]\ntoken = \"observer\"\n");
    out.push_str("[latency]\nbase_ms = 20.0\nper_record_ms = 1.0\n");
    if case.limits {
        out.push_str("[limits]\nrequests = 12\nexecution_seconds = 20.0\nconcurrency = 3\nwindow_seconds = 30.0\n");
    }
    out.push_str("[tables.new_thing]\nset = \"new_things\"\nprimary_name = \"new_name\"\n");
    if case.matching != Match::Column {
        out.push_str("keys.new_no_key = [\"new_no\"]\n");
    }
    out.push_str(
        "[tables.new_thing.columns]\n\
         new_no = { type = \"text\", max_length = 50 }\n\
         new_name = { type = \"text\", max_length = 160 }\n\
         new_n = { type = \"integer\", min = 0, max = 1000 }\n\
         new_contactid = { type = \"lookup\", targets = [\"contact\"], schema_name = \"new_ContactId\" }\n",
    );
    out
}

fn job(case: &Case) -> String {
    let mode = match case.mode {
        Mode::Upsert => "upsert",
        Mode::Update => "update",
        Mode::Insert => "insert",
    };
    let (matching, lookup) = match case.matching {
        Match::Key => ("key", "columns"),
        Match::Column => ("columns", "columns"),
        Match::Blind => ("key", "none"),
    };
    let mut out = format!(
        "name = \"simulated\"\nmode = \"{mode}\"\n\
         [source]\npath = \"rows.csv\"\nkey = [\"no\"]\n\
         types = {{ no = \"text\", name = \"text\", n = \"text\", contact = \"text\" }}\n\
         duplicates = {{ keep = \"{}\" }}\n\
         [target]\nurl = \"{URL}\"\nentity = \"new_thing\"\n\
         match = {{ {matching} = [\"new_no\"] }}\nlookup = \"{lookup}\"\n\
         [columns.new_no]\nfrom = \"no\"\n[columns.new_name]\nfrom = \"name\"\n\
         [columns.new_n]\nfrom = \"n\"\n\
         [columns.new_contactid]\n\
         lookup = {{ entity = \"contact\", by = \"emailaddress1\", from = \"contact\", on_missing = \"{}\" }}\n\
         [batch]\nrecords = {}\n",
        case.keep, case.on_missing, case.batch
    );
    for number in 0..case.principals {
        out.push_str(&format!(
            "[[target.principals]]\nname = \"p{number}\"\ntoken = {{ env = \"P{number}\" }}\n"
        ));
    }
    out
}
