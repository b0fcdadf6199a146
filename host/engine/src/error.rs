//! Why a run cannot start or go on. What becomes of single records is data
//! ([`dvsync_model::Outcome`], [`dvsync_model::Letter`]), not an error.

use dvsync_dataverse::ClientError;
use dvsync_registry::RegistryError;
use dvsync_rules::RuleError;
use dvsync_sources::SourceError;

use crate::journal::JournalError;
use crate::prepare::cast::Unfit;
use crate::spill::SpillError;

/// Why a run cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The job asks for something that the target, the source or the rule does
    /// not have.
    #[error("{message}")]
    Job {
        /// What is wrong, and where.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A column of the source or of the rule can never be written there.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The service, or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The rule.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The store of rules.
    #[error(transparent)]
    Registry(Box<RegistryError>),
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Temporary files.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// A file beside the journal.
    #[error("cannot write a temporary file beside the journal")]
    Scratch(#[source] std::sync::Arc<std::io::Error>),
    /// A limit of the job was passed.
    #[error("{message}")]
    Limit {
        /// Which one, and by how much.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// A bug of ours.
    #[error("internal error: {0}")]
    Bug(String),
}

/// What a failure calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Something that a person configured.
    Configuration,
    /// The service cannot be reached, or does not let us in for now.
    Unreachable,
    /// The machine: disk, files.
    Machine,
    /// A limit that the job sets: the run stopped on purpose.
    Limit,
    /// A bug of ours.
    Bug,
}

impl RunError {
    /// A job that asks for what is not there.
    pub(crate) fn job(message: impl Into<String>) -> Self {
        Self::Job { message: message.into(), hint: None }
    }

    /// The same, with what to do about it.
    pub(crate) fn job_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Job { message: message.into(), hint: Some(hint.into()) }
    }

    pub(crate) fn panicked(error: tokio::task::JoinError) -> Self {
        Self::Bug(format!("a task ended early: {error}"))
    }

    /// Another version of the rule would not fail so.
    pub(crate) fn is_of_rule(&self) -> bool {
        matches!(self, Self::Rule(_) | Self::Unfit(_) | Self::Job { .. })
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            RunError::Job { hint, .. } => hint.clone(),
            RunError::Limit { hint, .. } => Some(hint.clone()),
            RunError::Unfit(_) => {
                Some("map another column, or declare its type in [source.types]".to_owned())
            }
            RunError::Client(error) => error.hint().map(|hint| hint.to_string()),
            RunError::Rule(error) => error.hint().map(|hint| hint.to_string()),
            RunError::Registry(error) => error.hint(),
            RunError::Source(error) => error.hint().map(|hint| hint.to_string()),
            RunError::Journal(error) => error.hint().map(|hint| hint.to_string()),
            RunError::Spill(error) => error.hint().map(str::to_owned),
            RunError::Scratch(_) => Some("check free space and rights in that folder".to_owned()),
            RunError::Bug(_) => Some("please report it, with the job file and the log".to_owned()),
        }
    }

    /// What it calls for.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self {
            RunError::Job { .. } | RunError::Unfit(_) | RunError::Rule(_) => Cause::Configuration,
            RunError::Source(_) | RunError::Registry(_) => Cause::Configuration,
            RunError::Client(error) if error.is_transient() => Cause::Unreachable,
            RunError::Client(_) => Cause::Configuration,
            RunError::Journal(_) | RunError::Spill(_) | RunError::Scratch(_) => Cause::Machine,
            RunError::Limit { .. } => Cause::Limit,
            RunError::Bug(_) => Cause::Bug,
        }
    }
}

impl From<RegistryError> for RunError {
    fn from(error: RegistryError) -> Self {
        RunError::Registry(Box::new(error))
    }
}

impl From<arrow_schema::ArrowError> for RunError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        RunError::Bug(format!("columns do not fit together: {error}"))
    }
}
