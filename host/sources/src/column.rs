//! A column under construction: cells of text in, an Arrow array out.
//!
//! No allocation per cell. A row that turns out bad halfway is taken back by
//! [`Column::truncate`].

use std::sync::Arc;

use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, BooleanArray, Decimal128Array, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field};

use crate::declared::DeclaredType;
use crate::value::{self, Notation, Reading};

/// What a column of a text source holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColumnType {
    /// Its type.
    pub(crate) declared: DeclaredType,
    /// Who says so.
    pub(crate) reading: Reading,
    /// Timestamps only: the rows that were looked at all say their offset.
    pub(crate) zoned: bool,
}

impl ColumnType {
    /// The Arrow type; timestamps that say their offset are in UTC.
    pub(crate) fn arrow_type(self) -> DataType {
        match self.declared.arrow_type() {
            DataType::Timestamp(unit, _) if self.zoned => {
                DataType::Timestamp(unit, Some("UTC".into()))
            }
            other => other,
        }
    }

    /// The field of a schema.
    pub(crate) fn field(self, name: &str) -> Field {
        Field::new(name, self.arrow_type(), true)
    }

    /// Text, where a quoted field is never null.
    pub(crate) fn is_text(self) -> bool {
        self.declared == DeclaredType::Text
    }
}

/// A cell does not fit the type of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Misfit;

/// Cells of one column.
pub(crate) struct Column {
    column_type: ColumnType,
    cells: Cells,
    nulls: NullBufferBuilder,
}

enum Cells {
    Text { offsets: Vec<i32>, bytes: Vec<u8> },
    Int64(Vec<i64>),
    Float64(Vec<f64>),
    Decimal { digits: Vec<i128>, precision: u8, scale: u8 },
    Boolean(BooleanBufferBuilder),
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
}

impl Column {
    pub(crate) fn new(column_type: ColumnType) -> Self {
        let cells = match column_type.declared {
            DeclaredType::Text => Cells::Text { offsets: vec![0], bytes: Vec::new() },
            DeclaredType::Int64 => Cells::Int64(Vec::new()),
            DeclaredType::Float64 => Cells::Float64(Vec::new()),
            DeclaredType::Decimal { precision, scale } => {
                Cells::Decimal { digits: Vec::new(), precision, scale }
            }
            DeclaredType::Boolean => Cells::Boolean(BooleanBufferBuilder::new(0)),
            DeclaredType::Date => Cells::Date(Vec::new()),
            DeclaredType::Timestamp => Cells::Timestamp(Vec::new()),
        };
        Self { column_type, cells, nulls: NullBufferBuilder::new(0) }
    }

    pub(crate) fn column_type(&self) -> ColumnType {
        self.column_type
    }

    /// Adds a null.
    pub(crate) fn push_null(&mut self) {
        match &mut self.cells {
            Cells::Text { offsets, .. } => {
                let end = offsets.last().copied().unwrap_or(0);
                offsets.push(end);
            }
            Cells::Int64(cells) | Cells::Timestamp(cells) => cells.push(0),
            Cells::Float64(cells) => cells.push(0.0),
            Cells::Decimal { digits, .. } => digits.push(0),
            Cells::Boolean(cells) => cells.append(false),
            Cells::Date(cells) => cells.push(0),
        }
        self.nulls.append_null();
    }

    /// Adds a value; on a misfit the column is as it was.
    #[inline]
    pub(crate) fn push(
        &mut self,
        text: &[u8],
        notation: &Notation,
        reading: Reading,
    ) -> Result<(), Misfit> {
        match &mut self.cells {
            Cells::Text { offsets, bytes } => {
                let end = i32::try_from(bytes.len() + text.len()).map_err(|_| Misfit)?;
                bytes.extend_from_slice(text);
                offsets.push(end);
            }
            Cells::Int64(cells) => {
                cells.push(value::int64(text, notation, reading).ok_or(Misfit)?);
            }
            Cells::Float64(cells) => {
                cells.push(value::float64(text, notation, reading).ok_or(Misfit)?);
            }
            Cells::Decimal { digits, precision, scale } => {
                digits.push(value::decimal(text, notation, *precision, *scale).ok_or(Misfit)?);
            }
            Cells::Boolean(cells) => {
                cells.append(value::boolean(text, notation, reading).ok_or(Misfit)?);
            }
            Cells::Date(cells) => cells.push(value::date(text, notation, reading).ok_or(Misfit)?),
            Cells::Timestamp(cells) => {
                let (micros, zoned) = value::timestamp(text, notation, reading).ok_or(Misfit)?;
                if reading == Reading::Inferred && zoned != self.column_type.zoned {
                    return Err(Misfit);
                }
                cells.push(micros);
            }
        }
        self.nulls.append_non_null();
        Ok(())
    }

    /// Keeps the first `length` cells, if there are more.
    pub(crate) fn truncate(&mut self, length: usize) {
        if self.nulls.len() <= length {
            return;
        }
        match &mut self.cells {
            Cells::Text { offsets, bytes } => {
                offsets.truncate(length + 1);
                let end = offsets.last().copied().unwrap_or(0);
                bytes.truncate(usize::try_from(end).unwrap_or(0));
            }
            Cells::Int64(cells) | Cells::Timestamp(cells) => cells.truncate(length),
            Cells::Float64(cells) => cells.truncate(length),
            Cells::Decimal { digits, .. } => digits.truncate(length),
            Cells::Boolean(cells) => cells.truncate(length),
            Cells::Date(cells) => cells.truncate(length),
        }
        self.nulls.truncate(length);
    }

    /// Takes the cells out, for a chunk; the column is empty after.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.nulls.finish();
        Ok(match &mut self.cells {
            Cells::Text { offsets, bytes } => {
                let mut next = Vec::with_capacity(offsets.len());
                next.push(0);
                let offsets =
                    OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(offsets, next)));
                let bytes = Buffer::from_vec(taken(bytes));
                Arc::new(StringArray::try_new(offsets, bytes, nulls)?)
            }
            Cells::Int64(cells) => {
                Arc::new(PrimitiveArray::<Int64Type>::try_new(taken(cells).into(), nulls)?)
            }
            Cells::Float64(cells) => {
                Arc::new(PrimitiveArray::<Float64Type>::try_new(taken(cells).into(), nulls)?)
            }
            Cells::Decimal { digits, precision, scale } => Arc::new(
                Decimal128Array::try_new(taken(digits).into(), nulls)?
                    .with_precision_and_scale(*precision, i8::try_from(*scale).unwrap_or(38))?,
            ),
            Cells::Boolean(cells) => Arc::new(BooleanArray::new(cells.finish(), nulls)),
            Cells::Date(cells) => {
                Arc::new(PrimitiveArray::<Date32Type>::try_new(taken(cells).into(), nulls)?)
            }
            Cells::Timestamp(cells) => {
                let zone = self.column_type.zoned.then(|| Arc::from("UTC"));
                Arc::new(
                    PrimitiveArray::<TimestampMicrosecondType>::try_new(
                        taken(cells).into(),
                        nulls,
                    )?
                    .with_timezone_opt(zone),
                )
            }
        })
    }
}

/// The next chunk is most likely as long as this one.
fn taken<T>(cells: &mut Vec<T>) -> Vec<T> {
    let capacity = cells.len();
    std::mem::replace(cells, Vec::with_capacity(capacity))
}
