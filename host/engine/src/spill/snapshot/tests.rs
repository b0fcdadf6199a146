//! Against a map of whole rows, with so little memory that all is on disk.

use std::collections::HashMap;

use arrow_array::UInt32Array;
use arrow_array::{
    BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array, Int32Array,
    Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{Field, Schema, TimeUnit};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use proptest::prelude::*;

use super::*;

/// A cell of every canonical type (`Kind::arrow_type`).
#[derive(Debug, Clone)]
struct Row {
    key: Option<u8>,
    text: Option<String>,
    integer: Option<i64>,
    choice: Option<i32>,
    decimal: Option<i128>,
    double: Option<f64>,
    boolean: Option<bool>,
    moment: Option<i64>,
    day: Option<i32>,
    lookup: Option<[u8; 17]>,
    other: Option<[u8; 16]>,
}

fn row() -> impl Strategy<Value = Row> {
    let cells = (
        proptest::option::of("[a-zä\\x00]{0,40}"),
        any::<Option<i64>>(),
        any::<Option<i32>>(),
        proptest::option::of(-10_i128.pow(30)..10_i128.pow(30)),
        any::<Option<f64>>(),
        any::<Option<bool>>(),
        any::<Option<i64>>(),
        any::<Option<i32>>(),
        any::<Option<[u8; 17]>>(),
        any::<Option<[u8; 16]>>(),
    );
    (proptest::option::weighted(0.9, 0..40_u8), cells).prop_map(|(key, cells)| {
        let (text, integer, choice, decimal, double, boolean, moment, day, lookup, other) = cells;
        Row { key, text, integer, choice, decimal, double, boolean, moment, day, lookup, other }
    })
}

fn schema() -> SchemaRef {
    let moment = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let columns = [
        ("text", DataType::Utf8),
        ("integer", DataType::Int64),
        ("choice", DataType::Int32),
        ("decimal", DataType::Decimal128(38, 4)),
        ("double", DataType::Float64),
        ("boolean", DataType::Boolean),
        ("moment", moment),
        ("day", DataType::Date32),
        ("lookup", DataType::FixedSizeBinary(17)),
        ("other", DataType::FixedSizeBinary(16)),
    ];
    let mut fields = vec![Field::new("id", DataType::FixedSizeBinary(16), false)];
    fields.extend(columns.map(|(name, kind)| Field::new(name, kind, true)));
    Arc::new(Schema::new(fields))
}

fn ids(first: usize, count: usize) -> FixedSizeBinaryArray {
    let ids = (first..first + count).map(|id| (id as u128).to_be_bytes());
    FixedSizeBinaryArray::try_from_iter(ids).unwrap_or_else(|_| {
        FixedSizeBinaryArray::try_new(16, arrow_buffer::Buffer::default(), None).unwrap()
    })
}

fn batch(first: usize, rows: &[Row]) -> RecordBatch {
    macro_rules! column {
        ($kind:ident, $name:ident) => {
            $kind::from_iter(rows.iter().map(|row| row.$name.clone()))
        };
    }
    macro_rules! fixed {
        ($size:literal, $name:ident) => {{
            let cells = rows.iter().map(|row| row.$name);
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(cells, $size).unwrap())
        }};
    }
    let decimal = column!(Decimal128Array, decimal).with_precision_and_scale(38, 4).unwrap();
    let columns: Vec<arrow_array::ArrayRef> = vec![
        Arc::new(ids(first, rows.len())),
        Arc::new(column!(StringArray, text)),
        Arc::new(column!(Int64Array, integer)),
        Arc::new(column!(Int32Array, choice)),
        Arc::new(decimal),
        Arc::new(column!(Float64Array, double)),
        Arc::new(column!(BooleanArray, boolean)),
        Arc::new(column!(TimestampMicrosecondArray, moment).with_timezone("UTC")),
        Arc::new(column!(Date32Array, day)),
        fixed!(17, lookup),
        fixed!(16, other),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

fn hash(key: u8) -> KeyHash {
    // Some lie together, some far apart.
    KeyHash(u128::from(key) << (u32::from(key % 3) * 50))
}

fn keys(rows: &[Row]) -> Vec<Option<KeyHash>> {
    rows.iter().map(|row| row.key.map(hash)).collect()
}

struct Built {
    _folder: tempfile::TempDir,
    snapshot: Snapshot,
    all: RecordBatch,
}

fn built(rows: &[Row], per_batch: usize, memory_max: usize) -> Built {
    let folder = tempfile::tempdir().unwrap();
    let room = Room { folder: folder.path().into(), memory_max };
    let mut builder = SnapshotBuilder::new(schema(), &room).unwrap();
    let mut all = Vec::new();
    for (number, rows) in rows.chunks(per_batch).enumerate() {
        let batch = batch(number * per_batch, rows);
        builder.push(&batch, &keys(rows)).unwrap();
        all.push(batch);
    }
    let all = concat_batches(&schema(), &all).unwrap();
    Built { _folder: folder, snapshot: builder.finish().unwrap(), all }
}

proptest! {
    #[test]
    fn the_same_rows_are_found_as_by_a_map(
        rows in proptest::collection::vec(row(), 0..200),
        asked in proptest::collection::vec(proptest::option::weighted(0.9, 0..50_u8), 0..120),
        per_batch in 1..60_usize,
        memory_max in prop_oneof![Just(0_usize), Just(9_000), Just(1 << 24)],
    ) {
        let Built { snapshot, all, .. } = &built(&rows, per_batch, memory_max);
        prop_assert_eq!(snapshot.len(), rows.len() as u64);
        let mut model: HashMap<u8, Vec<u32>> = HashMap::new();
        for (at, row) in (0..).zip(&rows) {
            if let Some(key) = row.key {
                model.entry(key).or_default().push(at);
            }
        }
        let mut hits = Vec::new();
        let mut positions: Vec<u32> = Vec::new();
        for key in &asked {
            let of_key = key.and_then(|key| model.get(&key)).cloned().unwrap_or_default();
            let from = u32::try_from(positions.len()).unwrap();
            positions.extend(&of_key);
            hits.push(match of_key.len() {
                0 => Hit::None,
                1 => Hit::One(from),
                total => {
                    let rows = from..from + u32::try_from(total).unwrap();
                    Hit::Many { rows, total: total as u64 }
                }
            });
        }
        let expected = take_record_batch(all, &UInt32Array::from(positions)).unwrap();
        let asked: Vec<_> = asked.iter().map(|key| key.map(hash)).collect();
        let found = snapshot.lookup(&asked).unwrap();
        prop_assert_eq!(&found.hits, &hits);
        prop_assert_eq!(&found.rows, &expected);
        let found = snapshot.lookup_ids(&asked).unwrap();
        prop_assert_eq!(&found.hits, &hits);
        prop_assert_eq!(found.rows, expected.project(&[0]).unwrap());
    }

    #[test]
    fn ids_alone_need_no_other_columns(
        keys in proptest::collection::vec(proptest::option::of(0..30_u8), 1..200),
        memory_max in prop_oneof![Just(0_usize), Just(1 << 20)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let room = Room { folder: folder.path().into(), memory_max };
        let schema: SchemaRef = Arc::new(schema().project(&[0]).unwrap());
        let mut builder = SnapshotBuilder::new(Arc::clone(&schema), &room).unwrap();
        let hashes: Vec<_> = keys.iter().map(|key| key.map(hash)).collect();
        let rows = RecordBatch::try_new(schema, vec![Arc::new(ids(0, keys.len()))]).unwrap();
        builder.push(&rows, &hashes).unwrap();
        let snapshot = builder.finish().unwrap();
        for key in 0..30 {
            let found = snapshot.lookup(&[Some(hash(key))]).unwrap();
            let model: Vec<u32> = (0..).zip(&keys).filter(|(_, of)| **of == Some(key)).map(|(at, _)| at).collect();
            let expected = take_record_batch(&rows, &UInt32Array::from(model)).unwrap();
            prop_assert_eq!(found.rows, expected);
        }
    }
}

#[test]
fn of_a_key_with_very_many_rows_some_are_listed_and_all_are_counted() {
    let one = Row { key: Some(1), ..some_row() };
    let Built { snapshot, .. } = built(&vec![one; 1000], 64, 0);
    let found = snapshot.lookup(&[None, Some(hash(1)), Some(hash(1))]).unwrap();
    let many = |rows| Hit::Many { rows, total: 1000 };
    assert_eq!(found.hits, [Hit::None, many(0..100), many(100..200)]);
    assert_eq!(found.rows.num_rows(), 200);
}

#[test]
fn rows_that_do_not_fit_the_schema_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::new(folder.path());
    let no_id: SchemaRef = Arc::new(schema().project(&[1]).unwrap());
    let error = SnapshotBuilder::new(Arc::clone(&no_id), &room).unwrap_err();
    let expected =
        "cannot spill rows with a column 0 of Utf8: a primary id of 16 bytes was expected";
    assert_eq!(error.to_string(), expected);
    let mut builder = SnapshotBuilder::new(schema(), &room).unwrap();
    let rows = batch(0, &[some_row()]);
    let error = builder.push(&rows, &[]).unwrap_err();
    assert_eq!(error.to_string(), "cannot spill 1 rows with 0 keys");
    builder.push(&rows.project(&[0, 1]).unwrap(), &[None]).unwrap_err();
    builder.push(&RecordBatch::new_empty(schema()), &[]).unwrap();
    let snapshot = builder.finish().unwrap();
    assert!(snapshot.is_empty());
    assert_eq!(snapshot.lookup(&[Some(hash(1))]).unwrap().hits, [Hit::None]);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap().path().join("gone");
    let room = Room { folder, memory_max: 0 };
    let mut builder = SnapshotBuilder::new(schema(), &room).unwrap();
    let error = builder.push(&batch(0, &[some_row()]), &[Some(hash(1))]).unwrap_err();
    assert!(matches!(error, SpillError::Io { verb: "create", .. }), "{error:?}");
    assert!(error.hint().is_some());
}

fn some_row() -> Row {
    Row {
        key: None,
        text: Some("Contoso".into()),
        integer: Some(1),
        choice: None,
        decimal: Some(125_000),
        double: Some(-0.0),
        boolean: Some(true),
        moment: Some(0),
        day: None,
        lookup: None,
        other: None,
    }
}
