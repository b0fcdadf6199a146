//! Casts columns to the type that a rule asks for, where nothing is lost: by
//! type when a job is checked, by value when rows are judged. Pure.

use std::sync::Arc;

use arrow_array::builder::{FixedSizeBinaryBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, TimestampMicrosecondType};
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, FixedSizeBinaryArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use uuid::Uuid;

use crate::bindings::dvsync::rules::types::ValueType;
use crate::contract::{arrow_type, timestamp_type, value_type};

/// The largest integer up to which each one has a float of its own.
const EXACT_FLOAT_MAX: u64 = 1 << 53;
const DAY_US: i64 = 86_400_000_000;

/// A column in the type that was asked for.
pub(crate) struct Cast {
    pub(crate) array: ArrayRef,
    /// Rows whose value has no equal in that type; the array is null or
    /// meaningless there.
    pub(crate) lost: Option<BooleanBuffer>,
}

/// Whether values of one type can be cast to another, some of them at least.
pub(crate) fn can_cast(from: &DataType, to: ValueType) -> bool {
    use ValueType::{
        Binary, Boolean, Date32, Decimal128, Float64, Int64, Strings, Text, TimestampUs, Uuid,
    };
    let Some(from_type) = value_type(from) else { return false };
    if *from == DataType::Null || from_type == to {
        return true;
    }
    match to {
        Text | Strings => from_type != Binary,
        Int64 => matches!(from_type, Boolean | Float64 | Decimal128 | Text),
        Float64 => matches!(from_type, Int64 | Decimal128 | Text),
        Decimal128 => from_type == Int64,
        TimestampUs => matches!(from_type, Date32 | Text),
        Date32 => matches!(from_type, TimestampUs | Text),
        Boolean | Uuid => from_type == Text,
        Binary => false,
    }
}

/// Casts; call [`can_cast`] first.
pub(crate) fn cast(array: &ArrayRef, to: ValueType) -> Result<Cast, ArrowError> {
    let target = target_type(array.data_type(), to);
    if array.data_type() == &target {
        return Ok(Cast { array: Arc::clone(array), lost: None });
    }
    let cast = match (array.data_type(), to) {
        (_, ValueType::TimestampUs) => {
            let instants = instants(array)?;
            let instants = instants.as_primitive::<TimestampMicrosecondType>().clone();
            Arc::new(instants.with_data_type(timestamp_type())) as ArrayRef
        }
        (DataType::FixedSizeBinary(17), ValueType::Uuid) => Arc::new(ids_of_lookups(array)?),
        (DataType::FixedSizeBinary(_), ValueType::Text | ValueType::Strings) => {
            let ids = cast(array, ValueType::Uuid)?.array;
            Arc::new(text_of_ids(ids.as_fixed_size_binary()))
        }
        (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, ValueType::Uuid) => {
            Arc::new(ids_of_text(&arrow_cast(array, &DataType::Utf8)?)?)
        }
        (DataType::Timestamp(..), ValueType::Text | ValueType::Strings) => {
            let instants = instants(array)?;
            let instants = instants.as_primitive::<TimestampMicrosecondType>().clone();
            arrow_cast(&(Arc::new(instants.with_timezone("+00:00")) as ArrayRef), &target)?
        }
        (DataType::Timestamp(..), ValueType::Date32) => arrow_cast(&instants(array)?, &target)?,
        _ => arrow_cast(array, &target)?,
    };
    let lost = lost(array, &cast, to)?;
    Ok(Cast { array: cast, lost })
}

fn target_type(from: &DataType, to: ValueType) -> DataType {
    match (from, to) {
        (
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
            | DataType::Decimal256(precision, scale),
            ValueType::Decimal128,
        ) => DataType::Decimal128((*precision).min(38), *scale),
        (_, ValueType::Decimal128) => DataType::Decimal128(20, 0),
        _ => arrow_type(to),
    }
}

fn arrow_cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    // Safe: what has no equal becomes null, and is found by that.
    cast_with_options(array, to, &CastOptions { safe: true, ..CastOptions::default() })
}

fn lost(
    from: &ArrayRef,
    cast: &ArrayRef,
    to: ValueType,
) -> Result<Option<BooleanBuffer>, ArrowError> {
    let mut lost = None;
    if cast.null_count() != from.logical_null_count() {
        let was_null = from.logical_nulls();
        let is_null = |nulls: Option<&NullBuffer>, row| nulls.is_some_and(|at| at.is_null(row));
        let newly = |row| is_null(cast.nulls(), row) && !is_null(was_null.as_ref(), row);
        lost = Some(BooleanBuffer::collect_bool(from.len(), newly));
    }
    // An unequal value that arrow accepts: a fraction, a time of day.
    let inexact = match (value_type(from.data_type()), to) {
        (Some(ValueType::Float64), ValueType::Int64) => {
            let floats = arrow_cast(from, &DataType::Float64)?;
            rows_where::<Float64Type>(&floats, |value| value.fract() != 0.0)
        }
        (Some(ValueType::Int64), ValueType::Float64) => {
            let integers = arrow_cast(from, &DataType::Int64)?;
            rows_where::<Int64Type>(&integers, |value| value.unsigned_abs() > EXACT_FLOAT_MAX)
        }
        (Some(ValueType::Decimal128), ValueType::Int64) => {
            let decimals = arrow_cast(from, &target_type(from.data_type(), ValueType::Decimal128))?;
            let scale =
                u32::from(decimals.as_primitive::<Decimal128Type>().scale().max(0).unsigned_abs());
            let one = 10_i128.checked_pow(scale).unwrap_or(i128::MAX);
            rows_where::<Decimal128Type>(&decimals, |value| value % one != 0)
        }
        (Some(ValueType::TimestampUs), ValueType::Date32) => {
            let instants = instants(from)?;
            rows_where::<TimestampMicrosecondType>(&instants, |us| us.rem_euclid(DAY_US) != 0)
        }
        _ => None,
    };
    Ok(match (lost, inexact) {
        (Some(left), Some(right)) => Some(&left | &right),
        (one, other) => one.or(other),
    })
}

fn rows_where<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    is_lost: impl Fn(T::Native) -> bool,
) -> Option<BooleanBuffer> {
    let values: &PrimitiveArray<T> = array.as_primitive::<T>();
    let lost = |row: usize| values.is_valid(row) && is_lost(values.values()[row]);
    let rows = BooleanBuffer::collect_bool(values.len(), lost);
    (rows.count_set_bits() > 0).then_some(rows)
}

/// Microseconds without a zone. Instants are counted from the same moment in
/// each zone, and arrow knows no zone by name.
fn instants(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    arrow_cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))
}

/// The ids of lookup cells, without the byte that names the target.
fn ids_of_lookups(array: &ArrayRef) -> Result<FixedSizeBinaryArray, ArrowError> {
    let cells = array.as_fixed_size_binary();
    let mut ids = FixedSizeBinaryBuilder::with_capacity(cells.len(), 16);
    for cell in cells {
        match cell.and_then(<[u8]>::split_first) {
            Some((_, id)) => ids.append_value(id)?,
            None => ids.append_null(),
        }
    }
    Ok(ids.finish())
}

fn text_of_ids(ids: &FixedSizeBinaryArray) -> arrow_array::StringArray {
    let mut texts = StringBuilder::with_capacity(ids.len(), ids.len() * 36);
    let mut text = Uuid::encode_buffer();
    for id in ids {
        let id = id.and_then(|bytes| Uuid::from_slice(bytes).ok());
        texts.append_option(id.map(|id| &*id.hyphenated().encode_lower(&mut text)));
    }
    texts.finish()
}

fn ids_of_text(array: &ArrayRef) -> Result<FixedSizeBinaryArray, ArrowError> {
    let texts = array.as_string::<i32>();
    let mut ids = FixedSizeBinaryBuilder::with_capacity(texts.len(), 16);
    for text in texts {
        match text.and_then(|text| Uuid::try_parse(text.trim()).ok()) {
            Some(id) => ids.append_value(id.as_bytes())?,
            None => ids.append_null(),
        }
    }
    Ok(ids.finish())
}

/// The text form by which values of different types are compared: a whole
/// number is written without a fraction, whatever its type.
pub(crate) fn text_form(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if matches!(array.data_type(), DataType::Float64 | DataType::Decimal128(..)) {
        let whole = cast(array, ValueType::Int64)?;
        if whole.lost.is_none() {
            return arrow_cast(&whole.array, &DataType::Utf8);
        }
    }
    cast(array, ValueType::Text).map(|cast| cast.array)
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
        TimestampMicrosecondArray, TimestampNanosecondArray,
    };

    use super::*;

    fn lost_rows(array: ArrayRef, to: ValueType) -> Vec<usize> {
        assert!(can_cast(array.data_type(), to), "{} to {to:?}", array.data_type());
        let cast = cast(&array, to).expect("a cast that is allowed works");
        assert_eq!(cast.array.len(), array.len());
        cast.lost.map(|rows| rows.set_indices().collect()).unwrap_or_default()
    }

    #[test]
    fn values_that_would_change_are_found() {
        let day = DAY_US;
        for (array, to, lost) in [
            (
                Arc::new(Float64Array::from(vec![
                    Some(1.0),
                    Some(1.5),
                    None,
                    Some(f64::NAN),
                    Some(1e300),
                ])) as ArrayRef,
                ValueType::Int64,
                vec![1, 3, 4],
            ),
            (
                Arc::new(Int64Array::from(vec![1, 1 << 53, (1 << 53) + 1])),
                ValueType::Float64,
                vec![2],
            ),
            (
                Arc::new(StringArray::from(vec![Some("12"), Some("x"), None, Some("")])),
                ValueType::Int64,
                vec![1, 3],
            ),
            (
                Arc::new(
                    Decimal128Array::from(vec![100, 150])
                        .with_precision_and_scale(10, 2)
                        .expect("a decimal type"),
                ),
                ValueType::Int64,
                vec![1],
            ),
            (
                Arc::new(TimestampMicrosecondArray::from(vec![0, day, day + 1, -day])),
                ValueType::Date32,
                vec![2],
            ),
            (
                Arc::new(StringArray::from(vec!["6f9619ff-8b86-d011-b42d-00cf4fc964ff", "no"])),
                ValueType::Uuid,
                vec![1],
            ),
            (Arc::new(Int32Array::from(vec![1, 2])), ValueType::Int64, vec![]),
            (Arc::new(Int32Array::from(vec![1, 2])), ValueType::Strings, vec![]),
            (Arc::new(BooleanArray::from(vec![true])), ValueType::Text, vec![]),
            (Arc::new(TimestampNanosecondArray::from(vec![1_000])), ValueType::TimestampUs, vec![]),
            (
                Arc::new(StringArray::from(vec!["2026-11-22T01:02:03+02:00", "2026-11-22", "x"])),
                ValueType::TimestampUs,
                vec![2],
            ),
        ] {
            let from = array.data_type().clone();
            assert_eq!(lost_rows(array, to), lost, "{from} to {to:?}");
        }
    }

    #[test]
    fn instants_are_the_same_in_each_zone() {
        for zone in [None, Some("UTC"), Some("+02:00"), Some("Europe/Paris")] {
            let array = TimestampNanosecondArray::from(vec![3_600_000_000_000]);
            let array = Arc::new(array.with_timezone_opt(zone)) as ArrayRef;
            let us = cast(&array, ValueType::TimestampUs).expect("instants").array;
            assert_eq!(us.data_type(), &timestamp_type());
            assert_eq!(us.as_primitive::<TimestampMicrosecondType>().value(0), 3_600_000_000);
            let text = cast(&array, ValueType::Text).expect("text").array;
            assert_eq!(text.as_string::<i32>().value(0), "1970-01-01T01:00:00Z");
        }
    }

    #[test]
    fn types_that_lose_by_nature_are_refused() {
        assert!(!can_cast(&DataType::Binary, ValueType::Text));
        assert!(!can_cast(&DataType::Float64, ValueType::Decimal128));
        assert!(!can_cast(&DataType::Int64, ValueType::Boolean));
        let list = DataType::new_list(DataType::Int64, true);
        assert!(!can_cast(&list, ValueType::Text));
    }

    #[test]
    fn whole_numbers_of_any_type_have_one_text_form() {
        let forms = [
            Arc::new(Float64Array::from(vec![Some(274.0), None])) as ArrayRef,
            Arc::new(Int64Array::from(vec![Some(274), None])),
            Arc::new(StringArray::from(vec![Some("274"), None])),
        ];
        for form in forms {
            let text = text_form(&form).expect("text");
            assert_eq!(text.as_string::<i32>(), &StringArray::from(vec![Some("274"), None]));
        }
    }

    #[test]
    fn ids_and_lookups_are_read_as_text() {
        let id = Uuid::from_u128(0x6f96_19ff_8b86_d011_b42d_00cf_4fc9_64ff);
        let cell = [&[1u8][..], id.as_bytes()].concat();
        let cells = FixedSizeBinaryArray::try_from_iter([cell].iter()).expect("cells");
        let text = cast(&(Arc::new(cells) as ArrayRef), ValueType::Text).expect("text").array;
        assert_eq!(text.as_string::<i32>().value(0), id.to_string());
    }
}
