//! Records that need a person, or time.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a row came from, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// File, as the job names it.
    pub file: Arc<str>,
    /// Line of text formats (from 1), row of binary ones (from 1).
    pub line: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Why one record was not written: a dead letter, a deferral or a drop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// Where the row came from.
    pub origin: Origin,
    /// The source's key, parts joined by ` / `; absent where it has none.
    pub key: Option<String>,
    /// Stable and machine-readable: `text_too_long`, `bad-phone`, `0x80044331`.
    pub code: String,
    /// The column at fault, where one is.
    pub column: Option<String>,
    /// What was wrong, for a person; never holds a secret.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The target record, where one was matched or derived.
    pub id: Option<Uuid>,
    /// Something of the record did land before it failed.
    #[serde(default)]
    pub landed_partially: bool,
    /// The source row as JSON, so that it can be replayed; masked columns are
    /// masked here too.
    pub row: Option<String>,
}
