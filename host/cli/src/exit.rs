//! Exit codes: what scripts may rely on, in one place.

use std::process::ExitCode;

use dvsync_engine::journal::RunStatus;
use dvsync_engine::{ErrorCause, Report, RunError};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All is done.
    Complete = 0,
    /// All is done, and a person must look at some rows.
    DeadLetters = 1,
    /// Stopped or with deferrals; can be resumed.
    Incomplete = 2,
    /// Usage or configuration: a person must change something.
    Usage = 64,
    /// A bug of ours.
    Bug = 70,
    /// The service cannot be reached.
    Unreachable = 75,
}

impl Exit {
    /// How a run ended.
    pub(crate) fn of(report: &Report) -> Self {
        match (report.status, &report.error) {
            (RunStatus::Complete, _) => Exit::Complete,
            (RunStatus::WithDeadLetters, _) => Exit::DeadLetters,
            (RunStatus::Failed, Some(error)) => match error.cause() {
                // It had begun: what is done is done, the rest can follow.
                ErrorCause::Machine => Exit::Incomplete,
                _ => Exit::of_error(error),
            },
            _ => Exit::Incomplete,
        }
    }

    /// Why a run could not begin.
    pub(crate) fn of_error(error: &RunError) -> Self {
        match error.cause() {
            ErrorCause::Configuration | ErrorCause::Machine => Exit::Usage,
            ErrorCause::Unreachable => Exit::Unreachable,
            ErrorCause::Limit => Exit::Incomplete,
            ErrorCause::Bug => Exit::Bug,
        }
    }

    /// The number for it.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
