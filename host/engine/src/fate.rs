//! Why a row is not written: the engine's own reasons, each with its code.
//!
//! Pure values. `docs/troubleshooting.md` has a row for each code.

use std::borrow::Cow;

use dvsync_model::Outcome;

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
    pub(crate) hint: Option<String>,
    /// A first step landed before a later one failed.
    pub(crate) landed_partially: bool,
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
        }
    }

    /// Names the column at fault.
    pub(crate) fn at(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Says what a person can do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A first step did land.
    pub(crate) fn partial(mut self) -> Self {
        self.landed_partially = true;
        self
    }
}
