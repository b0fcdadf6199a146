//! What became of a write: data, not errors.

use std::time::Duration;

use uuid::Uuid;

use crate::code::ErrorCode;
use crate::disposition::Disposition;
use crate::error::ClientError;
use crate::transport::Phase;

/// What became of one call that carries records.
#[derive(Debug)]
pub enum Written {
    /// Exactly one status per record, in order.
    Each(Vec<Status>),
    /// The whole call was refused and rolled back: nothing landed.
    Refused(Refusal),
    /// Sent, and no whole, sensible reply came: anything may have landed.
    InDoubt(Doubt),
    /// It would have to wait longer than `wait_max` or the deadline allow;
    /// nothing landed.
    NotNow(NotNow),
    /// Configuration, credentials, privileges, or a service that is gone: the
    /// run cannot go on. Nothing landed.
    Stop(ClientError),
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// It is in the target.
    Landed {
        /// Whether it was created (or updated), where the reply tells.
        created: Option<bool>,
        /// Its primary id, where it is known.
        id: Option<Uuid>,
    },
    /// It was refused; nothing of it landed, unless the disposition says to
    /// look first.
    Refused(Refusal),
    /// The batch stopped before it.
    NotAttempted,
}

/// The service said no.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Dataverse's code, where one was given.
    pub code: Option<ErrorCode>,
    /// The service's words; may quote data of the record.
    pub message: String,
    /// What to do about it.
    pub disposition: Disposition,
    /// What Microsoft's support asks for.
    pub request_id: Option<String>,
}

impl Refusal {
    /// The code as dead letters show it: `0x80044331`, or `http_413`.
    #[must_use]
    pub fn code_text(&self) -> String {
        match self.code {
            Some(code) if code.0 != 0 => code.to_string(),
            _ => format!("http_{}", self.status),
        }
    }
}

/// A write of unknown fate.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// How far it came.
    pub phase: Phase,
    /// HTTP status, if a reply began.
    pub status: Option<u16>,
    /// What was missing or wrong.
    pub message: String,
    /// What Microsoft's support asks for.
    pub request_id: Option<String>,
    /// When the request was sent, by the client's clock: the service may still
    /// commit it for about two and a half minutes.
    pub sent_at: Duration,
}

/// Would have to wait too long.
#[derive(Debug, Clone, PartialEq)]
pub struct NotNow {
    /// When to try again, by the client's clock.
    pub until: Duration,
    /// The service's code, or `throttled`; `records_per_day` when the job has
    /// spent what it wants to spend; `cancelled`.
    pub code: String,
    /// For people.
    pub message: String,
    /// Somebody asked to end early: see [`crate::Cancel`].
    pub cancelled: bool,
}
