//! Where a journal may lie.
use super::JournalError;
use std::path::Path;
pub(super) fn prepare(journal: &Path) -> Result<(), JournalError> {
    todo!()
}
