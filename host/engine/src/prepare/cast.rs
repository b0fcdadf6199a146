//! Values as the service itself would show them.
//!
//! Pure. A column of whatever Arrow type becomes the canonical type of the
//! target column ([`dvsync_model::Kind::arrow_type`]), checked against the
//! column's limits on the way. A cell that does not fit costs its row, never
//! the column; a type that cannot fit at all is [`Unfit`], found when the job
//! is planned.
//!
//! Canonical means: text is never empty, decimals are rounded half away from
//! zero to the column's precision, instants are whole seconds (UTC unless the
//! text says otherwise), choices exist. Equal cells then mean equal values.

mod number;
mod text;
mod time;

pub(crate) use time::micros_to_text;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float64Array, Int64Array, PrimitiveArray, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow_schema::{DataType, TimeUnit};
use dvsync_model::{Column, Kind, LookupValue};
use uuid::Uuid;

use crate::job::{Sanitize, TooLong};

/// What the job says about the text of a column.
#[derive(Debug, Clone)]
pub(crate) struct CellRules {
    /// Steps, in order.
    pub(crate) sanitize: Vec<Sanitize>,
    /// What to do with text beyond the column's length.
    pub(crate) too_long: TooLong,
    /// Texts that stand for a choice.
    pub(crate) options: BTreeMap<String, i32>,
    /// How dates are written (`strftime`); ISO 8601 where absent.
    pub(crate) format: Option<String>,
    /// For a lookup column given as an id: the position of the target table.
    pub(crate) lookup_target: u8,
}

impl Default for CellRules {
    fn default() -> Self {
        Self {
            sanitize: Vec::new(),
            too_long: TooLong::Reject,
            options: BTreeMap::new(),
            format: None,
            lookup_target: 0,
        }
    }
}

/// A cell that does not fit its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// Row in the chunk.
    pub(crate) row: usize,
    /// Stable and machine-readable.
    pub(crate) code: &'static str,
    /// What was wrong, the value shown.
    pub(crate) message: String,
}

/// Why one value does not fit; the caller adds the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    code: &'static str,
    message: String,
}

impl Reason {
    fn mismatch(expected: &str, value: impl std::fmt::Display) -> Self {
        Self { code: "type_mismatch", message: format!("expected {expected}, found `{value}`") }
    }

    fn range(
        value: impl std::fmt::Display,
        min: impl std::fmt::Display,
        max: impl std::fmt::Display,
    ) -> Self {
        Self { code: "out_of_range", message: format!("`{value}` is outside of {min} to {max}") }
    }
}

/// A column type that can never be written to a target column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot write `{from}` to {to} column `{column}`")]
pub struct Unfit {
    /// Arrow type that was offered.
    pub from: DataType,
    /// Kind of the target column.
    pub to: String,
    /// Target column.
    pub column: String,
}

/// A column brought to one of the few types that casts start from.
enum Raw {
    Null,
    Text(StringArray),
    Int(Int64Array),
    Float(Float64Array),
    Decimal(Decimal128Array, i8),
    Bool(BooleanArray),
    Date(Date32Array),
    Stamp(TimestampMicrosecondArray),
    Id(FixedSizeBinaryArray),
}

/// Brings a column to the canonical type of its target column.
///
/// # Errors
/// [`Unfit`] when the type as such cannot be written there.
pub(crate) fn to_canonical(
    column: &Column,
    rules: &CellRules,
    array: &ArrayRef,
) -> Result<(ArrayRef, Vec<Misfit>), Unfit> {
    let unfit = || Unfit {
        from: array.data_type().clone(),
        to: column.kind.name().to_owned(),
        column: column.logical_name.clone(),
    };
    let raw = Raw::of(array).ok_or_else(unfit)?;
    let rows = array.len();
    let mut misfits = Vec::new();
    let out: ArrayRef = match (&column.kind, &raw) {
        (Kind::Other(_), _) => return Err(unfit()),
        (kind, Raw::Null) => new_null_array(&kind.arrow_type(), rows),

        (Kind::Text { length_max } | Kind::Memo { length_max }, raw) => {
            let texts = raw.as_text().ok_or_else(unfit)?;
            text::texts(&texts, rules, *length_max, &mut misfits)
        }
        (Kind::MultiChoice { options }, raw) => {
            let texts = raw.as_text().ok_or_else(unfit)?;
            text::multi_choices(&texts, rules, options, &mut misfits)
        }

        (Kind::Integer { min, max }, raw) => {
            let (min, max) = (*min, *max);
            integers(raw, rules, &mut misfits, &|value| {
                if (min..=max).contains(&value) {
                    Ok(value)
                } else {
                    Err(Reason::range(value, min, max))
                }
            })
            .ok_or_else(unfit)?
        }
        (Kind::BigInt, raw) => integers(raw, rules, &mut misfits, &Ok).ok_or_else(unfit)?,

        (Kind::Choice { options }, raw) => {
            let known = options.as_slice();
            choices(raw, rules, &mut misfits, &|v| known.binary_search(&v).is_ok(), known)
                .ok_or_else(unfit)?
        }
        (Kind::State { options }, raw) => {
            let known: Vec<i32> = options.iter().map(|option| option.value).collect();
            choices(raw, rules, &mut misfits, &|v| known.contains(&v), &known).ok_or_else(unfit)?
        }
        (Kind::Status { options }, raw) => {
            let known: Vec<i32> = options.iter().map(|option| option.value).collect();
            choices(raw, rules, &mut misfits, &|v| known.contains(&v), &known).ok_or_else(unfit)?
        }

        (Kind::Decimal { precision, min, max }, raw) => {
            let scale = (*precision).min(10);
            decimals(raw, rules, &mut misfits, scale, scale, *min, *max).ok_or_else(unfit)?
        }
        (Kind::Money { precision, min, max }, raw) => {
            decimals(raw, rules, &mut misfits, (*precision).min(4), 4, *min, *max)
                .ok_or_else(unfit)?
        }
        (Kind::Double { precision, min, max }, raw) => {
            doubles(raw, rules, &mut misfits, *precision, *min, *max).ok_or_else(unfit)?
        }

        (Kind::Boolean, raw) => booleans(raw, rules, &mut misfits).ok_or_else(unfit)?,
        (Kind::DateTime, raw) => instants(raw, rules, &mut misfits).ok_or_else(unfit)?,
        (Kind::DateOnly, raw) => days(raw, rules, &mut misfits).ok_or_else(unfit)?,
        (Kind::Uniqueidentifier, raw) => ids(raw, rules, &mut misfits, None).ok_or_else(unfit)?,
        (Kind::Lookup { .. }, raw) => {
            ids(raw, rules, &mut misfits, Some(rules.lookup_target)).ok_or_else(unfit)?
        }
    };
    Ok((out, misfits))
}

impl Raw {
    fn of(array: &ArrayRef) -> Option<Self> {
        let to = |data_type: &DataType| arrow_cast::cast(array, data_type).ok();
        Some(match array.data_type() {
            DataType::Null => Raw::Null,
            DataType::Utf8 => Raw::Text(array.as_string::<i32>().clone()),
            DataType::LargeUtf8 | DataType::Utf8View => {
                Raw::Text(to(&DataType::Utf8)?.as_string::<i32>().clone())
            }
            DataType::UInt64 => {
                let wide = to(&DataType::Decimal128(38, 0))?;
                Raw::Decimal(wide.as_primitive::<Decimal128Type>().clone(), 0)
            }
            integer if integer.is_integer() => {
                Raw::Int(to(&DataType::Int64)?.as_primitive::<Int64Type>().clone())
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                Raw::Float(to(&DataType::Float64)?.as_primitive::<Float64Type>().clone())
            }
            DataType::Decimal128(_, scale) => {
                Raw::Decimal(array.as_primitive::<Decimal128Type>().clone(), *scale)
            }
            DataType::Boolean => Raw::Bool(array.as_boolean().clone()),
            DataType::Date32 | DataType::Date64 => {
                Raw::Date(to(&DataType::Date32)?.as_primitive::<Date32Type>().clone())
            }
            DataType::Timestamp(_, zone) => {
                let micros = to(&DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
                Raw::Stamp(micros.as_primitive::<TimestampMicrosecondType>().clone())
            }
            DataType::FixedSizeBinary(16) => Raw::Id(array.as_fixed_size_binary().clone()),
            _ => return None,
        })
    }

    /// As text; `None` where that makes no sense.
    fn as_text(&self) -> Option<StringArray> {
        match self {
            Raw::Text(texts) => Some(texts.clone()),
            Raw::Int(values) => text_of(values),
            Raw::Decimal(values, _) => text_of(values),
            Raw::Bool(values) => text_of(values),
            Raw::Date(values) => text_of(values),
            Raw::Float(values) => text_of(values),
            Raw::Stamp(values) => text_of(values),
            Raw::Id(values) => text_of(values),
            Raw::Null => None,
        }
    }
}

fn text_of(values: &(impl Array + Clone + 'static)) -> Option<StringArray> {
    crate::keys::text(&(Arc::new(values.clone()) as ArrayRef))
}

/// Casts cell by cell; a null stays null, a misfit becomes null and is told.
fn cells<T: ArrowPrimitiveType>(
    array: &dyn Array,
    misfits: &mut Vec<Misfit>,
    mut cast: impl FnMut(usize) -> Result<Option<T::Native>, Reason>,
) -> PrimitiveArray<T> {
    let mut values = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        values.push(if array.is_null(row) {
            None
        } else {
            cast(row).unwrap_or_else(|reason| {
                misfits.push(Misfit { row, code: reason.code, message: reason.message });
                None
            })
        });
    }
    values.into_iter().collect()
}

/// The text of a cell after the job's clean-up; empty is null.
fn clean<'a>(rules: &CellRules, text: &'a str) -> Option<std::borrow::Cow<'a, str>> {
    super::sanitize::sanitize(&rules.sanitize, text).filter(|text| !text.is_empty())
}

fn integers(
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

fn choices(
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

fn listed(options: &[i32]) -> String {
    const SHOWN: usize = 12;
    let mut out: Vec<String> = options.iter().take(SHOWN).map(ToString::to_string).collect();
    if options.len() > SHOWN {
        out.push(format!("and {} more", options.len() - SHOWN));
    }
    if out.is_empty() { "none".to_owned() } else { out.join(", ") }
}

fn decimals(
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

fn doubles(
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

fn booleans(raw: &Raw, rules: &CellRules, misfits: &mut Vec<Misfit>) -> Option<ArrayRef> {
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

fn instants(raw: &Raw, rules: &CellRules, misfits: &mut Vec<Misfit>) -> Option<ArrayRef> {
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

fn days(raw: &Raw, rules: &CellRules, misfits: &mut Vec<Misfit>) -> Option<ArrayRef> {
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

/// Ids as 16 bytes, or as 17 with the lookup's target before them.
fn ids(
    raw: &Raw,
    rules: &CellRules,
    misfits: &mut Vec<Misfit>,
    target: Option<u8>,
) -> Option<ArrayRef> {
    let found: Vec<Option<Uuid>> = match raw {
        Raw::Id(values) => {
            values.iter().map(|v| v.and_then(|v| Uuid::from_slice(v).ok())).collect()
        }
        Raw::Text(values) => values
            .iter()
            .enumerate()
            .map(|(row, text)| {
                let text = clean(rules, text?)?;
                let parsed = Uuid::try_parse(text.trim());
                if parsed.is_err() {
                    let reason = Reason::mismatch("a GUID", &text);
                    misfits.push(Misfit { row, code: reason.code, message: reason.message });
                }
                parsed.ok()
            })
            .collect(),
        _ => return None,
    };
    let array = match target {
        None => FixedSizeBinaryArray::try_from_sparse_iter_with_size(
            found.iter().map(|id| id.as_ref().map(|id| id.as_bytes())),
            16,
        ),
        Some(target) => FixedSizeBinaryArray::try_from_sparse_iter_with_size(
            found.iter().map(|id| id.map(|id| LookupValue { target, id }.to_bytes())),
            17,
        ),
    };
    array.ok().map(|array| Arc::new(array) as ArrayRef)
}

#[cfg(test)]
mod tests;
