//! The append-only log of committed changes.
//!
//! ```text
//! magic | record*          record = length (4) | xxh3 (8) | payload
//! payload of the first     what the rows look like, as JSON
//! payload of the others    version counter (8) | change*
//! change                   put: 1, table (2), id (16), version (8), length (4), row
//!                          delete: 2, table (2), id (16)
//!                          delete in a partition: 3, table (2), id (16), length (4), partition
//! ```
//!
//! A record is in the file before its commit returns, so killing the process
//! loses nothing that was acknowledged; [`Log::flush`] is for power cuts. A torn
//! last record is cut off by the next start.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use super::Row;
use crate::error::EmulatorError;

pub(super) const MAGIC: &[u8] = b"dvsync emulator 1\n";
pub(super) const HEAD: usize = 12;
pub(super) const PUT: u8 = 1;
pub(super) const DELETE: u8 = 2;
pub(super) const DELETE_WITHIN: u8 = 3;

/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    pub(super) file: File,
    pub(super) path: PathBuf,
    /// Held as long as the log is: one emulator a folder.
    pub(super) lock: File,
    length: u64,
    buffer: Vec<u8>,
}

impl Log {
    pub(super) fn new(file: File, path: PathBuf, lock: File, length: u64) -> Self {
        Self { file, path, lock, length, buffer: Vec::new() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one transaction: table, row before, row after, and the partition of
    /// the row before where there are some.
    pub(super) fn append<'r>(
        &mut self,
        counter: u64,
        changes: impl Iterator<Item = (usize, Option<&'r Row>, Option<&'r Row>, Option<String>)>,
    ) -> Result<(), EmulatorError> {
        self.buffer.clear();
        self.buffer.extend_from_slice(&[0; HEAD]);
        self.buffer.extend_from_slice(&counter.to_le_bytes());
        for (table, before, after, partition) in changes {
            match (before, after) {
                (_, Some(row)) => put(&mut self.buffer, table, row),
                (Some(row), None) => {
                    delete(&mut self.buffer, table, row.id, partition.as_deref());
                }
                (None, None) => {}
            }
        }
        if self.buffer.len() == HEAD + 8 {
            return Ok(());
        }
        seal(&mut self.buffer);
        let written = self.file.write_all(&self.buffer);
        if let Err(source) = written {
            // What was half written must not be followed by a good record.
            let cut = self.file.set_len(self.length);
            let back = self.file.seek(SeekFrom::Start(self.length));
            let source = cut.and(back).err().unwrap_or(source);
            return Err(EmulatorError::State {
                verb: "append to",
                path: self.path.clone(),
                source,
            });
        }
        self.length += u64::try_from(self.buffer.len()).unwrap_or(0);
        self.buffer.shrink_to(1 << 20);
        Ok(())
    }

    pub(super) fn flush(&mut self) -> Result<(), EmulatorError> {
        self.file.sync_data().map_err(|source| EmulatorError::State {
            verb: "flush",
            path: self.path.clone(),
            source,
        })
    }
}

/// Fills in length and checksum of a record that begins the buffer.
pub(super) fn seal(record: &mut [u8]) {
    let Some((head, payload)) = record.split_at_mut_checked(HEAD) else { return };
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    head[..4].copy_from_slice(&length.to_le_bytes());
    head[4..].copy_from_slice(&xxh3_64(payload).to_le_bytes());
}

pub(super) fn put(buffer: &mut Vec<u8>, table: usize, row: &Row) {
    buffer.push(PUT);
    number(buffer, table);
    buffer.extend_from_slice(row.id.as_bytes());
    buffer.extend_from_slice(&row.version.to_le_bytes());
    buffer.extend_from_slice(&u32::try_from(row.bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    buffer.extend_from_slice(&row.bytes);
}

pub(super) fn delete(buffer: &mut Vec<u8>, table: usize, id: Uuid, partition: Option<&str>) {
    buffer.push(if partition.is_some() { DELETE_WITHIN } else { DELETE });
    number(buffer, table);
    buffer.extend_from_slice(id.as_bytes());
    if let Some(text) = partition {
        buffer.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        buffer.extend_from_slice(text.as_bytes());
    }
}

fn number(buffer: &mut Vec<u8>, table: usize) {
    buffer.extend_from_slice(&u16::try_from(table).unwrap_or(u16::MAX).to_le_bytes());
}
