//! Why an emulator cannot be made or cannot go on. What a request is refused
//! with is a reply, not an error.

use std::path::PathBuf;

/// The emulator cannot start, or cannot keep its state.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Settings that cannot be read; the message holds line and column.
    #[error("cannot read the emulator's settings: {0}")]
    Settings(String),
    /// A schema that contradicts itself.
    #[error("table `{table}`: {message}")]
    Schema {
        /// Logical name of the table.
        table: String,
        /// What is wrong, with the value.
        message: String,
    },
    /// The state on disk cannot be read or written.
    #[error("cannot {verb} `{}`", path.display())]
    State {
        /// What was tried.
        verb: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The state on disk is not what this emulator writes.
    #[error("state `{}` does not fit: {message}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        message: String,
    },
    /// A snapshot that cannot be taken or brought back.
    #[error("no snapshot: {0}")]
    Snapshot(String),
    /// A certificate or key that cannot be used.
    #[error("cannot use the certificate: {0}")]
    Tls(String),
}

impl EmulatorError {
    pub(crate) fn schema(table: &str, message: impl Into<String>) -> Self {
        Self::Schema { table: table.to_owned(), message: message.into() }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Settings(_) | Self::Schema { .. } => {
                Some("docs/emulator.md describes the settings and the schema")
            }
            Self::State { .. } => Some("another emulator may be using this folder"),
            Self::Foreign { .. } => {
                Some("use the schema that the state was written with, or another folder")
            }
            Self::Tls(_) | Self::Snapshot(_) => None,
        }
    }
}
