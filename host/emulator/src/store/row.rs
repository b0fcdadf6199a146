//! A row as bytes: which cells are there, where each ends, the cells.
//!
//! ```text
//! width (1: 2 or 4) | bitmap, a bit a column | end of each cell that is there | cells
//! ```
//!
//! A null costs a bit. Reading one cell counts bits and looks at two ends.

use std::borrow::Cow;

use uuid::Uuid;

use crate::cell::Cell;
use crate::schema::{Kind, Origin, Table};

/// A record in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) version: u64,
    pub(crate) bytes: Box<[u8]>,
}

/// How the bytes of a cell are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Bool,
    Int,
    Decimal,
    Double,
    Text,
    Time,
    Date,
    Guid,
    Lookup,
}

/// What the rows of a table look like.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    shapes: Vec<Shape>,
    bitmap: usize,
    /// Cells that are not in the bytes.
    virtuals: Vec<(usize, Origin)>,
    owner: Option<usize>,
}

impl Layout {
    pub(crate) fn new(table: &Table) -> Self {
        let shapes: Vec<Shape> = table.columns.iter().map(|column| shape(&column.kind)).collect();
        let virtuals = table
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.origin != Origin::Stored)
            .map(|(position, column)| (position, column.origin))
            .collect();
        Self { bitmap: shapes.len().div_ceil(8), shapes, virtuals, owner: table.known.ownerid }
    }

    pub(crate) fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The layout of rows of `width` columns whose column `from[i]` is column
    /// `i` of this one.
    pub(super) fn reordered(&self, from: &[Option<usize>], width: usize) -> Self {
        let mut shapes = vec![Shape::Bool; width];
        for (shape, from) in self.shapes.iter().zip(from) {
            if let Some(place) = from.and_then(|from| shapes.get_mut(from)) {
                *place = *shape;
            }
        }
        Self { bitmap: width.div_ceil(8), shapes, virtuals: Vec::new(), owner: None }
    }

    pub(crate) fn is_primary_id(&self, column: usize) -> bool {
        self.virtuals.contains(&(column, Origin::PrimaryId))
    }

    /// One cell of a row.
    pub(crate) fn cell<'r>(&self, row: &'r Row, column: usize) -> Cell<'r> {
        match self.virtuals.iter().find(|(position, _)| *position == column) {
            None => self.stored(&row.bytes, column),
            Some((_, Origin::PrimaryId)) => Cell::Guid(row.id),
            Some((_, Origin::Version)) => Cell::Int(i64::try_from(row.version).unwrap_or(i64::MAX)),
            Some((_, origin)) => {
                let wanted = if *origin == Origin::OwningUser { 0 } else { 1 };
                match self.owner.map(|owner| self.stored(&row.bytes, owner)) {
                    Some(Cell::Lookup(target, id)) if target == wanted => Cell::Lookup(0, id),
                    _ => Cell::Null,
                }
            }
        }
    }

    /// All stored cells, by position.
    pub(crate) fn cells<'r>(&self, row: &'r Row) -> Vec<Cell<'r>> {
        (0..self.shapes.len()).map(|column| self.stored(&row.bytes, column)).collect()
    }

    /// Whether a stored cell is not null.
    pub(super) fn holds(&self, bytes: &[u8], column: usize) -> bool {
        let bitmap = bytes.get(1..=self.bitmap).unwrap_or(&[]);
        bitmap.get(column / 8).is_some_and(|byte| byte & (1 << (column % 8)) != 0)
    }

    pub(crate) fn stored<'r>(&self, bytes: &'r [u8], column: usize) -> Cell<'r> {
        let Some(&shape) = self.shapes.get(column) else { return Cell::Null };
        self.slice(bytes, column).map_or(Cell::Null, |slice| read(shape, slice))
    }

    fn slice<'r>(&self, bytes: &'r [u8], column: usize) -> Option<&'r [u8]> {
        let (&width, rest) = bytes.split_first()?;
        let width = usize::from(width);
        let (bitmap, rest) = rest.split_at_checked(self.bitmap)?;
        let (byte, bit) = (column / 8, column % 8);
        if bitmap.get(byte)? & (1 << bit) == 0 {
            return None;
        }
        let ones = |bytes: &[u8]| -> usize {
            bytes.iter().map(|byte| usize::try_from(byte.count_ones()).unwrap_or(0)).sum()
        };
        let below = ones(&bitmap[..byte]) + ones(&[bitmap[byte] & ((1_u8 << bit) - 1)]);
        let present = below + ones(&bitmap[byte..]) - ones(&[bitmap[byte] & ((1_u8 << bit) - 1)]);
        let (ends, cells) = rest.split_at_checked(present * width)?;
        let end = |index: usize| -> Option<usize> {
            let at = ends.get(index * width..(index + 1) * width)?;
            let mut word = [0; 4];
            word[..width.min(4)].copy_from_slice(&at[..width.min(4)]);
            usize::try_from(u32::from_le_bytes(word)).ok()
        };
        let start = if below == 0 { 0 } else { end(below - 1)? };
        cells.get(start..end(below)?)
    }
}

/// Packs cells by position. Virtual columns must be null.
pub(crate) fn encode(cells: &[Cell<'_>]) -> Box<[u8]> {
    let mut bitmap = vec![0_u8; cells.len().div_ceil(8)];
    let mut ends: Vec<u32> = Vec::with_capacity(cells.len());
    let mut data: Vec<u8> = Vec::with_capacity(512);
    for (position, cell) in cells.iter().enumerate() {
        if cell.is_null() {
            continue;
        }
        bitmap[position / 8] |= 1 << (position % 8);
        write(cell, &mut data);
        ends.push(u32::try_from(data.len()).unwrap_or(u32::MAX));
    }
    let width: usize = if data.len() <= usize::from(u16::MAX) { 2 } else { 4 };
    let mut bytes = Vec::with_capacity(1 + bitmap.len() + ends.len() * width + data.len());
    bytes.push(if width == 2 { 2 } else { 4 });
    bytes.extend_from_slice(&bitmap);
    for end in ends {
        bytes.extend_from_slice(&end.to_le_bytes()[..width]);
    }
    bytes.extend_from_slice(&data);
    bytes.into_boxed_slice()
}

fn shape(kind: &Kind) -> Shape {
    match kind {
        Kind::Text { .. } | Kind::Memo { .. } | Kind::Choices { .. } | Kind::Image => Shape::Text,
        Kind::Integer { .. }
        | Kind::BigInt
        | Kind::Choice { .. }
        | Kind::State { .. }
        | Kind::Status { .. } => Shape::Int,
        Kind::Decimal { .. } | Kind::Money { .. } => Shape::Decimal,
        Kind::Double { .. } => Shape::Double,
        Kind::Boolean { .. } => Shape::Bool,
        Kind::DateTime { .. } => Shape::Time,
        Kind::Date => Shape::Date,
        Kind::Lookup { .. } => Shape::Lookup,
        Kind::Guid | Kind::File => Shape::Guid,
    }
}

/// Whole numbers without their leading bytes, which repeat the sign.
fn write_number(value: i128, data: &mut Vec<u8>) {
    let bytes = value.to_le_bytes();
    let filler = if value < 0 { 0xFF } else { 0 };
    let mut length = bytes.len();
    while length > 1 && bytes[length - 1] == filler && (bytes[length - 2] & 0x80 == filler & 0x80) {
        length -= 1;
    }
    data.extend_from_slice(&bytes[..length]);
}

fn read_number(slice: &[u8]) -> i128 {
    let negative = slice.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut bytes = if negative { [0xFF; 16] } else { [0; 16] };
    let length = slice.len().min(16);
    bytes[..length].copy_from_slice(&slice[..length]);
    i128::from_le_bytes(bytes)
}

fn write(cell: &Cell<'_>, data: &mut Vec<u8>) {
    match cell {
        Cell::Null => {}
        Cell::Bool(value) => data.push(u8::from(*value)),
        Cell::Int(value) | Cell::Time(value) => write_number(i128::from(*value), data),
        Cell::Date(value) => write_number(i128::from(*value), data),
        Cell::Decimal(value) => write_number(*value, data),
        Cell::Double(value) => data.extend_from_slice(&value.to_le_bytes()),
        Cell::Text(text) => data.extend_from_slice(text.as_bytes()),
        Cell::Guid(id) => data.extend_from_slice(id.as_bytes()),
        Cell::Lookup(target, id) => {
            data.push(*target);
            data.extend_from_slice(id.as_bytes());
        }
    }
}

fn read(shape: Shape, slice: &[u8]) -> Cell<'_> {
    let whole = || i64::try_from(read_number(slice)).unwrap_or(0);
    match shape {
        Shape::Bool => Cell::Bool(slice == [1]),
        Shape::Int => Cell::Int(whole()),
        Shape::Time => Cell::Time(whole()),
        Shape::Date => Cell::Date(i32::try_from(whole()).unwrap_or(0)),
        Shape::Decimal => Cell::Decimal(read_number(slice)),
        Shape::Double => match slice.try_into() {
            Ok(bytes) => Cell::Double(f64::from_le_bytes(bytes)),
            Err(_) => Cell::Null,
        },
        Shape::Text => match std::str::from_utf8(slice) {
            Ok(text) => Cell::Text(Cow::Borrowed(text)),
            Err(_) => Cell::Null,
        },
        Shape::Guid => Uuid::from_slice(slice).map_or(Cell::Null, Cell::Guid),
        Shape::Lookup => match slice.split_first() {
            Some((&target, id)) => {
                Uuid::from_slice(id).map_or(Cell::Null, |id| Cell::Lookup(target, id))
            }
            None => Cell::Null,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn layout(shapes: Vec<Shape>) -> Layout {
        Layout { bitmap: shapes.len().div_ceil(8), shapes, virtuals: Vec::new(), owner: None }
    }

    fn any_cell() -> impl Strategy<Value = (Shape, Cell<'static>)> {
        prop_oneof![
            any::<bool>().prop_map(|value| (Shape::Bool, Cell::Bool(value))),
            any::<i64>().prop_map(|value| (Shape::Int, Cell::Int(value))),
            any::<i64>().prop_map(|value| (Shape::Time, Cell::Time(value))),
            any::<i32>().prop_map(|value| (Shape::Date, Cell::Date(value))),
            any::<i128>().prop_map(|value| (Shape::Decimal, Cell::Decimal(value))),
            (-1e30..1e30).prop_map(|value| (Shape::Double, Cell::Double(value))),
            ".{0,40}".prop_map(|text| (Shape::Text, Cell::Text(text.into()))),
            any::<u128>().prop_map(|id| (Shape::Guid, Cell::Guid(Uuid::from_u128(id)))),
            (any::<u8>(), any::<u128>())
                .prop_map(|(t, id)| (Shape::Lookup, Cell::Lookup(t, Uuid::from_u128(id)))),
            Just((Shape::Text, Cell::Null)),
            Just((Shape::Int, Cell::Null)),
        ]
    }

    proptest! {
        #[test]
        fn every_cell_survives_the_packing(cells in prop::collection::vec(any_cell(), 0..40)) {
            let (shapes, cells): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
            let layout = layout(shapes);
            let bytes = encode(&cells);
            for (position, cell) in cells.iter().enumerate() {
                prop_assert_eq!(&layout.stored(&bytes, position), cell);
            }
        }

        #[test]
        fn damaged_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let layout = layout(vec![Shape::Text, Shape::Lookup, Shape::Int, Shape::Double]);
            for position in 0..5 {
                layout.stored(&bytes, position);
            }
        }
    }

    #[test]
    fn a_row_beyond_64_kib_takes_wider_ends() {
        let long = "x".repeat(70_000);
        let cells = [Cell::Text(long.as_str().into()), Cell::Int(-1)];
        let layout = layout(vec![Shape::Text, Shape::Int]);
        let bytes = encode(&cells);
        assert_eq!(layout.stored(&bytes, 0), cells[0]);
        assert_eq!(layout.stored(&bytes, 1), cells[1]);
    }
}
