//! Why a call as a whole failed. Pure.
//!
//! What is wrong with one row is a verdict, not a failure.

use std::fmt;

use crate::bindings::types;

/// Why `configure`, `needs` or a hook failed, and what the host does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the host does next.
    pub kind: FailureKind,
    /// Stable and machine-readable: `bad-settings`.
    pub code: String,
    /// For a person.
    pub message: String,
}

/// What the host does about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Settings or schema are wrong: the job stops until a person acts.
    Misconfigured,
    /// Some row is at fault: the host narrows the call down to it.
    InvalidInput,
    /// A fault of the rule: counts towards rolling this version back.
    Internal,
}

impl Failure {
    /// Settings or schema are wrong.
    pub fn misconfigured(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Misconfigured, code: code.into(), message: message.into() }
    }

    /// Some row is at fault, and the rule cannot say which.
    pub fn invalid_input(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: FailureKind::InvalidInput, code: code.into(), message: message.into() }
    }

    /// A fault of the rule.
    pub fn internal(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Internal, code: code.into(), message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for types::Failure {
    fn from(failure: Failure) -> Self {
        let detail = types::Detail { code: failure.code, message: failure.message };
        match failure.kind {
            FailureKind::Misconfigured => Self::Misconfigured(detail),
            FailureKind::InvalidInput => Self::InvalidInput(detail),
            FailureKind::Internal => Self::Internal(detail),
        }
    }
}
