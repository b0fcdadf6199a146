//! The guests, built once, and what tests pass to them.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use dvsync_rules::{
    BindSettings, Bound, Context, Limits, Rule, RuleError, Sandbox, SandboxSettings,
};
use serde_json::{Value, json};

/// The component of a guest.
pub(crate) fn wasm(package: &str) -> Vec<u8> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = dvsync_rules_build::build(folder, package, "guest", &target.join("guests"))
        .unwrap_or_else(|error| panic!("{error}"));
    std::fs::read(path).expect("the component")
}

/// The component with each occurrence of a text replaced by one as long.
pub(crate) fn patched(package: &str, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = wasm(package);
    let starts: Vec<_> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from.as_bytes())
        .map(|(start, _)| start)
        .collect();
    assert!(!starts.is_empty(), "`{from}` is in the component");
    for start in starts {
        bytes[start..start + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

pub(crate) fn sandbox() -> Sandbox {
    Sandbox::new(SandboxSettings::default()).expect("a sandbox")
}

pub(crate) fn schema(columns: &[(&str, DataType)]) -> Arc<Schema> {
    let fields: Vec<_> =
        columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
    Arc::new(Schema::new(fields))
}

pub(crate) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .expect("a batch")
}

pub(crate) fn context(source: Arc<Schema>, settings: Value) -> Context {
    Context {
        entity: "account".to_owned(),
        settings,
        source,
        target: schema(&[]),
        seed: 7,
        now: "2026-11-22T00:00:00Z".parse().expect("an instant"),
    }
}

pub(crate) fn salespeople() -> BTreeMap<String, RecordBatch> {
    let table = batch(vec![
        ("id", Arc::new(StringArray::from(vec!["274", "275"]))),
        ("mail", Arc::new(StringArray::from(vec!["stephen@x.example", "michael@x.example"]))),
    ]);
    BTreeMap::from([("salespeople".to_owned(), table)])
}

/// Rechecks each call, so that no test passes with a rule that remembers.
pub(crate) fn checked() -> BindSettings {
    BindSettings { recheck_every: NonZeroU32::new(1), ..BindSettings::default() }
}

/// Columns that the honest guest reads.
pub(crate) fn honest_source() -> Arc<Schema> {
    schema(&[
        ("name", DataType::Utf8),
        ("employees", DataType::Int32),
        ("active", DataType::Boolean),
        ("salesperson", DataType::Int64),
    ])
}

pub(crate) fn honest(sandbox: &Sandbox) -> Rule {
    sandbox.admit(&wasm("guest-honest"), "honest.wasm").expect("an honest rule")
}

pub(crate) fn bind_honest(sandbox: &Sandbox) -> Bound {
    honest(sandbox)
        .bind(context(honest_source(), json!({})), salespeople(), Limits::default(), checked())
        .expect("bound")
}

/// Tight limits, so that what is wrong ends soon.
pub(crate) fn tight() -> Limits {
    Limits {
        call_deadline: Duration::from_secs(1),
        setup_deadline: Duration::from_millis(400),
        memory_bytes_max: 32 << 20,
        output_bytes_max: 4 << 20,
        ..Limits::default()
    }
}

pub(crate) fn try_bind_hostile(sandbox: &Sandbox, mode: &str) -> Result<Bound, RuleError> {
    let rule = sandbox.admit(&wasm("guest-hostile"), "hostile.wasm")?;
    let source = schema(&[("n", DataType::Int64)]);
    let settings = BindSettings { recheck_every: None, ..BindSettings::default() };
    rule.bind(context(source, json!({ "mode": mode })), BTreeMap::new(), tight(), settings)
}

pub(crate) fn bind_hostile(sandbox: &Sandbox, mode: &str) -> Bound {
    try_bind_hostile(sandbox, mode).expect("bound")
}

/// Numbers from 1000 up, and 13 at the given rows.
pub(crate) fn numbers(rows: usize, thirteens: &[usize]) -> RecordBatch {
    let number = |row: usize| if thirteens.contains(&row) { 13 } else { 1000 + row as i64 };
    let numbers: Int64Array = (0..rows).map(|row| Some(number(row))).collect();
    batch(vec![("n", Arc::new(numbers))])
}
