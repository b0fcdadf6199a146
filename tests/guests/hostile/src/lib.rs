//! A rule that does each thing a rule must not do. `{"mode": "..."}` in the
//! settings says which; most modes do it in calls that hold a row whose `n` is
//! 13, and answer well otherwise: `twice` is `n` times two.

#![allow(unconditional_recursion)]

wit_bindgen::generate!({ path: "../../../wit/0.1", world: "transform-rule" });

use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

use dvsync::rules::types::{
    Column, DecimalBuffers, Detail, Failure, Field, TextBuffers, ValueType, Values, Verdict,
    VerdictKind,
};
use dvsync::rules::{log, lookups};
use exports::dvsync::rules::plugin::{self, Context, Description, Hook};
use exports::dvsync::rules::transform::{self, Output, Setting};

struct Hostile;
#[cfg(target_arch = "wasm32")]
export!(Hostile);

const BAD: i64 = 13;

static MODE: Mutex<String> = Mutex::new(String::new());
static CALLS: Mutex<i64> = Mutex::new(0);

/// The value of `mode` in `{"mode":"..."}`.
fn mode_of(settings: &str) -> String {
    settings.split('"').nth(3).unwrap_or_default().to_string()
}

fn field(name: &str, kind: ValueType) -> Field {
    Field { name: name.into(), type_: kind, nullable: true, required: false }
}

fn hook(name: &str) -> Hook {
    Hook {
        name: name.into(),
        reads_source: vec![field("n", ValueType::Int64)],
        reads_target: vec![],
        reads_current: vec![],
        writes: vec![
            field("twice", ValueType::Int64),
            field("text", ValueType::Text),
            field("money", ValueType::Decimal128),
        ],
    }
}

fn spin() -> ! {
    loop {
        black_box(0);
    }
}

fn recurse(depth: u64) -> u64 {
    black_box(recurse(black_box(depth + 1))) + 1
}

fn allocate() {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![1u8; 1 << 20]));
    }
}

fn detail(code: &str) -> Detail {
    Detail { code: code.into(), message: "13 is at fault".into() }
}

impl plugin::Guest for Hostile {
    fn describe() -> Description {
        Description {
            name: "hostile".into(),
            version: "0.0.1".into(),
            entities: vec!["*".into()],
            settings_schema: None,
            tables: vec![],
        }
    }

    fn needs(context: Context) -> Result<Vec<Hook>, Failure> {
        match mode_of(&context.settings).as_str() {
            "needs-loop" => spin(),
            "needs-trap" => panic!("in needs"),
            "needs-other-hook" => Ok(vec![hook("weather")]),
            "needs-hook-not-exported" => Ok(vec![hook("owner")]),
            "needs-twice" => Ok(vec![hook("transform"), hook("transform")]),
            _ => Ok(vec![hook("transform")]),
        }
    }

    fn configure(context: Context) -> Result<(), Failure> {
        let mode = mode_of(&context.settings);
        match mode.as_str() {
            "configure-loop" => spin(),
            "configure-trap" => panic!("in configure"),
            _ => {}
        }
        *MODE.lock().unwrap_or_else(PoisonError::into_inner) = mode;
        Ok(())
    }
}

fn int_column(name: &str, values: Vec<i64>) -> Setting {
    let column = Column { name: name.into(), validity: None, values: Values::Int64(values) };
    Setting { column, leave: None }
}

fn text_column(offsets: Vec<i32>, data: &[u8]) -> Setting {
    let values = Values::Text(TextBuffers { offsets, data: data.to_vec() });
    Setting { column: Column { name: "text".into(), validity: None, values }, leave: None }
}

fn verdict(row: u32) -> Verdict {
    Verdict {
        row,
        kind: VerdictKind::Reject,
        code: "x".into(),
        column: None,
        message: String::new(),
    }
}

impl transform::Guest for Hostile {
    fn apply(rows: u32, columns: Vec<Column>) -> Result<Output, Failure> {
        let Values::Int64(numbers) = &columns[0].values else { panic!("not int64") };
        let mode = MODE.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut twice: Vec<i64> = numbers.iter().map(|n| n.wrapping_mul(2)).collect();
        if mode == "remembers" {
            let mut calls = CALLS.lock().unwrap_or_else(PoisonError::into_inner);
            *calls += 1;
            twice.iter_mut().for_each(|value| *value += *calls);
        }
        let mut output = Output { columns: vec![int_column("twice", twice)], verdicts: vec![] };
        if !numbers.contains(&BAD) {
            return Ok(output);
        }
        let count = rows as usize;
        match mode.as_str() {
            "trap" => panic!("13 is at fault"),
            "last-words" => {
                log::log(log::Level::Error, "panicked at 13");
                panic!();
            }
            "loop" => spin(),
            "allocate" => allocate(),
            "recurse" => drop(black_box(recurse(0))),
            "invalid-input" => return Err(Failure::InvalidInput(detail("bad-row"))),
            "internal" => return Err(Failure::Internal(detail("bug"))),
            "misconfigured" => return Err(Failure::Misconfigured(detail("no-13"))),
            "short" => output.columns = vec![int_column("twice", vec![1; count - 1])],
            "long" => output.columns = vec![int_column("twice", vec![1; count + 1])],
            "offsets-fall" => {
                let mut offsets = vec![1; count + 1];
                (offsets[0], offsets[count]) = (0, -5);
                output.columns.push(text_column(offsets, b"x"));
            }
            "offsets-start" => output.columns.push(text_column(vec![1; count + 1], b"x")),
            "offsets-beyond" => {
                let mut offsets = vec![0; count + 1];
                offsets[count] = i32::MAX;
                output.columns.push(text_column(offsets, b"x"));
            }
            "utf8" => {
                let mut offsets = vec![0; count + 1];
                offsets[count] = 1;
                output.columns.push(text_column(offsets, b"\xff"));
            }
            "validity" => output.columns[0].column.validity = Some(vec![]),
            "leave" => output.columns[0].leave = Some(vec![0; count + 1]),
            "undeclared" => output.columns = vec![int_column("wages", vec![1; count])],
            "type" => output.columns = vec![int_column("text", vec![1; count])],
            "twice" => output.columns.push(int_column("twice", vec![1; count])),
            "decimal" => {
                let data = i128::MAX.to_le_bytes().repeat(count);
                let values = Values::Decimal128(DecimalBuffers { precision: 10, scale: 2, data });
                let column = Column { name: "money".into(), validity: None, values };
                output.columns.push(Setting { column, leave: None });
            }
            "verdict-row" => output.verdicts.push(verdict(rows)),
            "verdict-twice" => output.verdicts = vec![verdict(0), verdict(0)],
            "huge" => {
                let mut offsets = vec![0; count + 1];
                offsets[count] = 6 << 20;
                output.columns.push(text_column(offsets, &vec![0; 6 << 20]));
            }
            "log-flood" => {
                let line = "again\n".repeat(1000);
                (0..5000).for_each(|_| log::log(log::Level::Warn, &line));
            }
            "lookup-flood" => {
                let key =
                    Column { name: "k".into(), validity: None, values: Values::Int64(vec![1]) };
                for _ in 0..5000 {
                    lookups::resolve("none", "k", &key, &[]).map_err(|message| {
                        Failure::Internal(Detail { code: "lookup".into(), message })
                    })?;
                }
            }
            _ => {}
        }
        Ok(output)
    }
}
