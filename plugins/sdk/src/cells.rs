//! Typed cells of one column, read straight from the lists that the host passed:
//! nothing is copied, neither per cell nor per column. Pure.
//!
//! Promises: no accessor panics, whatever the buffers hold; what is out of range
//! is null. Buffers whose lengths cannot be right are refused when the column is
//! opened, by name.

use crate::bindings::types::{Column, Values};
use crate::failure::Failure;

/// Cells of one column; `V` says how a row's value is found.
#[derive(Debug, Clone, Copy)]
pub struct Cells<'a, V> {
    view: V,
    validity: Option<&'a [u8]>,
    rows: usize,
    absent: bool,
}

/// How the value of a row is found in a column's buffers.
pub trait View {
    /// What a cell holds.
    type Value;

    /// The value of a row, without regard to nulls; `None` beyond the end.
    fn at(&self, row: usize) -> Option<Self::Value>;
}

impl<'a, V: View> Cells<'a, V> {
    pub(crate) fn new(view: V, column: &'a Column, rows: usize) -> Result<Self, Failure> {
        let validity = column.validity.as_deref();
        if let Some(bits) = validity
            && bits.len() < rows.div_ceil(8)
        {
            return Err(short(&column.name, "validity", bits.len(), rows));
        }
        Ok(Self { view, validity, rows, absent: false })
    }

    pub(crate) fn absent(mut self, absent: bool) -> Self {
        self.absent = absent;
        self
    }

    /// The cell of a row: `None` where it is null, or there is no such row.
    #[inline]
    pub fn get(&self, row: usize) -> Option<V::Value> {
        if let Some(bits) = self.validity
            && !bit(bits, row)
        {
            return None;
        }
        self.view.at(row)
    }

    /// All cells, in row order.
    pub fn iter(&self) -> impl Iterator<Item = Option<V::Value>> + '_ {
        (0..self.rows).map(|row| self.get(row))
    }

    /// The source has no such column, so that every cell is null. Tells "the
    /// source does not know" from "the source says: empty".
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.absent
    }
}

/// Text, a `&str` a cell.
pub type Texts<'a> = Cells<'a, TextView<'a>>;
/// Bytes, a `&[u8]` a cell.
pub type Binaries<'a> = Cells<'a, BinaryView<'a>>;
/// Whole numbers. Timestamps too: microseconds since 1970-01-01T00:00:00Z.
pub type Int64s<'a> = Cells<'a, SliceView<'a, i64>>;
/// Binary floating-point numbers.
pub type Float64s<'a> = Cells<'a, SliceView<'a, f64>>;
/// Days since 1970-01-01.
pub type Dates<'a> = Cells<'a, SliceView<'a, i32>>;
/// Yes or no.
pub type Booleans<'a> = Cells<'a, BitView<'a>>;
/// GUIDs, 16 bytes in the order in which they are written.
pub type Uuids<'a> = Cells<'a, UuidView<'a>>;
/// Exact decimal numbers.
pub type Decimals<'a> = Cells<'a, DecimalView<'a>>;

/// See [`Texts`].
#[derive(Debug, Clone, Copy)]
pub struct TextView<'a> {
    offsets: &'a [i32],
    data: &'a str,
}

impl<'a> TextView<'a> {
    pub(crate) fn open(column: &'a Column, rows: usize) -> Result<Self, Failure> {
        let Values::Text(buffers) = &column.values else {
            return Err(mismatch(column, "text"));
        };
        if buffers.offsets.len() != rows + 1 {
            return Err(short(&column.name, "offsets", buffers.offsets.len(), rows));
        }
        let data = std::str::from_utf8(&buffers.data).map_err(|error| {
            Failure::internal(
                "bad-column",
                format!("column `{}` is not UTF-8: {error}", column.name),
            )
        })?;
        Ok(Self { offsets: &buffers.offsets, data })
    }
}

impl<'a> View for TextView<'a> {
    type Value = &'a str;

    #[inline]
    fn at(&self, row: usize) -> Option<&'a str> {
        let (start, end) = range(self.offsets, row)?;
        self.data.get(start..end)
    }
}

/// See [`Binaries`].
#[derive(Debug, Clone, Copy)]
pub struct BinaryView<'a> {
    offsets: &'a [i32],
    data: &'a [u8],
}

impl<'a> BinaryView<'a> {
    pub(crate) fn open(column: &'a Column, rows: usize) -> Result<Self, Failure> {
        let Values::Binary(buffers) = &column.values else {
            return Err(mismatch(column, "binary"));
        };
        if buffers.offsets.len() != rows + 1 {
            return Err(short(&column.name, "offsets", buffers.offsets.len(), rows));
        }
        Ok(Self { offsets: &buffers.offsets, data: &buffers.data })
    }
}

impl<'a> View for BinaryView<'a> {
    type Value = &'a [u8];

    #[inline]
    fn at(&self, row: usize) -> Option<&'a [u8]> {
        let (start, end) = range(self.offsets, row)?;
        self.data.get(start..end)
    }
}

/// See [`Int64s`], [`Float64s`], [`Dates`].
#[derive(Debug, Clone, Copy)]
pub struct SliceView<'a, T>(&'a [T]);

impl<'a, T> SliceView<'a, T> {
    pub(crate) fn open(column: &Column, list: &'a [T], rows: usize) -> Result<Self, Failure> {
        if list.len() != rows {
            return Err(short(&column.name, "values", list.len(), rows));
        }
        Ok(Self(list))
    }
}

impl<T: Copy> View for SliceView<'_, T> {
    type Value = T;

    #[inline]
    fn at(&self, row: usize) -> Option<T> {
        self.0.get(row).copied()
    }
}

/// See [`Booleans`].
#[derive(Debug, Clone, Copy)]
pub struct BitView<'a> {
    bits: &'a [u8],
    rows: usize,
}

impl<'a> BitView<'a> {
    pub(crate) fn open(column: &'a Column, rows: usize) -> Result<Self, Failure> {
        let Values::Boolean(bits) = &column.values else {
            return Err(mismatch(column, "boolean"));
        };
        if bits.len() < rows.div_ceil(8) {
            return Err(short(&column.name, "values", bits.len(), rows));
        }
        Ok(Self { bits, rows })
    }
}

impl View for BitView<'_> {
    type Value = bool;

    #[inline]
    fn at(&self, row: usize) -> Option<bool> {
        (row < self.rows).then(|| bit(self.bits, row))
    }
}

/// See [`Uuids`].
#[derive(Debug, Clone, Copy)]
pub struct UuidView<'a>(&'a [[u8; 16]]);

impl<'a> UuidView<'a> {
    pub(crate) fn open(column: &'a Column, rows: usize) -> Result<Self, Failure> {
        let Values::Uuid(bytes) = &column.values else {
            return Err(mismatch(column, "uuid"));
        };
        Ok(Self(sixteens(&column.name, bytes, rows)?))
    }
}

impl View for UuidView<'_> {
    type Value = [u8; 16];

    #[inline]
    fn at(&self, row: usize) -> Option<[u8; 16]> {
        self.0.get(row).copied()
    }
}

/// See [`Decimals`].
#[derive(Debug, Clone, Copy)]
pub struct DecimalView<'a> {
    values: &'a [[u8; 16]],
    scale: i8,
}

impl<'a> DecimalView<'a> {
    pub(crate) fn open(column: &'a Column, rows: usize) -> Result<Self, Failure> {
        let Values::Decimal128(buffers) = &column.values else {
            return Err(mismatch(column, "decimal128"));
        };
        Ok(Self { values: sixteens(&column.name, &buffers.data, rows)?, scale: buffers.scale })
    }
}

impl View for DecimalView<'_> {
    type Value = crate::number::Number;

    #[inline]
    fn at(&self, row: usize) -> Option<crate::number::Number> {
        let unscaled = i128::from_le_bytes(*self.values.get(row)?);
        Some(crate::number::Number { unscaled, scale: self.scale })
    }
}

#[inline]
pub(crate) fn bit(bits: &[u8], row: usize) -> bool {
    bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
}

#[inline]
fn range(offsets: &[i32], row: usize) -> Option<(usize, usize)> {
    let &[start, end] = offsets.get(row..row + 2)? else { return None };
    Some((usize::try_from(start).ok()?, usize::try_from(end).ok()?))
}

fn sixteens<'a>(name: &str, bytes: &'a [u8], rows: usize) -> Result<&'a [[u8; 16]], Failure> {
    let (values, rest) = bytes.as_chunks::<16>();
    if values.len() == rows && rest.is_empty() {
        Ok(values)
    } else {
        Err(short(name, "bytes", bytes.len(), rows))
    }
}

pub(crate) fn mismatch(column: &Column, expected: &str) -> Failure {
    let found = match &column.values {
        Values::Boolean(_) => "boolean",
        Values::Int64(_) => "int64",
        Values::Float64(_) => "float64",
        Values::Decimal128(_) => "decimal128",
        Values::Date32(_) => "date32",
        Values::TimestampUs(_) => "timestamp-us",
        Values::Text(_) => "text",
        Values::Binary(_) => "binary",
        Values::Uuid(_) => "uuid",
        Values::Strings(_) => "strings",
    };
    Failure::internal(
        "wrong-type",
        format!("cannot read column `{}`: expected {expected}, found {found}", column.name),
    )
}

fn short(name: &str, what: &str, found: usize, rows: usize) -> Failure {
    Failure::internal("bad-column", format!("column `{name}` has {found} {what} for {rows} rows"))
}
