//! All or nothing: changes that undo themselves unless committed.

use uuid::Uuid;

use super::rows::Clash;
use super::{Row, Rows, Store};
use crate::error::EmulatorError;

/// Changes to a store; dropped without [`Transaction::commit`], they never were.
#[derive(Debug)]
pub(crate) struct Transaction<'s> {
    store: &'s mut Store,
    undo: Vec<Undo>,
}

#[derive(Debug)]
struct Undo {
    table: usize,
    slot: u32,
    /// What stood in the slot; `None`: the slot was new.
    before: Option<Row>,
}

impl<'s> Transaction<'s> {
    pub(crate) fn begin(store: &'s mut Store) -> Self {
        Self { store, undo: Vec::new() }
    }

    pub(crate) fn store(&self) -> &Store {
        self.store
    }

    pub(crate) fn rows(&self, table: usize) -> &Rows {
        &self.store.tables[table]
    }

    pub(crate) fn next_version(&mut self) -> u64 {
        self.store.next_version()
    }

    /// Appends a row; the caller has looked for clashes.
    pub(crate) fn insert(&mut self, table: usize, row: Row) -> u32 {
        let slot = self.store.tables[table].push(row);
        self.undo.push(Undo { table, slot, before: None });
        slot
    }

    /// Replaces a row; the caller has looked for clashes.
    pub(crate) fn replace(&mut self, table: usize, slot: u32, row: Row) {
        let before = self.store.tables[table].put(slot, Some(row));
        self.undo.push(Undo { table, slot, before });
    }

    /// Takes out the rows that have expired by now; how many.
    pub(crate) fn expire(&mut self, now: i64) -> usize {
        let due: Vec<(usize, u32)> = self
            .store
            .tables
            .iter()
            .enumerate()
            .flat_map(|(table, rows)| rows.expired(now).into_iter().map(move |slot| (table, slot)))
            .collect();
        for &(table, slot) in &due {
            self.remove(table, slot);
        }
        due.len()
    }

    /// By table: the slot that the next new row takes.
    pub(crate) fn slots(&self) -> Vec<u32> {
        self.store.tables.iter().map(Rows::slots).collect()
    }

    /// The row that was written last.
    pub(crate) fn last(&self) -> Option<(usize, u32)> {
        self.undo.last().map(|undo| (undo.table, undo.slot))
    }

    pub(crate) fn remove(&mut self, table: usize, slot: u32) {
        let before = self.store.tables[table].put(slot, None);
        self.undo.push(Undo { table, slot, before });
    }

    /// What speaks against a row; see [`Rows::clash`].
    pub(crate) fn clash(
        &self,
        table: usize,
        id: uuid::Uuid,
        cells: &[crate::cell::Cell<'_>],
        slot: Option<u32>,
    ) -> Option<Clash> {
        self.store.tables[table].clash(id, cells, slot)
    }

    /// A place to go back to.
    pub(crate) fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Undoes what was done since a mark.
    pub(crate) fn undo_to(&mut self, mark: usize) {
        for Undo { table, slot, before } in self.undo.drain(mark..).rev() {
            let rows = &mut self.store.tables[table];
            match before {
                Some(row) => {
                    rows.put(slot, Some(row));
                }
                None => rows.pop(),
            }
        }
    }

    /// Records that were there and are gone.
    fn gone(&self) -> Vec<(usize, Uuid)> {
        let mut gone: Vec<(usize, Uuid)> = self
            .undo
            .iter()
            .filter_map(|undo| {
                let before = undo.before.as_ref()?;
                let rows = &self.store.tables[undo.table];
                rows.slot_like(before).is_none().then_some((undo.table, before.id))
            })
            .collect();
        gone.sort_unstable();
        gone.dedup();
        gone
    }

    /// Keeps the changes; on an error of the log they are undone.
    pub(crate) fn commit(mut self) -> Result<(), EmulatorError> {
        let gone = self.gone();
        if !gone.is_empty() {
            self.store.next_version();
        }
        if let Some(mut log) = self.store.log.take() {
            let changed = self.undo.iter().map(|undo| {
                let rows = &self.store.tables[undo.table];
                let before = undo.before.as_ref();
                let partition = before.and_then(|row| rows.partition_of(row));
                (undo.table, before, rows.row(undo.slot), partition)
            });
            let written = log.append(self.store.version, changed);
            self.store.log = Some(log);
            written?;
        }
        for (table, id) in gone {
            let version = self.store.version;
            self.store.tables[table].bury(id, version);
        }
        self.undo.clear();
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        self.undo_to(0);
    }
}
