//! Which cells differ from what the target holds.
//!
//! Pure. Both sides are in canonical types, so equal bits mean equal values.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::DataType;

/// One bit a row: the cell of `incoming` is not what `current` holds. Null
/// equals null only.
///
/// Both arrays have the same length; columns of different types differ in
/// every row, which a plan never lets happen.
pub(crate) fn changed(incoming: &ArrayRef, current: &ArrayRef) -> BooleanBuffer {
    let rows = incoming.len();
    if incoming.data_type() != current.data_type() || rows != current.len() {
        return BooleanBuffer::new_set(rows);
    }
    match incoming.data_type() {
        DataType::Utf8 => {
            let (a, b) = (incoming.as_string::<i32>(), current.as_string::<i32>());
            differs(a.nulls(), b.nulls(), rows, |row| {
                a.value(row).as_bytes() != b.value(row).as_bytes()
            })
        }
        DataType::Boolean => {
            let (a, b) = (incoming.as_boolean(), current.as_boolean());
            differs(a.nulls(), b.nulls(), rows, |row| a.value(row) != b.value(row))
        }
        DataType::FixedSizeBinary(_) => {
            let (a, b) = (incoming.as_fixed_size_binary(), current.as_fixed_size_binary());
            differs(a.nulls(), b.nulls(), rows, |row| a.value(row) != b.value(row))
        }
        DataType::Int32 => primitive::<Int32Type>(incoming, current),
        DataType::Int64 => primitive::<Int64Type>(incoming, current),
        DataType::Float64 => primitive::<Float64Type>(incoming, current),
        DataType::Decimal128(_, _) => primitive::<Decimal128Type>(incoming, current),
        DataType::Date32 => primitive::<Date32Type>(incoming, current),
        DataType::Timestamp(_, _) => primitive::<TimestampMicrosecondType>(incoming, current),
        _ => BooleanBuffer::new_set(rows),
    }
}

fn primitive<T: ArrowPrimitiveType>(incoming: &ArrayRef, current: &ArrayRef) -> BooleanBuffer {
    let (a, b) = (incoming.as_primitive::<T>(), current.as_primitive::<T>());
    let (values, others) = (a.values(), b.values());
    differs(a.nulls(), b.nulls(), a.len(), |row| values[row] != others[row])
}

fn differs(
    a: Option<&NullBuffer>,
    b: Option<&NullBuffer>,
    rows: usize,
    unequal: impl Fn(usize) -> bool,
) -> BooleanBuffer {
    match (a, b) {
        (None, None) => BooleanBuffer::collect_bool(rows, unequal),
        _ => BooleanBuffer::collect_bool(rows, |row| {
            let valid = |nulls: Option<&NullBuffer>| nulls.is_none_or(|nulls| nulls.is_valid(row));
            match (valid(a), valid(b)) {
                (true, true) => unequal(row),
                (a, b) => a != b,
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int64Array, StringArray};

    use super::*;

    fn check(a: impl Array + 'static, b: impl Array + 'static, expect: &[bool]) {
        let (a, b): (ArrayRef, ArrayRef) = (Arc::new(a), Arc::new(b));
        assert_eq!(changed(&a, &b).iter().collect::<Vec<_>>(), expect);
        assert_eq!(changed(&b, &a).iter().collect::<Vec<_>>(), expect);
    }

    #[test]
    fn null_equals_null_only() {
        check(
            StringArray::from(vec![Some("a"), Some("a"), None, None]),
            StringArray::from(vec![Some("a"), Some("A"), None, Some("")]),
            &[false, true, false, true],
        );
        check(
            Int64Array::from(vec![Some(0), None, Some(2)]),
            Int64Array::from(vec![None, None, Some(2)]),
            &[true, false, false],
        );
        check(
            Float64Array::from(vec![0.0, 1.5]),
            Float64Array::from(vec![-0.0, 1.25]),
            &[false, true],
        );
    }
}
