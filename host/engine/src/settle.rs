//! Settle: chunks whose rows all have their outcome go to the journal and the
//! report.
//!
//! One task. It also keeps the law that nothing is lost: each chunk's outcomes
//! must add up to the rows that were read, or the run fails loudly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use dvsync_model::{Counts, Letter, Outcome};

use crate::error::RunError;
use crate::frame::{Frame, Ledger};
use crate::journal::{ChunkRecord, RowLetter, Run};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::report::Cause;
use crate::stop::Stop;

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
    progress: Progress,
    open: Mutex<BTreeMap<u64, Arc<Frame>>>,
    sums: Mutex<Sums>,
}

#[derive(Default)]
struct Sums {
    counts: Counts,
    causes: BTreeMap<(Outcome, String, Option<String>), Cause>,
}

impl Book {
    /// Nothing read yet.
    pub(crate) fn new(plan: Arc<Plan>, run: Run, progress: Progress) -> Self {
        Self { plan, run, progress, open: Mutex::default(), sums: Mutex::default() }
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
        let judgement = self.plan.bound().map(|bound| Arc::from(bound.judgement()));
        let (record, counts) = record(frame, ledger, judgement)?;
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
}

/// A chunk as the journal has it, good and bad rows in the source's order.
fn record(
    frame: &Frame,
    ledger: Ledger,
    judgement: Option<Arc<str>>,
) -> Result<(ChunkRecord, Counts), RunError> {
    let mut counts = Counts {
        not_reached: u64::try_from(ledger.not_reached).unwrap_or(u64::MAX),
        ..Counts::default()
    };
    let mut letters: BTreeMap<u64, Letter> = frame.unreadable().collect();
    for (row, _, letter) in ledger.letters {
        let row = usize::try_from(row).unwrap_or(usize::MAX);
        letters.insert(frame.chunk.ordinals.at(row), letter);
    }
    let rows = ledger.outcomes.iter().enumerate().filter_map(|(row, outcome)| {
        let id = ledger.ids[row];
        Some((frame.chunk.ordinals.at(row), (*outcome)?, (!id.is_nil()).then_some(id)))
    });
    let bad = frame.chunk.bad.iter().map(|bad| (bad.ordinal, Outcome::DeadLettered, None));
    let mut all: Vec<_> = rows.chain(bad).collect();
    if !frame.chunk.bad.is_empty() {
        all.sort_by_key(|(ordinal, _, _)| *ordinal);
    }
    let mut record = ChunkRecord {
        chunk: frame.number,
        ordinals: Vec::with_capacity(all.len()),
        outcomes: Vec::with_capacity(all.len()),
        ids: Vec::with_capacity(all.len()),
        letters: Vec::with_capacity(letters.len()),
        judgement,
        next: serde_json::to_string(&frame.next())
            .map_err(|error| RunError::Bug(format!("a position cannot be written: {error}")))?,
    };
    for (place, (ordinal, outcome, id)) in (0_u32..).zip(all) {
        counts.settle(outcome);
        if !letters.is_empty()
            && let Some(letter) = letters.remove(&ordinal)
        {
            record.letters.push(RowLetter { row: place, letter });
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
