//! Deleting a record, and what that does to those that refer to it.

use uuid::Uuid;

use super::owner;
use super::record::Writer;
use crate::cell::Cell;
use crate::refusal::{Name, Refusal};
use crate::schema::{Kind, OnDelete, Origin};
use crate::settings::DeleteOwner;
use crate::store::{Row, Transaction, encode};

/// Chains of cascades that no sane schema has.
const DEPTH_MAX: usize = 20;

impl Writer<'_> {
    pub(crate) fn delete(
        &self,
        tx: &mut Transaction<'_>,
        table: usize,
        slot: u32,
    ) -> Result<(), Refusal> {
        self.delete_at(tx, table, slot, 0)
    }

    fn delete_at(
        &self,
        tx: &mut Transaction<'_>,
        table: usize,
        slot: u32,
        depth: usize,
    ) -> Result<(), Refusal> {
        let Some(id) = tx.rows(table).row(slot).map(|row| row.id) else { return Ok(()) };
        if depth > DEPTH_MAX {
            return Err(Refusal::named(Name::DeleteRestricted, "The cascade is too deep."));
        }
        tx.remove(table, slot);
        self.unpair(tx, table, id);
        for other in &self.environment.schema.tables {
            for (column, definition) in other.columns.iter().enumerate() {
                let Kind::Lookup { targets, on_delete, .. } = &definition.kind else { continue };
                let target = targets.iter().position(|target| target.table == table);
                // Who made and who changed a record is kept when the user goes.
                let kept = definition.system && definition.name != "ownerid";
                let (Some(target), false) = (target, kept) else { continue };
                if definition.origin != Origin::Stored {
                    continue;
                }
                let owns = definition.name == "ownerid";
                let reassign = owns
                    && id != self.scene.user
                    && self.environment.behavior.delete_owner == DeleteOwner::Reassign;
                // An owner is never removed from under what it owns.
                let on_delete = if owns { OnDelete::Restrict } else { *on_delete };
                for found in referring(tx, other.position, column, target, id) {
                    match on_delete {
                        _ if reassign => self.reassign(tx, other.position, found)?,
                        OnDelete::Restrict => {
                            return Err(Refusal::named(
                                Name::DeleteRestricted,
                                format!(
                                    "The object you tried to delete is associated with another \
                                     object and cannot be deleted. Referencing entity: {}.",
                                    other.name
                                ),
                            ));
                        }
                        OnDelete::RemoveLink => unlink(tx, other.position, found, column),
                        OnDelete::Cascade => {
                            self.delete_at(tx, other.position, found, depth + 1)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives a record to the acting user.
    fn reassign(&self, tx: &mut Transaction<'_>, table: usize, slot: u32) -> Result<(), Refusal> {
        let version = tx.next_version();
        let rows = tx.rows(table);
        let Some(row) = rows.row(slot) else { return Ok(()) };
        let mut cells = rows.layout.cells(row);
        owner::settle(self, tx, self.table(table), &mut cells, false)?;
        let row = Row { id: row.id, version, bytes: encode(&cells) };
        tx.replace(table, slot, row);
        Ok(())
    }
}

fn referring(
    tx: &Transaction<'_>,
    table: usize,
    column: usize,
    target: usize,
    id: Uuid,
) -> Vec<u32> {
    let rows = tx.rows(table);
    if !rows.refers(column) {
        return Vec::new();
    }
    let wanted = u8::try_from(target).map(|target| Cell::Lookup(target, id));
    rows.iter()
        .filter(|(_, row)| wanted.as_ref() == Ok(&rows.layout.cell(row, column)))
        .map(|(slot, _)| slot)
        .collect()
}

fn unlink(tx: &mut Transaction<'_>, table: usize, slot: u32, column: usize) {
    let version = tx.next_version();
    let rows = tx.rows(table);
    let Some(row) = rows.row(slot) else { return };
    let mut cells = rows.layout.cells(row);
    cells[column] = Cell::Null;
    let row = Row { id: row.id, version, bytes: encode(&cells) };
    tx.replace(table, slot, row);
}
