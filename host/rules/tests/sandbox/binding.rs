//! What binding a rule to a job checks.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::StringArray;
use arrow_schema::{DataType, Schema};
use dvsync_rules::{Bound, Context, HookName, Limits, RuleError};
use serde_json::{Value, json};

use crate::guests::{
    batch, bind_hostile, checked, context, honest, honest_source, salespeople, sandbox, schema,
};

fn bind(change: impl FnOnce(&mut Context)) -> Result<Bound, RuleError> {
    let mut context = context(honest_source(), Value::Null);
    change(&mut context);
    honest(&sandbox()).bind(context, salespeople(), Limits::default(), checked())
}

fn error(change: impl FnOnce(&mut Context)) -> String {
    match bind(change) {
        Ok(_) => panic!("it was bound"),
        Err(error) => error.to_string(),
    }
}

fn target(columns: &[(&str, DataType)]) -> Arc<Schema> {
    schema(columns)
}

#[test]
fn what_does_not_fit_is_named() {
    assert_eq!(
        error(|context| context.entity = "contact".to_owned()),
        "the rule `honest@1.2.3` is for `account`, not for `contact`"
    );
    assert_eq!(
        error(|context| context.source = schema(&[("name", DataType::Utf8)])),
        "the rule `honest@1.2.3` needs the column `employees`, which the source does not have"
    );
    assert_eq!(
        error(|context| {
            context.source = schema(&[
                ("name", DataType::Utf8),
                ("employees", DataType::Binary),
                ("active", DataType::Boolean),
                ("salesperson", DataType::Int64),
            ]);
        }),
        "cannot read column `employees` for the rule `honest@1.2.3`: expected int64, found Binary"
    );
    assert_eq!(
        error(|context| context.settings = json!({"wrong": true})),
        "the rule `honest@1.2.3` is misconfigured: `wrong` is wrong (`bad-setting`)"
    );
    assert_eq!(
        error(|context| context.target = target(&[("revenue", DataType::Decimal128(38, 4))])),
        "the rule `honest@1.2.3` needs the column `name`, which the target does not have"
    );
}

#[test]
fn a_table_that_is_not_granted_is_named() {
    let rule = honest(&sandbox());
    let context = context(honest_source(), json!({}));
    let error = rule.bind(context, BTreeMap::new(), Limits::default(), checked());
    let error = error.err().expect("not bound");
    assert_eq!(
        error.to_string(),
        "the rule `honest@1.2.3` needs the table `salespeople`, which the job does not grant"
    );
    assert_eq!(error.hint().as_deref(), Some("add `[tables.salespeople]` to the job"));
}

#[test]
fn needs_say_what_is_read_and_what_the_target_has_of_what_is_written() {
    let bound = bind(|context| {
        context.target =
            target(&[("name", DataType::Utf8), ("revenue", DataType::Decimal128(38, 4))]);
    })
    .expect("bound");
    let needs = bound.needs(HookName::Transform).expect("a hook");
    let names = |fields: &[dvsync_rules::Field]| {
        fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&needs.reads_source), ["name", "employees", "revenue", "joined", "active"]);
    assert_eq!(names(&needs.writes), ["name", "revenue"]);
    assert_eq!(needs.reads_source[1].data_type, DataType::Int64);

    let hostile = bind_hostile(&sandbox(), "none");
    assert!(hostile.needs(HookName::Owner).is_none());
    let rows = batch(vec![("n", Arc::new(StringArray::from(vec!["1"])))]);
    let error = hostile.owner(&rows, &rows).expect_err("no such hook");
    assert_eq!(error.to_string(), "the rule `hostile@0.0.1` has no hook `owner`");
}

#[test]
fn the_judgement_changes_with_settings_and_tables_and_nothing_else() {
    let rule = honest(&sandbox());
    let judgement = |settings: Value, mail: &str, seed: u64| {
        let table = batch(vec![
            ("id", Arc::new(StringArray::from(vec!["274"])) as _),
            ("mail", Arc::new(StringArray::from(vec![mail]))),
        ]);
        let context = Context { seed, ..context(honest_source(), settings) };
        let tables = BTreeMap::from([("salespeople".to_owned(), table)]);
        let bound = rule.bind(context, tables, Limits::default(), checked()).expect("bound");
        bound.judgement().to_owned()
    };
    let first = judgement(json!({"a": 1, "b": 2}), "x", 1);
    assert!(first.starts_with("sha256:"));
    assert_eq!(first, judgement(json!({"b": 2, "a": 1}), "x", 2));
    assert_ne!(first, judgement(json!({"a": 1, "b": 3}), "x", 1));
    assert_ne!(first, judgement(json!({"a": 1, "b": 2}), "y", 1));
}

#[test]
fn settings_are_held_against_the_schema_before_the_rule_sees_them() {
    let sandbox = sandbox();
    let rule = honest(&sandbox);
    // The guest publishes `{"type":"object"}`, and calls `wrong` misconfigured.
    for (settings, expected) in [
        (json!({"any": 1}), None),
        (Value::Null, None),
        (
            json!([]),
            Some("the settings do not fit the rule `honest@1.2.3`: expected a table, found a list"),
        ),
        (
            json!(["wrong"]),
            Some("the settings do not fit the rule `honest@1.2.3`: expected a table, found a list"),
        ),
    ] {
        let checked = rule.check_settings(&settings).err().map(|error| error.to_string());
        assert_eq!(checked.as_deref(), expected);
        let asked = rule.needs(context(honest_source(), settings), &Limits::default());
        assert_eq!(asked.err().map(|error| error.to_string()).as_deref(), expected);
    }
}
