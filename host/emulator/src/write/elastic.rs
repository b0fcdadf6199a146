//! What is different for elastic tables (*Use elastic tables*).

use super::record::Writer;
use crate::body::Draft;
use crate::call::{Address, Key};
use crate::cell::Cell;
use crate::refusal::Refusal;
use crate::schema::Table;
use crate::store::Transaction;

impl Writer<'_> {
    /// The address of a record whose body names its partition. The partition
    /// itself is never changed.
    pub(crate) fn partition(
        &self,
        table: &Table,
        address: &Address,
        draft: &mut Draft<'_>,
    ) -> Address {
        let Some(column) = table.partition() else { return address.clone() };
        let mut address = address.clone();
        let given = draft.cells.iter().position(|(at, _)| *at == column);
        let given = given.map(|index| draft.cells.swap_remove(index).1);
        if let (Key::Id(id), Some(Cell::Text(partition))) = (&address.key, given) {
            address.key = Key::Partitioned(*id, partition.into_owned());
        }
        address
    }

    /// An upsert of a record that is there replaces it: what the body leaves out
    /// is gone.
    pub(super) fn replace(
        &self,
        tx: &mut Transaction<'_>,
        address: &Address,
        slot: u32,
        mut draft: Draft<'_>,
    ) -> Result<(), Refusal> {
        let table = self.table(address.table);
        let rows = tx.rows(address.table);
        let partition = table.partition().map(|column| (column, rows.cell(slot, column)));
        draft.id = rows.row(slot).map(|row| row.id);
        if let Some((column, Cell::Text(text))) = partition {
            draft.cells.push((column, Cell::Text(text.into_owned().into())));
        }
        tx.remove(address.table, slot);
        self.create(tx, address.table, draft, false).map(|_| ())
    }
}
