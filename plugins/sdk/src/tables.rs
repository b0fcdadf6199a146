//! Tables that the job grants: read-only, taken once when the run starts, so
//! that a replay sees the same.
//!
//! In a component this asks the host; natively, in a rule's own tests, it
//! answers from the tables that the fixture was given, by the same rules.

use crate::bindings::types::{Column, Values};
use crate::failure::Failure;
use crate::field::{Field, Type};
use crate::rows::Rows;

/// The granted tables. Cheap to clone: a rule keeps a copy from its context.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) granted: std::sync::Arc<std::collections::BTreeMap<String, crate::testing::Table>>,
}

impl Tables {
    /// The given columns of the row whose column `by` equals each key: all keys
    /// of a chunk in one call, a row of the answer for each. Null where there is
    /// none, or the key is null; of several such rows the first in the table
    /// counts. Keys and `by` may differ in type: then their text is compared.
    ///
    /// # Errors
    /// `misconfigured` when there is no such table or column.
    pub fn resolve(
        &self,
        table: &str,
        by: &str,
        keys: &Column,
        columns: &[&str],
    ) -> Result<Resolved, Failure> {
        let found = self.ask(table, by, keys, columns).map_err(|message| {
            Failure::misconfigured("bad-table", format!("cannot look up `{table}`: {message}"))
        })?;
        let fields = found.iter().map(field_of).collect();
        Ok(Resolved { fields, columns: found, rows: rows_of(keys) })
    }

    #[cfg(target_arch = "wasm32")]
    fn ask(
        &self,
        table: &str,
        by: &str,
        keys: &Column,
        columns: &[&str],
    ) -> Result<Vec<Column>, String> {
        let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
        crate::bindings::lookups::resolve(table, by, keys, &columns)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn ask(
        &self,
        table: &str,
        by: &str,
        keys: &Column,
        columns: &[&str],
    ) -> Result<Vec<Column>, String> {
        let table = self.granted.get(table).ok_or("it is not granted")?;
        table.resolve(by, keys, columns)
    }
}

/// An answer of [`Tables::resolve`]: a row for each key.
#[derive(Debug, Clone)]
pub struct Resolved {
    fields: Vec<Field>,
    columns: Vec<Column>,
    rows: usize,
}

impl Resolved {
    /// The answer's rows, read like those of a call.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows::of(&self.fields, &self.columns, self.rows)
    }
}

fn field_of(column: &Column) -> Field {
    Field::new(column.name.clone(), type_of(column))
}

/// Rows of a column that holds keys; for booleans, which are none, rows for
/// which there is room.
pub(crate) fn rows_of(column: &Column) -> usize {
    match &column.values {
        Values::Boolean(bits) => bits.len() * 8,
        Values::Int64(list) | Values::TimestampUs(list) => list.len(),
        Values::Float64(list) => list.len(),
        Values::Date32(list) => list.len(),
        Values::Decimal128(buffers) => buffers.data.len() / 16,
        Values::Uuid(bytes) => bytes.len() / 16,
        Values::Text(buffers) | Values::Binary(buffers) => buffers.offsets.len().saturating_sub(1),
        Values::Strings(list) => list.len(),
    }
}

pub(crate) fn type_of(column: &Column) -> Type {
    match &column.values {
        Values::Boolean(_) => Type::Boolean,
        Values::Int64(_) => Type::Int64,
        Values::Float64(_) => Type::Float64,
        Values::Decimal128(_) => Type::Decimal,
        Values::Date32(_) => Type::Date,
        Values::TimestampUs(_) => Type::Timestamp,
        Values::Text(_) | Values::Strings(_) => Type::Text,
        Values::Binary(_) => Type::Binary,
        Values::Uuid(_) => Type::Uuid,
    }
}
