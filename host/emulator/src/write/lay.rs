//! A draft laid over a row: columns, lookups, and what follows from them.

use uuid::Uuid;

use super::derived;
use super::record::{Cells, Writer};
use crate::body::{Draft, Link};
use crate::call::{Address, Key};
use crate::cell::Cell;
use crate::refusal::Refusal;
use crate::schema::{Kind, Table};
use crate::store::Transaction;

/// What a draft touches that others follow from.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) owner: bool,
    pub(super) state: bool,
    pub(super) status: bool,
    pub(super) names: derived::Names,
}

impl Touched {
    fn note(&mut self, table: &Table, column: usize) {
        let known = &table.known;
        let is = |position: Option<usize>| position == Some(column);
        self.owner |= is(known.ownerid);
        self.state |= is(known.statecode);
        self.status |= is(known.statuscode);
        self.names.parts |= is(known.firstname) || is(known.lastname);
        self.names.full |= is(known.fullname);
    }
}

impl Writer<'_> {
    /// Lays a draft over cells.
    pub(super) fn lay<'c>(
        &self,
        tx: &Transaction<'_>,
        table: &Table,
        cells: &mut Cells<'c>,
        draft: Draft<'c>,
        create: bool,
        touched: &mut Touched,
    ) -> Result<(), Refusal> {
        for (column, cell) in draft.cells {
            let definition = &table.columns[column];
            if !(if create { definition.create } else { definition.update }) {
                self.environment.read_only(table, definition)?;
                continue;
            }
            touched.note(table, column);
            cells[column] = cell;
        }
        for (column, link) in draft.links {
            let definition = &table.columns[column];
            if !(if create { definition.create } else { definition.update }) {
                self.environment.read_only(table, definition)?;
                continue;
            }
            match link {
                Link::Null(targets) => {
                    let other = matches!(cells[column], Cell::Lookup(target, _) if !targets.contains(&target));
                    if other {
                        continue;
                    }
                    cells[column] = Cell::Null;
                }
                Link::Record(target, key) => {
                    cells[column] = self.resolve(tx, table, column, target, key)?;
                }
                Link::Content(id, targets) => {
                    let address = self.contents.and_then(|contents| contents.get(&id));
                    let address = address.ok_or_else(|| Refusal::no_content(&id))?;
                    let target = target_of(table, column, &targets, address.table)
                        .ok_or_else(|| Refusal::no_content(&id))?;
                    cells[column] = self.resolve(tx, table, column, target, address.key.clone())?;
                }
            }
            touched.note(table, column);
        }
        Ok(())
    }

    /// A reference to a record that must be there.
    fn resolve(
        &self,
        tx: &Transaction<'_>,
        table: &Table,
        column: usize,
        target: u8,
        key: Key,
    ) -> Result<Cell<'static>, Refusal> {
        let Kind::Lookup { targets, .. } = &table.columns[column].kind else {
            return Err(Refusal::lookup_as_value());
        };
        let Some(definition) = targets.get(usize::from(target)) else {
            return Err(Refusal::lookup_as_value());
        };
        let address = Address { table: definition.table, key };
        let slot = self.find(tx, &address).map_err(Refusal::in_bind)?;
        let frozen = self.frozen.and_then(|slots| slots.get(address.table));
        if frozen.is_some_and(|before| slot >= *before) {
            return Err(address.missing(self.table(address.table)).in_bind());
        }
        let id = tx.rows(address.table).row(slot).map_or(Uuid::nil(), |row| row.id);
        Ok(Cell::Lookup(target, id))
    }
}

fn target_of(table: &Table, column: usize, targets: &[u8], wanted: usize) -> Option<u8> {
    let Kind::Lookup { targets: all, .. } = &table.columns[column].kind else { return None };
    targets
        .iter()
        .copied()
        .find(|&index| all.get(usize::from(index)).is_some_and(|target| target.table == wanted))
}
