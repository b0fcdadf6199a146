//! Ids already written in this run.
//!
//! New ids are held in memory; a full memory becomes a sorted table on disk, and
//! eight tables of one size become one. A Bloom filter of a fixed size answers
//! for most ids that are in no table.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use super::bloom::Bloom;
use super::table::{KEY_BYTES, Lens, Table, TableWriter, key};
use super::{Room, SpillError};

/// Tables of one size that become one.
const TABLES_MAX: usize = 8;

/// What an id costs in the set in memory, at most, in bytes.
const HELD_BYTES: usize = 64;

/// A set of ids that only grows. Exact; memory stays within its room.
#[derive(Debug)]
pub struct Seen {
    folder: Arc<Path>,
    held: HashSet<u128, BuildHasherDefault<IdHasher>>,
    held_max: usize,
    filter_bytes: usize,
    // Absent while nothing is on disk.
    filter: Option<Bloom>,
    // Each level's tables are about eight times as long as those of the one before.
    levels: Vec<Vec<Table>>,
    ids: u64,
}

impl Seen {
    /// An empty set.
    #[must_use]
    pub fn new(room: &Room) -> Self {
        Self {
            folder: room.folder.as_path().into(),
            held: HashSet::default(),
            held_max: (room.memory_max / 2 / HELD_BYTES).max(1),
            filter_bytes: room.memory_max / 2,
            filter: None,
            levels: Vec::new(),
            ids: 0,
        }
    }

    /// Adds an id; true where it was not there yet.
    ///
    /// # Errors
    /// The disk; the set must not be used any more.
    pub fn insert(&mut self, id: Uuid) -> Result<bool, SpillError> {
        let id = id.as_u128();
        if self.held.contains(&id) || self.on_disk(id)? {
            return Ok(false);
        }
        self.held.insert(id);
        self.ids += 1;
        if self.held.len() >= self.held_max {
            self.write_held()?;
        }
        Ok(true)
    }

    /// Ids in the set.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ids
    }

    /// Nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids == 0
    }

    fn on_disk(&self, id: u128) -> Result<bool, SpillError> {
        if !self.filter.as_ref().is_some_and(|filter| filter.maybe(id)) {
            return Ok(false);
        }
        for table in self.levels.iter().flatten() {
            if !table.lens().find(id)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write_held(&mut self) -> Result<(), SpillError> {
        let mut ids: Vec<u128> = self.held.drain().collect();
        ids.sort_unstable();
        let filter = self.filter.get_or_insert_with(|| Bloom::new(self.filter_bytes));
        let mut writer = TableWriter::new(KEY_BYTES, ids.len() as u64, Some(&self.folder))?;
        for &id in &ids {
            filter.insert(id);
            writer.push(&id.to_be_bytes())?;
        }
        let mut table = writer.finish()?;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let tables = &mut self.levels[level];
            tables.push(table);
            if tables.len() < TABLES_MAX {
                break;
            }
            table = merge(&self.folder, tables)?;
            tables.clear();
        }
        Ok(())
    }
}

/// One table of several that share no id.
fn merge(folder: &Arc<Path>, tables: &[Table]) -> Result<Table, SpillError> {
    let expected = tables.iter().map(Table::len).sum();
    let mut writer = TableWriter::new(KEY_BYTES, expected, Some(folder))?;
    let mut fronts = Vec::with_capacity(tables.len());
    for table in tables {
        let mut front = Front { id: None, position: 0, entries: table.len(), lens: table.lens() };
        front.advance()?;
        fronts.push(front);
    }
    loop {
        fronts.retain(|front| front.id.is_some());
        let Some(least) = fronts.iter_mut().min_by_key(|front| front.id) else { break };
        if let Some(id) = least.id {
            writer.push(&id.to_be_bytes())?;
        }
        least.advance()?;
    }
    writer.finish()
}

/// The next id of a table that is being merged.
struct Front<'a> {
    id: Option<u128>,
    position: u64,
    entries: u64,
    lens: Lens<'a>,
}

impl Front<'_> {
    fn advance(&mut self) -> Result<(), SpillError> {
        self.id = if self.position < self.entries {
            let id = key(self.lens.entry(self.position)?);
            self.position += 1;
            Some(id)
        } else {
            None
        };
        Ok(())
    }
}

/// Ids are hashes or random already: mixing their halves is enough.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for eight in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..eight.len()].copy_from_slice(eight);
            let mixed = (self.0 ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            self.0 = mixed ^ (mixed >> 32);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_is_new_exactly_once(
            ids in proptest::collection::vec(0..400_u128, 0..900),
            spread: bool,
            memory_max in 0..20_000_usize,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut seen = Seen::new(&Room { folder: folder.path().into(), memory_max });
            let mut model = HashSet::new();
            for id in ids {
                let id = if spread { id.wrapping_mul(u128::MAX / 401) } else { id };
                prop_assert_eq!(seen.insert(Uuid::from_u128(id)).unwrap(), model.insert(id));
                prop_assert_eq!(seen.len(), model.len() as u64);
                prop_assert!(seen.held.len() <= seen.held_max);
            }
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap().path().join("gone");
        let mut seen = Seen::new(&Room { folder, memory_max: 0 });
        let error = seen.insert(Uuid::from_u128(1)).unwrap_err();
        assert!(error.to_string().starts_with("cannot create a temporary file in `"), "{error}");
    }
}
