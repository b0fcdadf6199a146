//! The rows: compact, indexed, and changed only within transactions.
//!
//! `Store` is plain memory behind the emulator's lock. A [`Transaction`] undoes
//! itself unless it is committed; a commit appends to the log, if there is one,
//! before anybody hears of it. Knows nothing of HTTP or of what a write means.

mod index;
mod log;
mod quick;
mod replay;
mod row;
mod rows;
mod transaction;

pub(crate) use quick::Quick;
pub(crate) use row::{Layout, Row, encode};
pub(crate) use rows::{Clash, Rows};
pub(crate) use transaction::Transaction;

use std::path::Path;

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::error::EmulatorError;
use crate::schema::Schema;
use crate::settings::KeyRules;
use log::Log;

/// Row versions start here, so that etags look like the service's.
const FIRST_VERSION: u64 = 1_000_000;

/// All rows of an environment.
#[derive(Debug)]
pub(crate) struct Store {
    /// By table position.
    pub(crate) tables: Vec<Rows>,
    version: u64,
    seed: u64,
    rules: KeyRules,
    log: Option<Log>,
}

impl Store {
    /// Empty tables, no log.
    pub(crate) fn new(schema: &Schema, seed: u64, rules: KeyRules) -> Self {
        let tables = schema.tables.iter().map(|table| Rows::new(table, rules)).collect();
        Self { tables, version: FIRST_VERSION, seed, rules, log: None }
    }

    /// Reads the log in `folder`, or begins one.
    pub(crate) fn open(
        schema: &Schema,
        seed: u64,
        rules: KeyRules,
        folder: &Path,
    ) -> Result<Self, EmulatorError> {
        let mut store = Self::new(schema, seed, rules);
        store.log = Some(replay::open(&mut store, schema, folder)?);
        Ok(store)
    }

    /// A version higher than any before, and the id that a record made with it
    /// takes: the same for the same seed and history.
    pub(crate) fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    pub(crate) fn id_for(&self, version: u64) -> Uuid {
        let bits = xxh3_128_with_seed(&version.to_le_bytes(), self.seed);
        uuid::Builder::from_random_bytes(bits.to_le_bytes()).into_uuid()
    }

    /// Makes what was committed survive a power cut.
    pub(crate) fn flush(&mut self) -> Result<(), EmulatorError> {
        self.log.as_mut().map_or(Ok(()), Log::flush)
    }

    /// The version of the newest change.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// All rows, in the form of a log.
    pub(crate) fn snapshot(&self, schema: &Schema) -> Result<Vec<u8>, EmulatorError> {
        replay::snapshot(self, schema)
    }

    /// The rows of a snapshot in place of these, on disk too. The version counter
    /// goes on, so that no etag comes twice.
    pub(crate) fn restore(
        &mut self,
        schema: &Schema,
        snapshot: &[u8],
    ) -> Result<(), EmulatorError> {
        let mut store = Self::new(schema, self.seed, self.rules);
        replay::restore(&mut store, schema, snapshot)?;
        self.tables = store.tables;
        self.version = self.version.max(store.version);
        self.on_disk_anew(schema)
    }

    pub(crate) fn rules(&self) -> KeyRules {
        self.rules
    }

    /// The same rows under other rules for alternate keys; on disk too.
    ///
    /// # Errors
    /// Two records have one key then, and nothing has changed. Or the disk refuses.
    pub(crate) fn ruled(&mut self, schema: &Schema, rules: KeyRules) -> Result<(), EmulatorError> {
        let mut tables = Vec::new();
        for (table, rows) in schema.tables.iter().zip(&self.tables) {
            tables.push(rows.ruled(table, rules).map_err(|(key, id)| {
                let message =
                    format!("record `{id}` would violate alternate key `{}`", table.keys[key].name);
                EmulatorError::schema(&table.name, message)
            })?);
        }
        self.tables = tables;
        self.rules = rules;
        self.on_disk_anew(schema)
    }

    /// When the next row expires.
    pub(crate) fn next_expiry(&self) -> Option<i64> {
        self.tables.iter().filter_map(Rows::next_expiry).min()
    }

    /// Forgets all rows, on disk too; from now on under this schema and these rules.
    pub(crate) fn clear(&mut self, schema: &Schema, rules: KeyRules) -> Result<(), EmulatorError> {
        self.rules = rules;
        let tables = schema.tables.iter();
        self.tables = tables.map(|table| Rows::new(table, self.rules)).collect();
        self.on_disk_anew(schema)
    }

    /// Carries the rows over to a changed schema by the names of tables and
    /// columns; on disk too.
    pub(crate) fn adapt(&mut self, old: &Schema, new: &Schema) -> Result<(), EmulatorError> {
        let mut before: Vec<Option<Rows>> = self.tables.drain(..).map(Some).collect();
        for table in &new.tables {
            let was = old.table(&table.name);
            let rows = was.and_then(|was| before.get_mut(was.position)?.take());
            self.tables.push(match (was, rows) {
                (Some(was), Some(rows)) if was.same_rows(table) => rows,
                (Some(was), Some(rows)) => {
                    let columns = table.columns.iter();
                    let from: Vec<Option<usize>> =
                        columns.map(|column| was.column_position(&column.name)).collect();
                    let scales: Vec<(u8, u8)> = table
                        .columns
                        .iter()
                        .zip(&from)
                        .map(|(column, from)| {
                            let new = column.kind.scale();
                            (from.map_or(new, |from| was.columns[from].kind.scale()), new)
                        })
                        .collect();
                    rows.adapted(table, &from, &scales)
                }
                _ => Rows::new(table, self.rules),
            });
        }
        self.on_disk_anew(new)
    }

    fn on_disk_anew(&mut self, schema: &Schema) -> Result<(), EmulatorError> {
        match self.log.take() {
            None => Ok(()),
            Some(log) => {
                self.log = Some(replay::rewrite(self, schema, log)?);
                Ok(())
            }
        }
    }
}
