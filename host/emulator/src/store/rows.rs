//! The rows of one table, by slot, with an index by id and one by each key.
//!
//! Slots are in order of creation and never used twice, so that a page can go
//! on behind the last row of the page before, whatever happened in between.

use std::collections::{BTreeSet, VecDeque};

use hashbrown::HashTable;
use uuid::Uuid;

use super::index::KeyIndex;
use super::quick::hash_bytes;
use super::row::{Layout, Row, Shape, encode};
use crate::cell::Cell;
use crate::decimal::rescaled;
use crate::schema::{KeyStatus, Table};
use crate::settings::KeyRules;

/// Deletions of a table that are remembered for change tracking.
const TOMBSTONES_MAX: usize = 1_000_000;

/// A deletion that change tracking tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tombstone {
    pub(crate) id: Uuid,
    pub(crate) version: u64,
}

/// The rows of a table.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) layout: Layout,
    slots: Vec<Option<Row>>,
    ids: HashTable<u32>,
    keys: Vec<KeyIndex>,
    live: usize,
    rules: KeyRules,
    /// The column that tells rows of one id apart: elastic tables.
    partition: Option<usize>,
    /// The columns that say when a row expires: elastic tables.
    expiry: Option<(usize, usize)>,
    /// When rows expire, and which.
    expiring: BTreeSet<(i64, u32)>,
    /// For each lookup column: rows in which it is not null.
    references: Vec<(usize, usize)>,
    /// Changes are tracked.
    tracked: bool,
    /// Deletions, oldest first.
    tombstones: VecDeque<Tombstone>,
    /// Deletions up to this version are forgotten.
    forgotten: u64,
}

/// Why a row cannot go in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clash {
    /// The id is taken.
    Id,
    /// The alternate key at that position is taken.
    Key(usize),
}

fn index(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

impl Rows {
    pub(super) fn new(table: &Table, rules: KeyRules) -> Self {
        let layout = Layout::new(table);
        let references = layout
            .shapes()
            .iter()
            .enumerate()
            .filter(|(_, shape)| **shape == Shape::Lookup)
            .map(|(position, _)| (position, 0))
            .collect();
        let keys = table
            .keys
            .iter()
            .map(|key| {
                let active = key.status == KeyStatus::Active;
                KeyIndex::new(key.columns.clone(), rules, active)
            })
            .collect();
        Self {
            layout,
            slots: Vec::new(),
            ids: HashTable::new(),
            keys,
            live: 0,
            rules,
            partition: table.partition(),
            expiry: table.expiry(),
            expiring: BTreeSet::new(),
            references,
            tracked: table.change_tracking,
            tombstones: VecDeque::new(),
            forgotten: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Slots in use or used before.
    pub(crate) fn slots(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn row(&self, slot: u32) -> Option<&Row> {
        self.slots.get(index(slot))?.as_ref()
    }

    pub(crate) fn cell(&self, slot: u32, column: usize) -> Cell<'_> {
        self.row(slot).map_or(Cell::Null, |row| self.layout.cell(row, column))
    }

    pub(crate) fn slot_of(&self, id: Uuid) -> Option<u32> {
        self.ids
            .find(hash_bytes(id.as_bytes()), |&slot| self.row(slot).is_some_and(|row| row.id == id))
            .copied()
    }

    /// All rows with an id: in an elastic table there may be one in each partition.
    pub(crate) fn slots_of(&self, id: Uuid) -> impl Iterator<Item = u32> + '_ {
        let hash = hash_bytes(id.as_bytes());
        let same = move |slot: &u32| self.row(*slot).is_some_and(|row| row.id == id);
        self.ids.iter_hash(hash).copied().filter(same)
    }

    /// The row of an elastic table with that id in that partition.
    pub(crate) fn slot_within(&self, id: Uuid, partition: &str) -> Option<u32> {
        let column = self.partition?;
        self.slots_of(id).find(
            |&slot| matches!(self.cell(slot, column), Cell::Text(found) if found == partition),
        )
    }

    /// The row that a row with this id and these cells would replace.
    pub(super) fn slot_like(&self, row: &Row) -> Option<u32> {
        match self.partition_of(row) {
            None => self.slot_of(row.id),
            Some(partition) => self.slot_within(row.id, &partition),
        }
    }

    /// What tells a row from others of its id.
    pub(super) fn partition_of(&self, row: &Row) -> Option<String> {
        match self.layout.cell(row, self.partition?) {
            Cell::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }

    fn taken(&self, id: Uuid, cells: &[Cell<'_>]) -> bool {
        match self.partition.and_then(|column| cells.get(column)) {
            Some(Cell::Text(partition)) => self.slot_within(id, partition).is_some(),
            _ => self.slot_of(id).is_some(),
        }
    }

    /// When the next row expires.
    pub(crate) fn next_expiry(&self) -> Option<i64> {
        self.expiring.first().map(|(due, _)| *due)
    }

    /// The rows that have expired by now.
    pub(crate) fn expired(&self, now: i64) -> Vec<u32> {
        let due = self.expiring.iter().take_while(|(due, _)| *due <= now);
        due.map(|(_, slot)| *slot).collect()
    }

    /// When a row expires: so many seconds after it was last written.
    fn due(&self, row: &Row) -> Option<i64> {
        let (seconds, written) = self.expiry?;
        match (self.layout.cell(row, seconds), self.layout.cell(row, written)) {
            (Cell::Int(seconds), Cell::Time(written)) if seconds > 0 => {
                Some(written.saturating_add(seconds))
            }
            _ => None,
        }
    }

    /// The same rows under other rules for keys, or two that then have one key:
    /// which key, and the second row.
    pub(super) fn ruled(&self, table: &Table, rules: KeyRules) -> Result<Self, (usize, Uuid)> {
        let mut rows = Self::new(table, rules);
        for row in &self.slots {
            let slot = rows.slots();
            rows.slots.push(None);
            let Some(row) = row else { continue };
            if let Some(Clash::Key(key)) = rows.clash(row.id, &rows.layout.cells(row), Some(slot)) {
                return Err((key, row.id));
            }
            rows.put(slot, Some(row.clone()));
        }
        rows.tombstones.clone_from(&self.tombstones);
        rows.forgotten = self.forgotten;
        Ok(rows)
    }

    pub(crate) fn by_id(&self, id: Uuid) -> Option<&Row> {
        self.slot_of(id).and_then(|slot| self.row(slot))
    }

    /// The row with that value of the alternate key at `position`.
    pub(crate) fn by_key(&self, position: usize, key: &[Cell<'_>]) -> Option<u32> {
        self.keys.get(position)?.find(key, |slot, column| self.cell(slot, column))
    }

    /// The key over this one column, if there is one that compares as filters do.
    pub(crate) fn key_over(&self, column: usize) -> Option<usize> {
        self.keys[..self.keys_len()].iter().position(|key| key.columns == [column])
    }

    pub(crate) fn key_columns(&self, position: usize) -> &[usize] {
        self.keys.get(position).map_or(&[], |key| &key.columns)
    }

    /// Keys that compare as filters do: none, where they differ by case or blanks.
    pub(crate) fn keys_len(&self) -> usize {
        if self.rules.as_filters() { self.keys.len() } else { 0 }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Row)> {
        (0_u32..).zip(&self.slots).filter_map(|(slot, row)| Some((slot, row.as_ref()?)))
    }

    /// The rows from a slot on.
    pub(crate) fn from(&self, slot: u32) -> impl Iterator<Item = (u32, &Row)> {
        let slot = slot.min(self.slots());
        let rows = self.slots.get(index(slot)..).unwrap_or(&[]);
        (slot..).zip(rows).filter_map(|(slot, row)| Some((slot, row.as_ref()?)))
    }

    /// Deletions that change tracking tells of, oldest first.
    pub(crate) fn tombstones(&self) -> impl Iterator<Item = Tombstone> + '_ {
        self.tombstones.iter().copied()
    }

    /// Deletions up to this version are forgotten.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Remembers a deletion, and forgets the oldest where there are too many.
    pub(super) fn bury(&mut self, id: Uuid, version: u64) {
        if !self.tracked {
            return;
        }
        self.tombstones.push_back(Tombstone { id, version });
        if self.tombstones.len() > TOMBSTONES_MAX
            && let Some(oldest) = self.tombstones.pop_front()
        {
            self.forgotten = oldest.version;
        }
    }

    /// The same rows under a changed table; `from`: where each column was; `scales`:
    /// that of its decimals before and now.
    pub(super) fn adapted(
        self,
        table: &Table,
        from: &[Option<usize>],
        scales: &[(u8, u8)],
    ) -> Self {
        let mut rows = Self::new(table, self.rules);
        let width = self.layout.shapes().len();
        let old = rows.layout.reordered(from, width);
        for row in &self.slots {
            let slot = rows.slots();
            rows.slots.push(None);
            let Some(row) = row else { continue };
            let cells: Vec<Cell<'_>> = from
                .iter()
                .zip(scales)
                .map(|(from, &(before, now))| {
                    match from.map_or(Cell::Null, |from| old.stored(&row.bytes, from)) {
                        Cell::Decimal(value) => Cell::Decimal(rescaled(value, before, now)),
                        cell => cell,
                    }
                })
                .collect();
            let row = Row { id: row.id, version: row.version, bytes: encode(&cells) };
            rows.put(slot, Some(row));
        }
        rows.tombstones = self.tombstones;
        rows.forgotten = self.forgotten;
        rows
    }

    /// Whether any row refers by the lookup column at `column`.
    pub(crate) fn refers(&self, column: usize) -> bool {
        self.references.iter().any(|(position, count)| *position == column && *count > 0)
    }

    /// What speaks against cells and id standing in `slot` (a new one: `None`).
    pub(crate) fn clash(&self, id: Uuid, cells: &[Cell<'_>], slot: Option<u32>) -> Option<Clash> {
        if slot.is_none() && self.taken(id, cells) {
            return Some(Clash::Id);
        }
        for (position, key) in self.keys.iter().enumerate() {
            let found = match key.columns.as_slice() {
                [column] => self.by_key(position, std::slice::from_ref(cells.get(*column)?)),
                _ => self.by_key(position, &pick(&key.columns, cells)),
            };
            if found.is_some() && found != slot {
                return Some(Clash::Key(position));
            }
        }
        None
    }

    /// Appends a row that does not clash; returns its slot.
    pub(super) fn push(&mut self, row: Row) -> u32 {
        let slot = self.slots();
        self.slots.push(None);
        self.put(slot, Some(row));
        slot
    }

    /// Puts a row into a slot, or takes it out; returns what was there.
    pub(super) fn put(&mut self, slot: u32, row: Option<Row>) -> Option<Row> {
        let before = self.slots.get_mut(index(slot))?.take();
        if let Some(before) = &before {
            self.unlink(slot, before);
        }
        if let Some(row) = row {
            self.link(slot, &row);
            if let Some(place) = self.slots.get_mut(index(slot)) {
                *place = Some(row);
            }
        }
        before
    }

    /// Takes back the slot of a row that was never committed.
    pub(super) fn pop(&mut self) {
        let slot = self.slots().saturating_sub(1);
        self.put(slot, None);
        self.slots.pop();
    }

    fn link(&mut self, slot: u32, row: &Row) {
        self.live += 1;
        if let Some(due) = self.due(row) {
            self.expiring.insert((due, slot));
        }
        let Self { layout, keys, references, ids, slots, .. } = self;
        for key in keys {
            let cells: Vec<Cell<'_>> =
                key.columns.iter().map(|&column| layout.cell(row, column)).collect();
            key.insert(&cells, slot);
        }
        for (column, count) in references {
            *count += usize::from(layout.holds(&row.bytes, *column));
        }
        let hash = hash_bytes(row.id.as_bytes());
        ids.insert_unique(hash, slot, |&other| {
            let id = if other == slot {
                row.id
            } else {
                slots.get(index(other)).and_then(Option::as_ref).map_or(Uuid::nil(), |row| row.id)
            };
            hash_bytes(id.as_bytes())
        });
    }

    fn unlink(&mut self, slot: u32, row: &Row) {
        self.live -= 1;
        if let Some(due) = self.due(row) {
            self.expiring.remove(&(due, slot));
        }
        let Self { layout, keys, references, ids, .. } = self;
        for key in keys {
            let cells: Vec<Cell<'_>> =
                key.columns.iter().map(|&column| layout.cell(row, column)).collect();
            key.remove(&cells, slot);
        }
        for (column, count) in references {
            *count -= usize::from(layout.holds(&row.bytes, *column));
        }
        let hash = hash_bytes(row.id.as_bytes());
        if let Ok(entry) = ids.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
    }
}

fn pick<'c>(columns: &[usize], cells: &[Cell<'c>]) -> Vec<Cell<'c>> {
    columns.iter().map(|&column| cells.get(column).cloned().unwrap_or(Cell::Null)).collect()
}
