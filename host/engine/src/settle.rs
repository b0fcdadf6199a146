//! Settle: chunks whose rows all have their outcome go to the journal and the
//! report.
//!
//! One task. It also keeps the law that nothing is lost: each chunk's outcomes
//! must add up to the rows that were read, or the run fails loudly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use dvsync_dataverse::Clock;
use dvsync_model::{Counts, Letter, Outcome};
use jiff::Timestamp;

use crate::deferral;
use crate::error::RunError;
use crate::frame::{Frame, JudgedAgain, Ledger, Told, TriedAgain};
use crate::journal::{ChunkRecord, LetterRecord, RevisedRow, Revision, RowLetter, Run};
use crate::pending::Pending;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::report::Cause;
use crate::stop::Stop;
use crate::swap::{AgainReports, list, over_both};

/// Rows before the share of dead letters means anything.
const SHARE_OF: u64 = 1_000;
/// Causes that a report lists.
const CAUSES_MAX: usize = 200;

/// The first thing that made the run impossible to go on with; the rest of the
/// run winds down.
#[derive(Clone, Default)]
pub(crate) struct Failure {
    first: Arc<Mutex<Option<RunError>>>,
}

impl Failure {
    /// Notes an error, if it is the first one, and asks everybody to stop.
    pub(crate) fn note(&self, error: RunError, stop: &Stop) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_none() {
            *first = Some(error);
        } else {
            tracing::warn!(%error, "after the run had failed");
        }
        stop.ask();
    }

    /// Notes an error and gives nothing, or gives the value.
    pub(crate) fn catch<T>(&self, result: Result<T, RunError>, stop: &Stop) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.note(error, stop);
                None
            }
        }
    }

    /// What was noted.
    pub(crate) fn take(&self) -> Option<RunError> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Frames under way and the sums of those that are settled.
pub(crate) struct Book {
    plan: Arc<Plan>,
    run: Run,
    clock: Clock,
    progress: Progress,
    pending: Arc<Pending>,
    open: Mutex<BTreeMap<u64, Arc<Frame>>>,
    sums: Mutex<Sums>,
}

#[derive(Default)]
struct Sums {
    counts: Counts,
    causes: BTreeMap<(Outcome, String, Option<String>), Cause>,
    again: AgainReports,
}

impl Book {
    /// Nothing read yet.
    pub(crate) fn new(
        plan: Arc<Plan>,
        run: Run,
        clock: Clock,
        progress: Progress,
        pending: Arc<Pending>,
    ) -> Self {
        let (open, sums) = (Mutex::default(), Mutex::default());
        Self { plan, run, clock, progress, pending, open, sums }
    }

    /// Goes on with what an earlier process of the run has settled.
    pub(crate) fn resume(&self, counts: Counts) {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).counts = counts;
        self.progress.resumed(counts);
    }

    /// A letter that it has written.
    pub(crate) fn resume_letter(&self, record: &LetterRecord) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        sums.note(record.outcome, &record.letter);
    }

    /// A frame was read.
    pub(crate) fn opened(&self, frame: &Arc<Frame>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(frame.number, Arc::clone(frame));
    }

    /// Journals those of these frames that are complete.
    pub(crate) async fn settle(&self, frames: Vec<Arc<Frame>>) -> Result<(), RunError> {
        for frame in frames {
            if let Some(ledger) = frame.complete() {
                self.enter(&frame, ledger).await?;
                self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&frame.number);
                self.guard()?;
            }
        }
        Ok(())
    }

    /// Journals what there is of frames that the run ended before.
    pub(crate) async fn close(&self) -> Result<(), RunError> {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for frame in open.into_values() {
            let ledger = frame.abandon();
            self.enter(&frame, ledger).await?;
        }
        Ok(())
    }

    /// Sums so far.
    pub(crate) fn counts(&self) -> Counts {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).counts
    }

    /// Why rows are not written, the most frequent cause first.
    pub(crate) fn causes(&self) -> Vec<Cause> {
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let mut causes: Vec<Cause> = sums.causes.values().cloned().collect();
        causes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
        causes
    }

    async fn enter(&self, frame: &Frame, ledger: Ledger) -> Result<(), RunError> {
        if let Some(again) = &frame.again {
            return self.revise(frame, again, ledger).await;
        }
        if let Some(again) = &frame.judged_again {
            return self.replace(frame, again, ledger).await;
        }
        let (record, counts) = self.record(frame, ledger)?;
        counts.check().map_err(|imbalance| RunError::Bug(imbalance.to_string()))?;
        self.progress.settled(record.outcomes.iter().copied());
        {
            let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
            sums.counts.merge(&counts);
            for letter in &record.letters {
                let row = usize::try_from(letter.row).unwrap_or(usize::MAX);
                sums.note(record.outcomes[row], &letter.letter);
            }
        }
        if !record.ordinals.is_empty() {
            self.run.settle(record).await?;
        }
        Ok(())
    }

    /// Rows that were deferred before: those that have an outcome again.
    async fn revise(
        &self,
        frame: &Frame,
        again: &TriedAgain,
        ledger: Ledger,
    ) -> Result<(), RunError> {
        let now = self.clock.wall();
        let mut letters: BTreeMap<u32, Told> =
            ledger.letters.into_iter().map(|told| (told.row, told)).collect();
        let mut rows = Vec::new();
        {
            let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
            for (row, due) in &again.rows {
                let at = usize::try_from(*row).unwrap_or(usize::MAX);
                // Not reached: it stays deferred.
                let Some(outcome) = ledger.outcomes.get(at).copied().flatten() else { continue };
                sums.counts.revise(Outcome::Deferred, outcome);
                sums.forget(Outcome::Deferred, &due.code, due.column.as_deref());
                let told = letters.remove(row);
                if let Some(told) = &told {
                    sums.note(outcome, &told.letter);
                }
                let id = ledger.ids[at];
                rows.push(RevisedRow {
                    ordinal: due.ordinal,
                    outcome,
                    id: (!id.is_nil()).then_some(id),
                    letter: told.map(|told| self.row_letter(frame, 0, told, now)),
                });
            }
        }
        self.progress.revised(rows.iter().map(|row| row.outcome));
        if !rows.is_empty() {
            let (chunk, judgement) = (again.chunk, frame.judgement());
            let revision = Revision { chunk, at: now, rows, judgement, again: false };
            self.run.revise(revision).await?;
        }
        Ok(())
    }

    /// Rows that were settled under a judgement that is not valid any more: all
    /// of them or none, so that the chunk always rests on one.
    async fn replace(
        &self,
        frame: &Frame,
        again: &JudgedAgain,
        ledger: Ledger,
    ) -> Result<(), RunError> {
        if ledger.not_reached > 0 {
            return Ok(());
        }
        let now = self.clock.wall();
        let mut letters: BTreeMap<u32, Told> =
            ledger.letters.into_iter().map(|told| (told.row, told)).collect();
        let (mut rows, mut changes) = (Vec::new(), Vec::new());
        {
            let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
            for (row, before) in &again.rows {
                let at = usize::try_from(*row).unwrap_or(usize::MAX);
                let Some(outcome) = ledger.outcomes.get(at).copied().flatten() else {
                    return Err(RunError::Bug(format!("row {row} was judged again without end")));
                };
                let id = Some(ledger.ids[at]).filter(|id| !id.is_nil());
                let (outcome, left) = over_both(before, outcome, id);
                sums.counts.revise(before.outcome, outcome);
                changes.push((before.outcome, outcome));
                if let Some((code, column)) = &before.why {
                    sums.forget(before.outcome, code, column.as_deref());
                }
                let report = sums.again.entry(again.judgement.to_string()).or_default();
                report.rows += 1;
                if before.is_written() {
                    report.written += 1;
                    let shown = || frame.key.as_ref().and_then(|key| key.shown(at));
                    list(&mut report.keys, || shown().unwrap_or_default());
                }
                if let Some(left) = left {
                    report.left += 1;
                    list(&mut report.left_ids, || left);
                }
                let told = letters.remove(row);
                if let Some(told) = &told {
                    sums.note(outcome, &told.letter);
                }
                rows.push(RevisedRow {
                    ordinal: frame.chunk.ordinals.at(at),
                    outcome,
                    id,
                    letter: told.map(|told| self.row_letter(frame, 0, told, now)),
                });
            }
        }
        self.progress.judged_again(changes);
        let (chunk, judgement) = (again.chunk, frame.judgement());
        let revision = Revision { chunk, at: now, rows, judgement, again: true };
        Ok(self.run.revise(revision).await?)
    }

    /// Rows that were judged again, by the judgement that is not valid any more.
    pub(crate) fn again(&self) -> AgainReports {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).again.clone()
    }

    fn row_letter(&self, frame: &Frame, place: u32, told: Told, now: Timestamp) -> RowLetter {
        let row = usize::try_from(told.row).unwrap_or(usize::MAX);
        let until = (told.outcome == Outcome::Deferred)
            .then(|| deferral::until(told.again, frame.tries(row), now, &self.plan.job.retry))
            .flatten();
        let key = frame.key_hash(row);
        RowLetter { row: place, letter: told.letter, key, until, sent: told.sent }
    }

    /// Stops a run that makes mostly dead letters.
    fn guard(&self) -> Result<(), RunError> {
        let Some(percent_max) = self.plan.job.limits.dead_letters_max_percent else {
            return Ok(());
        };
        let counts = self.counts();
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        let percent = counts.dead_lettered as f64 * 100.0 / counts.read.max(1) as f64;
        if counts.read < SHARE_OF || percent <= percent_max {
            return Ok(());
        }
        Err(RunError::Limit {
            message: format!(
                "{} of {} rows are dead letters ({percent:.1} %), more than \
                 dead_letters_max_percent = {percent_max}",
                counts.dead_lettered, counts.read
            ),
            hint: "look at the letters; mend the cause, or raise [limits] dead_letters_max_percent"
                .to_owned(),
        })
    }
}

impl Sums {
    fn note(&mut self, outcome: Outcome, letter: &Letter) {
        let key = (outcome, letter.code.clone(), letter.column.clone());
        if let Some(cause) = self.causes.get_mut(&key) {
            cause.count += 1;
        } else if self.causes.len() < CAUSES_MAX {
            self.causes.insert(key, Cause::first(outcome, letter));
        }
    }

    /// One row of this cause has another outcome now.
    fn forget(&mut self, outcome: Outcome, code: &str, column: Option<&str>) {
        let key = (outcome, code.to_owned(), column.map(str::to_owned));
        if let Some(cause) = self.causes.get_mut(&key) {
            cause.count -= 1;
            if cause.count == 0 {
                self.causes.remove(&key);
            }
        }
    }
}

impl Book {
    /// A chunk as the journal has it, good and bad rows in the source's order.
    fn record(&self, frame: &Frame, ledger: Ledger) -> Result<(ChunkRecord, Counts), RunError> {
        let now = self.clock.wall();
        let mut counts = Counts {
            not_reached: u64::try_from(ledger.not_reached).unwrap_or(u64::MAX),
            ..Counts::default()
        };
        let mut letters: BTreeMap<u64, RowLetter> = frame
            .unreadable()
            .map(|(ordinal, letter)| {
                (ordinal, RowLetter { row: 0, letter, key: None, until: None, sent: false })
            })
            .collect();
        for told in ledger.letters {
            let ordinal = frame.chunk.ordinals.at(usize::try_from(told.row).unwrap_or(usize::MAX));
            letters.insert(ordinal, self.row_letter(frame, 0, told, now));
        }
        let mut supersedes = Vec::new();
        if !self.pending.is_empty() {
            for (row, _) in settled(&ledger.outcomes) {
                let id = ledger.ids[row];
                let id = (!id.is_nil()).then_some(id);
                supersedes.extend(self.pending.of(frame.key_hash(row), id));
            }
        }
        let rows = settled(&ledger.outcomes).map(|(row, outcome)| {
            let id = ledger.ids[row];
            (frame.chunk.ordinals.at(row), outcome, (!id.is_nil()).then_some(id))
        });
        let bad = frame.chunk.bad.iter().map(|bad| (bad.ordinal, Outcome::DeadLettered, None));
        let mut all: Vec<_> = rows.chain(bad).collect();
        if !frame.chunk.bad.is_empty() {
            all.sort_by_key(|(ordinal, _, _)| *ordinal);
        }
        let mut record = ChunkRecord {
            chunk: frame.number,
            at: now,
            ordinals: Vec::with_capacity(all.len()),
            outcomes: Vec::with_capacity(all.len()),
            ids: Vec::with_capacity(all.len()),
            letters: Vec::with_capacity(letters.len()),
            judgement: frame.judgement(),
            start: position(frame.start)?,
            next: position(frame.next())?,
            supersedes,
            replays: Vec::new(),
        };
        for (place, (ordinal, outcome, id)) in (0_u32..).zip(all) {
            counts.settle(outcome);
            if !letters.is_empty()
                && let Some(letter) = letters.remove(&ordinal)
            {
                record.letters.push(RowLetter { row: place, ..letter });
            }
            if let Some(letter) = frame.replayed.as_ref().and_then(|letters| letters.of(ordinal)) {
                record.replays.push((place, letter.number));
            }
            record.ordinals.push(ordinal);
            record.outcomes.push(outcome);
            record.ids.push(id);
        }
        let read = u64::try_from(frame.rows() + frame.chunk.bad.len()).unwrap_or(u64::MAX);
        if counts.read + counts.not_reached != read {
            return Err(RunError::Bug(format!(
                "chunk {} has {read} rows, of which {} are settled and {} not reached",
                frame.number, counts.read, counts.not_reached
            )));
        }
        Ok((record, counts))
    }
}

/// Rows that have an outcome.
fn settled(outcomes: &[Option<Outcome>]) -> impl Iterator<Item = (usize, Outcome)> + '_ {
    outcomes.iter().enumerate().filter_map(|(row, outcome)| Some((row, (*outcome)?)))
}

fn position(position: dvsync_sources::Position) -> Result<String, RunError> {
    serde_json::to_string(&position)
        .map_err(|error| RunError::Bug(format!("a position cannot be written: {error}")))
}
