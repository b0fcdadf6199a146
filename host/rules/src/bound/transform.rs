//! The hook `transform`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_select::concat::concat;
use arrow_select::nullif::nullif;

use super::columns::{Columns, count, lowered};
use super::verdicts::{self, Gathered};
use super::{Bound, Part};
use crate::bindings::dvsync::rules::types::ValueType;
use crate::bindings::exports::dvsync::rules::transform::Output;
use crate::contract::{Field, HookName, HookNeeds, type_name};
use crate::error::RuleError;
use crate::instance::CallError;
use crate::judged::{Fault, Setting, Transformed, Verdict, codes};
use crate::lift;

struct Answer {
    columns: Vec<Setting>,
    verdicts: Vec<Verdict>,
}

impl Bound {
    /// Turns source rows into target rows. The batch holds the columns of the
    /// source row and, after them, those of the target row as mapped so far.
    ///
    /// # Errors
    ///
    /// When a column is missing or of a wrong type, or the rule says that it is
    /// misconfigured. What single rows do wrong is in the result.
    pub fn transform(&self, source: &RecordBatch) -> Result<Transformed, RuleError> {
        let needs = self.hook(HookName::Transform)?;
        let rows = source.num_rows();
        if rows == 0 {
            return Ok(Transformed::default());
        }
        let columns = Columns::incoming(self, needs, source)?;
        self.judge_and_recheck(
            rows,
            |instance, part, deadline| {
                let output = lowered(&columns.slice(&part), |params| {
                    instance.apply(deadline, count(&part)?, params)
                })?;
                lift_output(output, needs, part.len()).map_err(CallError::invalid_output)
            },
            |parts| {
                assemble(parts, rows, columns.faults())
                    .map_err(|error| self.input_error(error.to_string()))
            },
            |one, other| is_same(one, other, rows),
        )
    }
}

fn lift_output(output: Output, needs: &HookNeeds, rows: usize) -> Result<Answer, String> {
    let mut columns: Vec<Setting> = Vec::with_capacity(output.columns.len());
    for setting in output.columns {
        let name = setting.column.name.clone();
        let declared = needs.writes.iter().find(|field| field.name == name);
        if columns.iter().any(|column| column.name == name) {
            return Err(format!("column `{name}` comes twice"));
        }
        let declared = declared.ok_or_else(|| format!("column `{name}` is not declared"))?;
        check_type(declared, lift::type_of(&setting.column.values))?;
        let array = lift::column(setting.column, rows)?;
        let leave = setting
            .leave
            .map(|bytes| lift::bits("`leave`", bytes, rows))
            .transpose()
            .map_err(|broken| format!("column `{name}`: {broken}"))?
            .filter(|leave| leave.count_set_bits() > 0);
        columns.push(Setting { name, array, leave });
    }
    Ok(Answer { columns, verdicts: verdicts::lift(output.verdicts, rows)? })
}

fn check_type(declared: &Field, found: ValueType) -> Result<(), String> {
    // One type in two dresses.
    let dress = |value_type| match value_type {
        ValueType::Strings => ValueType::Text,
        other => other,
    };
    if dress(declared.value_type) == dress(found) {
        return Ok(());
    }
    let (name, expected) = (&declared.name, type_name(declared.value_type));
    Err(format!("column `{name}`: declared as {expected}, set as {}", type_name(found)))
}

fn assemble(
    mut parts: Vec<Part<Answer>>,
    rows: usize,
    faults: BTreeMap<usize, Fault>,
) -> Result<Transformed, arrow_schema::ArrowError> {
    let mut gathered =
        Gathered::new(&mut parts, faults, |answer| std::mem::take(&mut answer.verdicts));
    let columns = match &mut parts[..] {
        [Part::Judged(_, answer)] => std::mem::take(&mut answer.columns),
        parts => join(parts, rows, &mut gathered)?,
    };
    let (verdicts, faults) = gathered.finish();
    Ok(Transformed { columns, verdicts, faults })
}

/// Joins what the parts set; where a part did not set a column, its cells are
/// left alone.
fn join(
    parts: &[Part<Answer>],
    rows: usize,
    gathered: &mut Gathered,
) -> Result<Vec<Setting>, arrow_schema::ArrowError> {
    let answers = || {
        parts.iter().filter_map(|part| match part {
            Part::Judged(range, answer) => Some((range, answer)),
            Part::AtFault(..) | Part::GivenUp(_) => None,
        })
    };
    // The first to set a column says its type; only decimals can differ in it.
    let mut settings: Vec<(&str, &ArrayRef)> = Vec::new();
    for setting in answers().flat_map(|(_, answer)| &answer.columns) {
        if !settings.iter().any(|(name, _)| *name == setting.name) {
            settings.push((&setting.name, &setting.array));
        }
    }
    let mut joined = Vec::with_capacity(settings.len());
    for (name, first) in settings {
        let data_type = first.data_type();
        let mut pieces: Vec<ArrayRef> = Vec::new();
        let mut leave = BooleanBufferBuilder::new(rows);
        let mut next = 0;
        for (range, answer) in answers() {
            fill(&mut pieces, &mut leave, data_type, next..range.start);
            next = range.end;
            match answer.columns.iter().find(|setting| setting.name == name) {
                Some(setting) if setting.array.data_type() == data_type => {
                    pieces.push(Arc::clone(&setting.array));
                    match &setting.leave {
                        Some(bits) => leave.append_buffer(bits),
                        None => leave.append_n(range.len(), false),
                    }
                }
                Some(setting) => {
                    let found = setting.array.data_type();
                    let message =
                        format!("column `{name}` came as {data_type} before and as {found} now");
                    for row in range.clone() {
                        gathered.fault(row, codes::INVALID_OUTPUT, &message);
                    }
                    fill(&mut pieces, &mut leave, data_type, range.clone());
                }
                None => fill(&mut pieces, &mut leave, data_type, range.clone()),
            }
        }
        fill(&mut pieces, &mut leave, data_type, next..rows);
        let pieces: Vec<&dyn Array> = pieces.iter().map(|piece| &**piece).collect();
        let leave = leave.finish();
        joined.push(Setting {
            name: name.to_owned(),
            array: concat(&pieces)?,
            leave: (leave.count_set_bits() > 0).then_some(leave),
        });
    }
    Ok(joined)
}

fn fill(
    pieces: &mut Vec<ArrayRef>,
    leave: &mut BooleanBufferBuilder,
    data_type: &arrow_schema::DataType,
    rows: Range<usize>,
) {
    if !rows.is_empty() {
        pieces.push(new_null_array(data_type, rows.len()));
        leave.append_n(rows.len(), true);
    }
}

/// Equal in what they do to each cell.
fn is_same(one: &Transformed, other: &Transformed, rows: usize) -> bool {
    let by_name = |result: &Transformed| -> BTreeMap<String, Setting> {
        let columns = result.columns.iter();
        columns.map(|setting| (setting.name.clone(), setting.clone())).collect()
    };
    let (mine, theirs) = (by_name(one), by_name(other));
    one.verdicts == other.verdicts
        && one.faults == other.faults
        && mine.keys().chain(theirs.keys()).all(|name| {
            match (mine.get(name), theirs.get(name)) {
                (Some(mine), Some(theirs)) => is_same_setting(mine, theirs, rows),
                // Not set at all: the same as each cell left alone.
                (Some(only), None) | (None, Some(only)) => {
                    leaves(only, rows).count_set_bits() == rows
                }
                (None, None) => true,
            }
        })
}

fn is_same_setting(one: &Setting, other: &Setting, rows: usize) -> bool {
    let (left, right) = (leaves(one, rows), leaves(other, rows));
    let shown = |setting: &Setting, leave: &BooleanBuffer| {
        nullif(&setting.array, &BooleanArray::new(leave.clone(), None))
    };
    left == right
        && match (shown(one, &left), shown(other, &right)) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        }
}

fn leaves(setting: &Setting, rows: usize) -> BooleanBuffer {
    setting.leave.clone().unwrap_or_else(|| BooleanBuffer::new_unset(rows))
}
