//! A run of many small chunks (a file each), and as many versions of one rule as
//! a test likes. Each row's `name` in the target says which version judged it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use dvsync_engine::job::Job;
use dvsync_engine::journal::RuleUsed;
use dvsync_engine::swap::{Candidate, Noted, Swaps};
use dvsync_engine::{Parts, Progress, Report, RulesOnResume, RunError, Stop};
use dvsync_model::Outcome;
use dvsync_rules::swap::SwapSettings;

use crate::harness::{Bench, guest, sandbox};

const STAMP: &[u8; 32] = b"stamp:good:00000000             ";

/// The component of a version: `good:00000001`.
pub(crate) fn version(stamp: &str) -> Vec<u8> {
    static GUEST: OnceLock<Vec<u8>> = OnceLock::new();
    let mut wasm = GUEST.get_or_init(|| guest("guest-stamped")).clone();
    let at = wasm.windows(STAMP.len()).position(|bytes| bytes == STAMP).unwrap();
    let patched = format!("{:32}", format!("stamp:{stamp}"));
    assert_eq!(patched.len(), STAMP.len());
    wasm[at..at + STAMP.len()].copy_from_slice(patched.as_bytes());
    wasm
}

pub(crate) fn candidate(stamp: &str) -> Candidate {
    Candidate::of(format!("stamped@{}", stamp.replace(':', "-")), version(stamp))
}

/// Short stages, so that a test sees all of them.
pub(crate) fn quick() -> SwapSettings {
    SwapSettings {
        conform_chunks: 0,
        shadow_chunks: 1,
        canary_percent: vec![20, 50],
        canary_chunks: 1,
        watch_chunks: 2,
        ..SwapSettings::default()
    }
}

/// No stage but the watch: a version meets rows that count at once.
pub(crate) fn hasty() -> SwapSettings {
    SwapSettings { shadow_chunks: 0, canary_percent: vec![], watch_chunks: 4, ..quick() }
}

/// Files, the target, and a job over them.
pub(crate) struct Course {
    pub(crate) bench: Bench,
    pub(crate) job: Job,
    rows: usize,
    first: Vec<u8>,
}

impl Course {
    /// `chunks` files of `rows` rows; `n` counts through all of them.
    pub(crate) fn new(chunks: usize, rows: usize) -> Self {
        Self::with(Bench::new(), chunks, rows, "")
    }

    /// Rows are sent a few at a time, so that some are before others are read.
    pub(crate) fn dripping(chunks: usize, rows: usize) -> Self {
        Self::with(Bench::new(), chunks, rows, "[batch]\nrecords = 5\n")
    }

    fn with(bench: Bench, chunks: usize, rows: usize, target: &str) -> Self {
        for chunk in 0..chunks {
            let lines: String =
                (chunk * rows..(chunk + 1) * rows).map(|n| format!("K{n:06},{n},x\n")).collect();
            bench.file(&format!("part-{chunk:04}.csv"), format!("no,n,extra\n{lines}"));
        }
        let job = bench.job(&format!(
            "mode = \"upsert\"\n[source]\npath = \"part-*.csv\"\nkey = [\"no\"]\n\
             types = {{ no = \"text\", n = \"int64\", extra = \"text\" }}\n\
             [target]\nentity = \"account\"\nmatch = {{ key = [\"accountnumber\"] }}\n{target}\
             [columns.accountnumber]\nfrom = \"no\"\n\
             [rules]\nplugin = \"stamped.wasm\"\n\
             [rules.limits]\ntime_per_call = \"200ms\"\n\
             [limits]\ncommit_within = \"1s\"\n[retry]\nbase = \"10ms\"\nmax = \"50ms\"\n"
        ));
        Self { bench, job, rows: chunks * rows, first: version("good:00000000") }
    }

    pub(crate) fn swaps(settings: SwapSettings) -> Swaps {
        Swaps::new(Arc::clone(sandbox()), settings).waiting()
    }

    /// Something is done whenever a version gets to another stage.
    pub(crate) fn reacting(
        settings: SwapSettings,
        react: impl Fn(&Swaps, &Noted<'_>) + Send + Sync + 'static,
    ) -> Swaps {
        let way: Arc<OnceLock<Swaps>> = Arc::default();
        let own = Arc::clone(&way);
        let swaps = Self::swaps(settings).noting(Box::new(move |noted| {
            react(own.get().unwrap(), noted);
            Ok(())
        }));
        assert!(way.set(swaps.clone()).is_ok());
        swaps
    }

    /// Publishes these, each as soon as the one before has ended.
    pub(crate) fn publishing(settings: SwapSettings, stamps: Vec<String>) -> Swaps {
        let next = Mutex::new(stamps.into_iter());
        let swaps = Self::reacting(settings, move |swaps, noted| {
            let is_last = swaps.status().is_some_and(|status| status.name == noted.name);
            if noted.stage.is_over() && is_last {
                let next = next.lock().unwrap().next();
                next.into_iter().for_each(|stamp| swaps.publish(candidate(&stamp)).unwrap());
            }
        });
        swaps.publish(candidate("good:99999999")).unwrap();
        swaps
    }

    pub(crate) fn parts(&self, swaps: &Swaps, component: &[u8]) -> Parts {
        let parts = self.bench.parts(&self.job, Some(component)).unwrap();
        Parts { swaps: Some(swaps.clone()), ..parts }
    }

    /// Runs under the first version.
    pub(crate) async fn run(&self, swaps: &Swaps) -> Report {
        let report = self.run_until(swaps, &Stop::new()).await;
        assert_eq!(report.message, None);
        report
    }

    pub(crate) async fn run_until(&self, swaps: &Swaps, stop: &Stop) -> Report {
        let (parts, progress) = (self.parts(swaps, &self.first), Progress::new());
        let running = dvsync_engine::run(&self.job, parts, &progress, stop).await;
        let report = running.unwrap_or_else(|error| panic!("{error}"));
        report.counts.check().unwrap();
        report
    }

    /// Goes on with the last run under this version.
    pub(crate) async fn resume(&self, stamp: &str) -> Result<Report, RunError> {
        let swaps = Self::swaps(quick());
        let (parts, progress) = (self.parts(&swaps, &version(stamp)), Progress::new());
        let rules = RulesOnResume::Same;
        dvsync_engine::resume(&self.job, parts, rules, &progress, &Stop::new()).await
    }

    /// All rows are in the target, once, under the version that the journal
    /// names for them; or dead letters of a bad version that was proved. Tells how many rows each version judged.
    pub(crate) fn check(&self, report: &Report) -> BTreeMap<String, usize> {
        let shown: BTreeMap<String, String> = self
            .bench
            .rows("accounts", "$select=accountnumber,name")
            .into_iter()
            .map(|row| {
                let text = |column: &str| row[column].as_str().unwrap_or_default().to_owned();
                (text("accountnumber"), text("name"))
            })
            .collect();
        let reader = self.bench.journal(&self.job);
        let rules = reader.run(&report.run_id).unwrap().rules;
        let stamp = |judgement: &Option<String>| {
            let of = |rule: &&RuleUsed| Some(&rule.judgement) == judgement.as_ref();
            rules.iter().find(of).map(|rule| stamp_of(&rule.version))
        };
        let mut judged: BTreeMap<String, usize> = BTreeMap::new();
        let (mut settled, mut dead) = (0, 0);
        for chunk in reader.outcomes(&report.run_id).unwrap() {
            let chunk = chunk.unwrap();
            settled += chunk.ordinals.len();
            let Some(stamp) = stamp(&chunk.judgement) else {
                panic!("chunk {} rests on no version: {:?}", chunk.chunk, chunk.judgement);
            };
            for (ordinal, outcome) in chunk.ordinals.iter().zip(&chunk.outcomes) {
                let key = format!("K{ordinal:06}");
                match outcome {
                    Outcome::Created | Outcome::Updated | Outcome::Unchanged => {
                        let found = shown.get(&key).map(String::as_str);
                        assert_eq!(found, Some(stamp.as_str()), "{key}, chunk {}", chunk.chunk);
                        *judged.entry(stamp.clone()).or_default() += 1;
                    }
                    // A version that went bad after its proof.
                    Outcome::DeadLettered if !stamp.starts_with("good") => {
                        dead += 1;
                        *judged.entry(stamp.clone()).or_default() += 1;
                    }
                    other => panic!("{key}: {other:?} under {stamp}"),
                }
            }
        }
        assert_eq!(settled, self.rows, "none lost, none doubled");
        assert!(shown.len() <= self.rows && shown.len() + dead >= self.rows, "{}", shown.len());
        let by_judgement: u64 = report.judgements.iter().map(|of| of.counts.read).sum();
        assert_eq!(by_judgement, report.counts.read, "{:?}", report.judgements);
        assert_eq!(usize::try_from(report.counts.read).unwrap(), self.rows);
        judged
    }
}

/// What a version of this name stamps: `0.0.7-good` is `good:00000007`.
pub(crate) fn stamp_of(version: &str) -> String {
    let (number, kind) = version.trim_start_matches("0.0.").split_once('-').unwrap();
    format!("{kind}:{:08}", number.parse::<u64>().unwrap())
}

/// Stage and reason of each swap.
pub(crate) fn told(report: &Report) -> Vec<(String, &'static str, Option<String>)> {
    let swaps = report.swaps.iter();
    swaps.map(|swap| (swap.name.clone(), swap.stage, swap.why.clone())).collect()
}
