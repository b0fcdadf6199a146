//! Prepare: source rows become cells of the target, in canonical form.
//!
//! In this order: the rule's transform; then, column by column, sanitize, cast
//! and validate. CPU only, to be called on blocking threads. A row that cannot
//! go on has its fate here; the others are not held up.

pub(crate) mod cast;
mod sanitize;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_select::take::{take, take_record_batch};
use dvsync_rules::swap::Tally;
use dvsync_rules::{Fault, Transformed, Verdict, VerdictKind};

use crate::error::RunError;
use crate::fate::{Again, Fate};
use crate::frame::Frame;
use crate::job::OnFailure;
use crate::plan::{From, Plan, TargetColumn};
use cast::{Misfit, to_canonical};

/// The rows of a frame that take part, as cells of the target.
pub(crate) struct Prepared {
    pub(crate) frame: Arc<Frame>,
    /// What was done with them rests on it.
    pub(crate) plan: Arc<Plan>,
    /// Row in the frame of each row here.
    pub(crate) rows: Vec<u32>,
    /// The source columns of these rows.
    pub(crate) source: RecordBatch,
    /// One per column of the plan.
    pub(crate) cells: Vec<Cells>,
    /// One per row: decided so far.
    pub(crate) fates: Vec<Option<Fate>>,
}

/// The cells of one target column.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    /// Left as the target has them.
    Absent,
    /// Canonical values.
    Ready(Values),
    /// Canonical values of the column that a lookup finds its record by.
    Sought(Values),
}

/// Canonical values, and which cells to leave as the target has them.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    pub(crate) array: ArrayRef,
    /// One bit a row, set = leave.
    pub(crate) leave: Option<BooleanBuffer>,
}

/// Prepares a frame's open rows.
///
/// # Errors
/// The rule cannot go on, or failed on a row and the job says to stop.
pub(crate) fn prepare(plan: &Arc<Plan>, frame: Arc<Frame>) -> Result<Prepared, RunError> {
    let rows = frame.open_rows();
    let source = if rows.len() == frame.rows() {
        frame.source().clone()
    } else {
        take_record_batch(frame.source(), &UInt32Array::from(rows.clone()))?
    };
    let mut fates = vec![None; rows.len()];
    let transformed = match &plan.rule {
        Some(rule) if rule.transform && !rows.is_empty() => {
            let transformed = frame.span().in_scope(|| rule.bound.transform(&source))?;
            verdicts(&transformed.verdicts, &mut fates);
            faults(plan, &frame, &rows, &transformed.faults, &mut fates)?;
            Some(transformed)
        }
        _ => None,
    };
    let cells = plan
        .columns
        .iter()
        .map(|column| cells(column, &source, transformed.as_ref(), &mut fates))
        .collect::<Result<_, _>>()?;
    Ok(Prepared { frame, plan: Arc::clone(plan), rows, source, cells, fates })
}

/// How many rows do not go on, and of how many of them the rule is the reason.
pub(crate) fn tally(fates: &[Option<Fate>]) -> Tally {
    let mut tally =
        Tally { rows: u64::try_from(fates.len()).unwrap_or(u64::MAX), ..Tally::default() };
    for fate in fates.iter().flatten() {
        tally.stop(&fate.code);
    }
    tally
}

fn cells(
    column: &TargetColumn,
    source: &RecordBatch,
    transformed: Option<&Transformed>,
    fates: &mut [Option<Fate>],
) -> Result<Cells, RunError> {
    let (raw, leave) = match &column.from {
        From::Hook => return Ok(Cells::Absent),
        From::Constant(cell) => {
            let first = UInt32Array::from(vec![0; source.num_rows()]);
            let values = Values { array: take(cell, &first, None)?, leave: None };
            return Ok(Cells::Ready(values));
        }
        From::Rule(name) => {
            let set = transformed.and_then(|t| t.columns.iter().find(|set| set.name == *name));
            match set {
                Some(set) => (Arc::clone(&set.array), set.leave.clone()),
                None => return Ok(Cells::Absent),
            }
        }
        From::Source(name) => match source.column_by_name(name) {
            Some(array) => (Arc::clone(array), None),
            None => return Err(RunError::Bug(format!("source column `{name}` was not read"))),
        },
    };
    let target = column.lookup.as_ref().map_or(&column.column, |lookup| &lookup.by);
    let (array, misfits) = to_canonical(target, &column.rules, &raw)?;
    for misfit in misfits {
        let left = leave.as_ref().is_some_and(|leave| leave.value(misfit.row));
        if !left {
            refuse(column, misfit, fates);
        }
    }
    let leave = if column.leave_null { leave_nulls(leave, array.nulls()) } else { leave };
    let values = Values { array, leave };
    Ok(if column.lookup.is_some() { Cells::Sought(values) } else { Cells::Ready(values) })
}

fn leave_nulls(leave: Option<BooleanBuffer>, nulls: Option<&NullBuffer>) -> Option<BooleanBuffer> {
    match (leave, nulls.map(|nulls| !nulls.inner())) {
        (Some(leave), Some(nulls)) => Some(&leave | &nulls),
        (leave, nulls) => leave.or(nulls),
    }
}

fn refuse(column: &TargetColumn, misfit: Misfit, fates: &mut [Option<Fate>]) {
    let Some(fate @ None) = fates.get_mut(misfit.row) else { return };
    let hint = match misfit.code {
        "text_too_long" => {
            "shorten it in the source, or say too_long = \"truncate\" for the column"
        }
        "unknown_choice" => "map it in [columns.x] options, or add the choice to the environment",
        "out_of_range" => "mend the value in the source, or widen the column's range",
        "invalid_character" => "clean it: sanitize = [\"strip_control\"]",
        _ => "mend the value in the source, or convert it in the rule",
    };
    *fate =
        Some(Fate::dead(misfit.code, misfit.message).at(&column.column.logical_name).hint(hint));
}

/// What the rule says of rows beyond their values.
pub(crate) fn verdicts(verdicts: &[Verdict], fates: &mut [Option<Fate>]) {
    for verdict in verdicts {
        let Some(fate @ None) = fates.get_mut(verdict.row) else { continue };
        let (code, message) = (verdict.code.clone(), verdict.message.clone());
        let mut said = match verdict.kind {
            VerdictKind::Reject => Fate::dead(code, message),
            VerdictKind::Drop => Fate::dropped(code, message),
            // Its answer depends on nothing that changes within a run.
            VerdictKind::Defer => Fate::deferred(code, message).again(Again::NextRun),
        };
        said.column.clone_from(&verdict.column);
        *fate = Some(said);
    }
}

/// Rows that the sandbox failed on.
pub(crate) fn faults(
    plan: &Plan,
    frame: &Frame,
    rows: &[u32],
    faults: &[Fault],
    fates: &mut [Option<Fate>],
) -> Result<(), RunError> {
    let stop = plan.job.rules.as_ref().is_some_and(|rules| rules.on_failure == OnFailure::Stop);
    // Of a version on trial the one before it judges the rows once more.
    let stop = stop && !plan.is_on_trial();
    for fault in faults {
        if stop {
            let line = rows
                .get(fault.row)
                .map_or(0, |&row| frame.chunk.lines.at(usize::try_from(row).unwrap_or(usize::MAX)));
            return Err(RunError::Limit {
                message: format!(
                    "the rule failed at {}:{line}: {} ({})",
                    frame.file, fault.message, fault.code
                ),
                hint: "mend the rule, or let the rest go on: [rules] on_failure = \"dead_letter\""
                    .to_owned(),
            });
        }
        if let Some(fate @ None) = fates.get_mut(fault.row) {
            *fate = Some(
                Fate::dead(fault.code, fault.message.clone())
                    .hint("mend the rule: it must not fail on any row; `rejects` are for bad data"),
            );
        }
    }
    Ok(())
}
