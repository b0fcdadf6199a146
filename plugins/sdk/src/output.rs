//! What `transform` answers: the columns that it sets. Pure.
//!
//! Promises: an answer that the host would refuse (an undeclared column, another
//! type, another number of rows) is refused here, with words that name it.

use crate::bindings::transform::exports::dvsync::rules::transform;
use crate::columns::{Builder, Store};
use crate::failure::Failure;
use crate::field::Field;
use crate::verdicts::Verdicts;

/// What `transform` answers: the columns that it sets.
#[derive(Debug)]
pub struct Output<'a> {
    /// For rows that do not go on.
    pub verdicts: Verdicts,
    writes: &'a [Field],
    rows: usize,
    columns: Vec<transform::Setting>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(writes: &'a [Field], rows: usize) -> Self {
        let verdicts = Verdicts::new(rows);
        Self { verdicts, writes, rows, columns: Vec::new() }
    }

    /// The hook declared that it writes the column.
    #[must_use]
    pub fn writes(&self, name: &str) -> bool {
        self.writes.iter().any(|field| field.name == name)
    }

    /// Sets a target column. One that is not set stays as the target has it.
    ///
    /// # Errors
    /// The hook has not declared that it writes the column, or as another type;
    /// it was set already; the builder has another number of rows.
    pub fn set<S: Store>(&mut self, name: &str, column: Builder<S>) -> Result<(), Failure> {
        let fault = |message: String| Err(Failure::internal("bad-output", message));
        let Some(field) = self.writes.iter().find(|field| field.name == name) else {
            return fault(format!("cannot set column `{name}`: the hook does not declare it"));
        };
        if field.kind != column.kind() {
            let (expected, found) = (field.kind.name(), column.kind().name());
            return fault(format!(
                "cannot set column `{name}`: expected {expected}, found {found}"
            ));
        }
        if column.len() != self.rows {
            let (found, rows) = (column.len(), self.rows);
            return fault(format!("column `{name}` has {found} values for {rows} rows"));
        }
        if self.columns.iter().any(|setting| setting.column.name == name) {
            return fault(format!("column `{name}` is set twice"));
        }
        self.columns.push(column.into_setting(name));
        Ok(())
    }

    /// See [`Verdicts::reject`].
    pub fn reject(
        &mut self,
        row: usize,
        code: &str,
        column: impl Into<Option<&'static str>>,
        message: impl Into<String>,
    ) {
        self.verdicts.reject(row, code, column, message);
    }

    pub(crate) fn finish(self) -> transform::Output {
        transform::Output { columns: self.columns, verdicts: self.verdicts.finish() }
    }
}

#[cfg(test)]
mod tests;
