//! Keys to index entries.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeBinaryArray};
use arrow_buffer::Buffer;
use dvsync_model::KeyHash;

use super::payload::Place;
use super::{Hit, Snapshot};
use crate::spill::SpillError;
use crate::spill::table::{KEY_BYTES, Table};

/// What the index says of a list of keys.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) hits: Vec<Hit>,
    /// Where each row found lies, in the order of the keys.
    pub(super) places: Vec<Place>,
    ids: Vec<u8>,
}

impl Found {
    /// The primary ids of the rows found.
    pub(super) fn ids(&self) -> Result<ArrayRef, SpillError> {
        let ids = FixedSizeBinaryArray::try_new(16, Buffer::from_slice_ref(&self.ids), None)
            .map_err(SpillError::rows("join"))?;
        Ok(Arc::new(ids))
    }
}

/// Looks each key up, in the order of the index.
pub(super) fn find(index: &Table, keys: &[Option<KeyHash>]) -> Result<Found, SpillError> {
    let mut wanted: Vec<(u128, usize)> =
        keys.iter().enumerate().filter_map(|(at, key)| Some((key.as_ref()?.0, at))).collect();
    wanted.sort_unstable();

    // Per key: which of `entries` are its, and how many the index has.
    let mut found: Vec<(Range<usize>, u64)> = vec![(0..0, 0); keys.len()];
    let mut entries: Vec<(Place, [u8; 16])> = Vec::with_capacity(wanted.len());
    let mut lens = index.lens();
    for &(key, at) in &wanted {
        let positions = lens.find(key)?;
        let total = positions.end - positions.start;
        let from = entries.len();
        for position in positions.take(CANDIDATES) {
            let entry = lens.entry(position)?;
            let mut id = [0; 16];
            id.copy_from_slice(&entry[KEY_BYTES + Place::BYTES..]);
            entries.push((Place::from_bytes(&entry[KEY_BYTES..]), id));
        }
        found[at] = (from..entries.len(), total);
    }

    let mut hits = Vec::with_capacity(keys.len());
    let mut places = Vec::with_capacity(entries.len());
    let mut ids = Vec::with_capacity(entries.len() * 16);
    for (listed, total) in found {
        let from = row_number(places.len())?;
        for (place, id) in &entries[listed] {
            places.push(*place);
            ids.extend_from_slice(id);
        }
        hits.push(match total {
            0 => Hit::None,
            1 => Hit::One(from),
            _ => Hit::Many { rows: from..row_number(places.len())?, total },
        });
    }
    Ok(Found { hits, places, ids })
}

#[expect(clippy::cast_possible_truncation, reason = "a small constant")]
const CANDIDATES: usize = Snapshot::CANDIDATES_MAX as usize;

fn row_number(rows: usize) -> Result<u32, SpillError> {
    u32::try_from(rows)
        .map_err(|_| SpillError::Contradiction { what: format!("{rows} rows found at once") })
}
