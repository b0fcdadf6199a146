//! Tables larger than memory: sorted files behind small doors.
//!
//! - [`Snapshot`]: the target's rows by key, for matching and comparing.
//! - [`Duplicates`] -> [`Losers`]: which row of a doubled source key wins.
//! - [`Seen`]: ids already written in this run.
//!
//! Does IO on files in the folder that [`Room`] names; synchronous, to be called
//! on blocking threads. Promises: memory stays near `Room::memory_max` whatever
//! the number of rows; answers are exact, on disk as in memory; files are
//! private, have no name where the system allows it, and vanish with the value.
//!
//! Not here: what a key is (`dvsync_model::key`) and what to do with a match.

mod bloom;
mod duplicates;
mod scratch;
mod seen;
mod snapshot;
mod sorter;
mod table;

#[cfg(test)]
mod figures;

pub use duplicates::{Duplicates, Keep, Losers, Standing};
pub use seen::Seen;
pub use snapshot::{Hit, Matches, Snapshot, SnapshotBuilder};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::ArrowError;
use dvsync_model::KeyHash;
use uuid::Uuid;

/// How much memory a table may use, and where the rest goes.
#[derive(Debug, Clone)]
pub struct Room {
    /// An existing folder on a local disk.
    pub folder: PathBuf,
    /// Bytes held in memory before the rest is written to disk; about a quarter
    /// more is used for buffers.
    pub memory_max: usize,
}

impl Room {
    /// 32 MiB in memory, the rest in `folder`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), memory_max: 32 << 20 }
    }
}

/// The hash under which a primary id is looked up, so that a [`Snapshot`] can
/// match by id too.
#[must_use]
pub fn id_key(id: Uuid) -> KeyHash {
    KeyHash(id.as_u128())
}

/// Why a table cannot be built or asked. Cheap to clone.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SpillError {
    /// The file system refused.
    #[error("cannot {verb} a temporary file in `{}`", folder.display())]
    Io {
        /// `create`, `write`, `read`.
        verb: &'static str,
        /// The folder it lies in.
        folder: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// Rows could not be converted or joined.
    #[error("cannot {verb} rows for a temporary file")]
    Rows {
        /// `encode`, `decode`, `join`.
        verb: &'static str,
        /// Why.
        source: Arc<ArrowError>,
    },
    /// What the caller gave contradicts itself; a bug of ours.
    #[error("cannot spill {what}")]
    Contradiction {
        /// What, and the wrong values.
        what: String,
    },
}

impl SpillError {
    fn io(verb: &'static str, folder: &Path, source: std::io::Error) -> Self {
        SpillError::Io { verb, folder: folder.to_owned(), source: source.into() }
    }

    fn rows(verb: &'static str) -> impl FnOnce(ArrowError) -> Self {
        move |source| SpillError::Rows { verb, source: source.into() }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            SpillError::Io { .. } => Some("free space there, or name another folder"),
            SpillError::Rows { .. } | SpillError::Contradiction { .. } => None,
        }
    }
}
