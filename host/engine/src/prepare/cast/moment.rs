//! Instants and days.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};

use super::raw::{Raw, cells, clean};
use super::{CellRules, Misfit, time};

pub(super) fn instants(
    raw: &Raw,
    rules: &CellRules,
    misfits: &mut Vec<Misfit>,
) -> Option<ArrayRef> {
    let array = match raw {
        Raw::Stamp(values) => cells::<TimestampMicrosecondType>(values, misfits, |row| {
            time::instant(values.value(row)).map(Some)
        }),
        Raw::Date(values) => cells::<TimestampMicrosecondType>(values, misfits, |row| {
            time::instant(i64::from(values.value(row)) * time::DAY_MICROS).map(Some)
        }),
        Raw::Text(values) => cells::<TimestampMicrosecondType>(values, misfits, |row| {
            let Some(text) = clean(rules, values.value(row)) else { return Ok(None) };
            time::parse_instant(text.trim(), rules.format.as_deref())
                .and_then(time::instant)
                .map(Some)
        }),
        _ => return None,
    };
    Some(Arc::new(array.with_timezone("UTC")))
}

pub(super) fn days(raw: &Raw, rules: &CellRules, misfits: &mut Vec<Misfit>) -> Option<ArrayRef> {
    let array = match raw {
        Raw::Date(values) => {
            cells::<Date32Type>(values, misfits, |row| time::day(values.value(row)).map(Some))
        }
        Raw::Stamp(values) => cells::<Date32Type>(values, misfits, |row| {
            time::whole_day(values.value(row)).and_then(time::day).map(Some)
        }),
        Raw::Text(values) => cells::<Date32Type>(values, misfits, |row| {
            let Some(text) = clean(rules, values.value(row)) else { return Ok(None) };
            time::parse_instant(text.trim(), rules.format.as_deref())
                .and_then(time::whole_day)
                .and_then(time::day)
                .map(Some)
        }),
        _ => return None,
    };
    Some(Arc::new(array))
}
