use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use dvsync_cli::Embedded;
use dvsync_dataverse::{Client, Clock};
use dvsync_emulator::{Emulator, Settings};
use dvsync_engine::job::Job;
use dvsync_engine::journal::{LetterFilter, LetterRecord, Reader};
use dvsync_engine::{
    LeftAlone, Parts, Progress, Report, RulesOnResume, RunError, Stop, client_settings,
};
use dvsync_rules::{Sandbox, SandboxSettings};
use http::Request;
use serde_json::{Value, json};
use tempfile::TempDir;

const URL: &str = "http://127.0.0.1:9";

/// A target, and a folder with files and jobs.
pub(crate) struct Bench {
    pub(crate) emulator: Arc<Emulator>,
    pub(crate) clock: Clock,
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    /// With tables over the standard ones.
    pub(crate) fn schema(toml: &str) -> Self {
        Self::with(Settings::default().with_schema(toml).unwrap())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self {
            emulator: Arc::new(Emulator::new(settings).unwrap()),
            clock: Clock::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Writes a file beside the jobs.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A job: the target's address and principal are added.
    pub(crate) fn job(&self, toml: &str) -> Job {
        self.try_job(toml).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn try_job(&self, toml: &str) -> Result<Job, dvsync_engine::job::JobError> {
        let toml = toml.replace("[target]", &format!("[target]\nurl = \"{URL}\""));
        let text = format!(
            "name = \"test\"\n{toml}\n[[target.principals]]\nname = \"p\"\ntoken = {{ env = \"TOKEN\" }}\n"
        );
        let path = self.file("job.toml", text);
        Job::load(&path, &BTreeMap::new(), &|name| (name == "TOKEN").then(|| "emulator".to_owned()))
    }

    /// Runs a job; its rule is a component, if it has one.
    pub(crate) async fn try_run(
        &self,
        job: &Job,
        component: Option<&[u8]>,
    ) -> Result<Report, RunError> {
        self.try_run_until(job, component, &Stop::new()).await
    }

    /// The same, until somebody asks it to stop.
    pub(crate) async fn try_run_until(
        &self,
        job: &Job,
        component: Option<&[u8]>,
        stop: &Stop,
    ) -> Result<Report, RunError> {
        let parts = self.parts(job, component)?;
        dvsync_engine::run(job, parts, &Progress::new(), stop).await
    }

    /// What a run is made from besides its job: a new client over this target,
    /// on this clock.
    pub(crate) fn parts(&self, job: &Job, component: Option<&[u8]>) -> Result<Parts, RunError> {
        let transport = Arc::new(Embedded::new(Arc::clone(&self.emulator), self.clock));
        let client = Client::new(client_settings(job, URL), transport, self.clock)?;
        let rule = match component {
            None => None,
            Some(wasm) => Some(sandbox().admit(wasm, "test rule")?),
        };
        Ok(Parts { client, clock: self.clock, rule, seed: 0, swaps: None })
    }

    /// Goes on with the job's last run.
    pub(crate) async fn resume(&self, job: &Job) -> Result<Report, RunError> {
        let (rules, parts) = (RulesOnResume::Same, self.parts(job, None)?);
        dvsync_engine::resume(job, parts, rules, &Progress::new(), &Stop::new()).await
    }

    /// Sends the rows of open letters again.
    pub(crate) async fn replay(
        &self,
        job: &Job,
        letters: LetterFilter,
    ) -> Result<(Report, LeftAlone), RunError> {
        let parts = self.parts(job, None)?;
        dvsync_engine::replay(job, parts, letters, &Progress::new(), &Stop::new()).await
    }

    /// The job's journal.
    pub(crate) fn journal(&self, job: &Job) -> Reader {
        Reader::open(&job.journal.path).unwrap()
    }

    /// How all letters of all runs stand: `key code state`.
    pub(crate) fn standing(&self, job: &Job) -> Vec<String> {
        let all = LetterFilter::default();
        let reader = self.journal(job);
        reader
            .meant(&all)
            .map(Result::unwrap)
            .map(|record| {
                let key = record.letter.key.unwrap_or_default();
                format!("{key} {} {}", record.letter.code, record.state.unwrap())
            })
            .collect()
    }

    /// Runs a job that begins, and checks what always holds.
    pub(crate) async fn run(&self, job: &Job) -> Report {
        self.run_with(job, None).await
    }

    pub(crate) async fn run_with(&self, job: &Job, component: Option<&[u8]>) -> Report {
        let report = self.try_run(job, component).await.unwrap_or_else(|error| panic!("{error}"));
        report.counts.check().unwrap();
        report
    }

    /// The letters of the latest run, as `file:line code column`.
    pub(crate) fn letters(&self, report: &Report) -> Vec<String> {
        self.letter_records(report)
            .into_iter()
            .map(|record| {
                let letter = record.letter;
                let column = letter.column.unwrap_or_else(|| "-".to_owned());
                format!("{} {} {column}", letter.origin, letter.code)
            })
            .collect()
    }

    pub(crate) fn letter_records(&self, report: &Report) -> Vec<LetterRecord> {
        let reader = Reader::open(&report.journal).unwrap();
        let mut letters: Vec<LetterRecord> =
            reader.letters(&report.run_id).unwrap().collect::<Result<_, _>>().unwrap();
        letters.sort_by_key(|letter| letter.ordinal);
        letters
    }

    /// Sends a request of its own to the target.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("{URL}{}", path.replace(' ', "%20")))
            .header("authorization", "Bearer emulator")
            .header("content-type", "application/json")
            .body(if body.is_null() { Bytes::new() } else { body.to_string().into() })
            .unwrap();
        let now = Duration::from_secs(1_763_800_000);
        let response = self.emulator.handle(request, now).response;
        let status = response.status().as_u16();
        (status, serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }

    /// Puts a record into the target; gives its id.
    pub(crate) fn put(&self, set: &str, id: u128, mut record: Value) -> String {
        let id = uuid(id);
        let key = match set {
            "accounts" => "accountid",
            "contacts" => "contactid",
            "systemusers" => "systemuserid",
            "teams" => "teamid",
            other => panic!("no primary id known for {other}"),
        };
        record[key] = json!(id);
        let (status, said) = self.ask("POST", &format!("/api/data/v9.2/{set}"), &record);
        assert_eq!(status, 204, "{said}");
        id
    }

    /// All records of a set, by a query such as `$select=name&$orderby=name`.
    pub(crate) fn rows(&self, set: &str, query: &str) -> Vec<Value> {
        let (status, said) =
            self.ask("GET", &format!("/api/data/v9.2/{set}?{query}"), &Value::Null);
        assert_eq!(status, 200, "{said}");
        said["value"].as_array().unwrap().clone()
    }

    /// One column of all records, in order of another.
    pub(crate) fn column(&self, set: &str, column: &str, by: &str) -> Vec<Value> {
        let rows = self.rows(set, &format!("$select={column},{by}&$orderby={by}"));
        rows.into_iter().map(|row| row[column].clone()).collect()
    }

    /// Forgets the requests so far.
    pub(crate) fn forget_requests(&self) {
        assert_eq!(self.ask("DELETE", "/emulator/requests", &Value::Null).0, 204);
    }

    /// (write requests, records in them) since they were forgotten.
    pub(crate) fn writes(&self) -> (u64, u64) {
        let (_, said) = self.ask("GET", "/emulator/requests", &Value::Null);
        let mut writes = (0, 0);
        for kind in said["requests"].as_array().unwrap() {
            let reads =
                kind["method"] == "GET" || kind["path"].as_str().unwrap().ends_with("$batch");
            if !reads {
                writes.0 += kind["requests"].as_u64().unwrap();
                writes.1 += kind["records"].as_u64().unwrap();
            }
        }
        writes
    }

    /// Requests with this in their path since they were forgotten.
    pub(crate) fn calls(&self, path: &str) -> u64 {
        let (_, said) = self.ask("GET", "/emulator/requests", &Value::Null);
        let kinds = said["requests"].as_array().unwrap().iter();
        let of = kinds.filter(|kind| kind["path"].as_str().unwrap().contains(path));
        of.map(|kind| kind["requests"].as_u64().unwrap()).sum()
    }

    /// What goes wrong from now on.
    pub(crate) fn fault(&self, rule: &Value) {
        let (status, said) = self.ask("POST", "/emulator/faults", rule);
        assert_eq!(status, 204, "{said}");
    }

    pub(crate) fn no_faults(&self) {
        assert_eq!(self.ask("DELETE", "/emulator/faults", &Value::Null).0, 204);
    }
}

/// A guid with this number.
pub(crate) fn uuid(number: u128) -> String {
    let hex = format!("{number:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// (created, updated, unchanged, dropped, deferred, dead-lettered).
pub(crate) fn counts(report: &Report) -> (u64, u64, u64, u64, u64, u64) {
    let c = &report.counts;
    (c.created, c.updated, c.unchanged, c.dropped, c.deferred, c.dead_lettered)
}

/// One sandbox for all tests of a process, as a host has.
pub(crate) fn sandbox() -> &'static Arc<Sandbox> {
    static SANDBOX: OnceLock<Arc<Sandbox>> = OnceLock::new();
    SANDBOX.get_or_init(|| Arc::new(Sandbox::new(SandboxSettings::default()).unwrap()))
}

/// The component of a guest, built when it is first asked for.
pub(crate) fn guest(package: &str) -> Vec<u8> {
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = dvsync_rules_build::build(folder, package, "guest", &target.join("guests"))
        .unwrap_or_else(|error| panic!("{error}"));
    std::fs::read(path).unwrap()
}
