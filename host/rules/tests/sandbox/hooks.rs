//! Each hook with a rule that behaves.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampNanosecondArray,
};
use dvsync_rules::{OwnerKind, Side, Transformed, VerdictKind, codes};

use crate::guests::{batch, bind_honest, sandbox};

fn source() -> RecordBatch {
    batch(vec![
        // Not asked for: it must not matter.
        ("secret", Arc::new(StringArray::from(vec!["x"; 6])) as ArrayRef),
        (
            "active",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), None, None, None])),
        ),
        (
            "name",
            Arc::new(StringArray::from(vec![
                Some("ab"),
                None,
                Some("reject"),
                Some("LEAVE"),
                Some("drop"),
                Some("defer"),
            ])),
        ),
        (
            "employees",
            Arc::new(Int32Array::from(vec![Some(1), Some(2), None, Some(4), Some(5), Some(6)])),
        ),
        (
            "revenue",
            Arc::new(Float64Array::from(vec![Some(12.5), None, Some(0.0), None, None, None])),
        ),
        (
            "joined",
            Arc::new(TimestampNanosecondArray::from(vec![
                Some(86_400_000_000_000),
                Some(-1_000),
                None,
                None,
                None,
                None,
            ])),
        ),
    ])
}

fn column<'a>(result: &'a Transformed, name: &str) -> &'a ArrayRef {
    let setting = result.columns.iter().find(|setting| setting.name == name);
    &setting.unwrap_or_else(|| panic!("`{name}` is set")).array
}

#[test]
fn transform_sets_columns_of_each_type_and_gives_verdicts() {
    let sandbox = sandbox();
    let bound = bind_honest(&sandbox);
    let result = bound.transform(&source()).expect("transformed");

    let names = StringArray::from(vec![
        Some("AB"),
        None,
        Some("REJECT"),
        Some("LEAVE"),
        Some("DROP"),
        Some("DEFER"),
    ]);
    assert_eq!(column(&result, "name").as_string::<i32>(), &names);
    let employees = Int64Array::from(vec![Some(2), Some(3), None, Some(5), Some(6), Some(7)]);
    assert_eq!(column(&result, "numberofemployees").as_primitive::<Int64Type>(), &employees);
    let revenue = column(&result, "revenue").as_primitive::<Decimal128Type>();
    assert_eq!((revenue.value(0), revenue.is_null(1)), (125_000, true));
    let since = column(&result, "since").as_primitive::<Date32Type>();
    assert_eq!((since.value(0), since.value(1), since.is_null(2)), (1, -1, true));
    let active = column(&result, "active").as_boolean();
    assert!(active.value(0) && active.is_null(1) && !active.value(2));
    let leave = result.columns[0].leave.as_ref().expect("cells to leave");
    assert_eq!(leave.set_indices().collect::<Vec<_>>(), [3]);

    let verdicts: Vec<_> =
        result.verdicts.iter().map(|verdict| (verdict.row, verdict.kind)).collect();
    assert_eq!(
        verdicts,
        [(2, VerdictKind::Reject), (4, VerdictKind::Drop), (5, VerdictKind::Defer)]
    );
    assert_eq!(result.verdicts[0].column.as_deref(), Some("name"));
    assert_eq!(result.verdicts[0].message, "ä".repeat(256));
    assert_eq!(result.faults, []);
    assert_eq!((bound.health().rechecked, bound.health().inconsistent), (1, 0));
}

#[test]
fn slices_are_judged_as_their_rows_alone() {
    let sandbox = sandbox();
    let bound = bind_honest(&sandbox);
    let whole = bound.transform(&source()).expect("transformed");
    for (start, len) in [(1, 3), (2, 4), (3, 0), (5, 1)] {
        let part = bound.transform(&source().slice(start, len)).expect("transformed");
        for setting in &part.columns {
            assert_eq!(&setting.array, &column(&whole, &setting.name).slice(start, len));
        }
    }
}

#[test]
fn a_column_that_is_not_required_and_not_there_comes_as_nulls() {
    let sandbox = sandbox();
    let bound = bind_honest(&sandbox);
    let rows = batch(vec![
        ("name", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
        ("employees", Arc::new(Int64Array::from(vec![1]))),
    ]);
    let result = bound.transform(&rows).expect("transformed");
    assert_eq!(column(&result, "revenue").null_count(), 1);
}

#[test]
fn a_value_that_the_asked_type_cannot_hold_is_a_fault_of_its_row() {
    let sandbox = sandbox();
    let bound = bind_honest(&sandbox);
    let rows = batch(vec![
        ("name", Arc::new(StringArray::from(vec!["a", "reject", "c"])) as ArrayRef),
        ("employees", Arc::new(StringArray::from(vec!["1", "many", "3"]))),
    ]);
    let result = bound.transform(&rows).expect("transformed");
    assert_eq!(result.verdicts, []);
    assert_eq!(result.faults.len(), 1);
    assert_eq!((result.faults[0].row, result.faults[0].code), (1, codes::TYPE_MISMATCH));
    assert_eq!(result.faults[0].message, "cannot read column `employees` as int64 without loss");
    let employees = column(&result, "numberofemployees").as_primitive::<Int64Type>();
    assert_eq!((employees.value(0), employees.value(2)), (2, 4));
}

#[test]
fn derive_gives_keys_of_both_sides() {
    let sandbox = sandbox();
    let bound = bind_honest(&sandbox);
    let rows =
        batch(vec![("name", Arc::new(StringArray::from(vec![Some("Ab"), None, Some("Ä")])))]);
    for side in [Side::Incoming, Side::Current] {
        let derived = bound.derive(side, &rows).expect("keys");
        assert_eq!(derived.keys, StringArray::from(vec!["ab", "", "ä"]));
        assert!(derived.faults.is_empty());
    }
}

#[test]
fn choose_picks_among_the_candidates_of_each_row() {
    let sandbox = sandbox();
    let bound = bind_honest(&sandbox);
    let names = |names: Vec<&str>| Arc::new(StringArray::from(names)) as ArrayRef;
    let incoming = batch(vec![("name", names(vec!["a", "b", "c"]))]);
    let ids = FixedSizeBinaryArray::try_from_iter((0u8..6).map(|id| [id; 16])).expect("ids");
    let candidates = batch(vec![("accountid", Arc::new(ids)), ("name", names(vec!["x"; 6]))]);
    let chosen = bound.choose(&incoming, &[0, 2, 3, 6], &candidates).expect("chosen");
    assert_eq!(chosen.chosen, [Some(1), None, Some(2)]);

    let error = bound.choose(&incoming, &[0, 2, 3, 7], &candidates).expect_err("offsets");
    assert_eq!(
        error.to_string(),
        "cannot call the rule `honest@1.2.3`: the offsets of candidates do not fit 3 rows and 6 \
         candidates"
    );
}

#[test]
fn state_leaves_what_is_right_already() {
    let sandbox = sandbox();
    let bound = bind_honest(&sandbox);
    let active = BooleanArray::from(vec![true, false, true, false]);
    let incoming = batch(vec![("active", Arc::new(active))]);
    let now = Int32Array::from(vec![Some(0), Some(0), Some(1), None]);
    let current = batch(vec![("statecode", Arc::new(now))]);
    let states = bound.state(&incoming, &current).expect("states");
    assert_eq!(states.statecode, Int32Array::from(vec![None, Some(1), Some(0), Some(1)]));
    assert_eq!(states.statuscode, Int32Array::from(vec![None, Some(2), Some(1), Some(2)]));

    let error = bound.state(&incoming, &current.slice(0, 1)).expect_err("rows differ");
    assert_eq!(
        error.to_string(),
        "cannot call the rule `honest@1.2.3`: 4 incoming rows and 1 current ones"
    );
}

#[test]
fn owner_is_found_in_the_granted_table_by_number_or_text() {
    let sandbox = sandbox();
    let bound = bind_honest(&sandbox);
    let keys = Int64Array::from(vec![Some(275), Some(1), None]);
    let incoming = batch(vec![("salesperson", Arc::new(keys))]);
    let current = batch(vec![("x", Arc::new(Int32Array::new_null(3)))]);
    let owners = bound.owner(&incoming, &current).expect("owners");
    assert_eq!(owners.kinds, [OwnerKind::User, OwnerKind::Leave, OwnerKind::Leave]);
    assert_eq!(owners.by, "internalemailaddress");
    assert_eq!(owners.keys, StringArray::from(vec!["michael@x.example", "", ""]));
}
