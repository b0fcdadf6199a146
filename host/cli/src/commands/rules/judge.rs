//! What a rule says of the rows of a case, hook after hook as in a run, as text
//! to compare.
//!
//! A row that a hook stops (verdict or fault) is judged no further. What
//! `matching.choose` says is not asked: it needs several records for a row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Int32Array, RecordBatch, RecordBatchOptions, new_null_array,
};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use arrow_select::nullif::nullif;
use dvsync_rules::{Bound, Fault, HookName, OwnerKind, Side, Verdict, VerdictKind};

use crate::failure::Failure;

/// A cell that stays as the target has it.
pub(super) const LEAVE: &str = "(leave)";
/// A text without letters; a blank cell is null.
const EMPTY: &str = "(empty)";

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    /// The cells that it sets, by column; null is blank.
    Set(BTreeMap<String, String>),
    /// `reject code (column): message`.
    Stopped { code: String, words: String },
}

impl Row {
    /// In one line.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Stopped { words, .. } => words.clone(),
            Self::Set(cells) if cells.is_empty() => "nothing".to_owned(),
            Self::Set(cells) => {
                let cells: Vec<_> =
                    cells.iter().map(|(name, text)| format!("{name}={text}")).collect();
                cells.join(", ")
            }
        }
    }

    fn set(&mut self, column: &str, text: String) {
        if let Self::Set(cells) = self {
            cells.insert(column.to_owned(), text);
        }
    }
}

/// Judges the rows. `current` has as many.
pub(super) fn judge(
    bound: &Bound,
    source: &RecordBatch,
    current: Option<&RecordBatch>,
) -> Result<Vec<Row>, Failure> {
    let count = source.num_rows();
    let mut rows = vec![Row::Set(BTreeMap::new()); count];
    let mut incoming = source.clone();
    let has = |hook| bound.needs(hook).is_some();
    if has(HookName::Transform) && count > 0 {
        let answer = bound.transform(source)?;
        for setting in &answer.columns {
            let leave = setting.leave.as_ref();
            let texts = texts(&setting.array).map_err(unprintable)?;
            for (row, text) in texts.into_iter().enumerate() {
                if !leave.is_some_and(|leave| leave.value(row)) {
                    rows[row].set(&setting.name, text);
                }
            }
            let array = match leave {
                None => Arc::clone(&setting.array),
                Some(leave) => nullif(&setting.array, &BooleanArray::new(leave.clone(), None))
                    .map_err(unprintable)?,
            };
            incoming = with(&incoming, &setting.name, array)?;
        }
        stop(&mut rows, answer.verdicts, answer.faults);
    }
    let nothing;
    let current = match current {
        Some(current) => current,
        None => {
            nothing = no_records(bound, count)?;
            &nothing
        }
    };
    if has(HookName::Matching) {
        for (column, side, batch) in [
            ("matching.key", Side::Incoming, &incoming),
            ("matching.current_key", Side::Current, current),
        ] {
            let answer = bound.derive(side, batch)?;
            for (row, key) in answer.keys.iter().enumerate() {
                if let Some(key) = key.filter(|key| !key.is_empty()) {
                    rows[row].set(column, key.to_owned());
                }
            }
            stop(&mut rows, answer.verdicts, answer.faults);
        }
    }
    if has(HookName::State) {
        let answer = bound.state(&incoming, current)?;
        set_numbers(&mut rows, "state.statecode", &answer.statecode);
        set_numbers(&mut rows, "state.statuscode", &answer.statuscode);
        stop(&mut rows, answer.verdicts, answer.faults);
    }
    if has(HookName::Owner) {
        let answer = bound.owner(&incoming, current)?;
        for (row, kind) in answer.kinds.iter().enumerate() {
            let kind = match kind {
                OwnerKind::Leave => continue,
                OwnerKind::User => "user",
                OwnerKind::Team => "team",
            };
            let key = if answer.keys.is_valid(row) { answer.keys.value(row) } else { "" };
            rows[row].set("owner", format!("{kind} {key} by {}", answer.by));
        }
        stop(&mut rows, answer.verdicts, answer.faults);
    }
    Ok(rows)
}

/// The first verdict or fault of a row counts.
fn stop(rows: &mut [Row], verdicts: Vec<Verdict>, faults: Vec<Fault>) {
    let said = verdicts.into_iter().map(|verdict| {
        let kind = match verdict.kind {
            VerdictKind::Reject => "reject",
            VerdictKind::Drop => "drop",
            VerdictKind::Defer => "defer",
        };
        let column = verdict.column.map(|name| format!(" ({name})")).unwrap_or_default();
        let words = format!("{kind} {}{column}: {}", verdict.code, verdict.message);
        (verdict.row, verdict.code, words)
    });
    let failed = faults.into_iter().map(|fault| {
        (fault.row, fault.code.to_owned(), format!("fault {}: {}", fault.code, fault.message))
    });
    for (row, code, words) in said.chain(failed) {
        if let Some(row @ Row::Set(_)) = rows.get_mut(row) {
            *row = Row::Stopped { code, words };
        }
    }
}

fn set_numbers(rows: &mut [Row], column: &str, numbers: &Int32Array) {
    for (row, number) in rows.iter_mut().zip(numbers) {
        if let Some(number) = number {
            row.set(column, number.to_string());
        }
    }
}

/// Records of rows that met none: the columns that the hooks read, all null.
fn no_records(bound: &Bound, rows: usize) -> Result<RecordBatch, Failure> {
    let mut names = BTreeSet::new();
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for needs in HookName::ALL.into_iter().filter_map(|hook| bound.needs(hook)) {
        for field in needs.reads_current.iter().filter(|field| names.insert(field.name.clone())) {
            fields.push(Field::new(&field.name, field.data_type.clone(), true));
            columns.push(new_null_array(&field.data_type, rows));
        }
    }
    batch(fields, columns, rows)
}

/// The batch and one more column, at its end: of two of one name the last is
/// the target's.
fn with(rows: &RecordBatch, name: &str, array: ArrayRef) -> Result<RecordBatch, Failure> {
    let mut fields: Vec<Field> =
        rows.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new(name, array.data_type().clone(), true));
    let columns = rows.columns().iter().cloned().chain([array]).collect();
    batch(fields, columns, rows.num_rows())
}

fn batch(fields: Vec<Field>, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, Failure> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
        .map_err(unprintable)
}

/// Cells as text: null is blank.
fn texts(array: &ArrayRef) -> Result<Vec<String>, ArrowError> {
    // Arrow writes no instants of a zone that it knows by name only.
    let plain = match array.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            arrow_cast::cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?
        }
        _ => Arc::clone(array),
    };
    let options = FormatOptions::new();
    let values = ArrayFormatter::try_new(&plain, &options)?;
    let text = |row: usize| {
        if array.is_null(row) {
            return String::new();
        }
        let text = values.value(row).to_string();
        match array.data_type() {
            DataType::Timestamp(..) => text + "Z",
            DataType::FixedSizeBinary(16) => {
                uuid::Uuid::parse_str(&text).map_or(text, |id| id.to_string())
            }
            DataType::Utf8 if text.is_empty() => EMPTY.to_owned(),
            _ => text,
        }
    };
    Ok((0..array.len()).map(text).collect())
}

fn unprintable(error: ArrowError) -> Failure {
    Failure::bug("cannot put an answer of a rule into a table", error)
}
