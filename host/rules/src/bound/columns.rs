//! The columns of a call: picked by name, cast, sliced and lowered.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow_buffer::BooleanBuffer;

use super::Bound;
use super::needs::wrong_type;
use crate::bindings::dvsync::rules::types::ColumnParam;
use crate::cast::{can_cast, cast};
use crate::contract::{Field, HookNeeds, type_name};
use crate::error::RuleError;
use crate::instance::CallError;
use crate::judged::{Fault, codes};
use crate::lower::Lowered;

/// Columns in the types that the rule asked for, in its order.
pub(super) struct Columns<'a> {
    columns: Vec<(&'a Field, ArrayRef)>,
    lost: Vec<(&'a Field, BooleanBuffer)>,
    rows: usize,
}

impl<'a> Columns<'a> {
    /// The incoming row: source columns, then target columns.
    pub(super) fn incoming(
        bound: &Bound,
        needs: &'a HookNeeds,
        batch: &RecordBatch,
    ) -> Result<Self, RuleError> {
        let schema = batch.schema_ref();
        let named = |field: &&Field, is_last: bool| {
            let is_it = |column: &Arc<arrow_schema::Field>| *column.name() == field.name;
            let fields = schema.fields();
            if is_last { fields.iter().rposition(is_it) } else { fields.iter().position(is_it) }
        };
        let source = needs.reads_source.iter().map(|field| (field, named(&field, false)));
        let target = needs.reads_target.iter().map(|field| (field, named(&field, true)));
        Self::pick(bound, batch, source.chain(target), "the incoming row")
    }

    /// The record that the target holds.
    pub(super) fn current(
        bound: &Bound,
        needs: &'a HookNeeds,
        batch: &RecordBatch,
    ) -> Result<Self, RuleError> {
        let schema = batch.schema_ref();
        let fields = needs.reads_current.iter().map(|field| {
            (field, schema.fields().iter().position(|column| *column.name() == field.name))
        });
        Self::pick(bound, batch, fields, "the current record")
    }

    fn pick(
        bound: &Bound,
        batch: &RecordBatch,
        fields: impl Iterator<Item = (&'a Field, Option<usize>)>,
        side: &'static str,
    ) -> Result<Self, RuleError> {
        let rows = batch.num_rows();
        let mut picked = Self { columns: Vec::new(), lost: Vec::new(), rows };
        for (field, position) in fields {
            let array = match position.map(|at| batch.column(at)) {
                None if field.required => {
                    return Err(RuleError::Column {
                        rule: bound.rule.label().to_string(),
                        column: field.name.clone(),
                        side,
                    });
                }
                None => new_null_array(&field.data_type, rows),
                Some(array) if !can_cast(array.data_type(), field.value_type) => {
                    return Err(wrong_type(&bound.rule, field, array.data_type()));
                }
                Some(array) => {
                    let cast = cast(array, field.value_type).map_err(|error| {
                        bound.input_error(format!("column `{}`: {error}", field.name))
                    })?;
                    picked.lost.extend(cast.lost.map(|lost| (field, lost)));
                    cast.array
                }
            };
            picked.columns.push((field, array));
        }
        Ok(picked)
    }

    /// Rows `0..rows` of the columns, for one call.
    pub(super) fn slice(&self, rows: &Range<usize>) -> Vec<(&'a Field, ArrayRef)> {
        let is_whole = *rows == (0..self.rows);
        let slice = |array: &ArrayRef| match is_whole {
            true => Arc::clone(array),
            false => array.slice(rows.start, rows.len()),
        };
        self.columns.iter().map(|(field, array)| (*field, slice(array))).collect()
    }

    /// Faults of rows that hold a value which the asked type cannot, by row.
    pub(super) fn faults(&self) -> BTreeMap<usize, Fault> {
        let mut faults = BTreeMap::new();
        for (field, lost) in &self.lost {
            for row in lost.set_indices() {
                faults.entry(row).or_insert_with(|| Fault {
                    row,
                    code: codes::TYPE_MISMATCH,
                    message: format!(
                        "cannot read column `{}` as {} without loss",
                        field.name,
                        type_name(field.value_type)
                    ),
                });
            }
        }
        faults
    }
}

/// Passes the columns to `call` as the contract has them.
pub(super) fn lowered<R>(
    columns: &[(&Field, ArrayRef)],
    call: impl FnOnce(&[ColumnParam<'_>]) -> Result<R, CallError>,
) -> Result<R, CallError> {
    let lowered = columns
        .iter()
        .map(|(field, array)| {
            Lowered::new(&field.name, array, field.value_type).ok_or_else(|| {
                // Columns were cast to the very types that are lowered.
                CallError::failed(codes::TYPE_MISMATCH, format!("cannot pass `{}`", field.name))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let params: Vec<_> = lowered.iter().map(Lowered::param).collect();
    call(&params)
}

/// The number of rows as the contract passes it.
pub(super) fn count(rows: &Range<usize>) -> Result<u32, CallError> {
    u32::try_from(rows.len())
        .map_err(|_| CallError::failed(codes::FAILED, format!("{} rows in one call", rows.len())))
}
