//! What became of a record, and the law that nothing is lost.

use serde::{Deserialize, Serialize};

/// What became of a record: exactly one of these, given after its last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Outcome {
    /// It did not exist and does now.
    Created = 0,
    /// It existed and was changed.
    Updated = 1,
    /// Written by a call that does not tell which.
    Upserted = 2,
    /// Set inactive, nothing else touched.
    Deactivated = 3,
    /// Removed.
    Deleted = 4,
    /// Nothing to write.
    Unchanged = 5,
    /// Left out on purpose: by a rule, a filter, or a duplicate that lost.
    Dropped = 6,
    /// Not now: tried again later.
    Deferred = 7,
    /// A person must look.
    DeadLettered = 8,
}

impl Outcome {
    /// All of them, in the order of their numbers.
    pub const ALL: [Outcome; 9] = [
        Outcome::Created,
        Outcome::Updated,
        Outcome::Upserted,
        Outcome::Deactivated,
        Outcome::Deleted,
        Outcome::Unchanged,
        Outcome::Dropped,
        Outcome::Deferred,
        Outcome::DeadLettered,
    ];
}

/// How many records had each outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Settled source rows, malformed lines included.
    pub read: u64,
    /// See [`Outcome::Created`], and so on down to `dead_lettered`.
    pub created: u64,
    #[expect(missing_docs, reason = "see the outcome of the same name")]
    pub updated: u64,
    #[expect(missing_docs, reason = "see the outcome of the same name")]
    pub upserted: u64,
    #[expect(missing_docs, reason = "see the outcome of the same name")]
    pub deactivated: u64,
    #[expect(missing_docs, reason = "see the outcome of the same name")]
    pub deleted: u64,
    #[expect(missing_docs, reason = "see the outcome of the same name")]
    pub unchanged: u64,
    #[expect(missing_docs, reason = "see the outcome of the same name")]
    pub dropped: u64,
    #[expect(missing_docs, reason = "see the outcome of the same name")]
    pub deferred: u64,
    #[expect(missing_docs, reason = "see the outcome of the same name")]
    pub dead_lettered: u64,
    /// Deactivated by a mirror because it left the source; not a source row.
    pub departed: u64,
    /// Read, but not reached before the run stopped; not in `read`.
    pub not_reached: u64,
}

impl Counts {
    /// Counts one settled row.
    pub fn settle(&mut self, outcome: Outcome) {
        self.read += 1;
        *self.slot(outcome) += 1;
    }

    /// Takes back a row that was counted.
    pub fn forget(&mut self, outcome: Outcome) {
        self.read = self.read.saturating_sub(1);
        *self.slot(outcome) = self.slot(outcome).saturating_sub(1);
    }

    /// Gives a row that was counted before another outcome.
    pub fn revise(&mut self, from: Outcome, to: Outcome) {
        *self.slot(from) = self.slot(from).saturating_sub(1);
        *self.slot(to) += 1;
    }

    /// Adds what another part of the run counted.
    pub fn merge(&mut self, other: &Counts) {
        self.read += other.read;
        self.departed += other.departed;
        self.not_reached += other.not_reached;
        for outcome in Outcome::ALL {
            *self.slot(outcome) += other.of(outcome);
        }
    }

    /// How many had this outcome.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> u64 {
        let mut copy = *self;
        *copy.slot(outcome)
    }

    /// Records that were written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.created + self.updated + self.upserted + self.deactivated + self.deleted
    }

    /// The conservation law: every row read has exactly one outcome.
    ///
    /// # Errors
    /// [`Imbalance`] says by how much it is broken; that is a bug of ours.
    pub fn check(&self) -> Result<(), Imbalance> {
        let settled: u64 = Outcome::ALL.iter().map(|&outcome| self.of(outcome)).sum();
        if settled == self.read { Ok(()) } else { Err(Imbalance { read: self.read, settled }) }
    }

    fn slot(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Created => &mut self.created,
            Outcome::Updated => &mut self.updated,
            Outcome::Upserted => &mut self.upserted,
            Outcome::Deactivated => &mut self.deactivated,
            Outcome::Deleted => &mut self.deleted,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Dropped => &mut self.dropped,
            Outcome::Deferred => &mut self.deferred,
            Outcome::DeadLettered => &mut self.dead_lettered,
        }
    }
}

/// The conservation law is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{read} records were read but {settled} have an outcome")]
pub struct Imbalance {
    /// Rows read.
    pub read: u64,
    /// Rows with an outcome.
    pub settled: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_counts_once_and_keeps_the_law() {
        let mut counts = Counts::default();
        for outcome in Outcome::ALL {
            counts.settle(outcome);
            assert_eq!(counts.of(outcome), 1);
            counts.check().unwrap();
        }
        assert_eq!(counts.read, 9);
        counts.revise(Outcome::Deferred, Outcome::Created);
        assert_eq!((counts.deferred, counts.created, counts.check()), (0, 2, Ok(())));
        counts.read += 1;
        assert_eq!(counts.check(), Err(Imbalance { read: 10, settled: 9 }));
    }
}
