//! Sorted entries of one width, found by their first 16 bytes.
//!
//! In memory or on disk in blocks; the first key of each block stays in memory
//! (a few MiB for any number of entries), so that one block is read per key, and
//! none twice while keys are asked for in order.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::SpillError;
use super::scratch::{Draft, Scratch};

/// A key is the first bytes of an entry.
pub(super) const KEY_BYTES: usize = 16;

/// A block has about so many bytes,
const BLOCK_BYTES: usize = 4 << 10;

/// or more where there would be more blocks than this.
const BLOCKS_MAX: u64 = 256 << 10;

/// Takes entries in order.
#[derive(Debug)]
pub(super) struct TableWriter {
    width: usize,
    per_block: u64,
    entries: u64,
    fences: Vec<u128>,
    place: Writing,
}

#[derive(Debug)]
enum Writing {
    Memory(Vec<u8>),
    Disk(Draft),
}

impl TableWriter {
    /// Will take about `expected` entries of `width` bytes; on disk in `folder`,
    /// or in memory.
    pub(super) fn new(
        width: usize,
        expected: u64,
        folder: Option<&Arc<Path>>,
    ) -> Result<Self, SpillError> {
        let per_block = (BLOCK_BYTES / width).max(1) as u64;
        let per_block = per_block.max(expected.div_ceil(BLOCKS_MAX));
        let place = match folder {
            Some(folder) => Writing::Disk(Draft::new(folder)?),
            None => Writing::Memory(Vec::with_capacity(width * index(expected))),
        };
        Ok(Self { width, per_block, entries: 0, fences: Vec::new(), place })
    }

    /// Adds an entry whose key is not below the last one's.
    pub(super) fn push(&mut self, entry: &[u8]) -> Result<(), SpillError> {
        debug_assert_eq!(entry.len(), self.width);
        if self.entries.is_multiple_of(self.per_block) {
            self.fences.push(key(entry));
        }
        self.entries += 1;
        match &mut self.place {
            Writing::Memory(bytes) => {
                bytes.extend_from_slice(entry);
                Ok(())
            }
            Writing::Disk(draft) => draft.append(entry),
        }
    }

    pub(super) fn finish(self) -> Result<Table, SpillError> {
        let place = match self.place {
            Writing::Memory(bytes) => Place::Memory(bytes),
            Writing::Disk(draft) => Place::Disk(draft.finish()?),
        };
        let Self { width, per_block, entries, fences, .. } = self;
        Ok(Table { width, per_block, entries, fences, place })
    }
}

/// Sorted entries; any number of threads may ask, each through its own [`Lens`].
#[derive(Debug)]
pub(super) struct Table {
    width: usize,
    per_block: u64,
    entries: u64,
    fences: Vec<u128>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory(Vec<u8>),
    Disk(Scratch),
}

impl Table {
    pub(super) fn len(&self) -> u64 {
        self.entries
    }

    pub(super) fn lens(&self) -> Lens<'_> {
        Lens { table: self, block: Vec::new(), number: None }
    }
}

/// A view of a table that keeps the block it has read last.
#[derive(Debug)]
pub(super) struct Lens<'a> {
    table: &'a Table,
    block: Vec<u8>,
    number: Option<u64>,
}

impl Lens<'_> {
    /// Positions of the entries with this key.
    pub(super) fn find(&mut self, wanted: u128) -> Result<Range<u64>, SpillError> {
        // They begin in the last block that starts below the key, or with the
        // one after it.
        let fences = &self.table.fences;
        let first = fences.partition_point(|&fence| fence < wanted).saturating_sub(1) as u64;
        let start = self.bound(first, |found| found < wanted)?;
        let inside = self.range(first);
        let found = if inside.contains(&start) {
            self.key_at(start)? == wanted
        } else {
            self.table.fences.get(index(first + 1)) == Some(&wanted)
        };
        if !found {
            return Ok(start..start);
        }
        // Mostly there is one.
        if inside.contains(&(start + 1)) && self.key_at(start + 1)? != wanted {
            return Ok(start..start + 1);
        }
        let fences = &self.table.fences;
        let last = fences.partition_point(|&fence| fence <= wanted).saturating_sub(1) as u64;
        Ok(start..self.bound(last, |found| found <= wanted)?)
    }

    /// The entry at a position.
    pub(super) fn entry(&mut self, position: u64) -> Result<&[u8], SpillError> {
        let width = self.table.width;
        let number = position / self.table.per_block;
        let within = index(position - number * self.table.per_block);
        let block = self.read(number)?;
        block.get(within * width..(within + 1) * width).ok_or_else(|| SpillError::Contradiction {
            what: format!("entry {position}, which is not there"),
        })
    }

    fn key_at(&mut self, position: u64) -> Result<u128, SpillError> {
        self.entry(position).map(key)
    }

    /// The first position in the block, or behind it, where `below` ends.
    fn bound(&mut self, number: u64, below: impl Fn(u128) -> bool) -> Result<u64, SpillError> {
        let Range { start, end } = self.range(number);
        let width = self.table.width;
        let block = self.read(number)?;
        let (mut low, mut high) = (0, index(end.saturating_sub(start)));
        while low < high {
            let middle = low + (high - low) / 2;
            if below(key(&block[middle * width..])) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(start + low as u64)
    }

    /// Positions of a block's entries.
    fn range(&self, number: u64) -> Range<u64> {
        let start = number * self.table.per_block;
        start..self.table.entries.min(start + self.table.per_block)
    }

    fn read(&mut self, number: u64) -> Result<&[u8], SpillError> {
        let Range { start, end } = self.range(number);
        let (from, length) = (start * self.table.width as u64, end.saturating_sub(start));
        let length = index(length) * self.table.width;
        match &self.table.place {
            Place::Memory(bytes) => {
                let from = index(from);
                Ok(bytes.get(from..from + length).unwrap_or_default())
            }
            Place::Disk(file) => {
                if self.number != Some(number) {
                    self.number = None;
                    self.block.resize(length, 0);
                    file.read(&mut self.block, from)?;
                    self.number = Some(number);
                }
                Ok(&self.block)
            }
        }
    }
}

/// The key of an entry.
pub(super) fn key(entry: &[u8]) -> u128 {
    let mut bytes = [0; KEY_BYTES];
    bytes.copy_from_slice(&entry[..KEY_BYTES]);
    u128::from_be_bytes(bytes)
}

fn index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_key_is_found_with_all_its_entries(
            mut keys in proptest::collection::vec(0..60_u128, 0..300),
            expected in prop_oneof![Just(1_u64), Just(300 * BLOCKS_MAX)],
            width in prop_oneof![Just(16_usize), Just(44), Just(900)],
            on_disk: bool,
        ) {
            keys.sort_unstable();
            let expected = if on_disk { expected } else { 1 };
            let folder = tempfile::tempdir().unwrap();
            let folder: Arc<Path> = folder.path().into();
            let mut writer = TableWriter::new(width, expected, on_disk.then_some(&folder)).unwrap();
            let mut entry = vec![7; width];
            for key in &keys {
                entry[..16].copy_from_slice(&key.to_be_bytes());
                writer.push(&entry).unwrap();
            }
            let table = writer.finish().unwrap();
            prop_assert_eq!(table.len(), keys.len() as u64);
            let mut lens = table.lens();
            for wanted in 0..62 {
                let found = lens.find(wanted).unwrap();
                let model = keys.partition_point(|&key| key < wanted) as u64
                    ..keys.partition_point(|&key| key <= wanted) as u64;
                prop_assert_eq!(found.clone(), model, "key {}", wanted);
                for position in found {
                    prop_assert_eq!(key(lens.entry(position).unwrap()), wanted);
                }
            }
        }
    }
}
