//! The version of a rule that a run judges by stays in its store until the run
//! is finished, so that it can be resumed under it. IO: pin files of the store.

use std::io;
use std::path::Path;

use dvsync_registry::{Pin, RegistryError, Store};

use crate::blocking::unblock;
use crate::error::RunError;
use crate::job::{Job, Kept};
use crate::journal::{Run, RunStatus};

/// Keeps the job's rule for a run that begins. A store that may only be read is
/// somebody else's to keep.
///
/// # Errors
/// The version has gone since it was looked up, or the store cannot be written.
pub(crate) async fn keep(
    job: &Job,
    journal: &Path,
    run: &Run,
    is_replay: bool,
    now: jiff::Timestamp,
) -> Result<(), RunError> {
    let Some(kept) = kept(job) else { return Ok(()) };
    let pin = Pin {
        run: run.id().to_string(),
        name: kept.name.clone(),
        version: kept.version.clone(),
        digest: kept.digest.clone(),
        journal: journal.to_owned(),
        at: now,
    };
    let path = kept.store.clone();
    let pinned = unblock(move || match Store::open(&path)? {
        Some(store) => {
            store.pin(&pin)?;
            // A replay leaves the run that may be resumed as it is.
            if is_replay { Ok(()) } else { store.unpin_others(&pin.journal, &pin.run) }
        }
        None => Err(RegistryError::Folder { path, source: io::ErrorKind::NotFound.into() }),
    });
    match pinned.await? {
        Err(error) if is_read_only(&error) => {
            tracing::warn!(%error, "the store is read-only: nothing keeps the rule for this run");
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Lets it go when the run is finished.
pub(crate) async fn release(job: &Job, run: &Run, status: RunStatus) {
    let Some(kept) = kept(job) else { return };
    if !matches!(status, RunStatus::Complete | RunStatus::WithDeadLetters) {
        return;
    }
    let (path, run) = (kept.store.clone(), run.id().to_string());
    let released = unblock(move || match Store::open(&path)? {
        Some(store) => store.unpin(&run),
        None => Ok(()),
    });
    match released.await {
        Ok(Err(error)) if !is_read_only(&error) => {
            // The next run of the job lets it go.
            tracing::warn!(%error, "the store still keeps the rule for this run");
        }
        _ => {}
    }
}

fn kept(job: &Job) -> Option<&Kept> {
    job.rules.as_ref()?.kept.as_ref()
}

fn is_read_only(error: &RegistryError) -> bool {
    let RegistryError::File { source, .. } = error else { return false };
    matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
