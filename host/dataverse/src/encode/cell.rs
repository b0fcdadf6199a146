//! One column's cells as JSON members.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float64Array, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use dvsync_model::{Column, Kind};
use uuid::Uuid;

use super::{EncodeError, text, time};

/// Cells with the member's name before them, `,"name":`.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    prefix: Vec<u8>,
    values: Values,
}

#[derive(Debug, Clone)]
enum Values {
    Text(StringArray),
    Int64(Int64Array),
    Int32(Int32Array),
    Decimal(Decimal128Array, usize),
    Double(Float64Array),
    Boolean(BooleanArray),
    Instant(TimestampMicrosecondArray),
    Date(Date32Array),
    Guid(FixedSizeBinaryArray),
    /// One prefix per target: `,"nav@odata.bind":"/set(`.
    Lookup(FixedSizeBinaryArray, Vec<Vec<u8>>),
}

impl Cells {
    pub(super) fn new(column: &Column, array: ArrayRef) -> Result<Self, EncodeError> {
        let expected = column.kind.arrow_type();
        if array.data_type() != &expected {
            return Err(EncodeError::Type {
                column: column.logical_name.clone(),
                expected: expected.to_string(),
                found: array.data_type().to_string(),
            });
        }
        let mut prefix = member(&column.logical_name);
        let values = match &column.kind {
            Kind::Text { .. } | Kind::Memo { .. } | Kind::MultiChoice { .. } => {
                Values::Text(array.as_string::<i32>().clone())
            }
            Kind::Integer { .. } | Kind::BigInt => {
                Values::Int64(array.as_primitive::<Int64Type>().clone())
            }
            Kind::Choice { .. } | Kind::State { .. } | Kind::Status { .. } => {
                Values::Int32(array.as_primitive::<Int32Type>().clone())
            }
            Kind::Decimal { .. } | Kind::Money { .. } => {
                let array = array.as_primitive::<Decimal128Type>().clone();
                let scale = usize::try_from(array.scale()).unwrap_or(0);
                Values::Decimal(array, scale)
            }
            Kind::Double { .. } => {
                let array = array.as_primitive::<Float64Type>().clone();
                finite(column, &array)?;
                Values::Double(array)
            }
            Kind::Boolean => Values::Boolean(array.as_boolean().clone()),
            Kind::DateTime => {
                Values::Instant(array.as_primitive::<TimestampMicrosecondType>().clone())
            }
            Kind::DateOnly => Values::Date(array.as_primitive::<Date32Type>().clone()),
            Kind::Uniqueidentifier => Values::Guid(array.as_fixed_size_binary().clone()),
            Kind::Lookup { targets } => {
                let array = array.as_fixed_size_binary().clone();
                known_targets(column, &array, targets.len())?;
                let bind = |target: &dvsync_model::LookupTarget| {
                    let mut bind = member(&format!("{}@odata.bind", target.navigation_property));
                    // Clearing one navigation property of a polymorphic lookup
                    // clears the column.
                    bind.extend_from_slice(format!("\"/{}(", target.entity_set).as_bytes());
                    bind
                };
                if let Some(target) = targets.first() {
                    prefix = member(&format!("{}@odata.bind", target.navigation_property));
                }
                Values::Lookup(array, targets.iter().map(bind).collect())
            }
            Kind::Other(kind) => {
                return Err(EncodeError::NotWritable {
                    column: column.logical_name.clone(),
                    kind: kind.clone(),
                });
            }
        };
        Ok(Self { prefix, values })
    }

    /// Appends `,"name":value`; a null cell clears the column.
    #[inline]
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) {
        if let Values::Lookup(array, binds) = &self.values
            && array.is_valid(row)
        {
            if let Some((&target, id)) = array.value(row).split_first()
                && let Some(bind) = binds.get(usize::from(target))
            {
                out.extend_from_slice(bind);
                guid(id, out);
                out.extend_from_slice(b")\"");
            }
            return;
        }
        out.extend_from_slice(&self.prefix);
        match &self.values {
            Values::Text(array) if array.is_valid(row) => text::write(array.value(row), out),
            Values::Int64(array) if array.is_valid(row) => number(array.value(row), out),
            Values::Int32(array) if array.is_valid(row) => number(array.value(row), out),
            Values::Decimal(array, scale) if array.is_valid(row) => {
                decimal(array.value(row), *scale, out);
            }
            Values::Double(array) if array.is_valid(row) => {
                let mut buffer = ryu::Buffer::new();
                out.extend_from_slice(buffer.format_finite(array.value(row)).as_bytes());
            }
            Values::Boolean(array) if array.is_valid(row) => {
                out.extend_from_slice(if array.value(row) { b"true" } else { b"false" });
            }
            Values::Instant(array) if array.is_valid(row) => {
                out.push(b'"');
                time::instant(array.value(row), out);
                out.push(b'"');
            }
            Values::Date(array) if array.is_valid(row) => {
                out.push(b'"');
                time::date(i64::from(array.value(row)), out);
                out.push(b'"');
            }
            Values::Guid(array) if array.is_valid(row) => {
                out.push(b'"');
                guid(array.value(row), out);
                out.push(b'"');
            }
            _ => out.extend_from_slice(b"null"),
        }
    }
}

/// `,"name":`; logical and navigation names need no escaping.
fn member(name: &str) -> Vec<u8> {
    let mut prefix = vec![b','];
    text::write(name, &mut prefix);
    prefix.push(b':');
    prefix
}

fn number(value: impl itoa::Integer, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(value).as_bytes());
}

/// All digits, exactly: `-0.0500` is -500 at scale 4.
pub(crate) fn decimal(value: i128, scale: usize, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs()).as_bytes();
    if scale == 0 {
        out.extend_from_slice(digits);
        return;
    }
    let whole = digits.len().saturating_sub(scale);
    out.extend_from_slice(if whole == 0 { b"0" } else { &digits[..whole] });
    out.push(b'.');
    out.resize(out.len() + scale.saturating_sub(digits.len()), b'0');
    out.extend_from_slice(&digits[whole..]);
}

pub(super) fn guid(bytes: &[u8], out: &mut Vec<u8>) {
    let id = Uuid::from_slice(bytes).unwrap_or_default();
    let mut buffer = Uuid::encode_buffer();
    out.extend_from_slice(id.hyphenated().encode_lower(&mut buffer).as_bytes());
}

fn finite(column: &Column, array: &Float64Array) -> Result<(), EncodeError> {
    match array
        .iter()
        .enumerate()
        .find_map(|(row, value)| Some((row, value?)).filter(|(_, v)| !v.is_finite()))
    {
        Some((row, value)) => {
            Err(EncodeError::NotFinite { column: column.logical_name.clone(), row, value })
        }
        None => Ok(()),
    }
}

fn known_targets(
    column: &Column,
    array: &FixedSizeBinaryArray,
    targets: usize,
) -> Result<(), EncodeError> {
    for (row, cell) in array.iter().enumerate() {
        if let Some(&[target, ..]) = cell
            && usize::from(target) >= targets
        {
            return Err(EncodeError::UnknownTarget {
                column: column.logical_name.clone(),
                row,
                target,
                targets,
            });
        }
    }
    Ok(())
}
