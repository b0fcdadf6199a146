//! Why the journal cannot be opened, written or read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the journal cannot be opened, written or read. Cheap to clone: the one
/// failure of the writer is told to everybody who asks.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// Another run of the job is at work.
    #[error("journal `{}` is in use by another run{}", path.display(), holder.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    InUse {
        /// The journal.
        path: PathBuf,
        /// Process id of the other run, where it can be told.
        holder: Option<String>,
    },
    /// SQLite's locks and shared memory do not work there.
    #[error("journal `{}` would lie on a network file system ({kind})", path.display())]
    NetworkFileSystem {
        /// The journal.
        path: PathBuf,
        /// `nfs`, `cifs`, `fuse.sshfs`.
        kind: String,
    },
    /// There is no such file.
    #[error("journal `{}` does not exist", path.display())]
    Missing {
        /// The journal.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("`{}` is not a dvsync journal: {found}", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// Written by a newer dvsync.
    #[error("journal `{}` has schema version {found}, newer than {known}", path.display())]
    Newer {
        /// The journal.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Written by an older dvsync, and only a run may migrate it.
    #[error("journal `{}` has schema version {found}, older than {known}", path.display())]
    Older {
        /// The journal.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version that this program reads.
        known: i64,
    },
    /// Its content contradicts itself.
    #[error("journal `{}` is damaged: {what}", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// What was met.
        what: String,
    },
    /// No such run.
    #[error("journal `{}` has no run `{run}`", path.display())]
    NoSuchRun {
        /// The journal.
        path: PathBuf,
        /// The run asked for.
        run: String,
    },
    /// What the caller gave contradicts itself; a bug of ours.
    #[error("cannot journal {what}")]
    Contradiction {
        /// What, and the wrong values.
        what: String,
    },
    /// The file system refused.
    #[error("cannot {verb} journal `{}`", path.display())]
    Io {
        /// `create`, `lock`, ...
        verb: &'static str,
        /// The file at hand.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// SQLite refused.
    #[error("cannot {verb} journal `{}`", path.display())]
    Sqlite {
        /// `open`, `write`, `read`.
        verb: &'static str,
        /// The journal.
        path: PathBuf,
        /// Why.
        source: Arc<rusqlite::Error>,
    },
    /// The writer's thread is gone.
    #[error("the writer of journal `{}` has stopped", path.display())]
    Stopped {
        /// The journal.
        path: PathBuf,
    },
}

impl JournalError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            JournalError::InUse { .. } => {
                "wait until that run has ended, or give this job a journal of its own"
            }
            JournalError::NetworkFileSystem { .. } => {
                "set `[journal] path` to a folder on a local disk"
            }
            JournalError::Missing { .. } => "run the job first, or check `[journal] path`",
            JournalError::NotAJournal { .. } => {
                "set `[journal] path` to a file that is not there yet"
            }
            JournalError::Newer { .. } => "use the dvsync version that wrote it, or a newer one",
            JournalError::Older { .. } => "the next run of the job migrates it",
            JournalError::Damaged { .. } => {
                "move the file and its -wal and -shm files away and run the job again: records \
                 are matched with the target, so that nothing is doubled"
            }
            JournalError::NoSuchRun { .. } => "`dvsync runs list` shows the runs that there are",
            JournalError::Io { .. } | JournalError::Sqlite { .. } => {
                "check free space and rights in the journal's folder"
            }
            JournalError::Contradiction { .. } | JournalError::Stopped { .. } => return None,
        })
    }

    pub(super) fn io(verb: &'static str, path: &Path, source: std::io::Error) -> Self {
        JournalError::Io { verb, path: path.to_owned(), source: source.into() }
    }
}
