//! The target's rows, found by key.
//!
//! An index of (key, place, id) and the other columns apart from it: as the
//! batches that were pushed while they fit in memory, else as `arrow_row` cells
//! in a file, in the order in which they came. A list of keys is looked up in
//! the order of the index, and rows are read in the order of the file.

mod find;
mod payload;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use dvsync_model::KeyHash;

use super::sorter::Sorter;
use super::table::{KEY_BYTES, Table, TableWriter};
use super::{Room, SpillError};
use payload::{Payload, PayloadDraft, Place};

/// Key, place, id.
const ENTRY_BYTES: usize = KEY_BYTES + Place::BYTES + 16;

/// Collects the rows of a [`Snapshot`].
#[derive(Debug)]
pub struct SnapshotBuilder {
    schema: SchemaRef,
    folder: Arc<Path>,
    memory_max: usize,
    rows: u64,
    index: Sorter,
    payload: PayloadDraft,
}

impl SnapshotBuilder {
    /// Rows will have this schema: column 0 is the primary id,
    /// `FixedSizeBinary(16)` without nulls; any others follow and may be null,
    /// whatever the schema says.
    ///
    /// # Errors
    /// Column 0 is something else, or a column has a type that cannot be spilled.
    pub fn new(schema: SchemaRef, room: &Room) -> Result<Self, SpillError> {
        let id = schema.fields().first().map(|field| field.data_type());
        if id != Some(&DataType::FixedSizeBinary(16)) {
            let found =
                id.map_or("no columns".to_owned(), |found| format!("a column 0 of {found}"));
            return Err(SpillError::Contradiction {
                what: format!("rows with {found}: a primary id of 16 bytes was expected"),
            });
        }
        let mut fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_nullable(true))
            .collect();
        fields[0].set_nullable(false);
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let folder: Arc<Path> = room.folder.as_path().into();
        // Half for the index, half for the rows.
        let index = Sorter::new(Arc::clone(&folder), room.memory_max / 2);
        let payload = PayloadDraft::new(&schema, Arc::clone(&folder), room.memory_max / 2)?;
        Ok(Self { schema, folder, memory_max: room.memory_max, rows: 0, index, payload })
    }

    /// Adds rows, with one key each; a row without a key is never found.
    ///
    /// # Errors
    /// Columns of other types, a null id, another number of keys, or the disk.
    pub fn push(&mut self, rows: &RecordBatch, keys: &[Option<KeyHash>]) -> Result<(), SpillError> {
        let wrong = |what| Err(SpillError::Contradiction { what });
        if rows.num_rows() != keys.len() {
            return wrong(format!("{} rows with {} keys", rows.num_rows(), keys.len()));
        }
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), rows.columns().to_vec())
            .map_err(SpillError::rows("join"))?;
        self.rows += rows.num_rows() as u64;
        self.payload.push(&rows, keys, &mut self.index)
    }

    /// Makes the rows ready to be found.
    ///
    /// # Errors
    /// The disk.
    pub fn finish(mut self) -> Result<Snapshot, SpillError> {
        let payload = self.payload.finish(&mut self.index)?;
        let entries = self.index.len();
        let bytes = entries.saturating_mul(ENTRY_BYTES as u64);
        let on_disk = bytes > self.memory_max as u64 / 2;
        let mut sorted = self.index.finish()?;
        let folder = on_disk.then_some(&self.folder);
        let mut writer = TableWriter::new(ENTRY_BYTES, entries, folder)?;
        while let Some(entry) = sorted.next()? {
            writer.push(entry)?;
        }
        Ok(Snapshot { schema: self.schema, rows: self.rows, index: writer.finish()?, payload })
    }
}

/// Adds the entries of a batch to the index; `place` tells where a row lies.
fn put_entries(
    index: &mut Sorter,
    rows: &RecordBatch,
    keys: &[Option<KeyHash>],
    mut place: impl FnMut(usize) -> Result<Place, SpillError>,
) -> Result<(), SpillError> {
    let ids = rows.column(0).as_fixed_size_binary();
    let mut entry = [0; ENTRY_BYTES];
    for (row, key) in keys.iter().enumerate() {
        if let Some(key) = key {
            entry[..KEY_BYTES].copy_from_slice(&key.0.to_be_bytes());
            entry[KEY_BYTES..KEY_BYTES + Place::BYTES].copy_from_slice(&place(row)?.to_bytes());
            entry[KEY_BYTES + Place::BYTES..].copy_from_slice(ids.value(row));
            index.push(&entry)?;
        }
    }
    Ok(())
}

/// Rows found by key, in memory or on disk. Any number of threads may ask.
#[derive(Debug)]
pub struct Snapshot {
    schema: SchemaRef,
    rows: u64,
    index: Table,
    payload: Payload,
}

/// What was found for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hit {
    /// Nothing, or there was no key.
    None,
    /// Exactly one row: its position in [`Matches::rows`].
    One(u32),
    /// Several rows, in the order in which they were pushed.
    Many {
        /// Their positions in [`Matches::rows`]; at most
        /// [`Snapshot::CANDIDATES_MAX`] are listed.
        rows: Range<u32>,
        /// How many there are.
        total: u64,
    },
}

/// What was found for a list of keys.
#[derive(Debug, Clone)]
pub struct Matches {
    /// One per key asked for.
    pub hits: Vec<Hit>,
    /// The rows found, in the order of the keys: positions in `hits` ascend
    /// without gaps, so where every key has one hit, row `i` belongs to key `i`.
    /// A row asked for twice is listed twice.
    pub rows: RecordBatch,
}

impl Snapshot {
    /// Rows listed for one key.
    pub const CANDIDATES_MAX: u64 = 100;

    /// Rows pushed, those without a key included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// Nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Schema of the rows.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Finds the rows of each key, all columns. Memory: the rows found.
    ///
    /// # Errors
    /// The disk.
    pub fn lookup(&self, keys: &[Option<KeyHash>]) -> Result<Matches, SpillError> {
        let found = find::find(&self.index, keys)?;
        let rows = self.payload.rows(&self.schema, &found)?;
        Ok(Matches { hits: found.hits, rows })
    }

    /// Finds the primary ids of each key: `rows` has column 0 only. Cheaper.
    ///
    /// # Errors
    /// The disk.
    pub fn lookup_ids(&self, keys: &[Option<KeyHash>]) -> Result<Matches, SpillError> {
        let found = find::find(&self.index, keys)?;
        let schema = self.schema.project(&[0]).map_err(SpillError::rows("join"))?;
        let rows = RecordBatch::try_new(schema.into(), vec![found.ids()?])
            .map_err(SpillError::rows("join"))?;
        Ok(Matches { hits: found.hits, rows })
    }
}

#[cfg(test)]
mod tests;
