//! A column as it came, in one of the few types that casts start from.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float64Array, Int64Array, PrimitiveArray, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, TimeUnit};

use super::{CellRules, Misfit, Reason};

/// A column brought to one of the few types that casts start from.
pub(super) enum Raw {
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

impl Raw {
    pub(super) fn of(array: &ArrayRef) -> Option<Self> {
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
    pub(super) fn as_text(&self) -> Option<StringArray> {
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
pub(super) fn cells<T: ArrowPrimitiveType>(
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
pub(super) fn clean<'a>(rules: &CellRules, text: &'a str) -> Option<Cow<'a, str>> {
    crate::prepare::sanitize::sanitize(&rules.sanitize, text).filter(|text| !text.is_empty())
}
