//! Doubled source keys: a first pass over keys only, which decides who wins.
//!
//! Rows are sorted by key and then so that the winner comes first; whoever
//! follows a row of the same key has lost to the first one. Losers, usually few,
//! are sorted again by ordinal. Both sorts spill.

use std::path::Path;
use std::sync::Arc;

use dvsync_model::KeyHash;
use serde::Deserialize;

use super::sorter::{Sorted, Sorter};
use super::table::{KEY_BYTES, key};
use super::{Room, SpillError};

/// Which row of a doubled key wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The first row; with an order value, the smallest, of equals the first row.
    First,
    /// The last row; with an order value, the largest, of equals the last row.
    #[default]
    Last,
    /// None.
    Reject,
}

/// Collects the keys of all source rows.
#[derive(Debug)]
pub struct Duplicates {
    keep: Keep,
    folder: Arc<Path>,
    memory_max: usize,
    rows: Sorter,
    record: Vec<u8>,
}

impl Duplicates {
    /// Nothing pushed yet.
    #[must_use]
    pub fn new(keep: Keep, room: &Room) -> Self {
        let folder: Arc<Path> = room.folder.as_path().into();
        let rows = Sorter::new(Arc::clone(&folder), room.memory_max / 4 * 3);
        Self { keep, folder, memory_max: room.memory_max, rows, record: Vec::new() }
    }

    /// Adds a row that has a key. `order` is the value of the job's `by` column
    /// in a form that compares as bytes (an `arrow_row` cell); none is less than
    /// any.
    ///
    /// # Errors
    /// The disk.
    pub fn push(
        &mut self,
        key: KeyHash,
        ordinal: u64,
        order: Option<&[u8]>,
    ) -> Result<(), SpillError> {
        self.record.clear();
        self.record.extend_from_slice(&key.0.to_be_bytes());
        if self.keep != Keep::Reject {
            put_order(&mut self.record, order);
        }
        self.record.extend_from_slice(&ordinal.to_be_bytes());
        if self.keep == Keep::Last {
            // The largest first.
            self.record[KEY_BYTES..].iter_mut().for_each(|byte| *byte = !*byte);
        }
        self.rows.push(&self.record)
    }

    /// Decides.
    ///
    /// # Errors
    /// The disk.
    pub fn finish(self) -> Result<Losers, SpillError> {
        let mut rows = self.rows.finish()?;
        let mut losers = Sorter::new(self.folder, self.memory_max / 4);
        let mut lost = |loser: u64, other: u64| {
            let mut record = [0; 16];
            record[..8].copy_from_slice(&loser.to_be_bytes());
            record[8..].copy_from_slice(&other.to_be_bytes());
            losers.push(&record)
        };
        // Key and ordinal of the first row of the key at hand; whether it is alone.
        let mut first: Option<(u128, u64, bool)> = None;
        while let Some(record) = rows.next()? {
            let key = key(record);
            let ordinal = last_number(record);
            let ordinal = if self.keep == Keep::Last { !ordinal } else { ordinal };
            match &mut first {
                Some((known, winner, alone)) if *known == key => {
                    if self.keep == Keep::Reject && *alone {
                        lost(*winner, ordinal)?;
                    }
                    *alone = false;
                    lost(ordinal, *winner)?;
                }
                _ => first = Some((key, ordinal, true)),
            }
        }
        drop(rows);
        let count = losers.len();
        let mut rows = losers.finish()?;
        let next = rows.next()?.map(loser);
        Ok(Losers { keep: self.keep, count, rows, next, asked: None })
    }
}

/// An order value so that no value's bytes are the beginning of another's: zeros
/// are followed by 255, the end is two zeros.
fn put_order(record: &mut Vec<u8>, order: Option<&[u8]>) {
    let Some(order) = order else { return record.push(0) };
    record.push(1);
    for &byte in order {
        record.push(byte);
        if byte == 0 {
            record.push(255);
        }
    }
    record.extend_from_slice(&[0, 0]);
}

/// The number in a record's last 8 bytes.
fn last_number(record: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&record[record.len() - 8..]);
    u64::from_be_bytes(bytes)
}

/// Ordinal of a loser and of the other row.
fn loser(record: &[u8]) -> (u64, u64) {
    (last_number(&record[..8]), last_number(record))
}

/// How a row stands among those of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its key is its own, or it has won.
    Kept,
    /// Another row of its key has won.
    Lost {
        /// Ordinal of that row.
        winner: u64,
    },
    /// Its key is doubled and nobody wins ([`Keep::Reject`]).
    Rejected {
        /// Ordinal of another row of its key: the first one, for the first one
        /// the second.
        other: u64,
    },
}

/// The rows that have not won, in the order of the source.
#[derive(Debug)]
pub struct Losers {
    keep: Keep,
    count: u64,
    rows: Sorted,
    next: Option<(u64, u64)>,
    asked: Option<u64>,
}

impl Losers {
    /// How many rows have not won.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Every row is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How the row stands. To be asked in ascending order of ordinals; any may
    /// be left out.
    ///
    /// # Errors
    /// An ordinal not above the last one, or the disk.
    pub fn standing(&mut self, ordinal: u64) -> Result<Standing, SpillError> {
        if let Some(last) = self.asked.replace(ordinal)
            && ordinal <= last
        {
            return Err(SpillError::Contradiction {
                what: format!("row {ordinal}: row {last} has been asked for before it"),
            });
        }
        while let Some((loser_ordinal, other)) = self.next
            && loser_ordinal <= ordinal
        {
            self.next = self.rows.next()?.map(loser);
            if loser_ordinal == ordinal {
                return Ok(match self.keep {
                    Keep::Reject => Standing::Rejected { other },
                    Keep::First | Keep::Last => Standing::Lost { winner: other },
                });
            }
        }
        Ok(Standing::Kept)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    type Row = (u8, Option<Vec<u8>>);

    /// The same by a map of whole groups.
    fn model(keep: Keep, rows: &[Row]) -> Vec<Standing> {
        let mut groups: HashMap<u8, Vec<u64>> = HashMap::new();
        for (ordinal, (key, _)) in (0..).zip(rows) {
            groups.entry(*key).or_default().push(ordinal);
        }
        let order = |ordinal: u64| (rows[usize::try_from(ordinal).unwrap()].1.clone(), ordinal);
        (0..)
            .zip(rows)
            .map(|(ordinal, (key, _))| {
                let group = &groups[key];
                let winner = match keep {
                    Keep::First => group.iter().copied().min_by_key(|&row| order(row)).unwrap(),
                    Keep::Last => group.iter().copied().max_by_key(|&row| order(row)).unwrap(),
                    Keep::Reject if group.len() == 1 => ordinal,
                    Keep::Reject => {
                        let other = if ordinal == group[0] { group[1] } else { group[0] };
                        return Standing::Rejected { other };
                    }
                };
                if winner == ordinal { Standing::Kept } else { Standing::Lost { winner } }
            })
            .collect()
    }

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let order = proptest::option::of(proptest::collection::vec(
            prop_oneof![Just(0_u8), Just(1), Just(255)],
            0..4,
        ));
        proptest::collection::vec((0..40_u8, order), 0..150)
    }

    proptest! {
        #[test]
        fn the_same_rows_win_as_by_whole_groups(
            rows in rows(),
            keep in prop_oneof![Just(Keep::First), Just(Keep::Last), Just(Keep::Reject)],
            memory_max in prop_oneof![Just(4_usize), Just(600), Just(1 << 20)],
            every in 1..4_usize,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let room = Room { folder: folder.path().into(), memory_max };
            let mut duplicates = Duplicates::new(keep, &room);
            for (ordinal, (key, order)) in (0..).zip(&rows) {
                duplicates.push(KeyHash(u128::from(*key) << 60), ordinal, order.as_deref()).unwrap();
            }
            let mut losers = duplicates.finish().unwrap();
            let expected = model(keep, &rows);
            let count = expected.iter().filter(|&&standing| standing != Standing::Kept).count();
            prop_assert_eq!(losers.len(), count as u64);
            for (ordinal, standing) in (0..).zip(expected).step_by(every) {
                prop_assert_eq!(losers.standing(ordinal).unwrap(), standing, "row {}", ordinal);
            }
        }
    }

    #[test]
    fn asking_backwards_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let duplicates = Duplicates::new(Keep::First, &Room::new(folder.path()));
        let mut losers = duplicates.finish().unwrap();
        assert!(losers.is_empty());
        losers.standing(5).unwrap();
        let error = losers.standing(5).unwrap_err();
        assert_eq!(error.to_string(), "cannot spill row 5: row 5 has been asked for before it");
    }
}
