//! Letters that wait: for time, or for a person.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::RunId;

/// How a letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// Nothing has come of it yet.
    Open,
    /// A deferral that its own run has brought to an end.
    Resolved,
    /// Another run has taken its row from the journal.
    Replayed,
    /// A newer version of its row has come: never replayed.
    Superseded,
    /// Somebody has decided that nothing shall come of it.
    Dropped,
}

impl LetterState {
    /// All of them.
    pub const ALL: [LetterState; 5] = [
        LetterState::Open,
        LetterState::Resolved,
        LetterState::Replayed,
        LetterState::Superseded,
        LetterState::Dropped,
    ];

    /// As the journal writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            LetterState::Open => "open",
            LetterState::Resolved => "resolved",
            LetterState::Replayed => "replayed",
            LetterState::Superseded => "superseded",
            LetterState::Dropped => "dropped",
        }
    }
}

impl fmt::Display for LetterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which letters are meant: those that meet all that is said. Notes on rows that
/// were left out on purpose never are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LetterFilter {
    /// Of this run.
    pub run: Option<RunId>,
    /// With this code.
    pub cause: Option<String>,
    /// With this source key, whatever its case.
    pub key: Option<String>,
    /// With this number.
    pub number: Option<u64>,
    /// That stand so; any if absent.
    pub state: Option<LetterState>,
}

/// What has happened to a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LetterEvent {
    /// Wall time.
    pub at: Timestamp,
    /// What it became.
    pub state: LetterState,
    /// The run by which, where there was one.
    pub run: Option<RunId>,
    /// What came of the row, or why it was dropped.
    pub note: Option<String>,
}
