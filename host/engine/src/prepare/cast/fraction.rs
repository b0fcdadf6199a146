//! Decimals, money and doubles.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{Decimal128Type, Float64Type};
use arrow_schema::DataType;

use super::raw::{Raw, cells, clean};
use super::{CellRules, Misfit, Reason, number};

pub(super) fn decimals(
    raw: &Raw,
    rules: &CellRules,
    misfits: &mut Vec<Misfit>,
    precision: u8,
    scale: u8,
    min: f64,
    max: f64,
) -> Option<ArrayRef> {
    let check = |value: i128| number::within(value, precision, scale, min, max).map(Some);
    let array = match raw {
        Raw::Int(values) => cells::<Decimal128Type>(values, misfits, |row| {
            check(i128::from(values.value(row)) * number::power_of_ten(precision))
        }),
        Raw::Decimal(values, from) => cells::<Decimal128Type>(values, misfits, |row| {
            check(number::rescale(values.value(row), *from, precision))
        }),
        Raw::Float(values) => cells::<Decimal128Type>(values, misfits, |row| {
            let value = values.value(row);
            number::parse_decimal(&value.to_string(), precision)
                .ok_or_else(|| Reason::mismatch("a number", value))
                .and_then(check)
        }),
        Raw::Text(values) => cells::<Decimal128Type>(values, misfits, |row| {
            let Some(text) = clean(rules, values.value(row)) else { return Ok(None) };
            number::parse_decimal(text.trim(), precision)
                .ok_or_else(|| Reason::mismatch("a number", &text))
                .and_then(check)
        }),
        _ => return None,
    };
    let scale = i8::try_from(scale).unwrap_or(10);
    Some(Arc::new(array.with_data_type(DataType::Decimal128(38, scale))))
}

pub(super) fn doubles(
    raw: &Raw,
    rules: &CellRules,
    misfits: &mut Vec<Misfit>,
    precision: u8,
    min: f64,
    max: f64,
) -> Option<ArrayRef> {
    let check = |value: f64| {
        if !value.is_finite() {
            return Err(Reason::mismatch("a finite number", value));
        }
        let value = number::round_float(value, precision);
        if (min..=max).contains(&value) {
            Ok(Some(value))
        } else {
            Err(Reason::range(value, min, max))
        }
    };
    let array = match raw {
        #[expect(clippy::cast_precision_loss, reason = "the target column is a double")]
        Raw::Int(values) => {
            cells::<Float64Type>(values, misfits, |row| check(values.value(row) as f64))
        }
        Raw::Float(values) => cells::<Float64Type>(values, misfits, |row| check(values.value(row))),
        Raw::Decimal(values, scale) => cells::<Float64Type>(values, misfits, |row| {
            check(number::decimal_to_float(values.value(row), *scale))
        }),
        Raw::Text(values) => cells::<Float64Type>(values, misfits, |row| {
            let Some(text) = clean(rules, values.value(row)) else { return Ok(None) };
            let value = text.trim().parse::<f64>();
            value.map_err(|_| Reason::mismatch("a number", &text)).and_then(check)
        }),
        _ => return None,
    };
    Some(Arc::new(array))
}
