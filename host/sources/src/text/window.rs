//! A sliding view of a file's text that holds at least one whole record.

use crate::error::SourceError;
use crate::parts::Part;
use crate::text::decode::{Decoded, Encoded};

const WINDOW_BYTES: usize = 256 << 10;

/// Text that is read and not yet consumed. It grows while nothing is consumed,
/// so whoever looks for the end of a record sets the limit.
pub(crate) struct Window {
    decoded: Decoded,
    file: String,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    offset: u64,
    line: u64,
}

impl Window {
    /// Opens a file at an offset of its text that is on line `line` (from 1).
    pub(crate) fn open(
        part: &Part,
        encoded: Encoded,
        offset: u64,
        line: u64,
    ) -> Result<Self, SourceError> {
        Ok(Self {
            decoded: Decoded::open(part, encoded, offset)?,
            file: part.name.clone(),
            buffer: vec![0; WINDOW_BYTES],
            start: 0,
            end: 0,
            ended: false,
            offset,
            line,
        })
    }

    /// The text that is there.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Nothing comes after [`Window::bytes`].
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Where [`Window::bytes`] starts in the text.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The line, from 1, on which [`Window::bytes`] starts.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The name of the encoding, for messages.
    pub(crate) fn encoding(&self) -> &'static str {
        self.decoded.encoding().name()
    }

    /// Reads on, until the buffer is full or the text ends.
    pub(crate) fn more(&mut self) -> Result<(), SourceError> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < WINDOW_BYTES / 4 {
            let doubled = self.buffer.len() * 2;
            self.buffer.resize(doubled, 0);
        }
        while !self.ended && self.buffer.len() - self.end >= 64 {
            match self.decoded.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(source) => {
                    let file = self.file.clone();
                    return Err(if self.decoded.compressed() {
                        SourceError::Decompress { file, line: self.line, source }
                    } else {
                        SourceError::Read { file, source }
                    });
                }
            }
        }
        Ok(())
    }

    /// Moves on by so many bytes, in which so many lines end.
    pub(crate) fn consume(&mut self, bytes: usize, lines: u64) {
        debug_assert!(bytes <= self.end - self.start, "consumes what it has seen");
        self.start += bytes;
        self.offset += bytes as u64;
        self.line += lines;
        if self.start == self.end && self.buffer.len() > WINDOW_BYTES {
            // A long record has passed: back to the usual size.
            self.buffer.truncate(WINDOW_BYTES);
            self.buffer.shrink_to_fit();
            (self.start, self.end) = (0, 0);
        }
    }

    /// Moves past the end of the current line, however long it is, and gives its
    /// first bytes (`keep` at most, without the line end).
    pub(crate) fn skip_line(&mut self, keep: usize) -> Result<Vec<u8>, SourceError> {
        let mut kept = Vec::new();
        loop {
            let bytes = self.bytes();
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let line = &bytes[..end.unwrap_or(bytes.len())];
            kept.extend_from_slice(&line[..line.len().min(keep - kept.len())]);
            match end {
                Some(end) => {
                    self.consume(end + 1, 1);
                    break;
                }
                None => {
                    self.consume(bytes.len(), 0);
                    if self.ended {
                        self.line += 1;
                        break;
                    }
                    self.more()?;
                }
            }
        }
        if kept.last() == Some(&b'\r') {
            kept.pop();
        }
        Ok(kept)
    }
}
