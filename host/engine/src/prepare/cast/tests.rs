use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    BinaryArray, BooleanArray, Float64Array, Int8Array, Int64Array, StringArray,
    TimestampNanosecondArray, UInt64Array,
};
use dvsync_model::{LookupTarget, LookupValue, Required};
use uuid::Uuid;

use super::*;

fn column(kind: Kind) -> Column {
    Column {
        logical_name: "c".into(),
        kind,
        required: Required::No,
        valid_for_create: true,
        valid_for_update: true,
        valid_for_read: true,
    }
}

fn cast(kind: Kind, array: impl Array + 'static) -> (ArrayRef, Vec<(usize, &'static str)>) {
    cast_by(CellRules::default(), kind, array)
}

fn cast_by(
    rules: CellRules,
    kind: Kind,
    array: impl Array + 'static,
) -> (ArrayRef, Vec<(usize, &'static str)>) {
    let array: ArrayRef = Arc::new(array);
    let (out, misfits) = to_canonical(&column(kind.clone()), &rules, &array).unwrap();
    assert_eq!(out.data_type(), &kind.arrow_type());
    assert_eq!(out.len(), array.len());
    for misfit in &misfits {
        assert!(out.is_null(misfit.row), "a misfit leaves no value behind");
    }
    (out, misfits.iter().map(|misfit| (misfit.row, misfit.code)).collect())
}

fn shown(array: &ArrayRef) -> Vec<String> {
    let text = crate::keys::text(array).unwrap();
    text.iter().map(|v| v.unwrap_or("-").to_owned()).collect()
}

#[test]
fn text_is_measured_in_utf16_units_and_never_empty() {
    let texts = StringArray::from(vec![Some("abc"), Some(""), None, Some("äöü"), Some("a😀b")]);
    let (out, misfits) = cast(Kind::Text { length_max: 3 }, texts.clone());
    assert_eq!(shown(&out), ["abc", "-", "-", "äöü", "-"]);
    assert_eq!(misfits, [(4, "text_too_long")]);
    let rules = CellRules { too_long: TooLong::Truncate, ..CellRules::default() };
    let (out, misfits) = cast_by(rules, Kind::Text { length_max: 2 }, texts);
    assert_eq!(shown(&out), ["ab", "-", "-", "äö", "a"]);
    assert!(misfits.is_empty());
}

#[test]
fn control_characters_cost_the_row() {
    let (_, misfits) =
        cast(Kind::Memo { length_max: 99 }, StringArray::from(vec!["a\u{1}", "a\nb"]));
    assert_eq!(misfits, [(0, "invalid_character")]);
}

#[test]
fn whole_numbers_come_from_anything_that_is_whole() {
    let kind = || Kind::Integer { min: -5, max: 100 };
    let (out, misfits) = cast(kind(), StringArray::from(vec!["7", " 8 ", "4+", "101", ""]));
    assert_eq!(shown(&out), ["7", "8", "-", "-", "-"]);
    assert_eq!(misfits, [(2, "type_mismatch"), (3, "out_of_range")]);
    let (out, misfits) = cast(kind(), Float64Array::from(vec![7.0, 7.5]));
    assert_eq!((shown(&out), misfits), (vec!["7".into(), "-".into()], vec![(1, "type_mismatch")]));
    assert_eq!(shown(&cast(kind(), Int8Array::from(vec![3])).0), ["3"]);
    assert_eq!(cast(Kind::BigInt, UInt64Array::from(vec![u64::MAX])).1, [(0, "type_mismatch")]);
}

#[test]
fn money_has_scale_four_and_the_columns_precision() {
    let kind = || Kind::Money { precision: 2, min: 0.0, max: 1e6 };
    let (out, misfits) = cast(kind(), StringArray::from(vec!["80000", "1.005", "-1", "1e9"]));
    assert_eq!(shown(&out), ["80000.0000", "1.0100", "-", "-"]);
    assert_eq!(misfits, [(2, "out_of_range"), (3, "out_of_range")]);
    assert_eq!(shown(&cast(kind(), Float64Array::from(vec![0.1 + 0.2])).0), ["0.3000"]);
    assert_eq!(shown(&cast(kind(), Int64Array::from(vec![5])).0), ["5.0000"]);
}

#[test]
fn choices_must_exist() {
    let kind = || Kind::Choice { options: vec![1, 2] };
    let rules = CellRules { options: BTreeMap::from([("BM".into(), 1)]), ..Default::default() };
    let (out, misfits) = cast_by(rules, kind(), StringArray::from(vec!["BM", "2", "3", "XX", ""]));
    assert_eq!(shown(&out), ["1", "2", "-", "-", "-"]);
    assert_eq!(misfits, [(2, "unknown_choice"), (3, "unknown_choice")]);
    let (out, misfits) = cast(
        Kind::MultiChoice { options: vec![1, 4, 9] },
        StringArray::from(vec!["9, 1,9", "", "1,5"]),
    );
    assert_eq!(shown(&out), ["1,9", "-", "-"]);
    assert_eq!(misfits, [(2, "unknown_choice")]);
}

#[test]
fn instants_are_whole_seconds_and_days_have_no_time() {
    let nanos = TimestampNanosecondArray::from(vec![1_757_589_307_497_000_000]);
    assert_eq!(shown(&cast(Kind::DateTime, nanos.clone()).0), ["2025-09-11T11:15:07Z"]);
    assert_eq!(cast(Kind::DateOnly, nanos).1, [(0, "type_mismatch")]);
    let texts = StringArray::from(vec!["2025-09-11", "1700-01-01", "soon"]);
    let (out, misfits) = cast(Kind::DateOnly, texts);
    assert_eq!(shown(&out), ["2025-09-11", "-", "-"]);
    assert_eq!(misfits, [(1, "out_of_range"), (2, "type_mismatch")]);
}

#[test]
fn booleans_come_from_flags() {
    let texts = StringArray::from(vec!["TRUE", "0", "yes", ""]);
    let (out, misfits) = cast(Kind::Boolean, texts);
    assert_eq!(shown(&out), ["true", "false", "-", "-"]);
    assert_eq!(misfits, [(2, "type_mismatch")]);
    assert_eq!(cast(Kind::Boolean, Int64Array::from(vec![1, 2])).1, [(1, "type_mismatch")]);
}

#[test]
fn ids_are_read_as_guids() {
    let text = "7f1c2c7e-0c6e-4d0e-9a66-1f7a54a1e001";
    let texts = || StringArray::from(vec![Some(text), Some("AW1"), None]);
    let (out, misfits) = cast(Kind::Uniqueidentifier, texts());
    assert_eq!(out.as_fixed_size_binary().value(0), Uuid::try_parse(text).unwrap().as_bytes());
    assert_eq!(misfits, [(1, "type_mismatch")]);
    let target = |name: &str| LookupTarget {
        entity: name.into(),
        entity_set: format!("{name}s"),
        navigation_property: "p".into(),
    };
    let rules = CellRules { lookup_target: 1, ..Default::default() };
    let kind = Kind::Lookup { targets: vec![target("account"), target("contact")] };
    let (out, _) = cast_by(rules, kind, texts());
    let value = LookupValue::from_bytes(out.as_fixed_size_binary().value(0)).unwrap();
    assert_eq!((value.target, value.id.to_string().as_str()), (1, text));
}

#[test]
fn a_type_that_can_never_fit_is_told_with_both_names() {
    let array: ArrayRef = Arc::new(BinaryArray::from(vec![b"x".as_slice()]));
    let error = to_canonical(&column(Kind::Boolean), &CellRules::default(), &array).unwrap_err();
    assert_eq!(error.to_string(), "cannot write `Binary` to boolean column `c`");
    let array: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    assert!(to_canonical(&column(Kind::DateTime), &CellRules::default(), &array).is_err());
}
