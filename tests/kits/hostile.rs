use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use dvsync_rules::{BindSettings, Bound, Context, Limits, Profile, RuleError};
use serde_json::json;

use crate::projects::{Language, rule};

const ROWS: usize = 100;
const AT_FAULT: usize = 71;

fn rows(at_fault: usize) -> RecordBatch {
    let number = |row| if row == at_fault { 13 } else { 1000 + row as i64 };
    let numbers: Int64Array = (0..ROWS).map(|row| Some(number(row))).collect();
    RecordBatch::try_from_iter([("n", Arc::new(numbers) as ArrayRef)]).unwrap()
}

fn bind(language: Language, mode: &str) -> Result<Bound, RuleError> {
    let rule = rule(&format!("tests/kits/hostile-{}", language.word()));
    assert_eq!(rule.profile(), Profile::Interpreter);
    let context = Context {
        entity: "account".to_owned(),
        settings: json!({ "mode": mode }),
        source: rows(0).schema(),
        target: Arc::new(arrow_schema::Schema::empty()),
        seed: 1,
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let limits = Limits {
        // Only what never ends should have to wait for its end.
        call_deadline: Duration::from_secs(if mode == "loop" { 2 } else { 30 }),
        memory_bytes_max: 96 << 20,
        ..Limits::of(Profile::Interpreter)
    };
    let settings = BindSettings { recheck_every: None, ..BindSettings::default() };
    rule.bind(context, BTreeMap::new(), limits, settings)
}

/// Code and message of the one row at fault; all others are judged.
fn fault_of(language: Language, mode: &str) -> (&'static str, String) {
    let bound = bind(language, mode).unwrap();
    let result = bound.transform(&rows(AT_FAULT)).expect("the job goes on");
    assert_eq!(result.faults.len(), 1, "{language:?} {mode}: {:?}", result.faults);
    assert_eq!(result.faults[0].row, AT_FAULT, "{language:?} {mode}");
    let twice = result.columns[0].array.as_primitive::<Int64Type>();
    for row in (0..ROWS).filter(|row| *row != AT_FAULT) {
        assert_eq!(twice.value(row), 2 * (1000 + row as i64), "{language:?} {mode}: row {row}");
    }
    (result.faults[0].code, result.faults[0].message.clone())
}

#[track_caller]
fn told(language: Language, cases: &[(&str, &str, &str)]) {
    if !language.is_there() {
        return;
    }
    for (mode, code, words) in cases {
        let (found, message) = fault_of(language, mode);
        assert_eq!(found, *code, "{mode}: {message}");
        assert!(message.contains(words), "{mode}: {message}");
    }
}

#[test]
fn a_python_rule_that_misbehaves_costs_the_row_and_says_why() {
    told(
        Language::Python,
        &[
            (
                "exception",
                "rule_failed",
                "exception: ValueError: invalid literal for int() with base 10: 'thirteen' (rule.py:",
            ),
            ("internal", "rule_failed", "bug: 13 is at fault"),
            ("recurse", "rule_failed", "RecursionError"),
            ("short", "rule_failed", "column `text` has 2 values for 1 rows"),
            ("type", "rule_failed", "expected text, found `13` (int) in row 0"),
            (
                "undeclared",
                "rule_failed",
                "cannot set column `wages`: the hook does not declare it",
            ),
            ("exit", "rule_failed", "SystemExit: 3"),
            ("surrogate", "rule_failed", "is no text: it holds half of a surrogate pair"),
            ("open", "rule_trap", "wasm trap: wasm `unreachable` instruction executed"),
            ("loop", "rule_timeout", "the call did not end within its deadline"),
            ("allocate", "rule_memory", "the rule wanted more memory than it may have"),
        ],
    );
}

#[test]
fn a_javascript_rule_that_misbehaves_costs_the_row_and_says_why() {
    told(
        Language::JavaScript,
        &[
            ("exception", "rule_failed", "TypeError: can't access property \"thirteen\" of null"),
            ("internal", "rule_failed", "bug: 13 is at fault"),
            ("short", "rule_failed", "column `text` has 2 values for 1 rows"),
            ("type", "rule_failed", "expected text, found `13` (number) in row 0"),
            (
                "undeclared",
                "rule_failed",
                "cannot set column `wages`: the hook does not declare it",
            ),
            ("recurse", "rule_failed", "too much recursion"),
            ("loop", "rule_timeout", "the call did not end within its deadline"),
            ("allocate", "rule_memory", "the rule wanted more memory than it may have"),
        ],
    );
}

#[test]
fn a_flood_of_log_lines_does_no_harm() {
    for language in Language::ALL.into_iter().filter(|language| language.is_there()) {
        let bound = bind(language, "log-flood").unwrap();
        assert_eq!(bound.transform(&rows(AT_FAULT)).unwrap().faults, []);
    }
}

#[test]
fn an_exception_while_it_is_configured_is_told_when_it_is_bound() {
    for language in Language::ALL.into_iter().filter(|language| language.is_there()) {
        let error = bind(language, "configure").err().expect("not bound").to_string();
        assert!(error.contains("no such thing"), "{language:?}: {error}");
    }
}
