//! From log to rows at the start, and a fresh log where the old one is wasteful.
//!
//! Rows written under another schema are carried over by column name; a column
//! whose type has changed is an error, one that is gone is dropped.

mod header;

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use super::log::{DELETE, DELETE_WITHIN, HEAD, Log, MAGIC, PUT, delete, put, seal};
use super::row::Row;
use super::{Rows, Store};
use crate::error::EmulatorError;
use crate::schema::Schema;
use header::{Carry, Header, carried, carry};

const NAME: &str = "rows.log";
/// What a snapshot is called in errors.
const SNAPSHOT: &str = "snapshot";
/// Rows in a record of a fresh log.
const ROWS_IN_RECORD: usize = 1000;

struct Problem<'p> {
    path: &'p Path,
}

impl Problem<'_> {
    fn io(&self, verb: &'static str) -> impl Fn(std::io::Error) -> EmulatorError {
        move |source| EmulatorError::State { verb, path: self.path.to_owned(), source }
    }

    fn foreign(&self, message: impl Into<String>) -> EmulatorError {
        EmulatorError::Foreign { path: self.path.to_owned(), message: message.into() }
    }
}

/// Opens or begins the log in `folder`, and fills the store from it.
pub(super) fn open(
    store: &mut Store,
    schema: &Schema,
    folder: &Path,
) -> Result<Log, EmulatorError> {
    let path = folder.join(NAME);
    let problem = Problem { path: &path };
    fs::create_dir_all(folder).map_err(problem.io("create the folder of"))?;
    let lock = File::create(folder.join("lock")).map_err(problem.io("lock"))?;
    lock.try_lock().map_err(|error| problem.io("lock")(error.into()))?;
    if !path.exists() {
        return write(store, schema, path, lock);
    }
    let file = File::open(&path).map_err(problem.io("open"))?;
    let read = read(store, schema, file, &problem)?;
    let live: usize = store.tables.iter().map(Rows::len).sum();
    if read.torn || read.carried || read.changes > live + live / 4 + 1000 {
        return write(store, schema, path, lock);
    }
    let file = OpenOptions::new().append(true).open(&path).map_err(problem.io("open"))?;
    Ok(Log::new(file, path, lock, read.length))
}

/// A fresh log with what the store holds now.
pub(super) fn rewrite(store: &Store, schema: &Schema, log: Log) -> Result<Log, EmulatorError> {
    write(store, schema, log.path().to_owned(), log.lock)
}

fn write(store: &Store, schema: &Schema, path: PathBuf, lock: File) -> Result<Log, EmulatorError> {
    let fresh = path.with_extension("new");
    let problem = Problem { path: &fresh };
    let mut out = BufWriter::new(File::create(&fresh).map_err(problem.io("create"))?);
    let length = write_rows(store, schema, &mut out, &problem)?;
    let file = out.into_inner().map_err(|error| problem.io("write")(error.into_error()))?;
    file.sync_all().map_err(problem.io("write"))?;
    fs::rename(&fresh, &path).map_err(problem.io("rename"))?;
    Ok(Log::new(file, path, lock, length))
}

/// All rows, in the form of a log.
pub(super) fn snapshot(store: &Store, schema: &Schema) -> Result<Vec<u8>, EmulatorError> {
    let mut bytes = Vec::new();
    write_rows(store, schema, &mut bytes, &Problem { path: Path::new(SNAPSHOT) })?;
    Ok(bytes)
}

/// Fills an empty store from a snapshot, which must be whole.
pub(super) fn restore(
    store: &mut Store,
    schema: &Schema,
    snapshot: &[u8],
) -> Result<(), EmulatorError> {
    let problem = Problem { path: Path::new(SNAPSHOT) };
    if !snapshot.starts_with(MAGIC) {
        return Err(problem.foreign("it is not a snapshot of an emulator"));
    }
    let read = read_rows(store, schema, snapshot, &problem)?;
    match u64::try_from(snapshot.len()) {
        Ok(length) if length == read.length => Ok(()),
        _ => Err(problem.foreign("it is torn")),
    }
}

/// Writes all rows; how many bytes they are.
fn write_rows(
    store: &Store,
    schema: &Schema,
    out: &mut impl Write,
    problem: &Problem<'_>,
) -> Result<u64, EmulatorError> {
    let mut length = 0;
    let mut record = |bytes: &[u8]| -> Result<(), EmulatorError> {
        length += u64::try_from(bytes.len()).unwrap_or(0);
        out.write_all(bytes).map_err(problem.io("write"))
    };
    record(MAGIC)?;
    let header = serde_json::to_vec(&Header::new(schema, &store.tables, store.rules))
        .map_err(|error| problem.io("write")(error.into()))?;
    let mut buffer = vec![0; HEAD];
    buffer.extend_from_slice(&header);
    seal(&mut buffer);
    record(&buffer)?;
    let begin = |buffer: &mut Vec<u8>, version: u64| {
        buffer.clear();
        buffer.resize(HEAD, 0);
        buffer.extend_from_slice(&version.to_le_bytes());
    };
    // Deletions that change tracking still tells of.
    for (table, rows) in store.tables.iter().enumerate() {
        for one in rows.tombstones() {
            begin(&mut buffer, one.version);
            delete(&mut buffer, table, one.id, None);
            seal(&mut buffer);
            record(&buffer)?;
        }
    }
    begin(&mut buffer, store.version);
    let mut rows = 0;
    for (table, slots) in store.tables.iter().enumerate() {
        for (_, row) in slots.iter() {
            put(&mut buffer, table, row);
            rows += 1;
            if rows % ROWS_IN_RECORD == 0 {
                seal(&mut buffer);
                record(&buffer)?;
                begin(&mut buffer, store.version);
            }
        }
    }
    // At least one, for the version counter.
    seal(&mut buffer);
    record(&buffer)?;
    Ok(length)
}

struct ReadLog {
    length: u64,
    changes: usize,
    torn: bool,
    carried: bool,
}

fn read(
    store: &mut Store,
    schema: &Schema,
    file: File,
    problem: &Problem<'_>,
) -> Result<ReadLog, EmulatorError> {
    let on_disk = file.metadata().map_err(problem.io("read"))?.len();
    let mut read = read_rows(store, schema, BufReader::with_capacity(1 << 20, file), problem)?;
    read.torn = on_disk != read.length;
    Ok(read)
}

fn read_rows(
    store: &mut Store,
    schema: &Schema,
    mut reader: impl Read,
    problem: &Problem<'_>,
) -> Result<ReadLog, EmulatorError> {
    let mut magic = vec![0; MAGIC.len()];
    reader.read_exact(&mut magic).map_err(problem.io("read"))?;
    if magic != MAGIC {
        return Err(problem.foreign("it is not an emulator's log"));
    }
    let mut length = u64::try_from(MAGIC.len()).unwrap_or(0);
    let header = record(&mut reader).ok_or_else(|| problem.foreign("its header is torn"))?;
    length += u64::try_from(header.len() + HEAD).unwrap_or(0);
    let header: Header = serde_json::from_slice(&header)
        .map_err(|error| problem.foreign(format!("its header cannot be read: {error}")))?;
    let carried = header != Header::new(schema, &store.tables, store.rules);
    let carries = header
        .tables
        .iter()
        .map(|table| carry(table, schema, store, problem))
        .collect::<Result<Vec<_>, _>>()?;
    let mut read = ReadLog { length, changes: 0, torn: false, carried };
    while let Some(payload) = record(&mut reader) {
        read.length += u64::try_from(payload.len() + HEAD).unwrap_or(0);
        read.changes += replay(store, schema, &payload, &carries, carried, problem)?;
    }
    Ok(read)
}

/// The next whole record; `None` at the end and at a torn one.
fn record(reader: &mut impl Read) -> Option<Vec<u8>> {
    let mut head = [0; HEAD];
    reader.read_exact(&mut head).ok()?;
    let (length, checksum) = head.split_at(4);
    let length = u32::from_le_bytes(length.try_into().ok()?);
    let checksum = u64::from_le_bytes(checksum.try_into().ok()?);
    let mut payload = Vec::new();
    // Not allocated by a length that may be rubbish.
    let read = reader.take(u64::from(length)).read_to_end(&mut payload).ok()?;
    (u32::try_from(read).ok()? == length && xxh3_64(&payload) == checksum).then_some(payload)
}

fn replay(
    store: &mut Store,
    schema: &Schema,
    payload: &[u8],
    carries: &[Carry],
    check: bool,
    problem: &Problem<'_>,
) -> Result<usize, EmulatorError> {
    let torn = || problem.foreign("a record with a good checksum cannot be read");
    let mut cursor = Cursor(payload);
    let counter = cursor.u64().ok_or_else(torn)?;
    store.version = store.version.max(counter);
    let mut changes = 0;
    while let Some(tag) = cursor.u8() {
        let table = usize::from(cursor.u16().ok_or_else(torn)?);
        let carry = carries.get(table).ok_or_else(torn)?;
        let id = cursor.take(16).and_then(|id| Uuid::from_slice(id).ok()).ok_or_else(torn)?;
        let rows = &mut store.tables[carry.table];
        changes += 1;
        match tag {
            PUT => {
                let version = cursor.u64().ok_or_else(torn)?;
                let length = usize::try_from(cursor.u32().ok_or_else(torn)?).unwrap_or(usize::MAX);
                let bytes = cursor.take(length).ok_or_else(torn)?;
                let bytes =
                    if carry.same { bytes.into() } else { carried(bytes, carry, &rows.layout) };
                let row = Row { id, version, bytes };
                let slot = rows.slot_like(&row);
                if check {
                    let clash = rows.clash(id, &rows.layout.cells(&row), slot);
                    if let Some(super::rows::Clash::Key(key)) = clash {
                        return Err(problem.foreign(format!(
                            "record `{id}` violates alternate key `{}`",
                            schema.tables[carry.table].keys[key].name
                        )));
                    }
                }
                match slot {
                    Some(slot) => drop(rows.put(slot, Some(row))),
                    None => drop(rows.push(row)),
                }
            }
            DELETE => {
                if let Some(slot) = rows.slot_of(id) {
                    rows.put(slot, None);
                }
                rows.bury(id, counter);
            }
            DELETE_WITHIN => {
                let length = usize::try_from(cursor.u32().ok_or_else(torn)?).unwrap_or(usize::MAX);
                let partition = cursor.take(length).and_then(|text| std::str::from_utf8(text).ok());
                if let Some(slot) = rows.slot_within(id, partition.ok_or_else(torn)?) {
                    rows.put(slot, None);
                }
                rows.bury(id, counter);
            }
            _ => return Err(torn()),
        }
    }
    Ok(changes)
}

struct Cursor<'p>(&'p [u8]);

impl<'p> Cursor<'p> {
    fn take(&mut self, length: usize) -> Option<&'p [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}
