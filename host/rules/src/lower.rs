//! From Arrow to the contract's columns: slices of Arrow's own buffers, copied
//! only where a slice does not start at a byte or at offset 0. Pure.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::ByteArrayType;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, GenericByteArray};
use arrow_buffer::BooleanBuffer;

use crate::bindings::dvsync::rules::types::{
    ColumnParam, ColumnResult, DecimalBuffersParam, DecimalBuffersResult, TextBuffersParam,
    TextBuffersResult, ValueType, ValuesParam, ValuesResult,
};

/// A column ready to be passed.
pub(crate) struct Lowered<'a> {
    name: &'a str,
    validity: Option<Cow<'a, [u8]>>,
    values: Values<'a>,
}

enum Values<'a> {
    Boolean(Cow<'a, [u8]>),
    Int64(&'a [i64]),
    Float64(&'a [f64]),
    Decimal128 { precision: u8, scale: i8, data: Cow<'a, [u8]> },
    Date32(&'a [i32]),
    TimestampUs(&'a [i64]),
    Text(Bytes<'a>),
    Binary(Bytes<'a>),
    Uuid(&'a [u8]),
    Strings(Vec<Option<&'a str>>),
}

struct Bytes<'a> {
    offsets: Cow<'a, [i32]>,
    data: &'a [u8],
}

impl<'a> Lowered<'a> {
    /// Lowers an array that is of the Arrow type of `value_type` (see
    /// [`crate::cast`]); `None` if it is not.
    pub(crate) fn new(name: &'a str, array: &'a ArrayRef, value_type: ValueType) -> Option<Self> {
        let values = match value_type {
            ValueType::Boolean => Values::Boolean(bits(array.as_boolean_opt()?.values())),
            ValueType::Int64 => Values::Int64(array.as_primitive_opt::<Int64Type>()?.values()),
            ValueType::Float64 => {
                Values::Float64(array.as_primitive_opt::<Float64Type>()?.values())
            }
            ValueType::Decimal128 => {
                let decimals = array.as_primitive_opt::<Decimal128Type>()?;
                Values::Decimal128 {
                    precision: decimals.precision(),
                    scale: decimals.scale(),
                    data: little_endian(decimals.values()),
                }
            }
            ValueType::Date32 => Values::Date32(array.as_primitive_opt::<Date32Type>()?.values()),
            ValueType::TimestampUs => {
                Values::TimestampUs(array.as_primitive_opt::<TimestampMicrosecondType>()?.values())
            }
            ValueType::Text => Values::Text(bytes(array.as_string_opt::<i32>()?)?),
            ValueType::Binary => Values::Binary(bytes(array.as_binary_opt::<i32>()?)?),
            ValueType::Uuid => {
                let ids = array.as_fixed_size_binary_opt()?;
                Values::Uuid(ids.value_data().get(..ids.len().checked_mul(16)?)?)
            }
            ValueType::Strings => Values::Strings(array.as_string_opt::<i32>()?.iter().collect()),
        };
        let validity = match &values {
            Values::Strings(_) => None,
            _ => array
                .nulls()
                .filter(|nulls| nulls.null_count() > 0)
                .map(|nulls| bits(nulls.inner())),
        };
        Some(Self { name, validity, values })
    }

    /// The argument of a call.
    pub(crate) fn param(&self) -> ColumnParam<'_> {
        let values = match &self.values {
            Values::Boolean(bits) => ValuesParam::Boolean(bits),
            Values::Int64(values) => ValuesParam::Int64(values),
            Values::Float64(values) => ValuesParam::Float64(values),
            Values::Decimal128 { precision, scale, data } => {
                ValuesParam::Decimal128(DecimalBuffersParam {
                    precision: *precision,
                    scale: *scale,
                    data,
                })
            }
            Values::Date32(values) => ValuesParam::Date32(values),
            Values::TimestampUs(values) => ValuesParam::TimestampUs(values),
            Values::Text(text) => ValuesParam::Text(text.param()),
            Values::Binary(binary) => ValuesParam::Binary(binary.param()),
            Values::Uuid(data) => ValuesParam::Uuid(data),
            Values::Strings(strings) => ValuesParam::Strings(strings),
        };
        ColumnParam { name: self.name, validity: self.validity.as_deref(), values }
    }

    /// The result of an import.
    pub(crate) fn result(self) -> ColumnResult {
        let values = match self.values {
            Values::Boolean(bits) => ValuesResult::Boolean(bits.into_owned()),
            Values::Int64(values) => ValuesResult::Int64(values.to_vec()),
            Values::Float64(values) => ValuesResult::Float64(values.to_vec()),
            Values::Decimal128 { precision, scale, data } => {
                let data = data.into_owned();
                ValuesResult::Decimal128(DecimalBuffersResult { precision, scale, data })
            }
            Values::Date32(values) => ValuesResult::Date32(values.to_vec()),
            Values::TimestampUs(values) => ValuesResult::TimestampUs(values.to_vec()),
            Values::Text(text) => ValuesResult::Text(text.result()),
            Values::Binary(binary) => ValuesResult::Binary(binary.result()),
            Values::Uuid(data) => ValuesResult::Uuid(data.to_vec()),
            Values::Strings(strings) => ValuesResult::Strings(
                strings.into_iter().map(|text| text.map(str::to_owned)).collect(),
            ),
        };
        let validity = self.validity.map(Cow::into_owned);
        ColumnResult { name: self.name.to_owned(), validity, values }
    }
}

impl Bytes<'_> {
    fn param(&self) -> TextBuffersParam<'_> {
        TextBuffersParam { offsets: &self.offsets, data: self.data }
    }

    fn result(self) -> TextBuffersResult {
        TextBuffersResult { offsets: self.offsets.into_owned(), data: self.data.to_vec() }
    }
}

/// Bits from bit 0 of the first byte, those beyond the last row 0.
fn bits(bits: &BooleanBuffer) -> Cow<'_, [u8]> {
    let bytes = bits.len().div_ceil(8);
    if bits.offset().is_multiple_of(8) {
        let start = bits.offset() / 8;
        if let Some(aligned) = bits.values().get(start..start + bytes) {
            let beyond = !tail_mask(bits.len());
            return match aligned.split_last() {
                Some((last, _)) if last & beyond != 0 => {
                    let mut copy = aligned.to_vec();
                    if let Some(last) = copy.last_mut() {
                        *last &= !beyond;
                    }
                    Cow::Owned(copy)
                }
                _ => Cow::Borrowed(aligned),
            };
        }
    }
    let mut copy = bits.sliced().as_slice().to_vec();
    copy.truncate(bytes);
    if let Some(last) = copy.last_mut() {
        *last &= tail_mask(bits.len());
    }
    Cow::Owned(copy)
}

/// The bits of the last byte that belong to rows.
fn tail_mask(rows: usize) -> u8 {
    match rows % 8 {
        0 => u8::MAX,
        used => (1 << used) - 1,
    }
}

/// Offsets from 0 and the bytes that they span.
fn bytes<T: ByteArrayType<Offset = i32>>(array: &GenericByteArray<T>) -> Option<Bytes<'_>> {
    let offsets: &[i32] = array.value_offsets();
    let (first, last) = (*offsets.first()?, *offsets.last()?);
    let span = usize::try_from(first).ok()?..usize::try_from(last).ok()?;
    let offsets = match first {
        0 => Cow::Borrowed(offsets),
        _ => Cow::Owned(offsets.iter().map(|offset| offset - first).collect()),
    };
    Some(Bytes { offsets, data: array.value_data().get(span)? })
}

#[cfg(target_endian = "little")]
fn little_endian(values: &arrow_buffer::ScalarBuffer<i128>) -> Cow<'_, [u8]> {
    Cow::Borrowed(values.inner().as_slice())
}

#[cfg(target_endian = "big")]
fn little_endian(values: &arrow_buffer::ScalarBuffer<i128>) -> Cow<'_, [u8]> {
    Cow::Owned(values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{BooleanArray, Decimal128Array, FixedSizeBinaryArray, StringArray};

    use super::*;

    #[test]
    fn slices_start_at_offset_0_and_bit_0() {
        let texts: ArrayRef =
            Arc::new(StringArray::from(vec![Some("ab"), None, Some("cde"), Some("f"), None]));
        let slice = texts.slice(1, 3);
        let lowered = Lowered::new("x", &slice, ValueType::Text).expect("text");
        let ColumnParam { validity, values: ValuesParam::Text(text), .. } = lowered.param() else {
            panic!("text stays text");
        };
        assert_eq!(validity, Some(&[0b110][..]));
        assert_eq!((text.offsets, text.data), (&[0, 0, 3, 4][..], &b"cdef"[..]));
    }

    #[test]
    fn bits_beyond_the_last_row_are_zero() {
        let all: ArrayRef = Arc::new(BooleanArray::from(vec![true; 32]));
        for (start, len) in [(0, 3), (8, 11), (5, 9), (3, 16), (0, 8)] {
            let slice = all.slice(start, len);
            let lowered = Lowered::new("x", &slice, ValueType::Boolean).expect("boolean");
            let ValuesParam::Boolean(bits) = lowered.param().values else { panic!("boolean") };
            let set: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
            assert_eq!((bits.len(), set as usize), (len.div_ceil(8), len), "{start} {len}");
        }
    }

    #[test]
    fn sliced_decimals_and_ids_hold_their_rows_only() {
        let decimals: ArrayRef = Arc::new(Decimal128Array::from(vec![1, 2, 3]));
        let slice = decimals.slice(1, 1);
        let lowered = Lowered::new("x", &slice, ValueType::Decimal128).expect("decimal");
        let ValuesParam::Decimal128(buffers) = lowered.param().values else { panic!("decimal") };
        assert_eq!(buffers.data, 2i128.to_le_bytes());

        let ids: ArrayRef = Arc::new(
            FixedSizeBinaryArray::try_from_iter([[1u8; 16], [2; 16], [3; 16]].iter()).expect("ids"),
        );
        let slice = ids.slice(2, 1);
        let lowered = Lowered::new("x", &slice, ValueType::Uuid).expect("uuid");
        let ValuesParam::Uuid(data) = lowered.param().values else { panic!("uuid") };
        assert_eq!(data, [3u8; 16]);
    }

    #[test]
    fn an_array_of_another_type_is_refused() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
        assert!(Lowered::new("x", &texts, ValueType::Int64).is_none());
    }
}
