//! The columns beside the id: in memory while they fit, else in a file.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{Schema, SchemaRef};
use arrow_select::interleave::interleave_record_batch;
use dvsync_model::KeyHash;

use super::find::Found;
use super::put_entries;
use crate::spill::SpillError;
use crate::spill::scratch::{Draft, Scratch};
use crate::spill::sorter::Sorter;

/// Rows less than so many bytes apart are read at once,
const GAP_BYTES: u64 = 2 << 10;

/// up to about so many bytes.
const READ_BYTES: u64 = 256 << 10;

/// Where a row lies: batch and row, or offset and length; ascends with the order
/// in which rows were pushed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    at: u64,
    length: u32,
}

impl Place {
    pub(super) const BYTES: usize = 12;

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.at.to_be_bytes());
        bytes[8..].copy_from_slice(&self.length.to_be_bytes());
        bytes
    }

    /// From the first bytes of a longer slice.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let (mut at, mut length) = ([0; 8], [0; 4]);
        at.copy_from_slice(&bytes[..8]);
        length.copy_from_slice(&bytes[8..Self::BYTES]);
        Self { at: u64::from_be_bytes(at), length: u32::from_be_bytes(length) }
    }
}

/// Takes rows: holds batches until they are too many, then encodes them.
#[derive(Debug)]
pub(super) struct PayloadDraft {
    folder: Arc<Path>,
    memory_max: usize,
    // Absent where there is no column beside the id.
    converter: Option<RowConverter>,
    held: Vec<(RecordBatch, Vec<Option<KeyHash>>)>,
    held_bytes: usize,
    draft: Option<Draft>,
    rows: u64,
}

impl PayloadDraft {
    pub(super) fn new(
        schema: &Schema,
        folder: Arc<Path>,
        memory_max: usize,
    ) -> Result<Self, SpillError> {
        let fields: Vec<_> = schema.fields()[1..]
            .iter()
            .map(|field| SortField::new(field.data_type().clone()))
            .collect();
        let converter = if fields.is_empty() {
            None
        } else {
            Some(RowConverter::new(fields).map_err(SpillError::rows("encode"))?)
        };
        let (held, held_bytes, draft) = (Vec::new(), 0, None);
        Ok(Self { folder, memory_max, converter, held, held_bytes, draft, rows: 0 })
    }

    pub(super) fn push(
        &mut self,
        rows: &RecordBatch,
        keys: &[Option<KeyHash>],
        index: &mut Sorter,
    ) -> Result<(), SpillError> {
        if self.converter.is_none() {
            // The index has it all; the place keeps the order.
            let first = self.rows;
            self.rows += rows.num_rows() as u64;
            return put_entries(index, rows, keys, |row| {
                Ok(Place { at: first + row as u64, length: 0 })
            });
        }
        if self.draft.is_some() {
            return self.encode(rows, keys, index);
        }
        self.held_bytes += rows.get_array_memory_size() + size_of_val(keys);
        self.held.push((rows.clone(), keys.to_vec()));
        if self.held_bytes > self.memory_max {
            self.draft = Some(Draft::new(&self.folder)?);
            for (rows, keys) in std::mem::take(&mut self.held) {
                self.encode(&rows, &keys, index)?;
            }
        }
        Ok(())
    }

    fn encode(
        &mut self,
        rows: &RecordBatch,
        keys: &[Option<KeyHash>],
        index: &mut Sorter,
    ) -> Result<(), SpillError> {
        let (Some(converter), Some(draft)) = (&self.converter, &mut self.draft) else {
            return Ok(());
        };
        let cells =
            converter.convert_columns(&rows.columns()[1..]).map_err(SpillError::rows("encode"))?;
        put_entries(index, rows, keys, |row| {
            let cells = cells.row(row);
            let bytes: &[u8] = cells.as_ref();
            let length = u32::try_from(bytes.len()).map_err(|_| SpillError::Contradiction {
                what: format!("a row of {} bytes", bytes.len()),
            })?;
            let at = draft.length();
            draft.append(bytes)?;
            Ok(Place { at, length })
        })
    }

    pub(super) fn finish(self, index: &mut Sorter) -> Result<Payload, SpillError> {
        match (self.converter, self.draft) {
            (None, _) => Ok(Payload::None),
            (Some(converter), Some(draft)) => {
                Ok(Payload::Disk { file: draft.finish()?, converter })
            }
            (Some(_), None) => {
                let mut batches = Vec::with_capacity(self.held.len());
                for (number, (rows, keys)) in self.held.into_iter().enumerate() {
                    let batch = (number as u64) << 32;
                    put_entries(index, &rows, &keys, |row| {
                        Ok(Place { at: batch | row as u64, length: 0 })
                    })?;
                    batches.push(rows);
                }
                Ok(Payload::Memory { batches })
            }
        }
    }
}

/// The columns beside the id, ready to be read.
#[derive(Debug)]
pub(super) enum Payload {
    None,
    Memory { batches: Vec<RecordBatch> },
    Disk { file: Scratch, converter: RowConverter },
}

impl Payload {
    /// The rows that were found, whole.
    pub(super) fn rows(
        &self,
        schema: &SchemaRef,
        found: &Found,
    ) -> Result<RecordBatch, SpillError> {
        let mut columns = vec![found.ids()?];
        match self {
            Payload::None => {}
            Payload::Memory { .. } if found.places.is_empty() => {
                return Ok(RecordBatch::new_empty(Arc::clone(schema)));
            }
            Payload::Memory { batches } => {
                let batches: Vec<&RecordBatch> = batches.iter().collect();
                let places: Vec<(usize, usize)> = found
                    .places
                    .iter()
                    .map(|place| (index(place.at >> 32), index(place.at & 0xFFFF_FFFF)))
                    .collect();
                let rows =
                    interleave_record_batch(&batches, &places).map_err(SpillError::rows("join"))?;
                columns = rows.columns().to_vec();
            }
            Payload::Disk { file, converter } => {
                columns.extend(read(file, converter, &found.places)?);
            }
        }
        RecordBatch::try_new(Arc::clone(schema), columns).map_err(SpillError::rows("join"))
    }
}

/// Reads rows in the order of the file, gives them in the order of `places`.
fn read(
    file: &Scratch,
    converter: &RowConverter,
    places: &[Place],
) -> Result<Vec<ArrayRef>, SpillError> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_unstable_by_key(|&row| places[row].at);
    let mut cells: Vec<u8> =
        Vec::with_capacity(places.iter().map(|place| index(place.length.into())).sum());
    let mut spans = vec![0..0; places.len()];
    let mut buffer = Vec::new();
    let mut rest = order.as_slice();
    while let Some(&first) = rest.first() {
        let start = places[first].at;
        let mut end = start + u64::from(places[first].length);
        let together = rest
            .iter()
            .take_while(|&&row| {
                let place = places[row];
                let near = place.at <= end + GAP_BYTES && place.at - start <= READ_BYTES;
                if near {
                    end = end.max(place.at + u64::from(place.length));
                }
                near
            })
            .count();
        buffer.resize(index(end - start), 0);
        file.read(&mut buffer, start)?;
        let (now, later) = rest.split_at(together);
        for &row in now {
            let from = index(places[row].at - start);
            let begin = cells.len();
            cells.extend_from_slice(&buffer[from..from + index(places[row].length.into())]);
            spans[row] = begin..cells.len();
        }
        rest = later;
    }
    let parser = converter.parser();
    converter
        .convert_rows(spans.into_iter().map(|span| parser.parse(&cells[span])))
        .map_err(SpillError::rows("decode"))
}

fn index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
