//! Columns that the service fills: who and when, full names, base money.

use super::record::{Cells, Writer};
use crate::cell::Cell;
use crate::schema::Table;
use crate::seed;
use crate::store::Transaction;

/// Scale of `exchangerate`.
const RATE_UNIT: i128 = 10_000_000_000;

/// Which parts of a name a write gave.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) parts: bool,
    pub(super) full: bool,
}

pub(super) fn on_create(
    writer: &Writer<'_>,
    tx: &Transaction<'_>,
    table: &Table,
    cells: &mut Cells<'_>,
) {
    let known = &table.known;
    let mut put = |column: Option<usize>, cell: Cell<'static>| {
        if let Some(column) = column {
            cells[column] = cell;
        }
    };
    put(known.createdon, Cell::Time(writer.scene.now));
    put(known.createdby, Cell::Lookup(0, writer.scene.user));
    let dated = known.overriddencreatedon.map(|column| &cells[column]);
    if let (Some(&Cell::Time(seconds)), Some(to)) = (dated, known.createdon) {
        cells[to] = Cell::Time(seconds);
    }
    let full = known.fullname.is_some_and(|column| !cells[column].is_null());
    on_update(writer, tx, table, cells, &Names { parts: !full, full });
}

pub(super) fn on_update(
    writer: &Writer<'_>,
    tx: &Transaction<'_>,
    table: &Table,
    cells: &mut Cells<'_>,
    names: &Names,
) {
    let known = &table.known;
    if let Some(column) = known.modifiedon {
        cells[column] = Cell::Time(writer.scene.now);
    }
    if let Some(column) = known.modifiedby {
        cells[column] = Cell::Lookup(0, writer.scene.user);
    }
    if names.parts && !names.full && writer.environment.behavior.make_full_names {
        full_name(table, cells);
    }
    if !known.bases.is_empty() {
        base_money(writer, tx, table, cells);
    }
}

fn full_name(table: &Table, cells: &mut Cells<'_>) {
    let known = &table.known;
    let (Some(first), Some(last), Some(full)) = (known.firstname, known.lastname, known.fullname)
    else {
        return;
    };
    let text = |cell: &Cell<'_>| match cell {
        Cell::Text(text) => text.to_string(),
        _ => String::new(),
    };
    let name = format!("{} {}", text(&cells[first]), text(&cells[last]));
    let name = name.trim();
    cells[full] = if name.is_empty() { Cell::Null } else { Cell::Text(name.to_owned().into()) };
}

fn base_money(writer: &Writer<'_>, tx: &Transaction<'_>, table: &Table, cells: &mut Cells<'_>) {
    let known = &table.known;
    let money = known.bases.iter().any(|(column, _)| !cells[*column].is_null());
    let (Some(currency), Some(rate)) = (known.transactioncurrencyid, known.exchangerate) else {
        return;
    };
    if money && cells[currency].is_null() {
        cells[currency] = Cell::Lookup(0, seed::currency());
    }
    let factor = match cells[currency].id() {
        None => {
            cells[rate] = Cell::Null;
            RATE_UNIT
        }
        Some(id) => {
            let factor = exchange_rate(writer, tx, id);
            cells[rate] = Cell::Decimal(factor);
            factor
        }
    };
    for &(column, base) in &known.bases {
        cells[base] = match cells[column] {
            Cell::Decimal(value) => Cell::Decimal(divided(value, factor)),
            _ => Cell::Null,
        };
    }
}

fn exchange_rate(writer: &Writer<'_>, tx: &Transaction<'_>, id: uuid::Uuid) -> i128 {
    let Some(table) = writer.environment.schema.table("transactioncurrency") else {
        return RATE_UNIT;
    };
    let column = table.column_position("exchangerate");
    let rows = tx.rows(table.position);
    match (rows.by_id(id), column) {
        (Some(row), Some(column)) => match rows.layout.cell(row, column) {
            Cell::Decimal(rate) if rate > 0 => rate,
            _ => RATE_UNIT,
        },
        _ => RATE_UNIT,
    }
}

fn divided(value: i128, rate: i128) -> i128 {
    if rate == RATE_UNIT {
        return value;
    }
    let half = rate / 2 * value.signum();
    value.checked_mul(RATE_UNIT).map_or(value, |scaled| (scaled + half) / rate)
}
