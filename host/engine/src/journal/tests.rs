//! The journal over a real file.

mod durability;
mod figures;
mod judgements;
mod letters;
mod reading;
mod refusals;
mod versions;

use std::path::{Path, PathBuf};

use dvsync_model::{Counts, Letter, Origin, Outcome};
use jiff::Timestamp;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

/// A folder of its own for one journal.
struct Place {
    _folder: TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("deep/er/accounts.db");
    Place { _folder: folder, path }
}

impl Place {
    fn open(&self) -> Journal {
        Journal::open(&self.path, Durability::Process).unwrap()
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.path).unwrap()
    }
}

fn time(second: i64) -> Timestamp {
    Timestamp::new(1_795_337_581 + second, 0).unwrap()
}

fn start() -> RunStart {
    RunStart {
        kind: RunKind::Run,
        job: "accounts-nightly".into(),
        mode: "upsert".into(),
        target: "https://contoso.crm.dynamics.com".into(),
        organization: Uuid::from_u128(7),
        entity: "account".into(),
        started: time(0),
        random: 0x4f2a,
        rules: vec![RuleUsed {
            name: "account".into(),
            version: "1.2.0".into(),
            digest: "sha256:aa".into(),
            judgement: "sha256:bb".into(),
            standing: RuleStanding::Live,
        }],
        sources: vec![FrozenSource {
            name: "accounts.csv".into(),
            bytes: 12,
            modified: Some(time(-9)),
        }],
    }
}

fn end(status: RunStatus, counts: Counts) -> RunEnd {
    let requests = Requests { sent: 3, retried: 1, throttled: 0, failed: 0 };
    RunEnd { ended: time(60), status, counts, requests, message: None }
}

fn intent(ordinals: std::ops::Range<u64>) -> Intent {
    let ids = ordinals.clone().map(|ordinal| Some(Uuid::from_u128(u128::from(ordinal) + 1)));
    Intent {
        at: time(1),
        request: Uuid::from_u128(99),
        operation: "create".into(),
        ids: ids.collect(),
        keys: ordinals.clone().map(|_| None).collect(),
        supersedes: Vec::new(),
        ordinals: ordinals.collect(),
    }
}

fn landed(records: u32) -> Reply {
    let fate = Fate::Landed;
    let at = time(2);
    Reply {
        at,
        fate,
        landed: records,
        status: Some(200),
        service_request: None,
        message: None,
        until: None,
    }
}

fn letter(code: &str) -> Letter {
    Letter {
        origin: Origin { file: "accounts.csv".into(), line: 17 },
        key: Some("AW1 / x".into()),
        code: code.into(),
        column: Some("name".into()),
        message: "text has 300 characters, at most 160 fit".into(),
        hint: Some("set `too_long`".into()),
        id: Some(Uuid::from_u128(5)),
        landed_partially: true,
        row: Some(r#"{"name":"ä"}"#.into()),
    }
}

fn row_letter(row: u32, code: &str) -> RowLetter {
    RowLetter { row, letter: letter(code), key: None, until: Some(time(30)), sent: false }
}

/// A chunk of rows of these outcomes, with a letter for each that needs one.
fn chunk(number: u64, first: u64, outcomes: &[Outcome]) -> ChunkRecord {
    let needs =
        |outcome| matches!(outcome, Outcome::Dropped | Outcome::Deferred | Outcome::DeadLettered);
    let letters = (0..).zip(outcomes).filter(|&(_, &outcome)| needs(outcome));
    let ordinals = (0..).zip(outcomes).map(|(row, _)| first + row);
    ChunkRecord {
        chunk: number,
        ids: ordinals.clone().map(|at| (at % 3 != 0).then(|| Uuid::from_u128(at.into()))).collect(),
        ordinals: ordinals.collect(),
        outcomes: outcomes.to_vec(),
        letters: letters.map(|(row, _)| row_letter(row, "too_long")).collect(),
        at: time(3),
        start: String::new(),
        supersedes: Vec::new(),
        replays: Vec::new(),
        judgement: Some("sha256:bb".into()),
        next: format!(r#"{{"row":{first}}}"#),
    }
}

/// What the disk holds if the process is killed now: the files, copied.
fn killed(journal: &Path) -> Place {
    let after = place();
    std::fs::create_dir_all(after.path.parent().unwrap()).unwrap();
    for suffix in ["", "-wal"] {
        let beside = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::copy(beside(journal), beside(&after.path)).unwrap();
    }
    after
}
