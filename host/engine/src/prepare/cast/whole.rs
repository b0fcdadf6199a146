//! Whole numbers, choices and flags.

use std::sync::Arc;

use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{ArrayRef, BooleanArray};

use super::raw::{Raw, cells, clean};
use super::{CellRules, Misfit, Reason, number};

pub(super) fn integers(
    raw: &Raw,
    rules: &CellRules,
    misfits: &mut Vec<Misfit>,
    check: &dyn Fn(i64) -> Result<i64, Reason>,
) -> Option<ArrayRef> {
    let array = match raw {
        Raw::Int(values) => {
            cells::<Int64Type>(values, misfits, |row| check(values.value(row)).map(Some))
        }
        Raw::Float(values) => cells::<Int64Type>(values, misfits, |row| {
            number::whole_float(values.value(row)).and_then(check).map(Some)
        }),
        Raw::Decimal(values, scale) => cells::<Int64Type>(values, misfits, |row| {
            number::whole_decimal(values.value(row), *scale).and_then(check).map(Some)
        }),
        Raw::Text(values) => cells::<Int64Type>(values, misfits, |row| {
            let Some(text) = clean(rules, values.value(row)) else { return Ok(None) };
            let value = text.trim().parse::<i64>();
            value.map_err(|_| Reason::mismatch("a whole number", text)).and_then(check).map(Some)
        }),
        _ => return None,
    };
    Some(Arc::new(array))
}

pub(super) fn choices(
    raw: &Raw,
    rules: &CellRules,
    misfits: &mut Vec<Misfit>,
    known: &dyn Fn(i32) -> bool,
    options: &[i32],
) -> Option<ArrayRef> {
    let check = |value: i64| {
        i32::try_from(value).ok().filter(|value| known(*value)).ok_or_else(|| Reason {
            code: "unknown_choice",
            message: format!("choice `{value}` does not exist, there are {}", listed(options)),
        })
    };
    let array = match raw {
        Raw::Int(values) => {
            cells::<Int32Type>(values, misfits, |row| check(values.value(row)).map(Some))
        }
        Raw::Float(values) => cells::<Int32Type>(values, misfits, |row| {
            number::whole_float(values.value(row)).and_then(check).map(Some)
        }),
        Raw::Decimal(values, scale) => cells::<Int32Type>(values, misfits, |row| {
            number::whole_decimal(values.value(row), *scale).and_then(check).map(Some)
        }),
        Raw::Bool(values) => {
            cells::<Int32Type>(values, misfits, |row| check(i64::from(values.value(row))).map(Some))
        }
        Raw::Text(values) => cells::<Int32Type>(values, misfits, |row| {
            let Some(text) = clean(rules, values.value(row)) else { return Ok(None) };
            match rules.options.get(text.as_ref()) {
                Some(&value) => check(i64::from(value)).map(Some),
                None => match text.trim().parse::<i64>() {
                    Ok(value) => check(value).map(Some),
                    Err(_) => Err(Reason {
                        code: "unknown_choice",
                        message: format!("`{text}` stands for no choice"),
                    }),
                },
            }
        }),
        _ => return None,
    };
    Some(Arc::new(array))
}

pub(super) fn listed(options: &[i32]) -> String {
    const SHOWN: usize = 12;
    let mut out: Vec<String> = options.iter().take(SHOWN).map(ToString::to_string).collect();
    if options.len() > SHOWN {
        out.push(format!("and {} more", options.len() - SHOWN));
    }
    if out.is_empty() { "none".to_owned() } else { out.join(", ") }
}

pub(super) fn booleans(
    raw: &Raw,
    rules: &CellRules,
    misfits: &mut Vec<Misfit>,
) -> Option<ArrayRef> {
    let mut cell = |row: usize, value: Result<Option<bool>, Reason>| {
        value.unwrap_or_else(|reason| {
            misfits.push(Misfit { row, code: reason.code, message: reason.message });
            None
        })
    };
    let array: BooleanArray = match raw {
        Raw::Bool(values) => values.clone(),
        Raw::Int(values) => values
            .iter()
            .enumerate()
            .map(|(row, value)| {
                cell(
                    row,
                    match value {
                        None => Ok(None),
                        Some(0) => Ok(Some(false)),
                        Some(1) => Ok(Some(true)),
                        Some(other) => Err(Reason::mismatch("0 or 1", other)),
                    },
                )
            })
            .collect(),
        Raw::Text(values) => values
            .iter()
            .enumerate()
            .map(|(row, value)| {
                let cleaned = value.and_then(|text| clean(rules, text));
                cell(
                    row,
                    match cleaned.as_deref().map(str::trim) {
                        None | Some("") => Ok(None),
                        Some("1") => Ok(Some(true)),
                        Some("0") => Ok(Some(false)),
                        Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
                        Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
                        Some(text) => Err(Reason::mismatch("true or false", text)),
                    },
                )
            })
            .collect(),
        _ => return None,
    };
    Some(Arc::new(array))
}
