//! Why a command could not do its work: exit code, what failed, why, and what
//! to do about it.

use dvsync_dataverse::ClientError;
use dvsync_emulator::EmulatorError;
use dvsync_engine::RunError;
use dvsync_engine::job::JobError;
use dvsync_engine::journal::JournalError;
use dvsync_registry::RegistryError;
use dvsync_rules::RuleError;
use dvsync_sources::SourceError;

use crate::exit::Exit;

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// Something that a person has to change.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, error: anyhow::Error::msg(message.into()), hint: None }
    }

    /// The same, with what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Something that a person has to change, and why.
    pub(crate) fn because(
        message: impl Into<String>,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        let error = anyhow::Error::new(error).context(message.into());
        Self { exit: Exit::Usage, error, hint: None }
    }

    /// Something that cannot be.
    pub(crate) fn bug(
        message: &'static str,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self { exit: Exit::Bug, error: anyhow::Error::new(error).context(message), hint: None }
    }

    /// What failed, then each reason behind it.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.error.chain().map(ToString::to_string).collect()
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let (exit, hint) = (Exit::of_error(&error), error.hint());
        Self { exit, error: error.into(), hint }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        RunError::from(error).into()
    }
}

impl From<RuleError> for Failure {
    fn from(error: RuleError) -> Self {
        RunError::from(error).into()
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        RunError::from(error).into()
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        RunError::from(error).into()
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        RunError::from(error).into()
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        let hint = error.hint().map(str::to_owned);
        Self { exit: Exit::Usage, error: error.into(), hint }
    }
}

impl From<EmulatorError> for Failure {
    fn from(error: EmulatorError) -> Self {
        let hint = error.hint().map(str::to_owned);
        Self { exit: Exit::Usage, error: error.into(), hint }
    }
}
