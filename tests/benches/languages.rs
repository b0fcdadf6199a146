//! What a rule costs in each language: the same `transform` in Rust, Python and
//! JavaScript, 10,000 rows of 20 columns, 5 of them declared, warm.
//!
//! ```text
//! cargo bench --workspace --bench languages
//! ```
//!
//! The first time it installs the tools and builds the rules (minutes). Prints
//! rows for each second of wall time, medians, and what was aimed at; a language
//! whose interpreter is missing is left out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on fails")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "figures are its output")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(clippy::cast_possible_wrap, clippy::cast_precision_loss, reason = "small numbers")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use dvsync_rules::{BindSettings, Bound, Context, Limits, Rule};

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../kits/projects.rs"]
mod projects;

use projects::{Language, rule, sandbox};

const ROWS: usize = 10_000;

fn main() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("guests");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rust = dvsync_rules_build::build(folder, "guest-honest", "guest", &target)
        .unwrap_or_else(|error| panic!("{error}"));
    let rust = bind(&sandbox().admit(&std::fs::read(rust).unwrap(), "rust").unwrap());
    let rows = source();
    let expected = rust.transform(&rows).unwrap();
    let rust_rate = rate(&rust, &rows, 100);
    println!("{:<12} {rust_rate:>12.0} rows/s", "Rust");
    for (language, aim) in [(Language::Python, 200_000.0), (Language::JavaScript, 30_000.0)] {
        if !language.is_there() {
            continue;
        }
        let start = Instant::now();
        let rule = rule(&format!("tests/kits/honest-{}", language.word()));
        let ready = start.elapsed().as_secs_f64();
        let bound = bind(&rule);
        let found = bound.transform(&rows).unwrap();
        assert_eq!(found.faults, []);
        for column in &expected.columns {
            let same = found.columns.iter().find(|other| other.name == column.name).unwrap();
            assert!(*same.array == *column.array, "{language:?}: {}", column.name);
        }
        let rate = rate(&bound, &rows, 20);
        let verdict = if rate >= aim { "met" } else { "MISSED" };
        println!(
            "{:<12} {rate:>12.0} rows/s   {:.0} times Rust's time, aim {aim} {verdict}; ready after \
             {ready:.1} s",
            format!("{language:?}"),
            rust_rate / rate,
        );
    }
}

/// Rows for each second: of the median call.
fn rate(bound: &Bound, rows: &RecordBatch, rounds: usize) -> f64 {
    for _ in 0..2 {
        bound.transform(rows).unwrap();
    }
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            drop(std::hint::black_box(bound.transform(rows)));
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    ROWS as f64 / times[times.len() / 2]
}

fn bind(rule: &Rule) -> Bound {
    let context = Context {
        entity: "account".to_owned(),
        settings: serde_json::Value::Null,
        source: source().schema(),
        target: Arc::new(arrow_schema::Schema::empty()),
        seed: 1,
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    // The Rust guest has an owner hook, which wants a table.
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let people = RecordBatch::try_from_iter([("id", ids)]).unwrap();
    let tables = BTreeMap::from([("salespeople".to_owned(), people)]);
    let settings = BindSettings { recheck_every: None, ..BindSettings::default() };
    rule.bind(context, tables, Limits::of(rule.profile()), settings)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// 20 columns, each with one null in twenty; the rules read the first five.
fn source() -> RecordBatch {
    let some = |row: usize, salt: usize| !(row + salt).is_multiple_of(20);
    let texts = |salt: usize| -> ArrayRef {
        let text = |row| some(row, salt).then(|| format!("Bike World {} {row}", row * salt % 977));
        Arc::new((0..ROWS).map(text).collect::<StringArray>())
    };
    let number = |row: usize, salt: usize| (row * salt % 5000) as i64;
    let numbers = |salt: usize| -> ArrayRef {
        let number = |row| some(row, salt).then(|| number(row, salt));
        Arc::new((0..ROWS).map(number).collect::<Int64Array>())
    };
    let floats = |salt: usize| -> ArrayRef {
        let float = |row| some(row, salt).then(|| (row * salt % 9999) as f64 / 4.0);
        Arc::new((0..ROWS).map(float).collect::<Float64Array>())
    };
    let flags = |salt: usize| -> ArrayRef {
        let flag = |row: usize| some(row, salt).then_some(row.is_multiple_of(3));
        Arc::new((0..ROWS).map(flag).collect::<BooleanArray>())
    };
    let instants = |salt: usize| -> ArrayRef {
        let instant = |row| some(row, salt).then(|| number(row, salt) * 86_400_000_000 + 1);
        let instants: TimestampMicrosecondArray = (0..ROWS).map(instant).collect();
        Arc::new(instants.with_timezone("UTC"))
    };
    let mut columns = vec![
        ("name".to_owned(), texts(1)),
        ("employees".to_owned(), numbers(2)),
        ("revenue".to_owned(), floats(3)),
        ("joined".to_owned(), instants(4)),
        ("active".to_owned(), flags(5)),
        ("salesperson".to_owned(), numbers(6)),
    ];
    for at in 6..20 {
        let make: &dyn Fn(usize) -> ArrayRef = match at % 4 {
            0 => &texts,
            1 => &numbers,
            2 => &floats,
            _ => &instants,
        };
        columns.push((format!("other_{at}"), make(at)));
    }
    RecordBatch::try_from_iter(columns).unwrap()
}
