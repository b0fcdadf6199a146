//! Any number of records in the order of their bytes.
//!
//! Records are collected up to a limit, sorted and written as a run; at the end
//! the runs are merged. What fits below the limit never sees the disk.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::SpillError;
use super::scratch::{Draft, Scratch};

/// What a cursor reads at once from its run.
const READ_BYTES: Range<usize> = 4 << 10..256 << 10;

/// Positions in memory are 32 bits wide.
const MEMORY_MAX: usize = 1 << 30;

/// Collects records.
#[derive(Debug)]
pub(super) struct Sorter {
    folder: Arc<Path>,
    memory_max: usize,
    held: Held,
    draft: Option<Draft>,
    runs: Vec<Range<u64>>,
    records: u64,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
}

/// A record in [`Held::bytes`]; most comparisons end at the prefix.
#[derive(Debug, Clone, Copy)]
struct Slot {
    prefix: u64,
    at: u32,
    length: u32,
}

impl Held {
    fn used(&self) -> usize {
        self.bytes.len() + self.slots.len() * size_of::<Slot>()
    }

    fn record(&self, slot: Slot) -> &[u8] {
        let at = wide(slot.at);
        &self.bytes[at..at + wide(slot.length)]
    }

    fn sort(&mut self) {
        let mut slots = std::mem::take(&mut self.slots);
        slots.sort_unstable_by(|left, right| {
            let by_prefix = left.prefix.cmp(&right.prefix);
            by_prefix.then_with(|| self.record(*left).cmp(self.record(*right)))
        });
        self.slots = slots;
    }
}

impl Sorter {
    /// Keeps about so many bytes in memory.
    pub(super) fn new(folder: Arc<Path>, memory_max: usize) -> Self {
        let memory_max = memory_max.min(MEMORY_MAX);
        let (held, draft) = (Held::default(), None);
        Self { folder, memory_max, held, draft, runs: Vec::new(), records: 0 }
    }

    /// Records pushed so far.
    pub(super) fn len(&self) -> u64 {
        self.records
    }

    pub(super) fn push(&mut self, record: &[u8]) -> Result<(), SpillError> {
        let (Ok(at), Ok(length)) =
            (u32::try_from(self.held.bytes.len()), u32::try_from(record.len()))
        else {
            return Err(SpillError::Contradiction {
                what: format!("a record of {} bytes", record.len()),
            });
        };
        let mut prefix = [0; 8];
        let known = record.len().min(8);
        prefix[..known].copy_from_slice(&record[..known]);
        self.held.bytes.extend_from_slice(record);
        self.held.slots.push(Slot { prefix: u64::from_be_bytes(prefix), at, length });
        self.records += 1;
        if self.held.used() >= self.memory_max { self.write_run() } else { Ok(()) }
    }

    fn write_run(&mut self) -> Result<(), SpillError> {
        self.held.sort();
        let draft = match &mut self.draft {
            Some(draft) => draft,
            none => none.insert(Draft::new(&self.folder)?),
        };
        let from = draft.length();
        for &slot in &self.held.slots {
            draft.append(&slot.length.to_le_bytes())?;
            draft.append(self.held.record(slot))?;
        }
        self.runs.push(from..draft.length());
        self.held.bytes.clear();
        self.held.slots.clear();
        Ok(())
    }

    /// The records in order; those that are equal follow each other.
    pub(super) fn finish(mut self) -> Result<Sorted, SpillError> {
        let Some(_) = self.draft else {
            self.held.sort();
            return Ok(Sorted::Memory { held: self.held, next: 0 });
        };
        if !self.held.slots.is_empty() {
            self.write_run()?;
        }
        self.held = Held::default();
        let Some(draft) = self.draft else {
            return Ok(Sorted::Memory { held: self.held, next: 0 });
        };
        let file = draft.finish()?;
        let each = self.memory_max / self.runs.len();
        let each = each.clamp(READ_BYTES.start, READ_BYTES.end);
        let mut heap = BinaryHeap::with_capacity(self.runs.len());
        for rest in self.runs {
            let mut cursor = Cursor { rest, buffer: Vec::new(), at: 0, read_bytes: each };
            let mut record = Vec::new();
            if cursor.next(&file, &mut record)? {
                heap.push(Reverse(Front { record, cursor }));
            }
        }
        Ok(Sorted::Disk { file, heap, record: Vec::new() })
    }
}

/// Records in order.
#[derive(Debug)]
pub(super) enum Sorted {
    Memory { held: Held, next: usize },
    Disk { file: Scratch, heap: BinaryHeap<Reverse<Front>>, record: Vec<u8> },
}

impl Sorted {
    /// The next record, valid until the next call.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, SpillError> {
        match self {
            Sorted::Memory { held, next } => {
                let slot = held.slots.get(*next).copied();
                *next += 1;
                Ok(slot.map(|slot| held.record(slot)))
            }
            Sorted::Disk { file, heap, record } => {
                let Some(mut top) = heap.peek_mut() else { return Ok(None) };
                std::mem::swap(record, &mut top.0.record);
                let Reverse(Front { record: following, cursor }) = &mut *top;
                if !cursor.next(file, following)? {
                    PeekMut::pop(top);
                }
                Ok(Some(record))
            }
        }
    }
}

/// A run's next record, and where the run goes on.
#[derive(Debug)]
pub(super) struct Front {
    record: Vec<u8>,
    cursor: Cursor,
}

impl PartialEq for Front {
    fn eq(&self, other: &Self) -> bool {
        self.record == other.record
    }
}

impl Eq for Front {}

impl PartialOrd for Front {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Front {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.record.cmp(&other.record)
    }
}

#[derive(Debug)]
struct Cursor {
    rest: Range<u64>,
    buffer: Vec<u8>,
    at: usize,
    read_bytes: usize,
}

impl Cursor {
    /// Reads the next record of the run; false at its end.
    fn next(&mut self, file: &Scratch, record: &mut Vec<u8>) -> Result<bool, SpillError> {
        if self.at == self.buffer.len() && self.rest.is_empty() {
            return Ok(false);
        }
        let mut length = [0; 4];
        length.copy_from_slice(self.bytes(file, 4)?);
        let bytes = self.bytes(file, wide(u32::from_le_bytes(length)))?;
        record.clear();
        record.extend_from_slice(bytes);
        Ok(true)
    }

    fn bytes(&mut self, file: &Scratch, wanted: usize) -> Result<&[u8], SpillError> {
        let there = self.buffer.len() - self.at;
        if there < wanted {
            self.buffer.drain(..self.at);
            self.at = 0;
            let left = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
            let more = self.read_bytes.max(wanted - there).min(left);
            self.buffer.resize(there + more, 0);
            file.read(&mut self.buffer[there..], self.rest.start)?;
            self.rest.start += more as u64;
        }
        let from = self.at;
        self.at += wanted;
        self.buffer.get(from..self.at).ok_or_else(|| SpillError::Contradiction {
            what: "a run that is shorter than its records".to_owned(),
        })
    }
}

fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_come_in_the_order_of_their_bytes(
            mut records in proptest::collection::vec(proptest::collection::vec(0..4_u8, 0..12), 0..200),
            memory_max in 1..4000_usize,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(folder.path().into(), memory_max);
            for record in &records {
                sorter.push(record).unwrap();
            }
            prop_assert_eq!(sorter.len(), records.len() as u64);
            let mut sorted = sorter.finish().unwrap();
            records.sort();
            for record in &records {
                prop_assert_eq!(sorted.next().unwrap(), Some(record.as_slice()));
            }
            prop_assert_eq!(sorted.next().unwrap(), None);
            prop_assert_eq!(sorted.next().unwrap(), None);
        }
    }
}
