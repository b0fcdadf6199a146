//! What the tables cost, printed: in a release build, the aims are a row found
//! below 1.5 us in memory and 4 us on disk, and a row built below 2 us.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{
    ArrayRef, Decimal128Array, FixedSizeBinaryArray, Int32Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::SchemaRef;
use dvsync_model::KeyHash;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

use super::*;

#[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
fn now() -> Instant {
    Instant::now()
}

fn rows_max() -> u32 {
    if cfg!(debug_assertions) { 20_000 } else { 1_000_000 }
}

fn each(began: Instant, rows: u32) -> Duration {
    began.elapsed() / rows
}

fn hash(row: u32) -> KeyHash {
    KeyHash(xxh3_128(&row.to_le_bytes()))
}

/// 20 columns beside the id: 10 of text, 4 numbers, 2 of money, 4 times.
fn batch(rows: std::ops::Range<u32>) -> RecordBatch {
    let ids = rows.clone().map(|row| hash(row).0.to_be_bytes());
    let mut columns: Vec<(String, ArrayRef)> =
        vec![("id".into(), Arc::new(FixedSizeBinaryArray::try_from_iter(ids).unwrap()))];
    for column in 0..20_u32 {
        let rows = rows.clone();
        let cells: ArrayRef = match column {
            0..10 => Arc::new(StringArray::from_iter(
                rows.map(|row| (row % 7 != column % 7).then(|| format!("AW{row:08} {column}"))),
            )),
            10..14 => Arc::new(Int32Array::from_iter(rows.map(|row| row.try_into().ok()))),
            14..16 => Arc::new(Decimal128Array::from_iter(rows.map(|row| Some(i128::from(row))))),
            _ => Arc::new(TimestampMicrosecondArray::from_iter(rows.map(|row| Some(row.into())))),
        };
        columns.push((format!("c{column}"), cells));
    }
    RecordBatch::try_from_iter(columns).unwrap()
}

fn measured(rows: u32, memory_max: usize, columns: &[usize], what: &str) {
    let folder = tempfile::tempdir().unwrap();
    let room = Room { folder: folder.path().into(), memory_max };
    let schema: SchemaRef = batch(0..1).schema().project(columns).unwrap().into();
    let mut builder = SnapshotBuilder::new(schema, &room).unwrap();
    let mut built = Duration::ZERO;
    for first in (0..rows).step_by(5000) {
        let range = first..rows.min(first + 5000);
        let rows = batch(range.clone()).project(columns).unwrap();
        let keys: Vec<_> = range.map(|row| Some(hash(row))).collect();
        let began = now();
        builder.push(&rows, &keys).unwrap();
        built += began.elapsed();
    }
    let began = now();
    let snapshot = builder.finish().unwrap();
    built = (built + began.elapsed()) / rows;

    // In another order than the rows were pushed.
    let asked: Vec<_> = (0..rows).map(|row| Some(hash(row.wrapping_mul(7919) % rows))).collect();
    let began = now();
    let mut found = 0;
    for keys in asked.chunks(8192) {
        found += snapshot.lookup(keys).unwrap().rows.num_rows();
    }
    let looked_up = each(began, rows);
    assert_eq!(found, asked.len());
    let began = now();
    for keys in asked.chunks(8192) {
        found -= snapshot.lookup_ids(keys).unwrap().rows.num_rows();
    }
    let ids = each(began, rows);
    assert_eq!(found, 0);
    println!("{rows} rows {what}: built {built:?}, found {looked_up:?}, ids found {ids:?} a row");
}

#[test]
fn what_a_row_of_a_snapshot_costs_is_printed() {
    let all: Vec<usize> = (0..21).collect();
    measured(rows_max() / 20, 512 << 20, &all, "in memory");
    measured(rows_max(), 32 << 20, &all, "on disk");
    measured(rows_max(), 256 << 10, &all, "on disk, with 256 KiB");
    measured(rows_max(), 32 << 20, &[0], "of ids only");
}

#[test]
fn what_a_key_and_an_id_cost_is_printed() {
    let rows = rows_max();
    for (memory_max, what) in [(32 << 20, "32 MiB"), (4 << 20, "4 MiB")] {
        let folder = tempfile::tempdir().unwrap();
        let room = Room { folder: folder.path().into(), memory_max };
        let began = now();
        let mut duplicates = Duplicates::new(Keep::Last, &room);
        for row in 0..rows {
            duplicates.push(hash(row % (rows - rows / 10)), row.into(), None).unwrap();
        }
        let mut losers = duplicates.finish().unwrap();
        let lost = (0..rows).filter(|&row| losers.standing(row.into()).unwrap() != Standing::Kept);
        assert_eq!(lost.count(), usize::try_from(rows / 10).unwrap());
        let key = each(began, rows);

        let began = now();
        let mut seen = Seen::new(&room);
        for row in 0..rows {
            assert!(seen.insert(Uuid::from_u128(hash(row).0)).unwrap());
        }
        let id = each(began, rows);
        println!("{rows} rows with {what}: key {key:?}, id {id:?} a row");
    }
}
