//! Files without a name: written once from front to back, then read anywhere.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::SpillError;

/// Bytes collected before they are written.
const WRITE_BYTES: usize = 256 << 10;

/// A file that is being written. Gone when it is dropped, private always.
#[derive(Debug)]
pub(super) struct Draft {
    file: File,
    folder: Arc<Path>,
    pending: Vec<u8>,
    written: u64,
}

impl Draft {
    pub(super) fn new(folder: &Arc<Path>) -> Result<Self, SpillError> {
        let file = tempfile::tempfile_in(folder)
            .map_err(|source| SpillError::io("create", folder, source))?;
        Ok(Self { file, folder: Arc::clone(folder), pending: Vec::new(), written: 0 })
    }

    /// Where the next byte will lie.
    pub(super) fn length(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), SpillError> {
        if self.pending.len() + bytes.len() > WRITE_BYTES {
            self.flush()?;
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    /// Makes what is written so far readable.
    pub(super) fn flush(&mut self) -> Result<(), SpillError> {
        self.file
            .write_all(&self.pending)
            .map_err(|source| SpillError::io("write", &self.folder, source))?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Scratch, SpillError> {
        self.flush()?;
        Ok(Scratch { file: self.file, folder: self.folder })
    }
}

/// A file that is only read; any number of threads may.
#[derive(Debug)]
pub(super) struct Scratch {
    file: File,
    folder: Arc<Path>,
}

impl Scratch {
    /// Fills the buffer with what lies from `offset` on.
    pub(super) fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), SpillError> {
        read_exact_at(&self.file, buffer, offset)
            .map_err(|source| SpillError::io("read", &self.folder, source))
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}
