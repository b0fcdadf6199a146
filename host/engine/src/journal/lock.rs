//! One run of a job at a time.
use super::JournalError;
use std::path::Path;
#[derive(Debug)]
pub(super) struct RunLock {}
impl RunLock {
    pub(super) fn take(journal: &Path) -> Result<Self, JournalError> {
        todo!()
    }
}
