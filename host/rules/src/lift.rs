//! From the contract's columns to Arrow, with every promise of the contract
//! checked: a guest may answer anything. Pure; takes over the buffers without a
//! copy where their alignment permits.

use std::sync::Arc;

use arrow_array::types::{BinaryType, ByteArrayType, Decimal128Type, DecimalType, Utf8Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float64Array, GenericByteArray, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DECIMAL128_MAX_PRECISION;

use crate::bindings::dvsync::rules::types::{
    ColumnResult, DecimalBuffersResult, TextBuffersResult, ValueType, ValuesResult,
};

/// The type of a lifted column.
pub(crate) fn type_of(values: &ValuesResult) -> ValueType {
    match values {
        ValuesResult::Boolean(_) => ValueType::Boolean,
        ValuesResult::Int64(_) => ValueType::Int64,
        ValuesResult::Float64(_) => ValueType::Float64,
        ValuesResult::Decimal128(_) => ValueType::Decimal128,
        ValuesResult::Date32(_) => ValueType::Date32,
        ValuesResult::TimestampUs(_) => ValueType::TimestampUs,
        ValuesResult::Text(_) => ValueType::Text,
        ValuesResult::Binary(_) => ValueType::Binary,
        ValuesResult::Uuid(_) => ValueType::Uuid,
        ValuesResult::Strings(_) => ValueType::Strings,
    }
}

/// How many rows the values seem to have; `None` for bits, which do not tell.
pub(crate) fn rows_of(values: &ValuesResult) -> Option<usize> {
    Some(match values {
        ValuesResult::Boolean(_) => return None,
        ValuesResult::Int64(values) | ValuesResult::TimestampUs(values) => values.len(),
        ValuesResult::Float64(values) => values.len(),
        ValuesResult::Decimal128(buffers) => buffers.data.len() / 16,
        ValuesResult::Date32(values) => values.len(),
        ValuesResult::Text(buffers) | ValuesResult::Binary(buffers) => {
            buffers.offsets.len().saturating_sub(1)
        }
        ValuesResult::Uuid(data) => data.len() / 16,
        ValuesResult::Strings(strings) => strings.len(),
    })
}

/// A column of so many rows, or which promise it breaks.
pub(crate) fn column(column: ColumnResult, rows: usize) -> Result<ArrayRef, String> {
    let ColumnResult { name, validity, values } = column;
    array(values, validity, rows).map_err(|broken| format!("column `{name}`: {broken}"))
}

fn array(values: ValuesResult, validity: Option<Vec<u8>>, rows: usize) -> Result<ArrayRef, String> {
    if let ValuesResult::Strings(strings) = values {
        if validity.is_some() {
            return Err("`strings` come without `validity`".to_owned());
        }
        counted("values", strings.len(), rows)?;
        return Ok(Arc::new(StringArray::from(strings)));
    }
    let nulls = validity
        .map(|bytes| bits("validity", bytes, rows))
        .transpose()?
        .map(NullBuffer::new)
        .filter(|nulls| nulls.null_count() > 0);
    Ok(match values {
        ValuesResult::Boolean(bytes) => {
            Arc::new(BooleanArray::new(bits("values", bytes, rows)?, nulls))
        }
        ValuesResult::Int64(values) => {
            counted("values", values.len(), rows)?;
            Arc::new(Int64Array::new(values.into(), nulls))
        }
        ValuesResult::Float64(values) => {
            counted("values", values.len(), rows)?;
            Arc::new(Float64Array::new(values.into(), nulls))
        }
        ValuesResult::Decimal128(buffers) => Arc::new(decimals(buffers, nulls, rows)?),
        ValuesResult::Date32(values) => {
            counted("values", values.len(), rows)?;
            Arc::new(Date32Array::new(values.into(), nulls))
        }
        ValuesResult::TimestampUs(values) => {
            counted("values", values.len(), rows)?;
            Arc::new(TimestampMicrosecondArray::new(values.into(), nulls).with_timezone("UTC"))
        }
        ValuesResult::Text(buffers) => Arc::new(bytes::<Utf8Type>(buffers, nulls, rows)?),
        ValuesResult::Binary(buffers) => Arc::new(bytes::<BinaryType>(buffers, nulls, rows)?),
        ValuesResult::Uuid(data) => {
            counted("bytes", data.len(), rows.saturating_mul(16))?;
            let ids = FixedSizeBinaryArray::try_new(16, Buffer::from_vec(data), nulls);
            Arc::new(ids.map_err(|error| error.to_string())?)
        }
        ValuesResult::Strings(_) => return Err("`strings` were handled above".to_owned()),
    })
}

/// Texts of so many rows without nulls: keys.
pub(crate) fn texts(buffers: TextBuffersResult, rows: usize) -> Result<StringArray, String> {
    bytes::<Utf8Type>(buffers, None, rows)
}

/// Bits of so many rows; those beyond the last row do not count.
pub(crate) fn bits(what: &str, bytes: Vec<u8>, rows: usize) -> Result<BooleanBuffer, String> {
    let expected = rows.div_ceil(8);
    if bytes.len() != expected {
        let found = bytes.len();
        return Err(format!("expected {expected} bytes of {what} for {rows} rows, found {found}"));
    }
    Ok(BooleanBuffer::new(Buffer::from_vec(bytes), 0, rows))
}

/// Whether a list has as many entries as it must.
pub(crate) fn counted(what: &str, found: usize, expected: usize) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("expected {expected} {what}, found {found}"))
}

fn bytes<T: ByteArrayType<Offset = i32>>(
    buffers: TextBuffersResult,
    nulls: Option<NullBuffer>,
    rows: usize,
) -> Result<GenericByteArray<T>, String> {
    let TextBuffersResult { offsets, mut data } = buffers;
    counted("offsets", offsets.len(), rows.saturating_add(1))?;
    if let Some(first) = offsets.first().filter(|first| **first != 0) {
        return Err(format!("offsets start at {first}, not at 0"));
    }
    if let Some(row) = offsets.windows(2).position(|pair| pair[0] > pair[1]) {
        return Err(format!("offsets fall at row {row}"));
    }
    let end = offsets.last().and_then(|last| usize::try_from(*last).ok()).unwrap_or_default();
    if end > data.len() {
        return Err(format!("offsets end at {end}, beyond the {} bytes of data", data.len()));
    }
    data.truncate(end);
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    // Checks UTF-8, of each row by itself too.
    GenericByteArray::try_new(offsets, Buffer::from_vec(data), nulls)
        .map_err(|error| error.to_string())
}

fn decimals(
    buffers: DecimalBuffersResult,
    nulls: Option<NullBuffer>,
    rows: usize,
) -> Result<Decimal128Array, String> {
    let DecimalBuffersResult { precision, scale, data } = buffers;
    counted("bytes", data.len(), rows.saturating_mul(16))?;
    if !(1..=DECIMAL128_MAX_PRECISION).contains(&precision) {
        return Err(format!("a precision of {precision}, not 1 to {DECIMAL128_MAX_PRECISION}"));
    }
    let values = integers(data);
    let array = Decimal128Array::new(values, nulls)
        .with_precision_and_scale(precision, scale)
        .map_err(|error| error.to_string())?;
    let fits = |value| Decimal128Type::is_valid_decimal_precision(value, precision);
    match (0..rows).find(|row| array.is_valid(*row) && !fits(array.value(*row))) {
        Some(row) => Err(format!("row {row} has more than {precision} digits")),
        None => Ok(array),
    }
}

#[cfg(target_endian = "little")]
fn integers(data: Vec<u8>) -> ScalarBuffer<i128> {
    let buffer = Buffer::from_vec(data);
    if buffer.as_ptr().cast::<i128>().is_aligned() {
        return ScalarBuffer::from(buffer);
    }
    from_little_endian(&buffer)
}

#[cfg(target_endian = "big")]
fn integers(data: Vec<u8>) -> ScalarBuffer<i128> {
    from_little_endian(&data)
}

fn from_little_endian(data: &[u8]) -> ScalarBuffer<i128> {
    data.as_chunks::<16>().0.iter().map(|bytes| i128::from_le_bytes(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;

    use super::*;

    fn text(offsets: &[i32], data: &[u8]) -> ValuesResult {
        ValuesResult::Text(TextBuffersResult { offsets: offsets.to_vec(), data: data.to_vec() })
    }

    fn money(precision: u8, scale: i8, values: &[i128]) -> ValuesResult {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        ValuesResult::Decimal128(DecimalBuffersResult { precision, scale, data })
    }

    fn broken(values: ValuesResult, validity: Option<Vec<u8>>, rows: usize) -> String {
        array(values, validity, rows).expect_err("a broken promise")
    }

    #[test]
    fn each_broken_promise_is_told() {
        for (values, validity, rows, expected) in [
            (ValuesResult::Int64(vec![1]), None, 2, "expected 2 values, found 1"),
            (ValuesResult::Int64(vec![1, 2, 3]), None, 2, "expected 2 values, found 3"),
            (
                ValuesResult::Int64(vec![1; 9]),
                Some(vec![0xff]),
                9,
                "expected 2 bytes of validity for 9 rows, found 1",
            ),
            (
                ValuesResult::Boolean(vec![0; 3]),
                None,
                9,
                "expected 2 bytes of values for 9 rows, found 3",
            ),
            (text(&[], b""), None, 0, "expected 1 offsets, found 0"),
            (text(&[0, 1], b"ab"), None, 2, "expected 3 offsets, found 2"),
            (text(&[1, 1, 2], b"ab"), None, 2, "offsets start at 1, not at 0"),
            (text(&[0, 2, 1], b"ab"), None, 2, "offsets fall at row 1"),
            (text(&[0, -1, 1], b"ab"), None, 2, "offsets fall at row 0"),
            (text(&[0, 1, 3], b"ab"), None, 2, "offsets end at 3, beyond the 2 bytes of data"),
            (ValuesResult::Uuid(vec![0; 31]), None, 2, "expected 32 bytes, found 31"),
            (money(0, 0, &[1]), None, 1, "a precision of 0, not 1 to 38"),
            (money(39, 0, &[1]), None, 1, "a precision of 39, not 1 to 38"),
            (money(2, 0, &[1, 100]), None, 2, "row 1 has more than 2 digits"),
            (
                ValuesResult::Strings(vec![None]),
                Some(vec![1]),
                1,
                "`strings` come without `validity`",
            ),
        ] {
            assert_eq!(broken(values, validity, rows), expected);
        }
        assert!(broken(text(&[0, 1], b"\xff"), None, 1).contains("UTF"));
        // Two halves of one character: UTF-8 as a whole, not row by row.
        assert!(!broken(text(&[0, 1, 2], "ä".as_bytes()), None, 2).is_empty());
        assert!(!broken(money(5, 39, &[1]), None, 1).is_empty());
    }

    #[test]
    fn what_lies_under_a_null_does_not_count() {
        let lifted = array(money(2, 0, &[1, 100]), Some(vec![0b01]), 2).expect("a good column");
        assert_eq!(lifted.null_count(), 1);
    }

    #[test]
    fn bytes_beyond_the_last_offset_are_let_go() {
        let lifted = array(text(&[0, 1, 2], b"ab\xff"), None, 2).expect("a good column");
        assert_eq!(lifted.as_string::<i32>(), &StringArray::from(vec!["a", "b"]));
    }

    #[test]
    fn misaligned_integers_are_copied() {
        let values = [1i128, -2, i128::MAX];
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(from_little_endian(&bytes).as_ref(), values);
        assert_eq!(integers(bytes).as_ref(), values);
    }
}
