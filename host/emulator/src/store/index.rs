//! Which row has an alternate key's value.
//!
//! Holds 8 bytes a row: half a hash and the slot. Equality is checked against
//! the rows themselves, so hashes may collide. A key with a null in it is not
//! indexed, unless nulls are to be unique.

use std::hash::Hasher;

use hashbrown::HashTable;

use super::quick::{Quick, QuickHasher};
use crate::cell::{Cell, keyed, same};
use crate::settings::KeyRules;

/// The index of one alternate key.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    pub(crate) columns: Vec<usize>,
    slots: HashTable<Entry>,
    rules: KeyRules,
    /// The key is in use; else it is neither looked in nor enforced.
    active: bool,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u32,
    slot: u32,
}

fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl KeyIndex {
    pub(super) fn new(columns: Vec<usize>, rules: KeyRules, active: bool) -> Self {
        Self { columns, slots: HashTable::new(), rules, active }
    }

    /// The slot whose key equals `key`; `cells` reads a column of a slot.
    pub(super) fn find<'r>(
        &self,
        key: &[Cell<'_>],
        cells: impl Fn(u32, usize) -> Cell<'r>,
    ) -> Option<u32> {
        let hash = self.hash(key)?;
        self.slots
            .find(spread(hash), |entry| {
                entry.hash == hash
                    && self.columns.iter().zip(key).all(|(&column, wanted)| {
                        same(&cells(entry.slot, column), wanted, self.rules)
                    })
            })
            .map(|entry| entry.slot)
    }

    pub(super) fn insert(&mut self, key: &[Cell<'_>], slot: u32) {
        if let Some(hash) = self.hash(key) {
            self.slots
                .insert_unique(spread(hash), Entry { hash, slot }, |entry| spread(entry.hash));
        }
    }

    pub(super) fn remove(&mut self, key: &[Cell<'_>], slot: u32) {
        let Some(hash) = self.hash(key) else { return };
        if let Ok(entry) = self.slots.find_entry(spread(hash), |entry| entry.slot == slot) {
            entry.remove();
        }
    }

    fn hash(&self, key: &[Cell<'_>]) -> Option<u32> {
        if !self.active {
            return None;
        }
        let mut hasher: QuickHasher = std::hash::BuildHasher::build_hasher(&Quick);
        for cell in key {
            match cell {
                Cell::Null if self.rules.nulls => hasher.write_u8(0),
                Cell::Null => return None,
                Cell::Text(text) => hasher.write(keyed(text, self.rules).as_bytes()),
                Cell::Bool(value) => hasher.write_u8(u8::from(*value)),
                Cell::Int(value) | Cell::Time(value) => hasher.write(&value.to_le_bytes()),
                Cell::Decimal(value) => hasher.write(&value.to_le_bytes()),
                Cell::Double(value) => hasher.write(&value.to_le_bytes()),
                Cell::Date(value) => hasher.write(&value.to_le_bytes()),
                Cell::Guid(id) | Cell::Lookup(_, id) => hasher.write(id.as_bytes()),
            }
            hasher.write_u8(0xFF);
        }
        u32::try_from(hasher.finish() >> 32).ok()
    }
}
