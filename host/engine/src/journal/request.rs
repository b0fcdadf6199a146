//! Requests: journalled before they leave, closed by their reply.

use std::borrow::Cow;

use dvsync_model::KeyHash;
use jiff::Timestamp;
use uuid::Uuid;

use super::{JournalError, RunId, codec};

/// A write request that is about to leave.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Wall time.
    pub at: Timestamp,
    /// The client's own id of the request.
    pub request: Uuid,
    /// What it does: `create`, `update`, `upsert`.
    pub operation: Cow<'static, str>,
    /// One per record: the row's ordinal in the source.
    pub ordinals: Vec<u64>,
    /// One per record: its primary id, where it is known before the reply.
    pub ids: Vec<Option<Uuid>>,
    /// One per record: its match key, where its id is not known.
    pub keys: Vec<Option<KeyHash>>,
    /// Key hashes and ids whose open letters of earlier runs are out of date
    /// once this request has left.
    pub supersedes: Vec<u128>,
}

/// Names an intent within its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentId(pub(super) i64);

#[cfg(test)]
impl IntentId {
    pub(crate) fn of_test(number: i64) -> Self {
        Self(number)
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// No reply yet, or none before its process went away.
    Open,
    /// Answered with a status for each record; refused ones may be among them.
    Landed,
    /// Refused as a whole, or never sent: nothing of it landed.
    Refused,
    /// No sensible reply: anything of it may have landed.
    InDoubt,
    /// Was in doubt, and its time has passed: its records are compared anew.
    Passed,
}

impl Fate {
    /// All of them.
    pub const ALL: [Fate; 5] =
        [Fate::Open, Fate::Landed, Fate::Refused, Fate::InDoubt, Fate::Passed];

    /// As the journal writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Fate::Open => "open",
            Fate::Landed => "landed",
            Fate::Refused => "refused",
            Fate::InDoubt => "in_doubt",
            Fate::Passed => "passed",
        }
    }
}

/// The reply to a request, or how its doubt was resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Wall time.
    pub at: Timestamp,
    /// What became of it.
    pub fate: Fate,
    /// Records that landed, as far as known.
    pub landed: u32,
    /// HTTP status, where there was a reply.
    pub status: Option<u16>,
    /// The service's own id of the request, for its support.
    pub service_request: Option<String>,
    /// Why it was refused or is in doubt; never holds a secret.
    pub message: Option<String>,
    /// In doubt: the service may commit it until then.
    pub until: Option<Timestamp>,
}

/// A request of unknown fate: its records must be looked for by id before
/// anything is sent again.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// The run that made it.
    pub run: RunId,
    /// Logical name of the run's entity.
    pub entity: String,
    /// The last sign of life of the run's process: an open request may have
    /// left a little later than that.
    pub alive: Option<Timestamp>,
    /// See [`Reply`].
    pub until: Option<Timestamp>,
    /// Close it by `Run::replied`.
    pub intent: IntentId,
    /// See [`Intent`].
    pub at: Timestamp,
    /// See [`Intent`].
    pub request: Uuid,
    /// See [`Intent`].
    pub operation: String,
    /// `Open` or `InDoubt`.
    pub fate: Fate,
    /// See [`Intent`].
    pub ordinals: Vec<u64>,
    /// See [`Intent`].
    pub ids: Vec<Option<Uuid>>,
    /// See [`Intent`].
    pub keys: Vec<Option<KeyHash>>,
}

impl Intent {
    /// The lists belong together.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        let (rows, ids) = (self.ordinals.len(), self.ids.len());
        if rows == ids && rows == self.keys.len() && rows <= codec::ROWS_MAX {
            Ok(())
        } else {
            Err(JournalError::Contradiction {
                what: format!("request {}: {rows} ordinals, {ids} ids", self.request),
            })
        }
    }
}
