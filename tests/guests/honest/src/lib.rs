//! A well-behaved rule with all hooks, on the bare contract (no SDK), so that
//! the tests of the sandbox see each buffer.

wit_bindgen::generate!({ path: "../../../wit/0.1", world: "entity-rules" });

use dvsync::rules::types::{
    Column, Detail, Failure, Field, TextBuffers, ValueType, Values, Verdict, VerdictKind,
};
use dvsync::rules::{log, lookups};
use exports::dvsync::rules::matching::{Choices, RowKeys, Side};
use exports::dvsync::rules::plugin::{Context, Description, Hook};
use exports::dvsync::rules::transform::{Output, Setting};
use exports::dvsync::rules::{matching, owner, plugin, state, transform};

struct Honest;
// Its symbol names are no names for a native linker.
#[cfg(target_arch = "wasm32")]
export!(Honest);

fn field(name: &str, kind: ValueType, required: bool) -> Field {
    Field { name: name.into(), type_: kind, nullable: true, required }
}

fn hook(name: &str) -> Hook {
    Hook {
        name: name.into(),
        reads_source: vec![],
        reads_target: vec![],
        reads_current: vec![],
        writes: vec![],
    }
}

impl plugin::Guest for Honest {
    fn describe() -> Description {
        Description {
            name: "honest".into(),
            version: "1.2.3".into(),
            entities: vec!["account".into()],
            settings_schema: Some(r#"{"type":"object"}"#.into()),
            tables: vec!["salespeople".into()],
        }
    }

    fn needs(context: Context) -> Result<Vec<Hook>, Failure> {
        if context.settings.contains("wrong") {
            return Err(Failure::Misconfigured(Detail {
                code: "bad-setting".into(),
                message: "`wrong` is wrong".into(),
            }));
        }
        Ok(vec![
            Hook {
                reads_source: vec![
                    field("name", ValueType::Text, true),
                    field("employees", ValueType::Int64, true),
                    field("revenue", ValueType::Float64, false),
                    field("joined", ValueType::TimestampUs, false),
                    field("active", ValueType::Boolean, false),
                ],
                writes: vec![
                    field("name", ValueType::Text, false),
                    field("numberofemployees", ValueType::Int64, false),
                    field("revenue", ValueType::Decimal128, false),
                    field("active", ValueType::Boolean, false),
                    field("since", ValueType::Date32, false),
                ],
                ..hook("transform")
            },
            Hook {
                reads_source: vec![field("name", ValueType::Strings, true)],
                reads_current: vec![
                    field("name", ValueType::Strings, true),
                    field("accountid", ValueType::Uuid, false),
                ],
                ..hook("matching")
            },
            Hook {
                reads_source: vec![field("active", ValueType::Boolean, true)],
                reads_current: vec![field("statecode", ValueType::Int64, false)],
                ..hook("state")
            },
            Hook {
                reads_source: vec![field("salesperson", ValueType::Int64, true)],
                ..hook("owner")
            },
        ])
    }

    fn configure(_: Context) -> Result<(), Failure> {
        Ok(())
    }
}

fn bit(bits: &[u8], row: usize) -> bool {
    bits[row / 8] >> (row % 8) & 1 == 1
}

fn present(column: &Column, row: usize) -> bool {
    column.validity.as_ref().is_none_or(|bits| bit(bits, row))
}

fn collect_bits(rows: usize, is_set: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut bits = vec![0u8; rows.div_ceil(8)];
    for row in (0..rows).filter(|row| is_set(*row)) {
        bits[row / 8] |= 1 << (row % 8);
    }
    bits
}

impl transform::Guest for Honest {
    /// Upper case names; employees plus one; revenue as money; `leave` where the
    /// name is `LEAVE`; rejects `reject`, drops `drop`, defers `defer`.
    fn apply(rows: u32, columns: Vec<Column>) -> Result<Output, Failure> {
        let count = rows as usize;
        let [name, employees, revenue, joined, active] = &columns[..] else {
            return Err(Failure::Internal(Detail {
                code: "columns".into(),
                message: format!("{} columns", columns.len()),
            }));
        };
        let (
            Values::Text(names),
            Values::Int64(employee_counts),
            Values::Float64(revenues),
            Values::TimestampUs(instants),
            Values::Boolean(actives),
        ) = (&name.values, &employees.values, &revenue.values, &joined.values, &active.values)
        else {
            return Err(Failure::Internal(Detail { code: "types".into(), message: "".into() }));
        };
        let mut offsets = vec![0i32];
        let mut data = Vec::with_capacity(names.data.len());
        let mut verdicts = vec![];
        let mut left = vec![];
        for row in 0..count {
            let text = &names.data[names.offsets[row] as usize..names.offsets[row + 1] as usize];
            let kind = match text {
                b"reject" => Some(VerdictKind::Reject),
                b"drop" => Some(VerdictKind::Drop),
                b"defer" => Some(VerdictKind::Defer),
                _ => None,
            };
            if text == b"LEAVE" {
                left.push(row);
            }
            if let Some(kind) = kind {
                verdicts.push(Verdict {
                    row: row as u32,
                    kind,
                    code: "asked".into(),
                    column: Some("name".into()),
                    message: "ä".repeat(400),
                });
            }
            data.extend(text.iter().map(u8::to_ascii_uppercase));
            offsets.push(data.len() as i32);
        }
        let money = revenues.iter().flat_map(|value| ((value * 1e4) as i128).to_le_bytes());
        let column = |name: &str, validity: &Option<Vec<u8>>, values| Column {
            name: name.into(),
            validity: validity.clone(),
            values,
        };
        let text = Values::Text(TextBuffers { offsets, data });
        Ok(Output {
            columns: vec![
                Setting {
                    column: column("name", &name.validity, text),
                    leave: (!left.is_empty())
                        .then(|| collect_bits(count, |row| left.contains(&row))),
                },
                Setting {
                    column: column(
                        "numberofemployees",
                        &employees.validity,
                        Values::Int64(employee_counts.iter().map(|v| v.wrapping_add(1)).collect()),
                    ),
                    leave: None,
                },
                Setting {
                    column: column(
                        "revenue",
                        &revenue.validity,
                        Values::Decimal128(dvsync::rules::types::DecimalBuffers {
                            precision: 38,
                            scale: 4,
                            data: money.collect(),
                        }),
                    ),
                    leave: None,
                },
                Setting {
                    column: column("active", &active.validity, Values::Boolean(actives.clone())),
                    leave: None,
                },
                Setting {
                    column: column(
                        "since",
                        &joined.validity,
                        Values::Date32(
                            instants
                                .iter()
                                .map(|us| us.div_euclid(86_400_000_000) as i32)
                                .collect(),
                        ),
                    ),
                    leave: None,
                },
            ],
            verdicts,
        })
    }
}

impl matching::Guest for Honest {
    /// The name is the key, in lower case.
    fn derive(_: Side, rows: u32, columns: Vec<Column>) -> Result<RowKeys, Failure> {
        let Values::Strings(names) = &columns[0].values else {
            return Err(Failure::Internal(Detail { code: "types".into(), message: "".into() }));
        };
        assert_eq!(names.len(), rows as usize);
        let mut offsets = vec![0i32];
        let mut data = vec![];
        for name in names {
            data.extend(name.as_deref().unwrap_or_default().to_lowercase().bytes());
            offsets.push(data.len() as i32);
        }
        Ok(RowKeys { keys: TextBuffers { offsets, data }, verdicts: vec![] })
    }

    /// The last candidate; none of one.
    fn choose(
        rows: u32,
        _: Vec<Column>,
        offsets: Vec<i32>,
        candidates: Vec<Column>,
    ) -> Result<Choices, Failure> {
        let Values::Uuid(ids) = &candidates[1].values else {
            return Err(Failure::Internal(Detail { code: "types".into(), message: "".into() }));
        };
        assert_eq!(ids.len() / 16, offsets[rows as usize] as usize);
        let chosen = offsets.windows(2).map(|of| match of[1] - of[0] {
            0 | 1 => -1,
            several => several - 1,
        });
        Ok(Choices { chosen: chosen.collect(), verdicts: vec![] })
    }
}

impl state::Guest for Honest {
    /// Inactive where the flag is false; leaves what has it already.
    fn decide(
        rows: u32,
        incoming: Vec<Column>,
        current: Vec<Column>,
    ) -> Result<state::Decision, Failure> {
        let (Values::Boolean(active), Values::Int64(states)) =
            (&incoming[0].values, &current[0].values)
        else {
            return Err(Failure::Internal(Detail { code: "types".into(), message: "".into() }));
        };
        let code = |row: usize| {
            let wanted = i32::from(!bit(active, row));
            (!(present(&current[0], row) && states[row] == i64::from(wanted))).then_some(wanted)
        };
        let statecode: Vec<_> = (0..rows as usize).map(code).collect();
        let statuscode = statecode.iter().map(|code| code.map(|code| code + 1)).collect();
        Ok(state::Decision { statecode, statuscode, verdicts: vec![] })
    }
}

impl owner::Guest for Honest {
    /// The salesperson's mail address by the granted table.
    fn decide(
        rows: u32,
        mut incoming: Vec<Column>,
        _: Vec<Column>,
    ) -> Result<owner::Decision, Failure> {
        let keys = incoming.remove(0);
        let found = lookups::resolve("salespeople", "id", &keys, &["mail".to_string()])
            .map_err(|message| Failure::Internal(Detail { code: "lookup".into(), message }))?;
        log::log(log::Level::Info, &format!("{rows} rows resolved"));
        let Values::Text(mails) = &found[0].values else {
            return Err(Failure::Internal(Detail { code: "types".into(), message: "".into() }));
        };
        let mut kinds = vec![];
        let mut offsets = vec![0i32];
        let mut data = vec![];
        for row in 0..rows as usize {
            let has = present(&found[0], row);
            if has {
                let of = mails.offsets[row] as usize..mails.offsets[row + 1] as usize;
                data.extend_from_slice(&mails.data[of]);
            }
            kinds.push(u8::from(has));
            offsets.push(data.len() as i32);
        }
        Ok(owner::Decision {
            kinds,
            by: "internalemailaddress".into(),
            keys: TextBuffers { offsets, data },
            verdicts: vec![],
        })
    }
}
