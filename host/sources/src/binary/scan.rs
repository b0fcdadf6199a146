//! Batches of binary files as chunks.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;

use super::{Batches, Format, Inner, guarded, rows_within};
use crate::bad::{self, BadRecord};
use crate::convert::{self, Convert};
use crate::declared::type_name;
use crate::error::SourceError;
use crate::numbering::Numbering;
use crate::projection::Projection;
use crate::source::{Chunk, Chunks, Position, Scan};

struct BinaryScan<F> {
    inner: Arc<Inner>,
    projection: Projection,
    chunk_rows: usize,
    position: Position,
    open: Option<OpenPart>,
    ended: bool,
    format: PhantomData<F>,
}

/// A file that is being read.
struct OpenPart {
    batches: Batches,
    /// Per column of the projection: its place in a batch, and what to do.
    columns: Vec<(usize, Convert)>,
    /// Rows of a batch that are still to be given, and how many at a time: a
    /// slice does not tell what it alone takes in memory.
    rest: Option<(RecordBatch, usize)>,
}

pub(super) fn start<F: Format>(
    inner: Arc<Inner>,
    projection: Projection,
    scan: &Scan,
) -> Result<Chunks, SourceError> {
    let position = scan.from;
    let part = usize::try_from(position.part).unwrap_or(usize::MAX);
    if part > inner.parts.len() {
        return Err(SourceError::NoSuchPart { part: position.part, parts: inner.parts.len() });
    }
    Ok(Box::new(BinaryScan::<F> {
        inner,
        projection,
        chunk_rows: scan.chunk_rows.max(1),
        position,
        open: None,
        ended: false,
        format: PhantomData,
    }))
}

impl<F: Format> Iterator for BinaryScan<F> {
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

impl<F: Format> BinaryScan<F> {
    fn read(&mut self) -> Result<Option<Chunk>, SourceError> {
        loop {
            let index = usize::try_from(self.position.part).unwrap_or(usize::MAX);
            let Some(part) = self.inner.parts.get(index) else { return Ok(None) };
            let open = match &mut self.open {
                Some(open) => open,
                None => {
                    let opened = open_part::<F>(
                        &self.inner,
                        index,
                        &self.projection,
                        self.position.offset,
                        self.chunk_rows,
                    )?;
                    self.open.insert(opened)
                }
            };
            let next = match open.rest.take() {
                Some(rest) => Some(rest),
                None => guarded::<F, _>(part, || open.batches.next().transpose())?.map(|batch| {
                    let bytes = batch.get_array_memory_size() as u64;
                    let rows = rows_within(self.chunk_rows, bytes, batch.num_rows() as u64);
                    (batch, rows)
                }),
            };
            let Some((batch, rows)) = next else {
                self.open = None;
                self.position.part += 1;
                self.position.offset = 0;
                self.position.line = 0;
                continue;
            };
            if batch.num_rows() == 0 {
                continue;
            }
            let taken = if rows < batch.num_rows() {
                open.rest = Some((batch.slice(rows, batch.num_rows() - rows), rows));
                batch.slice(0, rows)
            } else {
                batch
            };
            let file = part.name.clone();
            let chunk = chunk(&taken, &open.columns, &self.projection, self.position)
                .map_err(|source| SourceError::Assemble { file, source })?;
            self.position = chunk.next;
            return Ok(Some(chunk));
        }
    }
}

fn open_part<F: Format>(
    inner: &Inner,
    index: usize,
    projection: &Projection,
    from: u64,
    rows: usize,
) -> Result<OpenPart, SourceError> {
    let (part, plan) = (&inner.parts[index], &inner.plans[index]);
    if plan.rows.is_some_and(|rows| from > rows) {
        return Err(SourceError::Shortened { file: part.name.clone(), offset: from });
    }
    let wanted = projection.positions.iter().map(|&position| &plan.columns[position]);
    let mut in_file: Vec<usize> = wanted.clone().map(|(position, _)| *position).collect();
    in_file.sort_unstable();
    let columns = wanted
        .map(|(position, convert)| {
            (in_file.partition_point(|other| other < position), convert.clone())
        })
        .collect();
    let batches = guarded::<F, _>(part, || F::batches(part, &in_file, from, rows))?;
    Ok(OpenPart { batches, columns, rest: None })
}

fn chunk(
    batch: &RecordBatch,
    columns: &[(usize, Convert)],
    projection: &Projection,
    at: Position,
) -> Result<Chunk, ArrowError> {
    let count = batch.num_rows();
    let mut arrays = Vec::with_capacity(columns.len());
    let mut bad = Vec::new();
    for ((position, convert), field) in columns.iter().zip(projection.schema.fields()) {
        let (array, unfit) = convert::apply(convert, batch.column(*position))?;
        for unfit in unfit {
            let expected = type_name(field.data_type());
            bad.push((unfit.row, BadRecord::misfit(field.name(), &expected, &unfit.value, true)));
        }
        arrays.push(array);
    }
    // A row is bad once, by its first column.
    bad.sort_by_key(|(row, _)| *row);
    bad.dedup_by_key(|(row, _)| *row);
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    let mut rows =
        RecordBatch::try_new_with_options(Arc::clone(&projection.schema), arrays, &options)?;
    let (ordinals, lines) = if bad.is_empty() {
        (Numbering::dense(at.row, count as u64), Numbering::dense(at.offset + 1, count as u64))
    } else {
        let mut good = vec![true; count];
        bad.iter().for_each(|&(row, _)| good[row] = false);
        let (mut ordinals, mut lines) = (Numbering::default(), Numbering::default());
        for (row, _) in good.iter().enumerate().filter(|(_, good)| **good) {
            ordinals.push(at.row + row as u64);
            lines.push(at.offset + 1 + row as u64);
        }
        rows = filter_record_batch(&rows, &BooleanArray::from(good))?;
        (ordinals, lines)
    };
    let bad = bad
        .into_iter()
        .map(|(row, record)| {
            let row = row as u64;
            bad::row(record, at.row + row, at.offset + 1 + row, None)
        })
        .collect();
    let count = count as u64;
    let next = Position {
        part: at.part,
        offset: at.offset + count,
        line: at.offset + count + 1,
        row: at.row + count,
    };
    Ok(Chunk { rows, part: at.part, ordinals, lines, bad, next })
}
