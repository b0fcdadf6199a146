//! A record with others in it, created together: all of them or none.

use uuid::Uuid;

use super::record::Writer;
use crate::body::{Draft, Link, Nested};
use crate::call::{Address, Key};
use crate::refusal::Refusal;
use crate::schema::Collection;
use crate::store::Transaction;

impl Writer<'_> {
    /// Creates the records that lookups are to name, the record, and those of
    /// its collections; returns the record's id.
    pub(super) fn create_deep(
        &self,
        tx: &mut Transaction<'_>,
        position: usize,
        mut draft: Draft<'_>,
        bulk: bool,
    ) -> Result<Uuid, Refusal> {
        let mut members = Vec::new();
        for nested in std::mem::take(&mut draft.nested) {
            match nested {
                Nested::One(column, target, inner) => {
                    let other = self.target(position, column, target)?;
                    let id = self.create(tx, other, *inner, false)?;
                    draft.links.push((column, Link::Record(target, Key::Id(id))));
                }
                collection => members.push(collection),
            }
        }
        let id = self.create(tx, position, draft, bulk)?;
        let slot = tx.rows(position).slot_of(id).unwrap_or(u32::MAX);
        for nested in members {
            match nested {
                Nested::One(..) => {}
                Nested::Many(collection, drafts) => {
                    for draft in drafts {
                        self.create_member(tx, position, slot, id, collection, draft)?;
                    }
                }
                Nested::Bound(collection, addresses) => {
                    for address in addresses {
                        self.associate(tx, position, slot, collection, &address)?;
                    }
                }
            }
        }
        Ok(id)
    }

    fn create_member(
        &self,
        tx: &mut Transaction<'_>,
        position: usize,
        slot: u32,
        id: Uuid,
        collection: Collection,
        mut draft: Draft<'_>,
    ) -> Result<(), Refusal> {
        match collection {
            Collection::Many { table, column, target } => {
                draft.links.push((column, Link::Record(target, Key::Id(id))));
                self.create(tx, table, draft, false)?;
            }
            Collection::Both { table, .. } => {
                let member = self.create(tx, table, draft, false)?;
                let member = Address { table, key: Key::Id(member) };
                self.associate(tx, position, slot, collection, &member)?;
            }
        }
        Ok(())
    }

    /// The table that a lookup's target is.
    fn target(&self, position: usize, column: usize, target: u8) -> Result<usize, Refusal> {
        match &self.table(position).columns[column].kind {
            crate::schema::Kind::Lookup { targets, .. } => targets
                .get(usize::from(target))
                .map(|target| target.table)
                .ok_or_else(Refusal::lookup_as_value),
            _ => Err(Refusal::lookup_as_value()),
        }
    }
}
