//! What the rows in a log look like, and how they come to another schema.

use serde::{Deserialize, Serialize};

use super::Problem;
use crate::cell::Cell;
use crate::error::EmulatorError;
use crate::schema::{Column, Kind, Schema};
use crate::settings::KeyRules;
use crate::store::row::{Shape, encode};
use crate::store::{Layout, Rows, Store};

/// What the rows in a log look like.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) tables: Vec<HeaderTable>,
    /// How keys compared.
    #[serde(default)]
    rules: KeyRules,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct HeaderTable {
    pub(super) name: String,
    /// Name and shape, scale included.
    pub(super) columns: Vec<(String, String)>,
    pub(super) keys: Vec<Vec<usize>>,
}

impl Header {
    pub(super) fn new(schema: &Schema, tables: &[Rows], rules: KeyRules) -> Self {
        let table = |(table, rows): (&crate::schema::Table, &Rows)| HeaderTable {
            name: table.name.clone(),
            columns: table
                .columns
                .iter()
                .zip(rows.layout.shapes())
                .map(|(column, &shape)| (column.name.clone(), signature(column, shape)))
                .collect(),
            keys: table.keys.iter().map(|key| key.columns.clone()).collect(),
        };
        Self { tables: schema.tables.iter().zip(tables).map(table).collect(), rules }
    }
}

/// Two columns with the same signature hold the same bytes for a value.
fn signature(column: &Column, shape: Shape) -> String {
    match &column.kind {
        Kind::Lookup { targets, .. } => {
            let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
            format!("{shape:?} of {}", names.join(", "))
        }
        Kind::Decimal { .. } | Kind::Money { .. } => {
            format!("{shape:?} of scale {}", column.kind.scale())
        }
        _ => format!("{shape:?}"),
    }
}

/// Where the cells of a logged table go.
pub(super) struct Carry {
    pub(super) table: usize,
    /// By present position: position in the log.
    pub(super) from: Vec<Option<usize>>,
    /// Columns that the logged rows have.
    pub(super) width: usize,
    pub(super) same: bool,
}

/// How rows of a logged table come to the present one.
pub(super) fn carry(
    logged: &HeaderTable,
    schema: &Schema,
    store: &Store,
    problem: &Problem<'_>,
) -> Result<Carry, EmulatorError> {
    let Some(table) = schema.table(&logged.name) else {
        return Err(problem.foreign(format!("table `{}` is not in the schema", logged.name)));
    };
    let shapes = store.tables[table.position].layout.shapes();
    let mut from = Vec::new();
    for (column, &shape) in table.columns.iter().zip(shapes) {
        let position = logged.columns.iter().position(|(name, _)| *name == column.name);
        let wanted = signature(column, shape);
        if let Some(found) = position.map(|at| &logged.columns[at].1).filter(|at| **at != wanted) {
            return Err(problem.foreign(format!(
                "column `{}` of table `{}` is {found} there, {wanted} in the schema",
                column.name, logged.name
            )));
        }
        from.push(position);
    }
    let same = logged.columns.len() == from.len()
        && from.iter().enumerate().all(|(to, from)| *from == Some(to));
    Ok(Carry { table: table.position, from, width: logged.columns.len(), same })
}

/// A logged row in the present layout.
pub(super) fn carried(bytes: &[u8], carry: &Carry, layout: &Layout) -> Box<[u8]> {
    let old = layout.reordered(&carry.from, carry.width);
    let cells: Vec<Cell<'_>> = carry
        .from
        .iter()
        .map(|from| from.map_or(Cell::Null, |from| old.stored(bytes, from)))
        .collect();
    encode(&cells)
}
