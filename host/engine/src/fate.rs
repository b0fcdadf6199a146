//! Why a row is not written: the engine's own reasons, each with its code.
//!
//! Pure values. `docs/troubleshooting.md` has a row for each code.

use std::borrow::Cow;

use dvsync_model::Outcome;
use jiff::Timestamp;

/// What became of a row that is not written as it is, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fate {
    /// Dropped, deferred, dead-lettered, or unchanged with a reason.
    pub(crate) outcome: Outcome,
    /// Stable and machine-readable.
    pub(crate) code: Cow<'static, str>,
    /// The column at fault.
    pub(crate) column: Option<String>,
    /// What was wrong, for a person.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<Box<str>>,
    /// A first step landed before a later one failed.
    pub(crate) landed_partially: bool,
    /// Of a deferral: when it may be tried again.
    pub(crate) again: Again,
}

/// When a deferred row may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// After a wait that grows.
    Later,
    /// As soon as something else has landed, and after a wait that grows.
    WithOthers,
    /// Not before that.
    NotBefore(Timestamp),
    /// Only another run can decide otherwise.
    NextRun,
}

impl Fate {
    /// A person must look.
    pub(crate) fn dead(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Outcome::DeadLettered, code, message)
    }

    /// Left out on purpose.
    pub(crate) fn dropped(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Outcome::Dropped, code, message)
    }

    /// Not now.
    pub(crate) fn deferred(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Outcome::Deferred, code, message)
    }

    fn new(
        outcome: Outcome,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            outcome,
            code: code.into(),
            column: None,
            message: message.into(),
            hint: None,
            landed_partially: false,
            again: Again::Later,
        }
    }

    /// Names the column at fault.
    pub(crate) fn at(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Says what a person can do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into().into());
        self
    }

    /// Says when a deferral may be tried again.
    pub(crate) fn again(mut self, again: Again) -> Self {
        self.again = again;
        self
    }

    /// A first step did land.
    pub(crate) fn partial(mut self) -> Self {
        self.landed_partially = true;
        self
    }
}
