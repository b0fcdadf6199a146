//! `$orderby`, and rows in that order.

use std::cmp::Ordering;

use crate::cell::{Cell, compare};
use crate::refusal::Refusal;
use crate::schema::Table;
use crate::store::{Row, Rows};

/// Columns, and whether descending.
pub(crate) type Order = Vec<(usize, bool)>;

/// Reads `$orderby`.
pub(crate) fn parse(table: &Table, orderby: Option<&str>) -> Result<Order, Refusal> {
    let Some(orderby) = orderby else { return Ok(Order::new()) };
    orderby
        .split(',')
        .map(|term| {
            let mut words = term.split_whitespace();
            let name = words.next().unwrap_or_default();
            let column =
                table.readable(name).ok_or_else(|| Refusal::no_such_property(table, name))?;
            match (words.next(), words.next()) {
                (None | Some("asc"), None) => Ok((column, false)),
                (Some("desc"), None) => Ok((column, true)),
                _ => Err(Refusal::odata(format!("Syntax error in $orderby at '{}'.", term.trim()))),
            }
        })
        .collect()
}

/// A row with what it is ordered by; equal ones stand by slot.
pub(crate) struct Keyed<'r> {
    keys: Vec<Cell<'r>>,
    pub(crate) slot: u32,
    pub(crate) row: &'r Row,
}

impl<'r> Keyed<'r> {
    pub(crate) fn new(rows: &'r Rows, order: &[(usize, bool)], slot: u32, row: &'r Row) -> Self {
        let keys = order.iter().map(|&(column, _)| rows.layout.cell(row, column)).collect();
        Self { keys, slot, row }
    }

    pub(crate) fn cmp(&self, other: &Self, order: &[(usize, bool)]) -> Ordering {
        by_keys(&self.keys, &other.keys, order.iter().map(|(_, descending)| *descending))
            .then(self.slot.cmp(&other.slot))
    }
}

/// Compares two lists of values term by term.
pub(crate) fn by_keys(
    a: &[Cell<'_>],
    b: &[Cell<'_>],
    descending: impl Iterator<Item = bool>,
) -> Ordering {
    a.iter()
        .zip(b)
        .zip(descending)
        .map(|((a, b), descending)| {
            let order = compare(a, b).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        })
        .fold(Ordering::Equal, Ordering::then)
}
