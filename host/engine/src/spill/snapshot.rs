//! The target's rows, found by key.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use dvsync_model::KeyHash;

use super::{Room, SpillError};

/// Collects the rows of a [`Snapshot`].
#[derive(Debug)]
pub struct SnapshotBuilder {}

impl SnapshotBuilder {
    /// Rows will have this schema: column 0 is the primary id,
    /// `FixedSizeBinary(16)` without nulls; any others follow.
    ///
    /// # Errors
    /// Column 0 is something else, or a column has a type that cannot be spilled.
    pub fn new(schema: SchemaRef, room: &Room) -> Result<Self, SpillError> {
        todo!()
    }

    /// Adds rows, with one key each; a row without a key is never found.
    ///
    /// # Errors
    /// Another schema, another number of keys, or the disk.
    pub fn push(&mut self, rows: &RecordBatch, keys: &[Option<KeyHash>]) -> Result<(), SpillError> {
        todo!()
    }

    /// Makes the rows ready to be found.
    ///
    /// # Errors
    /// The disk.
    pub fn finish(self) -> Result<Snapshot, SpillError> {
        todo!()
    }
}

/// Rows found by key, in memory or on disk. Any number of threads may ask.
#[derive(Debug)]
pub struct Snapshot {}

/// What was found for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hit {
    /// Nothing, or there was no key.
    None,
    /// Exactly one row: its position in [`Matches::rows`].
    One(u32),
    /// Several rows, in the order in which they were pushed.
    Many {
        /// Their positions in [`Matches::rows`]; at most
        /// [`Snapshot::CANDIDATES_MAX`] are listed.
        rows: Range<u32>,
        /// How many there are.
        total: u64,
    },
}

/// What was found for a list of keys.
#[derive(Debug, Clone)]
pub struct Matches {
    /// One per key asked for.
    pub hits: Vec<Hit>,
    /// The rows found, in the order of the keys: positions in `hits` ascend
    /// without gaps, so where every key has one hit, row `i` belongs to key `i`.
    /// A row asked for twice is listed twice.
    pub rows: RecordBatch,
}

impl Snapshot {
    /// Rows listed for one key.
    pub const CANDIDATES_MAX: u32 = 100;

    /// Rows pushed, those without a key included.
    #[must_use]
    pub fn len(&self) -> u64 {
        todo!()
    }

    /// Nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Schema of the rows.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        todo!()
    }

    /// Finds the rows of each key, all columns.
    ///
    /// # Errors
    /// The disk.
    pub fn lookup(&self, keys: &[Option<KeyHash>]) -> Result<Matches, SpillError> {
        todo!()
    }

    /// Finds the primary ids of each key: `rows` has column 0 only. Cheaper.
    ///
    /// # Errors
    /// The disk.
    pub fn lookup_ids(&self, keys: &[Option<KeyHash>]) -> Result<Matches, SpillError> {
        todo!()
    }
}
