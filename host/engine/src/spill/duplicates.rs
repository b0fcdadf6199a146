//! Doubled source keys: a first pass over keys only, which decides who wins.

use dvsync_model::KeyHash;
use serde::Deserialize;

use super::{Room, SpillError};

/// Which row of a doubled key wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The first row; with an order value, the smallest, of equals the first row.
    First,
    /// The last row; with an order value, the largest, of equals the last row.
    #[default]
    Last,
    /// None.
    Reject,
}

/// Collects the keys of all source rows.
#[derive(Debug)]
pub struct Duplicates {}

impl Duplicates {
    /// Nothing pushed yet.
    #[must_use]
    pub fn new(keep: Keep, room: &Room) -> Self {
        todo!()
    }

    /// Adds a row that has a key. `order` is the value of the job's `by` column
    /// in a form that compares as bytes (an `arrow_row` cell); none is less than
    /// any.
    ///
    /// # Errors
    /// The disk.
    pub fn push(
        &mut self,
        key: KeyHash,
        ordinal: u64,
        order: Option<&[u8]>,
    ) -> Result<(), SpillError> {
        todo!()
    }

    /// Decides.
    ///
    /// # Errors
    /// The disk.
    pub fn finish(self) -> Result<Losers, SpillError> {
        todo!()
    }
}

/// How a row stands among those of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its key is its own, or it has won.
    Kept,
    /// Another row of its key has won.
    Lost {
        /// Ordinal of that row.
        winner: u64,
    },
    /// Its key is doubled and nobody wins ([`Keep::Reject`]).
    Rejected {
        /// Ordinal of another row of its key: the first one, for the first one
        /// the second.
        other: u64,
    },
}

/// The rows that have not won, in the order of the source.
#[derive(Debug)]
pub struct Losers {}

impl Losers {
    /// How many rows have not won.
    #[must_use]
    pub fn len(&self) -> u64 {
        todo!()
    }

    /// Every row is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the row stands. To be asked in ascending order of ordinals; any may
    /// be left out.
    ///
    /// # Errors
    /// An ordinal not above the last one, or the disk.
    pub fn standing(&mut self, ordinal: u64) -> Result<Standing, SpillError> {
        todo!()
    }
}
