use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, Float64Array, Int32Array, Int64Array, LargeStringArray, RecordBatch,
    StringArray, StringViewArray, TimestampMillisecondArray,
};
use arrow_schema::DataType;
use dvsync_sources::{Scan, SourceKind, open};
use expect_test::{Expect, expect};
use parquet::arrow::ArrowWriter;
use parquet::data_type::{Int96, Int96Type};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use crate::table::{arrow_file, arrow_stream, parquet, table};
use crate::world::{World, read, rows, story};

type Writer = fn(&RecordBatch) -> Vec<u8>;

const WRITERS: [(&str, SourceKind, Writer); 3] = [
    ("t.parquet", SourceKind::Parquet, parquet),
    ("t.arrow", SourceKind::Arrow, arrow_file),
    ("t.arrows", SourceKind::Arrow, arrow_stream),
];

/// Every binary format tells the same.
fn check(columns: &[(&str, ArrayRef)], types: &[(&str, &str)], expected: &Expect) {
    let table = RecordBatch::try_from_iter_with_nullable(
        columns.iter().map(|(n, c)| (n, Arc::clone(c), true)),
    )
    .unwrap();
    for (name, kind, write) in WRITERS {
        let mut world = World::new(kind, &[("t", &write(&table))]);
        world.declare(types);
        println!("{name}");
        expected.assert_eq(&story(&world.settings));
    }
}

#[test]
fn text_is_plain_and_dictionaries_are_unpacked() {
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    dictionary.extend([Some("x"), None, Some("x")]);
    let words = [Some("one"), None, Some("a text longer than a view holds inside")];
    check(
        &[
            ("large", Arc::new(LargeStringArray::from_iter(words))),
            ("view", Arc::new(StringViewArray::from_iter(words))),
            ("dictionary", Arc::new(dictionary.finish())),
            ("small", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]))),
        ],
        &[],
        &expect![[r#"
            large Utf8, view Utf8, dictionary Utf8, small Int32
            #0 0:1 | one | one | x | 1
            #1 0:2 | - | - | - | -
            #2 0:3 | a text longer than a view holds inside | a text longer than a view holds inside | x | 3"#]],
    );
}

#[test]
fn declared_types_are_cast_to_and_misfits_are_bad() {
    check(
        &[
            ("code", Arc::new(Int64Array::from(vec![Some(7), None, Some(9), Some(10)]))),
            ("count", Arc::new(StringArray::from(vec![Some("007"), Some(""), Some("x"), None]))),
            ("price", Arc::new(StringArray::from(vec!["1.5", "1", "2.555", "3"]))),
        ],
        &[("code", "text"), ("count", "int64"), ("price", "decimal(8,2)")],
        &expect![[r#"
            code Utf8, count Int64, price Decimal128(8, 2)
            #0 0:1 | 7 | 7 | 1.50
            #1 0:2 | - | - | 1.00
            #2 0:3 type_mismatch [count]: cannot read column `count`: expected int64, found `x`; hint: `types` says int64: correct the value or declare `count = "text"`
            #3 0:4 | 10 | - | 3.00"#]],
    );
}

#[test]
fn instants_are_kept_in_their_zone_and_become_text_in_utc() {
    let at = TimestampMillisecondArray::from(vec![1_757_589_307_497]);
    for (zone, types) in [("UTC", "text"), ("Europe/Berlin", "text"), ("+02:00", "text")] {
        check(
            &[("at", Arc::new(at.clone().with_timezone(zone)))],
            &[("at", types)],
            &expect!["at Utf8\n#0 0:1 | 2025-09-11T11:15:07.497Z"],
        );
    }
    check(
        &[("at", Arc::new(at.with_timezone("Europe/Berlin")))],
        &[("at", "timestamp")],
        &expect![[r#"
            at Timestamp(ms, "Europe/Berlin")
            #0 0:1 | 2025-09-11T11:15:07.497Z"#]],
    );
}

#[test]
fn what_cannot_be_cast_without_loss_is_refused() {
    check(
        &[("amount", Arc::new(Float64Array::from(vec![1.5])))],
        &[("amount", "int64")],
        &expect![
            "error: cannot read column `amount` of `t`: expected int64, found float64; hint: declare another type in `types`"
        ],
    );
    check(
        &[("amount", Arc::new(Float64Array::from(vec![1.5])))],
        &[("amuont", "float64")],
        &expect![
            "error: a type is declared for column `amuont`, which `t` does not have; hint: did you mean `amount`?"
        ],
    );
}

#[test]
fn files_that_disagree_name_file_and_column() {
    let batch = |column: ArrayRef| RecordBatch::try_from_iter([("n", column)]).unwrap();
    let a = parquet(&batch(Arc::new(Int64Array::from(vec![1]))));
    let b = parquet(&batch(Arc::new(StringArray::from(vec!["x"]))));
    let mut world = World::new(SourceKind::Parquet, &[("a.parquet", &a), ("b.parquet", &b)]);
    expect![[r#"error: `b.parquet` has column `n` as text, `a.parquet` as int64; hint: declare one type for both: `n = "text"` in `types`"#]].assert_eq(&story(&world.settings));
    world.declare(&[("n", "text")]);
    expect![[r#"
        n Utf8
        #0 0:1 | 1
        #1 1:1 | x"#]]
    .assert_eq(&story(&world.settings));
}

#[test]
fn int96_is_a_timestamp() {
    let schema = Arc::new(parse_message_type("message m { required int96 at; }").unwrap());
    let properties = Arc::new(WriterProperties::builder().build());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    // Nanoseconds of the day, then the Julian day: 2025-09-11 00:00:01.
    let mut at = Int96::new();
    at.set_data(1_000_000_000, 0, 2_460_930);
    column.typed::<Int96Type>().write_batch(&[at], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    let world = World::new(SourceKind::Parquet, &[("t.parquet", &file.into_inner().unwrap())]);
    expect![[r#"
        at Timestamp(ns)
        #0 0:1 | 2025-09-11T00:00:01"#]]
    .assert_eq(&story(&world.settings));
}

#[test]
fn a_projection_reads_only_its_columns() {
    // The other column's pages are spoilt: reading it would fail.
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
    let marker = "spoil me ".repeat(20);
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..1000).map(|_| &marker)));
    let table = RecordBatch::try_from_iter([("n", numbers), ("text", texts)]).unwrap();
    let properties =
        WriterProperties::builder().set_statistics_enabled(EnabledStatistics::None).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties)).unwrap();
    writer.write(&table).unwrap();
    let mut bytes = writer.into_inner().unwrap();
    let places: Vec<_> = bytes
        .windows(marker.len())
        .enumerate()
        .filter(|(_, window)| *window == marker.as_bytes())
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at - 20..at + 20].fill(0xff);
    }
    let world = World::new(SourceKind::Parquet, &[("t.parquet", &bytes)]);
    let source = world.open();
    let scan = Scan { columns: Some(vec!["n".into()]), ..Scan::default() };
    let read_rows: usize = read(source.as_ref(), &scan).iter().map(|c| c.rows.num_rows()).sum();
    assert_eq!(read_rows, 1000);
    assert!(source.scan(&Scan::default()).unwrap().any(|chunk| chunk.is_err()));
}

#[test]
fn a_stream_or_file_that_is_cut_short_says_so_when_it_is_opened() {
    let table = table(0, 300);
    for (name, kind, write) in WRITERS {
        let bytes = write(&table);
        for kept in [bytes.len() / 2, 20, 5] {
            let world = World::new(kind, &[(name, &bytes[..kept])]);
            let error = open(&world.settings).err().unwrap();
            assert_eq!(error.to_string(), format!("cannot read `{name}` as {kind}"));
            assert!(std::error::Error::source(&error).is_some());
        }
    }
}

#[test]
fn batches_of_any_size_become_bounded_chunks() {
    let table = table(0, 20_000);
    let mut writer = arrow_ipc::writer::FileWriter::try_new(Vec::new(), &table.schema()).unwrap();
    writer.write(&table).unwrap();
    writer.flush().unwrap();
    let world = World::new(SourceKind::Arrow, &[("t.arrow", &writer.into_inner().unwrap())]);
    let source = world.open();
    let chunks = read(source.as_ref(), &Scan::default());
    let lengths: Vec<_> = chunks.iter().map(|chunk| chunk.rows.num_rows()).collect();
    assert_eq!(lengths, [8192, 8192, 3616]);
    assert_eq!(rows(source.as_ref(), &chunks), table);
    assert_eq!(chunks[1].rows.column(0).data_type(), &DataType::Int64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_bytes_are_errors_never_panics(
        form in 0_usize..3,
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        near_the_end: bool,
    ) {
        let (name, kind, write) = WRITERS[form];
        let mut bytes = write(&table(0, 120));
        let length = bytes.len();
        let from = if near_the_end { length - length.min(700) } else { 0 };
        for (place, byte) in flips {
            bytes[from + place.index(length - from)] ^= byte;
        }
        let world = World::new(kind, &[(name, &bytes)]);
        if let Ok(source) = open(&world.settings) {
            for chunk in source.scan(&Scan::default()).unwrap() {
                let Ok(chunk) = chunk else { break };
                prop_assert!(chunk.rows.num_rows() > 0);
            }
        }
    }
}
