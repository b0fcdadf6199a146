//! Columns of binary files as the schema wants them.
//!
//! Pure. Text is Utf8 and dictionaries are unpacked, whatever the file has; a
//! declared type is cast to only where no digit is lost, else refused when the
//! source is opened.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, TimeUnit};

use crate::column::{Column, ColumnType};
use crate::declared::DeclaredType;
use crate::value::{Notation, Reading};

/// What is done to a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Convert {
    /// Nothing.
    Keep,
    /// Another representation or a wider type.
    Cast(DataType),
    /// Text is read as the declared type.
    Parse(DeclaredType),
}

/// A value that does not fit the declared type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// Row in the array.
    pub(crate) row: usize,
    /// The value, for people.
    pub(crate) value: String,
}

/// How a column of type `found` becomes what is declared, and its type then;
/// `None` if it cannot.
pub(crate) fn plan(
    found: &DataType,
    declared: Option<DeclaredType>,
) -> Option<(Convert, DataType)> {
    let plain = plain(found);
    let target = match declared {
        None => plain.clone(),
        Some(declared) => match (declared, &plain) {
            (DeclaredType::Text, DataType::Utf8) => DataType::Utf8,
            (DeclaredType::Text, other) if !other.is_nested() => DataType::Utf8,
            (declared, DataType::Utf8) => {
                return Some((Convert::Parse(declared), declared.arrow_type()));
            }
            (DeclaredType::Int64, other) if other.is_integer() => DataType::Int64,
            (DeclaredType::Float64, other) if other.is_numeric() => DataType::Float64,
            (DeclaredType::Decimal { .. }, other) if other.is_integer() || other.is_floating() => {
                declared.arrow_type()
            }
            (
                DeclaredType::Decimal { scale, .. },
                DataType::Decimal32(_, from)
                | DataType::Decimal64(_, from)
                | DataType::Decimal128(_, from)
                | DataType::Decimal256(_, from),
            ) if i16::from(*from) <= i16::from(scale) => declared.arrow_type(),
            (DeclaredType::Boolean, DataType::Boolean) => DataType::Boolean,
            (DeclaredType::Date, DataType::Date32 | DataType::Date64) => DataType::Date32,
            (DeclaredType::Timestamp, DataType::Timestamp(_, _)) => plain.clone(),
            (DeclaredType::Timestamp, DataType::Date32 | DataType::Date64) => {
                DataType::Timestamp(TimeUnit::Microsecond, None)
            }
            _ => return None,
        },
    };
    let convert = if *found == target { Convert::Keep } else { Convert::Cast(target.clone()) };
    Some((convert, target))
}

/// The type without the ways in which files store it.
fn plain(found: &DataType) -> DataType {
    match found {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => plain(values),
        DataType::RunEndEncoded(_, values) => plain(values.data_type()),
        other => other.clone(),
    }
}

/// Converts a column; rows that do not fit are null in it and listed.
pub(crate) fn apply(
    convert: &Convert,
    array: &ArrayRef,
) -> Result<(ArrayRef, Vec<Unfit>), ArrowError> {
    match convert {
        Convert::Keep => Ok((Arc::clone(array), Vec::new())),
        Convert::Cast(target) => {
            let options = CastOptions { safe: true, ..CastOptions::default() };
            let array = &in_utc(array)?;
            let cast = cast_with_options(array, target, &options)?;
            let unfit = if cast.null_count() > array.logical_null_count() {
                let nulls = array.logical_nulls();
                let was_null = |row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                let rows = (0..array.len()).filter(|&row| cast.is_null(row) && !was_null(row));
                shown(array, rows)?
            } else {
                Vec::new()
            };
            Ok((cast, unfit))
        }
        Convert::Parse(declared) => parse(*declared, array),
    }
}

/// The same instants with UTC as an offset: Arrow writes no named zone as text.
fn in_utc(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            arrow_cast::cast(array, &DataType::Timestamp(*unit, Some("+00:00".into())))
        }
        _ => Ok(Arc::clone(array)),
    }
}

fn parse(declared: DeclaredType, array: &ArrayRef) -> Result<(ArrayRef, Vec<Unfit>), ArrowError> {
    let text = arrow_cast::cast(array, &DataType::Utf8)?;
    let text = text.as_string::<i32>();
    let reading = Reading::Declared;
    let mut column = Column::new(ColumnType { declared, reading, zoned: false });
    let notation = Notation::default();
    let mut unfit = Vec::new();
    for row in 0..text.len() {
        if text.is_null(row) || text.value(row).is_empty() {
            column.push_null();
        } else if column.push(text.value(row).as_bytes(), &notation, reading).is_err() {
            column.push_null();
            unfit.push(row);
        }
    }
    Ok((column.finish()?, shown(array, unfit.into_iter())?))
}

fn shown(array: &ArrayRef, rows: impl Iterator<Item = usize>) -> Result<Vec<Unfit>, ArrowError> {
    let options = FormatOptions::default();
    let values = ArrayFormatter::try_new(array.as_ref(), &options)?;
    Ok(rows.map(|row| Unfit { row, value: values.value(row).to_string() }).collect())
}

#[cfg(test)]
mod tests {
    use arrow_array::{Float64Array, Int32Array, StringArray, UInt64Array};

    use super::*;

    #[test]
    fn what_loses_digits_is_refused() {
        let decimal = |precision, scale| DeclaredType::Decimal { precision, scale };
        for (found, declared, fits) in [
            (DataType::Float64, DeclaredType::Int64, false),
            (DataType::Decimal128(10, 4), decimal(10, 2), false),
            (DataType::Decimal128(10, 2), decimal(10, 4), true),
            (DataType::Int32, DeclaredType::Int64, true),
            (DataType::Boolean, DeclaredType::Int64, false),
            (DataType::Int64, DeclaredType::Text, true),
            (DataType::LargeUtf8, DeclaredType::Date, true),
            (DataType::new_list(DataType::Int8, true), DeclaredType::Text, false),
        ] {
            assert_eq!(plan(&found, Some(declared)).is_some(), fits, "{found} to {declared}");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_listed() {
        let (convert, _) = plan(&DataType::UInt64, Some(DeclaredType::Int64)).unwrap();
        let array: ArrayRef = Arc::new(UInt64Array::from(vec![Some(1), None, Some(u64::MAX)]));
        let (cast, unfit) = apply(&convert, &array).unwrap();
        assert_eq!(cast.null_count(), 2);
        assert_eq!(unfit, [Unfit { row: 2, value: u64::MAX.to_string() }]);

        let (convert, _) = plan(&DataType::Utf8, Some(DeclaredType::Float64)).unwrap();
        let array: ArrayRef = Arc::new(StringArray::from(vec![Some("1.5"), Some("x"), Some("")]));
        let (cast, unfit) = apply(&convert, &array).unwrap();
        let expected: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), None, None]));
        assert_eq!(&cast, &expected);
        assert_eq!(unfit, [Unfit { row: 1, value: "x".to_owned() }]);

        let array: ArrayRef = Arc::new(Int32Array::from(vec![7]));
        assert_eq!(apply(&Convert::Keep, &array).unwrap(), (array, Vec::new()));
    }
}
