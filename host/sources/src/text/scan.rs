//! Records of text files as chunks.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::ArrowError;

use crate::bad::{self, BadRecord};
use crate::column::Column;
use crate::error::SourceError;
use crate::numbering::Numbering;
use crate::projection::Projection;
use crate::source::{BadRow, CHUNK_BYTES, Chunk, Chunks, Position, Scan};
use crate::text::source::{Inner, TextFormat};

/// What became of the next record.
pub(crate) enum Step {
    /// Every column has one cell more.
    Good {
        /// Line where it starts.
        line: u64,
        /// Its length.
        bytes: usize,
    },
    /// It cannot be read; what was added to columns is taken back by the caller.
    Bad {
        /// Line where it starts.
        line: u64,
        /// Its length.
        bytes: usize,
        /// What is wrong.
        record: BadRecord,
        /// Its first bytes.
        raw: Vec<u8>,
    },
    /// There is none.
    End,
}

/// The records of one file.
pub(crate) trait Records: Send {
    /// Adds the next record's cells to `columns`, one for each column of the
    /// projection.
    fn read(&mut self, columns: &mut [Column]) -> Result<Step, SourceError>;

    /// Offset and line at which the next record is looked for; `None` when it is
    /// certain that there is none.
    fn place(&self) -> Option<(u64, u64)>;
}

struct TextScan<F> {
    source: Arc<Inner<F>>,
    projection: Projection,
    chunk_rows: usize,
    position: Position,
    records: Option<Box<dyn Records>>,
    columns: Vec<Column>,
    ended: bool,
}

/// Starts a scan.
pub(super) fn start<F: TextFormat>(
    source: Arc<Inner<F>>,
    projection: Projection,
    scan: &Scan,
) -> Result<Chunks, SourceError> {
    let position = scan.from;
    let parts = source.parts.len();
    if usize::try_from(position.part).unwrap_or(usize::MAX) > parts {
        return Err(SourceError::NoSuchPart { part: position.part, parts });
    }
    let columns = projection.positions.iter().map(|&at| Column::new(source.types[at])).collect();
    Ok(Box::new(TextScan {
        source,
        projection,
        chunk_rows: scan.chunk_rows.max(1),
        position,
        records: None,
        columns,
        ended: false,
    }))
}

impl<F: TextFormat> Iterator for TextScan<F> {
    type Item = Result<Chunk, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let chunk = self.read().transpose();
        self.ended = !matches!(chunk, Some(Ok(_)));
        chunk
    }
}

impl<F: TextFormat> TextScan<F> {
    fn read(&mut self) -> Result<Option<Chunk>, SourceError> {
        loop {
            let part = usize::try_from(self.position.part).unwrap_or(usize::MAX);
            let source = Arc::clone(&self.source);
            let Some(file) = source.parts.get(part) else { return Ok(None) };
            if self.records.is_none() {
                let Position { offset, line, .. } = self.position;
                self.records =
                    source.format.records((part, file), &self.projection, offset, line)?;
            }
            let Some(records) = &mut self.records else {
                self.next_part();
                continue;
            };
            let filled = fill(records.as_mut(), &mut self.columns, self.position, self.chunk_rows)?;
            let first = self.position;
            self.position.row += filled.count();
            match records.place() {
                Some((offset, line)) if !filled.ended => {
                    self.position.offset = offset;
                    self.position.line = line;
                }
                _ => self.next_part(),
            }
            if filled.count() > 0 {
                let file = file.name.clone();
                let chunk = self
                    .chunk(filled, first.part)
                    .map_err(|source| SourceError::Assemble { file, source })?;
                return Ok(Some(chunk));
            }
        }
    }

    fn next_part(&mut self) {
        self.records = None;
        self.position.part += 1;
        self.position.offset = 0;
        self.position.line = 0;
    }

    fn chunk(&mut self, filled: Filled, part: u32) -> Result<Chunk, ArrowError> {
        let arrays = self.columns.iter_mut().map(Column::finish).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(filled.ordinals.len()));
        let schema = Arc::clone(&self.projection.schema);
        Ok(Chunk {
            rows: RecordBatch::try_new_with_options(schema, arrays, &options)?,
            part,
            ordinals: filled.ordinals,
            lines: filled.lines,
            bad: filled.bad,
            next: self.position,
        })
    }
}

/// What a chunk will hold, beside its cells.
struct Filled {
    ordinals: Numbering,
    lines: Numbering,
    bad: Vec<BadRow>,
    /// The file has no more records.
    ended: bool,
}

impl Filled {
    fn count(&self) -> u64 {
        (self.ordinals.len() + self.bad.len()) as u64
    }
}

/// Reads records until a chunk is full or the file ends. Where a chunk ends
/// depends on the records alone, not on the projection.
fn fill(
    records: &mut dyn Records,
    columns: &mut [Column],
    at: Position,
    chunk_rows: usize,
) -> Result<Filled, SourceError> {
    let mut filled = Filled {
        ordinals: Numbering::default(),
        lines: Numbering::default(),
        bad: Vec::new(),
        ended: false,
    };
    let mut bytes_left = CHUNK_BYTES;
    for ordinal in (at.row..).take(chunk_rows) {
        let length = match records.read(columns)? {
            Step::Good { line, bytes } => {
                filled.ordinals.push(ordinal);
                filled.lines.push(line);
                bytes
            }
            Step::Bad { line, bytes, record, raw } => {
                let rows = filled.ordinals.len();
                columns.iter_mut().for_each(|column| column.truncate(rows));
                filled.bad.push(bad::row(record, ordinal, line, Some(&raw)));
                bytes
            }
            Step::End => {
                filled.ended = true;
                break;
            }
        };
        bytes_left = bytes_left.saturating_sub(length);
        if bytes_left == 0 {
            break;
        }
    }
    Ok(filled)
}
