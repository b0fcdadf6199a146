//! A rule that stamps each row with its version. The stamp lies in the component
//! as it is: a test that writes another one over it has made another version.
//!
//! `KIND:NUMBER`: `good` stamps all rows; `trap`, `loop`, `lies` and `deny` fail
//! or reject whenever a row has an `n` of the number or more; `wide` reads one
//! column more than the others.

wit_bindgen::generate!({ path: "../../../wit/0.1", world: "transform-rule" });

use std::hint::black_box;

use dvsync::rules::types::{
    Column, Failure, Field, TextBuffers, ValueType, Values, Verdict, VerdictKind,
};
use exports::dvsync::rules::plugin::{self, Context, Description, Hook};
use exports::dvsync::rules::transform::{self, Output, Setting};

struct Stamped;
#[cfg(target_arch = "wasm32")]
export!(Stamped);

static STAMP: [u8; 32] = *b"stamp:good:00000000             ";

/// `good:00000000`; not known to the compiler.
fn stamp() -> &'static str {
    let bytes: &'static [u8; 32] = black_box(&STAMP);
    let text = core::str::from_utf8(bytes).unwrap_or_default();
    text.trim_end().trim_start_matches("stamp:")
}

fn kind() -> &'static str {
    stamp().split(':').next().unwrap_or_default()
}

fn from() -> i64 {
    stamp().split(':').nth(1).and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn field(name: &str, kind: ValueType, required: bool) -> Field {
    Field { name: name.into(), type_: kind, nullable: true, required }
}

impl plugin::Guest for Stamped {
    fn describe() -> Description {
        Description {
            name: "stamped".into(),
            version: format!("0.0.{}-{}", from(), kind()),
            entities: vec!["*".into()],
            settings_schema: None,
            tables: vec![],
        }
    }

    fn needs(_: Context) -> Result<Vec<Hook>, Failure> {
        let mut reads_source = vec![field("n", ValueType::Int64, true)];
        if kind() == "wide" {
            reads_source.push(field("extra", ValueType::Text, true));
        }
        Ok(vec![Hook {
            name: "transform".into(),
            reads_source,
            reads_target: vec![],
            reads_current: vec![],
            writes: vec![field("name", ValueType::Text, true)],
        }])
    }

    fn configure(_: Context) -> Result<(), Failure> {
        Ok(())
    }
}

impl transform::Guest for Stamped {
    fn apply(rows: u32, columns: Vec<Column>) -> Result<Output, Failure> {
        let Values::Int64(numbers) = &columns[0].values else { panic!("not int64") };
        let (stamp, from) = (stamp(), from());
        let is_bad = numbers.iter().any(|n| *n >= from);
        let mut verdicts = vec![];
        match kind() {
            "trap" if is_bad => panic!("one is too many"),
            "loop" if is_bad => loop {
                black_box(0);
            },
            "lies" if is_bad => {
                let values = Values::Int64(vec![1]);
                let column = Column { name: "name".into(), validity: None, values };
                let columns = vec![Setting { column, leave: None }];
                return Ok(Output { columns, verdicts });
            }
            "deny" => {
                let denied = (0..rows).zip(numbers).filter(|(_, n)| **n >= from);
                verdicts.extend(denied.map(|(row, _)| Verdict {
                    row,
                    kind: VerdictKind::Reject,
                    code: "denied".into(),
                    column: None,
                    message: "no".into(),
                }));
            }
            _ => {}
        }
        let width = i32::try_from(stamp.len()).unwrap_or_default();
        let offsets = (0..=rows as i32).map(|row| row * width).collect();
        let data = stamp.as_bytes().repeat(rows as usize);
        let values = Values::Text(TextBuffers { offsets, data });
        let column = Column { name: "name".into(), validity: None, values };
        Ok(Output { columns: vec![Setting { column, leave: None }], verdicts })
    }
}
