//! Journals with any history, whose power is cut before any change of their
//! files: they open, are whole, and hold what was acknowledged.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dvsync_engine::journal::{
    ChunkRecord, Durability, Fate, Intent, IntentId, Journal, Reader, Reply, Requests, RowLetter,
    Run, RunEnd, RunId, RunKind, RunStart, RunStatus,
};
use dvsync_model::{Counts, KeyHash, Letter, Origin, Outcome};
use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::case::Case;
use crate::disk::{self, Power};
use crate::play;

/// What its user has been told is certain.
#[derive(Debug, Clone)]
enum Told {
    Begun(RunId),
    Intent(u128),
    /// So many chunks, and that these requests were answered.
    Flushed {
        chunks: u64,
        answered: Vec<u128>,
    },
}

#[derive(Debug, Clone)]
enum Step {
    /// So many requests at once, of so many records.
    Intents(u8, u8),
    Reply(u8),
    /// Rows, of which these have letters of so many bytes.
    Settle {
        rows: u8,
        letters: u8,
        bytes: usize,
    },
    Alive,
    Flush,
    Prune,
}

struct History {
    folder: TempDir,
    journal: PathBuf,
    told: Vec<Told>,
    left: Vec<(disk::Left, usize)>,
    changes: usize,
}

fn at(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::new(1_795_337_581 + second, 0).unwrap()
}

async fn play_steps(steps: &[Step], durability: Durability, power: Power) -> History {
    disk::install();
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().canonicalize().unwrap().join("journal.db");
    let counted = disk::watch(&journal, power);
    let mut history = History { folder, journal, told: Vec::new(), left: Vec::new(), changes: 0 };
    let opened = Journal::open(&history.journal, durability).unwrap();
    let run = opened.begin(start()).await.unwrap();
    history.tell(&counted, Told::Begun(run.id().clone()));
    history.take_steps(steps, &opened, &run, &counted).await;
    let end = RunEnd {
        ended: at(99),
        status: RunStatus::Incomplete,
        counts: Counts::default(),
        requests: Requests::default(),
        message: None,
    };
    run.finish(end).await.unwrap();
    // Closing moves the log into the file.
    drop((run, opened));
    (history.left, history.changes) = disk::cuts(&history.journal);
    history
}

impl History {
    fn tell(&mut self, counted: &Arc<AtomicUsize>, told: Told) {
        self.told.push(told);
        counted.store(self.told.len(), Ordering::SeqCst);
    }

    async fn take_steps(
        &mut self,
        steps: &[Step],
        journal: &Journal,
        run: &Run,
        counted: &Arc<AtomicUsize>,
    ) {
        let mut open: Vec<(IntentId, u128)> = Vec::new();
        let mut answered: Vec<u128> = Vec::new();
        let (mut chunks, mut row, mut number) = (0, 0, 0_u128);
        for step in steps {
            match step {
                Step::Intents(requests, records) => {
                    let asked: Vec<u128> = (0..u128::from(*requests)).map(|n| number + n).collect();
                    number += u128::from(*requests);
                    let calls = asked.iter().map(|request| {
                        run.intent(intent(*request, row..row + u64::from(*records)))
                    });
                    for (id, request) in
                        futures::future::join_all(calls).await.into_iter().zip(asked)
                    {
                        open.push((id.unwrap(), request));
                        self.tell(counted, Told::Intent(request));
                    }
                }
                Step::Reply(which) if !open.is_empty() => {
                    let (id, request) = open.remove(usize::from(*which) % open.len());
                    run.replied(id, landed()).await.unwrap();
                    answered.push(request);
                }
                Step::Reply(_) => {}
                Step::Settle { rows, letters, bytes } => {
                    let settled = chunk(chunks, row, *rows, *letters, *bytes);
                    run.settle(settled).await.unwrap();
                    row += u64::from(*rows);
                    chunks += 1;
                }
                Step::Alive => run.alive(at(5)).await.unwrap(),
                Step::Flush => {
                    run.flush().await.unwrap();
                    let answered = answered.clone();
                    self.tell(counted, Told::Flushed { chunks, answered });
                }
                // Nothing is so old.
                Step::Prune => assert_eq!(journal.prune(at(-9)).await.unwrap(), 0),
            }
        }
    }

    /// Checks what each cut has left; `durable`: nothing that was told is missing.
    fn check(&self, durable: bool) -> Result<(), String> {
        for (number, (left, told)) in self.left.iter().enumerate() {
            let path = self.folder.path().canonicalize().unwrap().join(format!("cut-{number}.db"));
            for (suffix, bytes) in left {
                std::fs::write(format!("{}{suffix}", path.display()), bytes).unwrap();
            }
            let told = if durable { &self.told[..*told] } else { &[] };
            let checked = check_left(&path, told);
            disk::forget(&path);
            checked.map_err(|error| format!("cut {number} of {}: {error}", self.changes))?;
        }
        Ok(())
    }
}

impl Drop for History {
    fn drop(&mut self) {
        disk::forget(&self.journal);
    }
}

fn check_left(path: &Path, told: &[Told]) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    drop(Journal::open(path, Durability::PowerCut).map_err(|error| said(&error))?);
    let side = Connection::open(path).map_err(|error| said(&error))?;
    let sound: String = side
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .map_err(|error| said(&error))?;
    if sound != "ok" {
        return Err(sound);
    }
    let reader = Reader::open(path).map_err(|error| said(&error))?;
    let runs = reader.runs().map_err(|error| said(&error))?;
    // Whatever is there: no chunk without those before it.
    let mut chunks = 0;
    if let [run] = &runs[..] {
        for chunk in reader.outcomes(&run.id).map_err(|error| said(&error))? {
            let chunk = chunk.map_err(|error| said(&error))?;
            if chunk.chunk != chunks {
                return Err(format!("chunk {} after {chunks} chunks", chunk.chunk));
            }
            chunks += 1;
        }
    }
    for told in told {
        match told {
            Told::Begun(id) => drop(reader.run(id).map_err(|error| said(&error))?),
            Told::Intent(request) => {
                fate(&side, *request).ok_or(format!("request {request} is not there"))?;
            }
            Told::Flushed { chunks: least, answered } => {
                if chunks < *least {
                    return Err(format!("{chunks} chunks, {least} were certain"));
                }
                for request in answered {
                    let fate = fate(&side, *request).unwrap_or_default();
                    if fate != "landed" {
                        return Err(format!("request {request} is `{fate}`"));
                    }
                }
            }
        }
    }
    Ok(())
}

fn fate(side: &Connection, request: u128) -> Option<String> {
    let sql = "SELECT fate FROM v_intents WHERE request = ?1";
    side.query_row(sql, [format!("{request:032x}")], |row| row.get(0)).ok()
}

fn start() -> RunStart {
    RunStart {
        kind: RunKind::Run,
        job: "accounts".into(),
        mode: "upsert".into(),
        target: "https://contoso.crm.dynamics.com".into(),
        organization: uuid::Uuid::from_u128(7),
        entity: "account".into(),
        started: at(0),
        random: 1,
        rules: Vec::new(),
        sources: Vec::new(),
    }
}

fn intent(request: u128, ordinals: std::ops::Range<u64>) -> Intent {
    Intent {
        at: at(1),
        request: uuid::Uuid::from_u128(request),
        operation: "create".into(),
        ids: ordinals.clone().map(|row| Some(uuid::Uuid::from_u128(row.into()))).collect(),
        keys: ordinals.clone().map(|_| None).collect(),
        supersedes: Vec::new(),
        ordinals: ordinals.collect(),
    }
}

fn landed() -> Reply {
    Reply {
        at: at(2),
        fate: Fate::Landed,
        landed: 1,
        status: Some(200),
        service_request: None,
        message: None,
        until: None,
    }
}

fn chunk(number: u64, first: u64, rows: u8, letters: u8, bytes: usize) -> ChunkRecord {
    let letters = letters.min(rows);
    let outcome = |row: u8| if row < letters { Outcome::DeadLettered } else { Outcome::Created };
    ChunkRecord {
        chunk: number,
        at: at(3),
        ordinals: (first..first + u64::from(rows)).collect(),
        outcomes: (0..rows).map(outcome).collect(),
        ids: (0..rows).map(|row| Some(uuid::Uuid::from_u128(row.into()))).collect(),
        letters: (0..u32::from(letters)).map(|row| letter(row, bytes)).collect(),
        judgement: None,
        start: String::new(),
        next: String::new(),
        supersedes: Vec::new(),
        replays: Vec::new(),
    }
}

fn letter(row: u32, bytes: usize) -> RowLetter {
    let letter = Letter {
        origin: Origin { file: "accounts.csv".into(), line: 17 },
        key: Some("AW1".into()),
        code: "text_too_long".into(),
        column: None,
        message: "too long".into(),
        hint: None,
        id: None,
        landed_partially: false,
        row: Some("x".repeat(bytes)),
    };
    RowLetter { row, letter, key: Some(KeyHash(row.into())), until: None, sent: false }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..5_u8, 1..40_u8).prop_map(|(requests, records)| Step::Intents(requests, records)),
        2 => any::<u8>().prop_map(Step::Reply),
        2 => (0..60_u8, 0..9_u8, 0..3_000_usize)
            .prop_map(|(rows, letters, bytes)| Step::Settle { rows, letters, bytes }),
        1 => Just(Step::Alive),
        1 => Just(Step::Flush),
        1 => Just(Step::Prune),
    ]
}

/// Some changes, ascending.
fn moments() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::btree_set(1..500_usize, 1..8).prop_map(|at| at.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn what_a_journal_has_acknowledged_survives_a_power_cut_before_any_change(
        steps in proptest::collection::vec(step(), 1..40),
        at in moments(),
        seed in any::<u64>(),
    ) {
        let power = Power { at, seed, ..Power::default() };
        let history = runtime().block_on(play_steps(&steps, Durability::PowerCut, power));
        prop_assert_eq!(history.check(true), Ok(()));
    }

    /// What is missing is the end, not something in between.
    #[test]
    fn a_journal_that_need_not_survive_a_power_cut_is_whole_after_it(
        steps in proptest::collection::vec(step(), 1..40),
        at in moments(),
        seed in any::<u64>(),
    ) {
        let power = Power { at, seed, ..Power::default() };
        let history = runtime().block_on(play_steps(&steps, Durability::Process, power));
        prop_assert_eq!(history.check(false), Ok(()));
    }
}

/// Histories of one kind, each with another seed: those that fail the check.
fn broken(durability: Durability, lies: bool) -> usize {
    let steps: Vec<Step> = (0..20)
        .flat_map(|_| [Step::Intents(2, 9), Step::Settle { rows: 9, letters: 1, bytes: 99 }])
        .chain([Step::Flush])
        .collect();
    let broken = (0..20_u64).filter(|seed| {
        let first = 20 + 5 * usize::try_from(*seed).unwrap();
        let power = Power { at: vec![first, first + 60], seed: *seed, lies, is_final: false };
        runtime().block_on(play_steps(&steps, durability, power)).check(true).is_err()
    });
    broken.count()
}

#[test]
fn a_journal_that_does_not_sync_is_found_out() {
    assert_eq!(broken(Durability::PowerCut, false), 0);
    assert!(broken(Durability::PowerCut, true) > 0, "a disk that lies");
    assert!(broken(Durability::Process, false) > 0, "`synchronous = NORMAL` in the log");
}

#[test]
fn a_cut_while_the_log_is_moved_into_the_file_loses_nothing() {
    // More than the 16 MiB at which the log is moved.
    let steps: Vec<Step> = (0..24)
        .flat_map(|_| {
            [
                Step::Settle { rows: 40, letters: 32, bytes: 30_000 },
                Step::Intents(1, 9),
                Step::Flush,
            ]
        })
        .collect();
    let all = runtime().block_on(play_steps(&steps, Durability::PowerCut, Power::default()));
    assert!(all.changes > 10_000, "{} changes", all.changes);
    // The moving is at the end of what fits, and once more when it is closed.
    for seed in 0..3 {
        let tenth = all.changes / 10;
        let at =
            [5, 6, 7, 8, 9].map(|part| tenth * part + usize::try_from(seed).unwrap() * tenth / 3);
        let power = Power { at: at.to_vec(), seed, ..Power::default() };
        let history = runtime().block_on(play_steps(&steps, Durability::PowerCut, power));
        assert_eq!(history.check(true), Ok(()), "seed {seed}");
    }
}

/// The same of whole runs: what leaves must be on the disk.
#[test]
fn a_run_on_a_disk_that_lies_is_found_out() {
    let found = (0..60)
        .map(Case::new)
        .filter(|case| case.power_cut)
        .filter(|case| std::panic::catch_unwind(|| play::play_on(case, true)).is_err());
    assert!(found.count() > 0);
}
