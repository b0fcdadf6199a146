//! What is written is what is read back, cell by cell.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
    Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use dvsync_model::LookupValue;
use futures::StreamExt;
use proptest::prelude::*;

use super::scripted::{Service, client, json, settings};
use super::tables::{account, id};
use crate::{Address, EncodeError, Field, Operation, Select, WriteBuilder};

fn field(column: &str, array: ArrayRef) -> Result<Field, EncodeError> {
    Field::new(account().column(column).unwrap(), array)
}

fn lookups(cells: &[Option<LookupValue>]) -> ArrayRef {
    let cells: Vec<Option<[u8; 17]>> =
        cells.iter().map(|cell| cell.map(LookupValue::to_bytes)).collect();
    Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(cells.into_iter(), 17).unwrap())
}

fn encoded(fields: &[Field], row: usize) -> String {
    let mut builder = WriteBuilder::new(account(), Operation::Update);
    builder.push(Address::Id(id(1)), fields, row, &|_| true);
    builder.finish().record_json(0).unwrap()
}

#[test]
fn each_kind_has_its_json_form() {
    let contact = LookupValue { target: 0, id: id(0xAB) };
    let team = LookupValue { target: 1, id: id(0xCD) };
    for (column, array, expected) in [
        (
            "name",
            Arc::new(StringArray::from(vec!["a \"b\"\u{1}"])) as ArrayRef,
            r#"{"name":"a \"b\""}"#,
        ),
        ("numberofemployees", Arc::new(Int64Array::from(vec![-7])), r#"{"numberofemployees":-7}"#),
        (
            "new_rate",
            Arc::new(Decimal128Array::from(vec![-5]).with_precision_and_scale(38, 3).unwrap()),
            r#"{"new_rate":-0.005}"#,
        ),
        (
            "revenue",
            Arc::new(
                Decimal128Array::from(vec![i128::from(i64::MAX)])
                    .with_precision_and_scale(38, 4)
                    .unwrap(),
            ),
            r#"{"revenue":922337203685477.5807}"#,
        ),
        (
            "address1_latitude",
            Arc::new(Float64Array::from(vec![47.63958])),
            r#"{"address1_latitude":47.63958}"#,
        ),
        ("donotphone", Arc::new(BooleanArray::from(vec![true])), r#"{"donotphone":true}"#),
        (
            "lastonholdtime",
            Arc::new(
                TimestampMicrosecondArray::from(vec![1_932_798_600_000_000]).with_timezone("UTC"),
            ),
            r#"{"lastonholdtime":"2031-04-01T08:30:00Z"}"#,
        ),
        ("new_since", Arc::new(Date32Array::from(vec![22_370])), r#"{"new_since":"2031-04-01"}"#),
        ("statecode", Arc::new(Int32Array::from(vec![1])), r#"{"statecode":1}"#),
        ("new_tags", Arc::new(StringArray::from(vec!["1,4"])), r#"{"new_tags":"1,4"}"#),
        ("name", Arc::new(StringArray::from(vec![None::<&str>])), r#"{"name":null}"#),
        (
            "primarycontactid",
            lookups(&[Some(contact)]),
            r#"{"primarycontactid@odata.bind":"/contacts(00000000-0000-0000-0000-0000000000ab)"}"#,
        ),
        (
            "ownerid",
            lookups(&[Some(team)]),
            r#"{"ownerid@odata.bind":"/teams(00000000-0000-0000-0000-0000000000cd)"}"#,
        ),
        ("primarycontactid", lookups(&[None]), r#"{"primarycontactid@odata.bind":null}"#),
    ] {
        assert_eq!(encoded(&[field(column, array).unwrap()], 0), expected, "{column}");
    }
}

#[test]
fn only_the_fields_that_are_asked_for_are_written() {
    let fields = [
        field("name", Arc::new(StringArray::from(vec!["A"]))).unwrap(),
        field("donotphone", Arc::new(BooleanArray::from(vec![true]))).unwrap(),
    ];
    let mut builder = WriteBuilder::new(account(), Operation::Update);
    builder.push(Address::Id(id(1)), &fields, 0, &|position| position == 1);
    let none: &dyn Fn(usize) -> bool = &|_| false;
    builder.push(Address::Id(id(2)), &fields, 0, none);
    assert_eq!(builder.len(), 2);
    let bytes = builder.bytes();
    let write = builder.finish();
    assert_eq!(write.bytes(), bytes);
    assert_eq!(write.record_json(0).as_deref(), Some("{\"donotphone\":true}"));
    assert_eq!(write.record_json(1).as_deref(), Some("{}"));
    assert_eq!(write.record_json(2), None);
}

#[test]
fn cells_without_a_json_form_are_refused_by_column_and_row() {
    let refused = [
        field("name", Arc::new(Int64Array::from(vec![1]))),
        field("address1_latitude", Arc::new(Float64Array::from(vec![1.0, f64::NAN]))),
        field("primarycontactid", lookups(&[None, Some(LookupValue { target: 1, id: id(1) })])),
        field("entityimage", Arc::new(StringArray::from(vec!["x"]))),
    ]
    .map(|result| result.unwrap_err().to_string());
    assert_eq!(
        refused,
        [
            "column `name`: expected cells of type Utf8, found Int64",
            "column `address1_latitude`, row 1: `NaN` is not a finite number",
            "column `primarycontactid`, row 1: a lookup with 1 targets has no target 1",
            "column `entityimage` is of kind `Image`, which cannot be written",
        ]
    );
}

/// Canonical text: never empty, nothing that XML forbids.
fn text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(
        "[\\PC\t\n\r\"\\\\]{1,20}"
            .prop_filter("allowed in XML", |text| !text.contains(['\u{fffe}', '\u{ffff}'])),
    )
}

fn batch() -> impl Strategy<Value = RecordBatch> {
    let first = (
        text(),
        any::<Option<i32>>(),
        any::<Option<i64>>(),
        any::<Option<bool>>(),
        proptest::option::of(-(10_i128.pow(37))..10_i128.pow(37)),
        proptest::option::of(-1e15..1e15),
    );
    let second = (
        proptest::option::of(-6_847_804_800_i64..253_402_207_200),
        proptest::option::of(-79_258..2_932_896),
        proptest::option::of(proptest::collection::btree_set(0..9_i32, 1..4)),
        any::<Option<u128>>(),
    );
    proptest::collection::vec((first, second), 0..12).prop_map(|rows| {
        let decimals = |scale| -> ArrayRef {
            let values: Decimal128Array = rows.iter().map(|row| row.0.4).collect();
            Arc::new(values.with_precision_and_scale(38, scale).unwrap())
        };
        let instants: TimestampMicrosecondArray =
            rows.iter().map(|row| row.1.0.map(|seconds| seconds * 1_000_000)).collect();
        let tags: StringArray = rows
            .iter()
            .map(|row| {
                let tags = row.1.2.as_ref()?;
                Some(tags.iter().map(i32::to_string).collect::<Vec<_>>().join(","))
            })
            .collect();
        let guids: Vec<Option<[u8; 16]>> =
            rows.iter().map(|row| row.1.3.map(u128::to_be_bytes)).collect();
        let guids = FixedSizeBinaryArray::try_from_sparse_iter_with_size(guids.into_iter(), 16);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("accountid", Arc::new(guids.unwrap())),
            ("name", Arc::new(rows.iter().map(|row| row.0.0.as_deref()).collect::<StringArray>())),
            ("statuscode", Arc::new(rows.iter().map(|row| row.0.1).collect::<Int32Array>())),
            ("versionnumber", Arc::new(rows.iter().map(|row| row.0.2).collect::<Int64Array>())),
            ("donotphone", Arc::new(rows.iter().map(|row| row.0.3).collect::<BooleanArray>())),
            ("new_rate", decimals(3)),
            ("revenue", decimals(4)),
            (
                "address1_latitude",
                Arc::new(rows.iter().map(|row| row.0.5).collect::<Float64Array>()),
            ),
            ("lastonholdtime", Arc::new(instants.with_timezone("UTC"))),
            ("new_since", Arc::new(rows.iter().map(|row| row.1.1).collect::<Date32Array>())),
            ("new_tags", Arc::new(tags)),
        ];
        RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The GUIDs are encoded as a field here, so they may be null; as the
    /// primary id they are checked by the other tests.
    #[test]
    fn canonical_cells_survive_the_way_to_json_and_back(batch in batch()) {
        let names: Vec<String> =
            batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let fields: Vec<Field> = names
            .iter()
            .zip(batch.columns())
            .map(|(name, array)| field(name, array.clone()).unwrap())
            .collect();
        let rows: Vec<String> = (0..batch.num_rows())
            .map(|row| {
                let cells = encoded(&fields[1..], row);
                format!("{{\"accountid\":\"{}\",{}", id(row as u128), &cells[1..])
            })
            .collect();
        let body = format!("{{\"value\":[{}]}}", rows.join(","));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let back = runtime.block_on(async {
            let service = Service::playing([json(200, &body)]);
            let client = client(&service, settings(&["a"]));
            let select = Select { entity: account(), columns: names[1..].to_vec(), filter: None };
            client.pages(&select).next().await.unwrap().unwrap()
        });
        prop_assert_eq!(&back.columns()[1..], &batch.columns()[1..]);
    }

    #[test]
    fn no_page_panics(body in ".{0,80}", value in "[\\[\\]{}:,\"a-z0-9.@_-]{0,60}") {
        let select = Select { entity: account(), columns: vec!["name".to_owned(), "ownerid".to_owned()], filter: None };
        for body in [body, format!("{{\"value\":[{{{value}")] {
            let _page = crate::read::decode_page(&select, body.as_bytes());
        }
    }
}
