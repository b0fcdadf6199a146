//! How far a run is, for whoever watches it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dvsync_model::{Counts, Outcome};

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Metadata, rule, mapping.
    Planning,
    /// Keys of the source.
    Surveying,
    /// Records of the target.
    ReadingTarget,
    /// Rows on their way.
    Syncing,
    /// Deferred rows are tried again, or waited for.
    Retrying,
    /// Ended.
    Done,
}

const STAGES: [Stage; 6] = [
    Stage::Planning,
    Stage::Surveying,
    Stage::ReadingTarget,
    Stage::Syncing,
    Stage::Retrying,
    Stage::Done,
];

/// Shared counters of a run; reading them never waits for it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    stage: AtomicU8,
    rows: AtomicU64,
    target: AtomicU64,
    counts: Mutex<Counts>,
}

impl Progress {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the run is doing.
    #[must_use]
    pub fn stage(&self) -> Stage {
        let stage = usize::from(self.inner.stage.load(Ordering::Relaxed));
        STAGES.get(stage).copied().unwrap_or(Stage::Done)
    }

    /// Source rows known so far; all of them once the stage is
    /// [`Stage::ReadingTarget`] or later.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.inner.rows.load(Ordering::Relaxed)
    }

    /// Records of the target that were read.
    #[must_use]
    pub fn target(&self) -> u64 {
        self.inner.target.load(Ordering::Relaxed)
    }

    /// Rows settled so far, by outcome.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, stage: Stage) {
        let number = STAGES.iter().position(|other| *other == stage).unwrap_or(0);
        self.inner.stage.store(u8::try_from(number).unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn surveyed(&self, rows: u64) {
        self.inner.rows.store(rows, Ordering::Relaxed);
    }

    pub(crate) fn retrieved(&self, records: u64) {
        self.inner.target.fetch_add(records, Ordering::Relaxed);
    }

    /// Starts with what an earlier process of the run has settled.
    pub(crate) fn resumed(&self, counts: Counts) {
        *self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }

    /// Deferred rows have other outcomes now.
    pub(crate) fn revised(&self, outcomes: impl IntoIterator<Item = Outcome>) {
        let mut counts = self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for outcome in outcomes {
            counts.revise(Outcome::Deferred, outcome);
        }
    }

    /// A row that was settled has another outcome now.
    pub(crate) fn judged_again(&self, changes: impl IntoIterator<Item = (Outcome, Outcome)>) {
        let mut counts = self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (from, to) in changes {
            counts.revise(from, to);
        }
    }

    pub(crate) fn settled(&self, outcomes: impl IntoIterator<Item = Outcome>) {
        let mut counts = self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for outcome in outcomes {
            counts.settle(outcome);
        }
    }
}
