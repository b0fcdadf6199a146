//! `0.1.0.wasm` was built once against the contract 0.1.0 and is never built
//! again: the guest `tests/guests/honest` as of the first version, all hooks on
//! the bare contract, by `dvsync_rules_build::build` with the profile `guest`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use dvsync_rules::{
    BindSettings, Bound, Context, Limits, OwnerKind, RuleError, Sandbox, SandboxSettings, Side,
};

fn kept() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("contract/0.1.0.wasm");
    std::fs::read(path).unwrap()
}

/// The same with each `0.1.0` in it replaced, which is as long.
fn of_version(version: &str) -> Vec<u8> {
    let mut bytes = kept();
    let (from, to) = (b"@0.1.0", format!("@{version}"));
    assert_eq!(from.len(), to.len());
    for start in 0..bytes.len() - from.len() {
        if bytes[start..].starts_with(from) {
            bytes[start..start + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    bytes
}

fn texts(texts: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

fn source() -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([
        ("name", texts(&["ab", "LEAVE", "drop"]), true),
        ("employees", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef, true),
        ("active", Arc::new(BooleanArray::from(vec![true, false, true])), true),
        ("salesperson", Arc::new(Int64Array::from(vec![7, 8, 7])), true),
    ])
    .unwrap()
}

fn bind(sandbox: &Sandbox, wasm: &[u8]) -> Bound {
    let rule = sandbox.admit(wasm, "0.1.0.wasm").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rule.surface().contract, "dvsync:rules@0.1.0");
    let people = [("id", texts(&["7"])), ("mail", texts(&["ann@x.example"]))];
    let people = RecordBatch::try_from_iter(people).unwrap();
    let context = Context {
        entity: "account".to_owned(),
        settings: serde_json::Value::Null,
        source: source().schema(),
        target: source().project(&[]).unwrap().schema(),
        seed: 1,
        now: "2026-11-22T00:00:00Z".parse().unwrap(),
    };
    let tables = BTreeMap::from([("salespeople".to_owned(), people)]);
    rule.bind(context, tables, Limits::default(), BindSettings::default()).unwrap()
}

fn judges_as_ever(bound: &Bound) {
    let answer = bound.transform(&source()).unwrap();
    let of = |name: &str| &answer.columns.iter().find(|set| set.name == name).unwrap().array;
    let employees: ArrayRef = Arc::new(Int64Array::from(vec![2, 3, 4]));
    assert_eq!(of("name"), &texts(&["AB", "LEAVE", "DROP"]));
    assert_eq!(of("numberofemployees"), &employees);
    assert_eq!(of("since").null_count(), 3);
    let verdict = &answer.verdicts[0];
    assert_eq!((verdict.row, verdict.code.as_str()), (2, "asked"));
    assert_eq!(answer.faults, []);

    let keys = bound.derive(Side::Incoming, &source()).unwrap().keys;
    assert_eq!(keys, StringArray::from(vec!["ab", "leave", "drop"]));

    let ids = FixedSizeBinaryArray::try_from_iter((0u8..3).map(|id| [id; 16])).unwrap();
    let ids: ArrayRef = Arc::new(ids);
    let candidates =
        RecordBatch::try_from_iter([("accountid", ids), ("name", texts(&["x"; 3]))]).unwrap();
    let chosen = bound.choose(&source(), &[0, 2, 3, 3], &candidates).unwrap().chosen;
    assert_eq!(chosen, [Some(1), None, None]);

    let states: ArrayRef = Arc::new(Int32Array::from(vec![Some(0), Some(0), None]));
    let current = RecordBatch::try_from_iter_with_nullable([("statecode", states, true)]).unwrap();
    let states = bound.state(&source(), &current).unwrap();
    assert_eq!(states.statecode, Int32Array::from(vec![None, Some(1), Some(0)]));

    let owners = bound.owner(&source(), &current).unwrap();
    assert_eq!(owners.kinds, [OwnerKind::User, OwnerKind::Leave, OwnerKind::User]);
    assert_eq!(owners.keys.value(0), "ann@x.example");
}

#[test]
fn a_rule_of_0_1_0_is_admitted_and_judges_as_ever() {
    let sandbox = Sandbox::new(SandboxSettings::default()).unwrap();
    judges_as_ever(&bind(&sandbox, &kept()));
}

#[test]
fn a_rule_of_0_2_0_is_refused_in_words_before_it_is_compiled_and_that_of_0_1_0_runs_beside_it() {
    let place = tempfile::tempdir().unwrap();
    let cache_dir = Some(place.path().to_owned());
    let sandbox =
        Sandbox::new(SandboxSettings { cache_dir, ..SandboxSettings::default() }).unwrap();
    let compiled = || {
        let files = std::fs::read_dir(place.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".cwasm")).count()
    };
    let error = sandbox.admit(&of_version("0.2.0"), "next.wasm").err().unwrap();
    assert!(matches!(error, RuleError::Refused { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "cannot admit the rule `next.wasm`: this rule exports `dvsync:rules/matching@0.2.0`, \
         `dvsync:rules/owner@0.2.0`, `dvsync:rules/plugin@0.2.0`, `dvsync:rules/state@0.2.0`, \
         `dvsync:rules/transform@0.2.0`, this host speaks 0.1"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("rebuild the rule against the contract that this host speaks")
    );
    assert_eq!(compiled(), 0);
    judges_as_ever(&bind(&sandbox, &kept()));
    assert_eq!(compiled(), 1);
}

#[test]
fn a_patch_of_0_1_is_the_same_contract() {
    let sandbox = Sandbox::new(SandboxSettings::default()).unwrap();
    let rule = sandbox.admit(&of_version("0.1.9"), "patch.wasm");
    match rule {
        Ok(rule) => assert_eq!(rule.surface().contract, "dvsync:rules@0.1.9"),
        Err(error) => panic!("{error}"),
    }
}
