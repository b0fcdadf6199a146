//! The schema and its versions.
use super::{Durability, JournalError};
use rusqlite::Connection;
use std::path::Path;
pub(super) fn open_writable(
    journal: &Path,
    durability: Durability,
) -> Result<Connection, JournalError> {
    todo!()
}
