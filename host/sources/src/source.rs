//! The seam: what a source gives and how it is asked.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::error::SourceError;
use crate::numbering::Numbering;
use crate::parts::Part;

/// Rows that a chunk has at most unless the scan says otherwise.
pub const CHUNK_ROWS_DEFAULT: usize = 8192;

/// Bytes of source data after which a chunk is closed; one record more may be
/// in it.
pub const CHUNK_BYTES: usize = 8 << 20;

/// Rows in a stable order, readable from any chunk's end.
///
/// Opened once, scanned as often as needed, from several threads too. The files
/// must not change meanwhile: freeze [`Source::parts`] and compare.
pub trait Source: Send + Sync {
    /// All columns, in the order of the first file.
    fn schema(&self) -> SchemaRef;

    /// The files, sorted by name.
    fn parts(&self) -> &[Part];

    /// Rows, where the files say how many there are.
    fn rows_hint(&self) -> Option<u64>;

    /// Reads the rows from a position on.
    ///
    /// After an error the iterator is at its end.
    ///
    /// # Errors
    /// A column or a position that the source does not have.
    fn scan(&self, scan: &Scan) -> Result<Chunks, SourceError>;
}

/// The chunks of a scan, in order.
pub type Chunks = Box<dyn Iterator<Item = Result<Chunk, SourceError>> + Send>;

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Columns to look at, all if absent. They come in the order of the schema;
    /// those left out are neither built nor type-checked.
    pub columns: Option<Vec<String>>,
    /// Where to start: [`Position::default`] or a chunk's `next`.
    pub from: Position,
    /// Rows of a chunk at most, bad ones included; 0 counts as 1.
    pub chunk_rows: usize,
}

impl Default for Scan {
    fn default() -> Self {
        Self { columns: None, from: Position::default(), chunk_rows: CHUNK_ROWS_DEFAULT }
    }
}

/// Where a scan can go on. Only a chunk's `next` and the default are valid, for
/// the same files and settings; the projection may be another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// Index into [`Source::parts`].
    pub part: u32,
    /// Bytes of decoded text, or rows of a binary file; 0 is the file's start,
    /// header included.
    pub offset: u64,
    /// Line (text) or row (binary), from 1, of what comes next; 0 at the start.
    pub line: u64,
    /// Ordinal of the next row over the whole source; bad rows count too.
    pub row: u64,
}

/// Ordinals of a chunk's rows over the whole source, from 0.
pub type Ordinals = Numbering;

/// Lines (text) or rows (binary) in the file where a chunk's rows start, from 1.
pub type Lines = Numbering;

/// Some rows of one file.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Rows that could be read; may be none if there are bad ones.
    pub rows: RecordBatch,
    /// Index into [`Source::parts`].
    pub part: u32,
    /// Ordinal of each row.
    pub ordinals: Ordinals,
    /// Line of each row.
    pub lines: Lines,
    /// Rows that could not be read, by ordinal.
    pub bad: Vec<BadRow>,
    /// Where to go on after this chunk.
    pub next: Position,
}

/// A record that could not be read. The others go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its place over the whole source.
    pub ordinal: u64,
    /// Line (text) or row (binary) where it starts, from 1.
    pub line: u64,
    /// The column at fault, where one is.
    pub column: Option<String>,
    /// `malformed_record`, `bad_encoding`, `record_too_long` or `type_mismatch`.
    pub code: &'static str,
    /// What is wrong, with the value.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The first 4 KiB of the record, what is not UTF-8 replaced; absent for
    /// binary files.
    pub text: Option<String>,
}
