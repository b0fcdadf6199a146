//! Records put into collections and taken out of them (*Associate and
//! disassociate table rows using the Web API*).

use uuid::Uuid;

use super::record::Writer;
use crate::body::{Draft, Link, Reader};
use crate::call::{Address, Key};
use crate::cell::Cell;
use crate::refusal::{Name, Refusal};
use crate::schema::Collection;
use crate::settings::Leniency;
use crate::store::{Clash, Row, Transaction, encode};

/// The record that a reference names.
#[derive(Debug)]
pub(crate) enum Member {
    At(Address),
    /// A Content-ID of the same changeset.
    Content(String),
}

impl Member {
    pub(super) fn new(
        reader: Reader<'_>,
        collection: Collection,
        text: &str,
    ) -> Result<Self, Refusal> {
        match text.strip_prefix('$') {
            Some(id) => Ok(Member::Content(id.to_owned())),
            None => reader.member(collection, text).map(Member::At),
        }
    }
}

impl Writer<'_> {
    pub(super) fn member(&self, member: Member) -> Result<Address, Refusal> {
        match member {
            Member::At(address) => Ok(address),
            Member::Content(id) => {
                let found = self.contents.and_then(|contents| contents.get(&id));
                found.cloned().ok_or_else(|| Refusal::no_content(&id))
            }
        }
    }

    /// Puts a record into a collection of the record in `slot`.
    pub(super) fn associate(
        &self,
        tx: &mut Transaction<'_>,
        table: usize,
        slot: u32,
        collection: Collection,
        member: &Address,
    ) -> Result<(), Refusal> {
        let other = self.find(tx, member)?;
        let id = id_in(tx, table, slot);
        match collection {
            Collection::Many { table, column, target } => {
                let link = Link::Record(target, Key::Id(id));
                let draft = Draft { links: vec![(column, link)], ..Draft::default() };
                self.update(tx, table, other, draft)
            }
            Collection::Both { table, intersect, here, there } => {
                let pairs = self.table(intersect);
                let mut cells = vec![Cell::Null; pairs.columns.len()];
                cells[here] = Cell::Guid(id);
                cells[there] = Cell::Guid(id_in(tx, table, other));
                let version = tx.next_version();
                let id = tx.store().id_for(version);
                match tx.clash(intersect, id, &cells, None) {
                    None => {}
                    Some(Clash::Id | Clash::Key(_)) => {
                        let taken = Refusal::id_taken(true);
                        return Err(taken.renamed(Name::DuplicateAssociation));
                    }
                }
                tx.insert(intersect, Row { id, version, bytes: encode(&cells) });
                Ok(())
            }
        }
    }

    /// Takes a record out of a collection; where it is not in it, nothing
    /// happens, or the request is refused.
    pub(super) fn disassociate(
        &self,
        tx: &mut Transaction<'_>,
        table: usize,
        slot: u32,
        collection: Collection,
        member: &Address,
    ) -> Result<(), Refusal> {
        let other = self.find(tx, member)?;
        let id = id_in(tx, table, slot);
        match collection {
            Collection::Many { table, column, target } => {
                if tx.rows(table).cell(other, column) != Cell::Lookup(target, id) {
                    return self.absent(member, table);
                }
                let link = Link::Null(vec![target]);
                let draft = Draft { links: vec![(column, link)], ..Draft::default() };
                self.update(tx, table, other, draft)
            }
            Collection::Both { table, intersect, here, there } => {
                let other = id_in(tx, table, other);
                let rows = tx.rows(intersect);
                let pair = rows.iter().find(|(_, pair)| {
                    rows.layout.cell(pair, here) == Cell::Guid(id)
                        && rows.layout.cell(pair, there) == Cell::Guid(other)
                });
                match pair.map(|(slot, _)| slot) {
                    None => self.absent(member, table),
                    Some(slot) => {
                        tx.remove(intersect, slot);
                        Ok(())
                    }
                }
            }
        }
    }

    fn absent(&self, member: &Address, table: usize) -> Result<(), Refusal> {
        match self.environment.behavior.absent_association {
            Leniency::Ignore => Ok(()),
            Leniency::Refuse => {
                Err(member.missing(self.table(table)).renamed(Name::AbsentAssociation))
            }
        }
    }

    /// Removes the pairs that a deleted record stood in.
    pub(super) fn unpair(&self, tx: &mut Transaction<'_>, table: usize, id: Uuid) {
        for relation in &self.environment.schema.many_to_many {
            for (side, column, _) in &relation.sides {
                if *side != table {
                    continue;
                }
                let rows = tx.rows(relation.intersect);
                let found: Vec<u32> = rows
                    .iter()
                    .filter(|(_, pair)| rows.layout.cell(pair, *column) == Cell::Guid(id))
                    .map(|(slot, _)| slot)
                    .collect();
                for slot in found {
                    tx.remove(relation.intersect, slot);
                }
            }
        }
    }
}

fn id_in(tx: &Transaction<'_>, table: usize, slot: u32) -> Uuid {
    tx.rows(table).row(slot).map_or(Uuid::nil(), |row| row.id)
}
