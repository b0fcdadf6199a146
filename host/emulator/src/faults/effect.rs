//! What happens to a request that a rule hits.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What happens to a request that a rule hits.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// It is answered with an error and not carried out.
    Reply {
        /// HTTP status.
        status: u16,
        /// `error.code`.
        #[serde(default)]
        code: String,
        /// `error.message`.
        #[serde(default)]
        message: String,
        /// `Retry-After`.
        #[serde(default)]
        retry_after_seconds: Option<u64>,
        /// More headers; one of the service's own names replaces it.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// It is answered with a page of HTML and not carried out.
    Html {
        /// HTTP status.
        status: u16,
    },
    /// It is answered with 500 as the loser of a SQL deadlock, and not carried
    /// out.
    Deadlock,
    /// It is answered with 401, and so is each further request with a token that
    /// the principal was given before; a static token fails this once.
    ExpiredToken,
    /// The connection ends, and it was not carried out.
    CutBeforeCommit,
    /// The connection ends, and it was carried out.
    CutAfterCommit,
    /// It is carried out; of the reply's body only so many bytes arrive.
    Truncate {
        /// Bytes of the body.
        bytes: usize,
    },
    /// It is carried out; headers and some bytes arrive, and then nothing.
    Stall {
        /// Bytes of the body.
        #[serde(default)]
        bytes: usize,
        /// How long; then the rest arrives. Without it nothing does until the
        /// client gives up.
        #[serde(default)]
        milliseconds: Option<u64>,
    },
    /// It is carried out and answered later.
    Delay {
        /// How much later.
        milliseconds: u64,
    },
    /// It is carried out; the reply of a bulk create has other than one id a
    /// record, that of a batch other than one part an operation.
    WrongCount {
        /// So many at the end are missing.
        #[serde(default)]
        missing: usize,
        /// So many are there twice.
        #[serde(default)]
        extra: usize,
    },
    /// It is carried out; the reply is that of the principal's earlier request
    /// of the same operation, if there was one since the rule was added.
    EarlierReply,
}

impl Effect {
    /// The word in `kind`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Reply { .. } => "reply",
            Self::Html { .. } => "html",
            Self::Deadlock => "deadlock",
            Self::ExpiredToken => "expired_token",
            Self::CutBeforeCommit => "cut_before_commit",
            Self::CutAfterCommit => "cut_after_commit",
            Self::Truncate { .. } => "truncate",
            Self::Stall { .. } => "stall",
            Self::Delay { .. } => "delay",
            Self::WrongCount { .. } => "wrong_count",
            Self::EarlierReply => "earlier_reply",
        }
    }
}
