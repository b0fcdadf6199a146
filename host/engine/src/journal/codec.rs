//! Lists of ordinals, ids and outcomes as bytes; pure.
//!
//! A blob says its format in its first byte. Ordinals are differences as
//! variable-length integers (nothing but the first one where they are dense),
//! ids 16 bytes each with a bitmap where some are absent, outcomes a byte each.

use dvsync_model::{KeyHash, Outcome};
use uuid::Uuid;

/// The format written; read are this one and, once there are, older ones.
const FORMAT: u8 = 1;

/// More rows than any chunk or batch can have: a damaged length allocates no
/// more than that.
pub(super) const ROWS_MAX: usize = 1 << 20;

/// What was wrong with a blob.
pub(super) type Wrong = &'static str;

/// Outcomes, ids and ordinals of a chunk, compressed. The lists have one length.
pub(super) fn chunk(
    ordinals: &[u64],
    outcomes: &[Outcome],
    given: &[Option<Uuid>],
) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::with_capacity(ordinals.len() * 18 + 16);
    plain.push(FORMAT);
    put_ordinals(&mut plain, ordinals);
    plain.extend(outcomes.iter().map(|&outcome| number(outcome)));
    put_ids(&mut plain, given);
    zstd::bulk::compress(&plain, 1)
}

/// The number that stands for an outcome in the journal.
pub(super) fn number(outcome: Outcome) -> u8 {
    // The enum says its numbers: they are part of the format.
    outcome as u8
}

/// The outcome of that number.
pub(super) fn outcome(number: u8) -> Option<Outcome> {
    Outcome::ALL.get(usize::from(number)).copied()
}

/// Ordinals, outcomes and ids of a chunk.
pub(super) type Chunk = (Vec<u64>, Vec<Outcome>, Vec<Option<Uuid>>);

/// Reads what [`chunk`] wrote for so many rows.
pub(super) fn read_chunk(blob: &[u8], rows: usize) -> Result<Chunk, Wrong> {
    if rows > ROWS_MAX {
        return Err("a chunk has too many rows");
    }
    let plain = zstd::bulk::decompress(blob, rows * 28 + 64)
        .map_err(|_| "a blob of outcomes cannot be decompressed")?;
    let mut rest = opened(&plain)?;
    let ordinals = take_ordinals(&mut rest, rows)?;
    let outcomes = taken(&mut rest, rows)?
        .iter()
        .map(|&byte| outcome(byte).ok_or("an outcome is unknown"))
        .collect::<Result<Vec<_>, _>>()?;
    let ids = take_ids(&mut rest, rows)?;
    ended(rest)?;
    Ok((ordinals, outcomes, ids))
}

/// Ordinals alone.
pub(super) fn ordinals(given: &[u64]) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    put_ordinals(&mut bytes, given);
    bytes
}

/// Reads what [`ordinals`] wrote for so many rows.
pub(super) fn read_ordinals(blob: &[u8], rows: usize) -> Result<Vec<u64>, Wrong> {
    let mut rest = opened(blob)?;
    let ordinals = take_ordinals(&mut rest, rows)?;
    ended(rest)?;
    Ok(ordinals)
}

/// Ids alone.
pub(super) fn ids(given: &[Option<Uuid>]) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    put_ids(&mut bytes, given);
    bytes
}

/// Key hashes, in the form of ids.
pub(super) fn keys(given: &[Option<KeyHash>]) -> Vec<u8> {
    let ids_: Vec<_> = given.iter().map(|key| key.map(|key| Uuid::from_u128(key.0))).collect();
    ids(&ids_)
}

/// Reads what [`keys`] wrote for so many rows.
pub(super) fn read_keys(blob: &[u8], rows: usize) -> Result<Vec<Option<KeyHash>>, Wrong> {
    let ids = read_ids(blob, rows)?;
    Ok(ids.into_iter().map(|id| id.map(|id| KeyHash(id.as_u128()))).collect())
}

/// Reads what [`ids`] wrote for so many rows.
pub(super) fn read_ids(blob: &[u8], rows: usize) -> Result<Vec<Option<Uuid>>, Wrong> {
    let mut rest = opened(blob)?;
    let ids = take_ids(&mut rest, rows)?;
    ended(rest)?;
    Ok(ids)
}

const DENSE: u8 = 0;
const DELTAS: u8 = 1;

fn put_ordinals(bytes: &mut Vec<u8>, ordinals: &[u64]) {
    let dense = ordinals.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1));
    if dense {
        bytes.push(DENSE);
        put_varint(bytes, ordinals.first().copied().unwrap_or_default());
    } else {
        bytes.push(DELTAS);
        let mut last = 0_u64;
        for &ordinal in ordinals {
            let delta = ordinal.wrapping_sub(last).cast_signed();
            put_varint(bytes, ((delta << 1) ^ (delta >> 63)).cast_unsigned());
            last = ordinal;
        }
    }
}

fn take_ordinals(rest: &mut &[u8], rows: usize) -> Result<Vec<u64>, Wrong> {
    if rows > ROWS_MAX {
        return Err("a list has too many rows");
    }
    match taken(rest, 1)? {
        [DENSE] => {
            let first = take_varint(rest)?;
            Ok((0..rows as u64).map(|row| first.wrapping_add(row)).collect())
        }
        [DELTAS] => {
            let mut last = 0_u64;
            (0..rows)
                .map(|_| {
                    let folded = take_varint(rest)?;
                    let delta = (folded >> 1) ^ (folded & 1).wrapping_neg();
                    last = last.wrapping_add(delta);
                    Ok(last)
                })
                .collect()
        }
        _ => Err("a list of ordinals has an unknown form"),
    }
}

const NONE: u8 = 0;
const ALL: u8 = 1;
const SOME: u8 = 2;

fn put_ids(bytes: &mut Vec<u8>, ids: &[Option<Uuid>]) {
    let present = ids.iter().flatten().count();
    if present == 0 {
        bytes.push(NONE);
        return;
    }
    if present == ids.len() {
        bytes.push(ALL);
    } else {
        bytes.push(SOME);
        bytes.extend(ids.chunks(8).map(|eight| {
            eight.iter().rev().fold(0_u8, |bits, id| (bits << 1) | u8::from(id.is_some()))
        }));
    }
    bytes.reserve(present * 16);
    for id in ids.iter().flatten() {
        bytes.extend_from_slice(id.as_bytes());
    }
}

fn take_ids(rest: &mut &[u8], rows: usize) -> Result<Vec<Option<Uuid>>, Wrong> {
    let one = |bytes: &[u8]| Uuid::from_slice(bytes).map_err(|_| "an id is cut short");
    match taken(rest, 1)? {
        [NONE] => Ok(vec![None; rows]),
        [ALL] => taken(rest, rows * 16)?.chunks(16).map(|bytes| one(bytes).map(Some)).collect(),
        [SOME] => {
            let bits = taken(rest, rows.div_ceil(8))?;
            (0..rows)
                .map(|row| match bits[row / 8] >> (row % 8) & 1 {
                    1 => one(taken(rest, 16)?).map(Some),
                    _ => Ok(None),
                })
                .collect()
        }
        _ => Err("a list of ids has an unknown form"),
    }
}

fn opened(blob: &[u8]) -> Result<&[u8], Wrong> {
    match blob.split_first() {
        Some((&FORMAT, rest)) => Ok(rest),
        _ => Err("a blob has an unknown format"),
    }
}

fn ended(rest: &[u8]) -> Result<(), Wrong> {
    if rest.is_empty() { Ok(()) } else { Err("a blob is longer than its rows") }
}

fn taken<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Wrong> {
    let (head, tail) = rest.split_at_checked(length).ok_or("a blob is cut short")?;
    *rest = tail;
    Ok(head)
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

fn take_varint(rest: &mut &[u8]) -> Result<u64, Wrong> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, tail) = rest.split_first().ok_or("a number is cut short")?;
        *rest = tail;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number is too long")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows() -> impl Strategy<Value = Vec<(u64, usize, Option<u128>)>> {
        let id = prop_oneof![Just(None), any::<u128>().prop_map(Some)];
        prop_oneof![
            proptest::collection::vec((any::<u64>(), 0..9_usize, id.clone()), 0..40),
            (any::<u64>(), proptest::collection::vec((0..9_usize, id), 0..40)).prop_map(
                |(first, rows)| {
                    let ordinal = |row: usize| first.wrapping_add(row as u64);
                    rows.into_iter()
                        .enumerate()
                        .map(|(row, (outcome, id))| (ordinal(row), outcome, id))
                        .collect()
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in rows()) {
            let ordinals_: Vec<u64> = rows.iter().map(|row| row.0).collect();
            let outcomes: Vec<Outcome> = rows.iter().map(|row| Outcome::ALL[row.1]).collect();
            let ids_: Vec<_> = rows.iter().map(|row| row.2.map(Uuid::from_u128)).collect();
            let blob = chunk(&ordinals_, &outcomes, &ids_).unwrap();
            prop_assert_eq!(
                read_chunk(&blob, rows.len()),
                Ok((ordinals_.clone(), outcomes, ids_.clone()))
            );
            prop_assert_eq!(read_ordinals(&ordinals(&ordinals_), rows.len()), Ok(ordinals_));
            prop_assert_eq!(read_ids(&ids(&ids_), rows.len()), Ok(ids_));
        }

        #[test]
        fn damaged_blobs_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), rows in 0..9_usize) {
            let mut framed = vec![FORMAT];
            framed.extend(&bytes);
            for blob in [&bytes, &framed, &zstd::bulk::compress(&framed, 1).unwrap()] {
                read_chunk(blob, rows).err();
                read_ordinals(blob, rows).err();
                read_ids(blob, rows).err();
            }
        }
    }
}
