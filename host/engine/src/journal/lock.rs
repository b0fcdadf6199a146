//! One run of a job at a time: locks that vanish with the process.
//!
//! Two files beside the journal, both locked by the run. Only runs touch
//! `*.lock`, so a taken one means another run, without waiting. Readers test
//! `*.running` by a shared lock that they drop at once, so the run may wait for
//! it; a reader can never make a run be refused.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::JournalError;

/// Held while a run of the job is possible.
#[derive(Debug)]
pub(super) struct RunLock {
    _lock: File,
    _running: File,
}

impl RunLock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(journal: &Path) -> Result<Self, JournalError> {
        let path = beside(journal, ".lock");
        let failed = |source| JournalError::io("lock", &path, source);
        let mut lock = open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::InUse {
                    path: journal.to_owned(),
                    holder: process(&mut lock),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| write!(lock, "{}", std::process::id()))
            .map_err(failed)?;
        let path = beside(journal, ".running");
        let failed = |source| JournalError::io("lock", &path, source);
        let running = open(&path).map_err(failed)?;
        running.lock().map_err(failed)?;
        Ok(Self { _lock: lock, _running: running })
    }
}

/// A process is at work on the journal, this one included.
pub(super) fn is_running(journal: &Path) -> Result<bool, JournalError> {
    let path = beside(journal, ".running");
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(JournalError::io("test the lock of", &path, error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => {
            Err(JournalError::io("test the lock of", &path, source))
        }
    }
}

fn beside(journal: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(journal);
    name.push(suffix);
    PathBuf::from(name)
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    super::place::owner_only(&mut options);
    options.open(path)
}

/// The process id that the holder has written, where the system lets us read it.
fn process(lock: &mut File) -> Option<String> {
    let mut text = String::new();
    lock.take(20).read_to_string(&mut text).ok()?;
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}
