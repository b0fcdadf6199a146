//! How a run begins: anew, where an earlier process of it has stopped, or with
//! the letters of earlier runs.
//!
//! The journal's lock is taken here; nothing is written to the target.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use dvsync_model::Outcome;
use dvsync_sources::Position;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::blocking::unblock;
use crate::error::RunError;
use crate::job::Job;
use crate::journal::{
    FrozenSource, Journal, LetterFilter, Requests, RuleStanding, RuleUsed, Run, RunKind, RunRecord,
    RunStart, RunStatus,
};
use crate::letters::{Collected, LeftAlone, Replayed, collect};
use crate::pack::Shared;
use crate::pending::Pending;
use crate::plan::{self, Parts, Plan};
use crate::read::{From, Settled};
use crate::settle::Book;
use crate::spill::{Room, Seen};

/// How a run begins.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    Anew,
    Resume(RulesOnResume),
    Replay(LetterFilter),
}

/// Under which rule a resumed run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RulesOnResume {
    /// The one that it began with; another is refused.
    #[default]
    Same,
    /// The job's, as it is now.
    Latest,
}

/// A run that has begun.
pub(crate) struct Opened {
    pub(crate) plan: Arc<Plan>,
    pub(crate) journal: Journal,
    pub(crate) run: Run,
    pub(crate) from: From,
    /// What an earlier process of the run has done.
    before: Option<RunRecord>,
    pub(crate) pending: Arc<Pending>,
    pub(crate) seen: Shared,
    pub(crate) replayed: Option<Arc<Replayed>>,
    /// Records that an earlier process of the run may have written without
    /// settling their rows, and what they then are.
    pub(crate) unsettled: Arc<BTreeMap<Uuid, Outcome>>,
    pub(crate) left: LeftAlone,
    /// Versions that have judged rows of the run in earlier processes.
    pub(crate) rules_before: Vec<RuleUsed>,
    /// Rows that are replayed: gone with the run.
    _collected: Option<Collected>,
}

impl Opened {
    pub(crate) async fn open(job: &Job, parts: &Parts, way: Way) -> Result<Self, RunError> {
        let is_replay = matches!(way, Way::Replay(_));
        let opened = match way {
            Way::Anew => Self::anew(job, parts).await,
            Way::Resume(rules) => Self::resume(job, parts, rules).await,
            Way::Replay(filter) => Self::replay(job, parts, filter).await,
        }?;
        // Before anything is judged for good.
        let path = opened.journal.path();
        crate::keeping::keep(job, path, &opened.run, is_replay, parts.clock.wall()).await?;
        Ok(opened)
    }

    async fn anew(job: &Job, parts: &Parts) -> Result<Self, RunError> {
        let plan = Arc::new(plan::make(job, parts).await?);
        let journal = open_journal(job).await?;
        let pending = read_journal(&journal, |reader| Pending::open(&reader)).await?;
        let run = journal.begin(start(&plan, parts, RunKind::Run)).await?;
        Ok(Self::new(plan, journal, run, pending))
    }

    async fn replay(job: &Job, parts: &Parts, filter: LetterFilter) -> Result<Self, RunError> {
        let journal = open_journal(job).await?;
        let of = job.clone();
        let mut collected =
            read_journal(&journal, move |reader| collect(&of, &reader, &filter, folder(&of)))
                .await?;
        let from = collected.job(job);
        let plan = Arc::new(plan::make(&from, parts).await?);
        let run = journal.begin(start(&plan, parts, RunKind::Replay)).await?;
        // Letters that are replayed are the newest there is of their rows.
        let mut opened = Self::new(plan, journal, run, Pending::default());
        opened.left = collected.left;
        opened.replayed = Some(Arc::new(std::mem::take(&mut collected.replayed)));
        opened._collected = Some(collected);
        Ok(opened)
    }

    async fn resume(job: &Job, parts: &Parts, rules: RulesOnResume) -> Result<Self, RunError> {
        let plan = Arc::new(plan::make(job, parts).await?);
        let journal = open_journal(job).await?;
        let record = read_journal(&journal, |reader| Ok(reader.runs()?)).await?;
        let record = record.into_iter().find(|run| run.kind == RunKind::Run);
        let record = resumable(record, &plan, rules)?;
        let id = record.id.clone();
        let of = id.clone();
        let (from, unsettled, pending) = read_journal(&journal, move |reader| {
            let from = left_over(&reader, &of)?;
            let unsettled = unsettled(&reader, &of, from.position.row)?;
            Ok((from, unsettled, Pending::open(&reader)?))
        })
        .await?;
        let rules_before = resumed(&record.rules);
        let mut rules = rules_before.clone();
        for rule in self::rules(&plan) {
            rules.retain(|known| known.judgement != rule.judgement);
            for other in rules.iter_mut().filter(|known| known.standing == RuleStanding::Live) {
                other.standing = RuleStanding::Superseded;
            }
            // The one that judges comes first.
            rules.insert(0, rule);
        }
        let run = journal.resume(&id, rules, parts.clock.wall()).await?;
        let mut opened = Self::new(plan, journal, run, pending);
        opened.from = from;
        opened.unsettled = Arc::new(unsettled);
        opened.before = Some(record);
        opened.rules_before = rules_before;
        Ok(opened)
    }

    fn new(plan: Arc<Plan>, journal: Journal, run: Run, pending: Pending) -> Self {
        let seen = Arc::new(Mutex::new(Seen::new(&room(&plan))));
        Self {
            plan,
            journal,
            run,
            from: From::default(),
            before: None,
            pending: Arc::new(pending),
            seen,
            replayed: None,
            unsettled: Arc::default(),
            left: LeftAlone::default(),
            rules_before: Vec::new(),
            _collected: None,
        }
    }

    /// Requests that an earlier process of the run has made and told of.
    pub(crate) fn requests_before(&self) -> Requests {
        self.before.as_ref().map(|record| record.requests).unwrap_or_default()
    }

    /// What an earlier process of the run has settled: the book counts it, and no
    /// other row may be one of the records that it has written.
    pub(crate) async fn remember(&self, book: &Arc<Book>) -> Result<(), RunError> {
        if self.before.is_none() {
            return Ok(());
        }
        let (seen, id) = (Arc::clone(&self.seen), self.run.id().clone());
        let book = Arc::clone(book);
        read_journal(&self.journal, move |reader| {
            book.resume(reader.run(&id)?.counts);
            for record in reader.letters(&id)? {
                book.resume_letter(&record?);
            }
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            for ids in reader.written(&id)? {
                for id in ids? {
                    seen.insert(id)?;
                }
            }
            Ok(())
        })
        .await
    }
}

async fn open_journal(job: &Job) -> Result<Journal, RunError> {
    let (path, durability) = (job.journal.path.clone(), job.journal.durability);
    Ok(unblock(move || Journal::open(&path, durability)).await??)
}

async fn read_journal<T: Send + 'static>(
    journal: &Journal,
    read: impl FnOnce(crate::journal::Reader) -> Result<T, RunError> + Send + 'static,
) -> Result<T, RunError> {
    let reader = journal.reader()?;
    unblock(move || read(reader)).await?
}

/// Where tables larger than memory go: beside the journal, on the same disk.
fn folder(job: &Job) -> &Path {
    let folder = job.journal.path.parent();
    folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The room of one table: all tables of the run share the job's memory.
pub(crate) fn room(plan: &Plan) -> Room {
    const LEAST: usize = 4 << 20;
    let lookups = plan.columns.iter().filter(|column| column.lookup.is_some()).count();
    // The target, what its filter lets through, keys of the source, ids written.
    let tables = lookups + 4;
    let memory_max = (plan.job.limits.memory / tables).max(LEAST);
    Room { memory_max, ..Room::new(folder(&plan.job)) }
}

/// The run that can go on, or why there is none.
fn resumable(
    record: Option<RunRecord>,
    plan: &Plan,
    wanted: RulesOnResume,
) -> Result<RunRecord, RunError> {
    const ANEW: &str = "run the job without --resume: it decides by key what is left to do";
    let Some(record) = record else {
        return Err(RunError::job_hint(
            "there is no run to resume",
            "run the job without --resume",
        ));
    };
    let refused = |why: String, hint: &str| {
        Err(RunError::job_hint(format!("cannot resume run {}: {why}", record.id), hint))
    };
    if matches!(record.status, RunStatus::Complete | RunStatus::WithDeadLetters) {
        return refused("it is complete".into(), "run the job without --resume");
    }
    let (entity, mode) = (&plan.entity.logical_name, mode(&plan.job));
    if record.organization != plan.organization || record.entity != *entity {
        return refused(format!("it wrote `{}` of another target", record.entity), ANEW);
    }
    if record.mode != mode {
        return refused(format!("its mode was `{}`, now it is `{mode}`", record.mode), ANEW);
    }
    if let Some(change) = changed(&record.sources, &frozen(plan)) {
        return refused(format!("the source has changed: {change}"), ANEW);
    }
    // The run is pinned to the last version that was published in it.
    let judged = |rules: &[RuleUsed]| -> Vec<String> {
        let live = rules.iter().filter(|rule| rule.standing == RuleStanding::Live);
        live.map(|rule| rule.judgement.clone()).collect()
    };
    let now = rules(plan);
    if wanted == RulesOnResume::Same && judged(&record.rules) != judged(&now) {
        let named = |rules: &[RuleUsed]| match rules {
            [] => "no rule".to_owned(),
            [first, ..] => {
                let live = rules.iter().find(|rule| rule.standing == RuleStanding::Live);
                let rule = live.unwrap_or(first);
                let judgement: String = rule.judgement.chars().take(19).collect();
                format!("`{}@{}` ({judgement}...)", rule.name, rule.version)
            }
        };
        return refused(
            format!("it judged by {}, now it is {}", named(&record.rules), named(&now)),
            "a rule's settings and granted tables count too; --rules latest goes on under the new one",
        );
    }
    Ok(record)
}

/// How the versions of an earlier process stand in the next one: what was on
/// trial has lost it, since nobody knows how it would have ended.
fn resumed(rules: &[RuleUsed]) -> Vec<RuleUsed> {
    let stands = |rule: &RuleUsed| match rule.standing {
        RuleStanding::Canary => RuleUsed { standing: RuleStanding::RolledBack, ..rule.clone() },
        _ => rule.clone(),
    };
    rules.iter().map(stands).collect()
}

/// What is different between the files of then and now.
fn changed(then: &[FrozenSource], now: &[FrozenSource]) -> Option<String> {
    for file in then {
        let Some(same) = now.iter().find(|other| other.name == file.name) else {
            return Some(format!("`{}` is gone", file.name));
        };
        if same.bytes != file.bytes {
            let (was, is) = (file.bytes, same.bytes);
            return Some(format!("`{}` had {was} bytes, now it has {is}", file.name));
        }
        // The journal keeps microseconds.
        let micros = |file: &FrozenSource| file.modified.map(|time| time.as_microsecond());
        if micros(same) != micros(file) {
            return Some(match (file.modified, same.modified) {
                (Some(was), Some(is)) => {
                    format!("`{}` was modified at {was}, now at {is}", file.name)
                }
                _ => format!("when `{}` was modified cannot be told", file.name),
            });
        }
    }
    let known: BTreeSet<&str> = then.iter().map(|file| file.name.as_str()).collect();
    let new = now.iter().find(|file| !known.contains(file.name.as_str()));
    new.map(|file| format!("`{}` is new", file.name))
}

/// What a run has not settled: after the chunks from the source's start on that
/// have all of their rows, each row is asked for.
fn left_over(
    reader: &crate::journal::Reader,
    run: &crate::journal::RunId,
) -> Result<From, RunError> {
    let spans = reader.spans(run)?;
    let number = spans.iter().map(|span| span.chunk + 1).max().unwrap_or(0);
    let mut at = Position::default();
    // Two versions may have judged the parts of one chunk.
    for parts in spans.chunk_by(|one, other| one.start == other.start) {
        let Some(span) = parts.first() else { break };
        let records: u64 = parts.iter().map(|part| part.records).sum();
        let read = |text: &str| serde_json::from_str::<Position>(text).ok();
        let Some((start, next)) = span.start.as_deref().and_then(read).zip(read(&span.next)) else {
            break;
        };
        if start != at || next.row.saturating_sub(start.row) != records {
            break;
        }
        at = next;
    }
    let settled = Settled { journal: reader.path().to_owned(), run: run.clone() };
    Ok(From { position: at, number, settled: Some(settled) })
}

/// Records of requests whose rows are not settled. Found as they were to be,
/// they were written by this run.
fn unsettled(
    reader: &crate::journal::Reader,
    run: &crate::journal::RunId,
    first: u64,
) -> Result<BTreeMap<Uuid, Outcome>, RunError> {
    let requested = reader.requested(run, first)?;
    let last = requested.iter().map(|(row, _, _)| *row).max().unwrap_or(first);
    let settled: BTreeSet<u64> = reader.settled(run, first, last)?.into_iter().collect();
    let open = requested.into_iter().filter(|(row, _, _)| !settled.contains(row));
    Ok(open
        .map(|(_, id, operation)| match operation.as_str() {
            "create" => (id, Outcome::Created),
            _ => (id, Outcome::Updated),
        })
        .collect())
}

fn start(plan: &Plan, parts: &Parts, kind: RunKind) -> RunStart {
    let started = parts.clock.wall();
    // As good as random, and the same on a clock that is set.
    let [low, high, ..] = xxh3_64(&started.as_nanosecond().to_le_bytes()).to_le_bytes();
    RunStart {
        kind,
        job: plan.job.name.clone(),
        mode: mode(&plan.job),
        target: plan.job.target.address().to_owned(),
        organization: plan.organization,
        entity: plan.entity.logical_name.clone(),
        started,
        random: u16::from_le_bytes([low, high]),
        rules: rules(plan),
        sources: frozen(plan),
    }
}

fn frozen(plan: &Plan) -> Vec<FrozenSource> {
    let parts = plan.source.parts().iter();
    parts
        .map(|part| FrozenSource {
            name: part.name.to_string(),
            bytes: part.bytes,
            modified: part.modified,
        })
        .collect()
}

pub(crate) fn rules(plan: &Plan) -> Vec<RuleUsed> {
    let used = plan.bound().map(|bound| RuleUsed {
        name: bound.description().name.clone(),
        version: bound.description().version.clone(),
        digest: bound.digest().to_owned(),
        judgement: bound.judgement().to_owned(),
        standing: RuleStanding::Live,
    });
    used.into_iter().collect()
}

pub(crate) fn mode(job: &Job) -> String {
    format!("{:?}", job.mode).to_lowercase()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_source_that_changed_is_told_by_what_changed() {
        let at = |second: i64| Timestamp::new(1_795_337_581 + second, 0).unwrap();
        let file = |name: &str, bytes, second| FrozenSource {
            name: name.into(),
            bytes,
            modified: Some(at(second)),
        };
        let then = [file("a.csv", 10, 0), file("b.csv", 20, 0)];
        for (now, expect) in [
            (vec![file("a.csv", 10, 0), file("b.csv", 20, 0)], None),
            (vec![file("a.csv", 10, 0)], Some("`b.csv` is gone")),
            (
                vec![file("a.csv", 11, 0), file("b.csv", 20, 0)],
                Some("`a.csv` had 10 bytes, now it has 11"),
            ),
            (
                vec![file("a.csv", 10, 0), file("b.csv", 20, 5)],
                Some("`b.csv` was modified at 2026-11-22T08:53:01Z, now at 2026-11-22T08:53:06Z"),
            ),
            (
                vec![file("a.csv", 10, 0), file("b.csv", 20, 0), file("c.csv", 1, 0)],
                Some("`c.csv` is new"),
            ),
        ] {
            assert_eq!(changed(&then, &now).as_deref(), expect);
        }
    }
}
