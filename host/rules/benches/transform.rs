//! What the sandbox costs: a rule call over the same rule in native Rust,
//! 10,000 rows of 20 columns, 5 declared, warm, deadlines on.
//!
//! `cargo bench --workspace --bench transform`; each figure is the median of many calls, the
//! two sides in turn, so that a busy machine slows both.

#![expect(clippy::print_stdout, reason = "it prints its figures")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "small numbers made here"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::types::Decimal128Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, PrimitiveArray,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::Schema;
use dvsync_rules::{
    BindSettings, Bound, Context, Isolation, Limits, Rule, Sandbox, SandboxSettings,
};

const ROWS: usize = 10_000;
const ROUNDS: usize = 400;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests");
    let path = dvsync_rules_build::build(
        Path::new(env!("CARGO_MANIFEST_DIR")),
        "guest-honest",
        "guest",
        &target,
    )?;
    let wasm = std::fs::read(path)?;
    let place = tempfile::tempdir()?;
    let settings =
        SandboxSettings { cache_dir: Some(place.path().to_owned()), ..SandboxSettings::default() };
    let sandbox = Sandbox::new(settings)?;
    let start = Instant::now();
    let rule = sandbox.admit(&wasm, "honest.wasm")?;
    println!("admit, compiling       {:>9.2} ms", start.elapsed().as_secs_f64() * 1e3);
    let cached = (0..50).map(|_| seconds(|| drop(sandbox.admit(&wasm, "honest.wasm"))));
    let cached = median(cached.collect());
    println!("admit, from the cache  {:>9.2} ms", cached * 1e3);

    let rows = source();
    let warm = bind(&rule, rows.schema(), Isolation::Warm)?;
    let fresh = bind(&rule, rows.schema(), Isolation::Chunk)?;
    for (call, expected) in native(&rows).iter().zip(warm.transform(&rows)?.columns) {
        assert_eq!(**call, *expected.array, "the same rule");
    }

    let mut times: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        times[0].push(seconds(|| drop(std::hint::black_box(native(&rows)))));
        times[1].push(seconds(|| drop(std::hint::black_box(warm.transform(&rows)))));
        times[2].push(seconds(|| drop(std::hint::black_box(fresh.transform(&rows)))));
    }
    let [native, warm, fresh] = times.map(|times| median(times) * 1e9 / ROWS as f64);
    let small = rows.slice(0, 1);
    let one = bind(&rule, rows.schema(), Isolation::Warm)?;
    let one_fresh = bind(&rule, rows.schema(), Isolation::Chunk)?;
    let call = |bound: &Bound| {
        let times = (0..ROUNDS).map(|_| seconds(|| drop(bound.transform(&small))));
        median(times.collect()) * 1e6
    };
    let (one, one_fresh) = (call(&one), call(&one_fresh));
    println!("native                 {native:>9.1} ns/row");
    println!(
        "the rule, warm         {warm:>9.1} ns/row   {:.2} x native, {:+.1} ns/row",
        warm / native,
        warm - native
    );
    println!("the rule, fresh        {fresh:>9.1} ns/row   {:.2} x native", fresh / native);
    println!("a call with one row    {one:>9.1} us");
    println!("a fresh instance       {:>9.1} us more (made, configured, dropped)", one_fresh - one);
    Ok(())
}

fn seconds(call: impl FnOnce()) -> f64 {
    let start = Instant::now();
    call();
    start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn bind(
    rule: &Rule,
    source: Arc<Schema>,
    isolation: Isolation,
) -> Result<Bound, dvsync_rules::RuleError> {
    let context = Context {
        entity: "account".to_owned(),
        settings: serde_json::Value::Null,
        source,
        target: Arc::new(Schema::empty()),
        seed: 0,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let table = RecordBatch::new_empty(Arc::new(Schema::empty()));
    let tables = BTreeMap::from([("salespeople".to_owned(), table)]);
    let settings = BindSettings { isolation, recheck_every: None, ..BindSettings::default() };
    rule.bind(context, tables, Limits::default(), settings)
}

/// 20 columns, each with one null in twenty; the rule reads five.
fn source() -> RecordBatch {
    let some = |row: usize, salt: usize| !(row + salt).is_multiple_of(20);
    let texts = |salt: usize| -> ArrayRef {
        let text = |row| some(row, salt).then(|| format!("Bike World {} {row}", row * salt % 977));
        Arc::new((0..ROWS).map(text).collect::<StringArray>())
    };
    let numbers = |salt: usize| -> Int64Array {
        (0..ROWS).map(|row| some(row, salt).then_some((row * salt % 5000) as i64)).collect()
    };
    let floats = |salt: usize| -> ArrayRef {
        let float = |row| some(row, salt).then_some((row * salt % 9999) as f64 / 4.0);
        Arc::new((0..ROWS).map(float).collect::<Float64Array>())
    };
    let flags = |salt: usize| -> ArrayRef {
        let flag = |row: usize| some(row, salt).then_some(row.is_multiple_of(3));
        Arc::new((0..ROWS).map(flag).collect::<BooleanArray>())
    };
    let instants = |salt: usize| -> ArrayRef {
        let instants =
            numbers(salt).unary::<_, arrow_array::types::TimestampMicrosecondType>(|number| {
                number * 86_400_000_000 + 1
            });
        Arc::new(TimestampMicrosecondArray::with_timezone(instants, "UTC"))
    };
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("name".to_owned(), texts(1)),
        ("employees".to_owned(), Arc::new(numbers(2))),
        ("revenue".to_owned(), floats(3)),
        ("joined".to_owned(), instants(4)),
        ("active".to_owned(), flags(5)),
        ("salesperson".to_owned(), Arc::new(numbers(6))),
    ];
    for at in 6..20 {
        let column = match at % 4 {
            0 => texts(at),
            1 => Arc::new(numbers(at)),
            2 => floats(at),
            _ => instants(at),
        };
        columns.push((format!("other_{at}"), column));
    }
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

/// The rule of `guest-honest`, on arrow.
fn native(rows: &RecordBatch) -> [ArrayRef; 5] {
    let column = |name: &str| rows.column_by_name(name).expect("a column");
    let names = column("name").as_any().downcast_ref::<StringArray>().expect("text");
    let data: Vec<u8> = names.value_data().iter().map(u8::to_ascii_uppercase).collect();
    let mut offsets = vec![0i32];
    let mut seen = 0u32;
    for pair in names.value_offsets().windows(2) {
        let text = &names.value_data()[pair[0] as usize..pair[1] as usize];
        seen += u32::from(matches!(text, b"reject" | b"drop" | b"defer" | b"LEAVE"));
        offsets.push(pair[1]);
    }
    assert_eq!(seen, 0, "no row has a verdict");
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let names = StringArray::new(offsets, Buffer::from_vec(data), names.nulls().cloned());
    let employees = column("employees").as_any().downcast_ref::<Int64Array>().expect("int64");
    let revenue = column("revenue").as_any().downcast_ref::<Float64Array>().expect("float64");
    let money: PrimitiveArray<Decimal128Type> = revenue.unary(|value| (value * 1e4) as i128);
    let joined = column("joined");
    let joined = joined.as_any().downcast_ref::<TimestampMicrosecondArray>().expect("instants");
    let since: Date32Array = joined.unary(|us| us.div_euclid(86_400_000_000) as i32);
    [
        Arc::new(names),
        Arc::new(employees.unary::<_, arrow_array::types::Int64Type>(|n| n.wrapping_add(1))),
        Arc::new(money.with_precision_and_scale(38, 4).expect("a decimal")),
        Arc::clone(column("active")),
        Arc::new(since),
    ]
}
