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

mod fraction;
mod id;
mod moment;
mod number;
mod raw;
mod text;
mod time;
mod whole;

pub(crate) use time::micros_to_text;

use std::collections::BTreeMap;

use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_schema::DataType;
use dvsync_model::{Column, Kind};

use fraction::{decimals, doubles};
use id::ids;
use moment::{days, instants};
use raw::Raw;
use whole::{booleans, choices, integers};

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

#[cfg(test)]
mod tests;
