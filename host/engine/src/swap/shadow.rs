//! What two versions judge differently of one chunk: cells of the target in
//! canonical form, and rows that only one of them lets go on.

use arrow_array::Array;
use arrow_buffer::BooleanBuffer;
use dvsync_rules::swap::Differences;

use crate::classify::changed;
use crate::prepare::{Cells, Prepared, Values};

/// Where a row's fate differs.
const OUTCOME: &str = "(outcome)";

/// Compares what two versions made of the same rows.
pub(crate) fn compare(
    one: &Prepared,
    other: &Prepared,
    keys_max: usize,
    differences: &mut Differences,
) {
    let rows = one.rows.len();
    differences.rows += u64::try_from(rows).unwrap_or(u64::MAX);
    let key = |row: usize| {
        let at = usize::try_from(one.rows[row]).unwrap_or(usize::MAX);
        let shown = one.frame.key.as_ref().and_then(|key| key.shown(at));
        shown.unwrap_or_else(|| format!("{}:{}", one.frame.file, one.frame.chunk.lines.at(at)))
    };
    let mut different = vec![false; rows];
    for (row, different) in different.iter_mut().enumerate() {
        let said = |prepared: &Prepared| {
            prepared.fates[row].as_ref().map(|fate| (fate.outcome, fate.code.clone()))
        };
        if said(one) != said(other) {
            *different = true;
            differences.note(OUTCOME, || key(row), keys_max);
        }
    }
    let goes_on = |row: usize| one.fates[row].is_none() && other.fates[row].is_none();
    for (name, mine, theirs) in columns(one, other) {
        let differs = differing(mine, theirs, rows);
        for row in differs.set_indices().filter(|row| goes_on(*row)) {
            different[row] = true;
            differences.note(name, || key(row), keys_max);
        }
    }
    let count = different.into_iter().filter(|is| *is).count();
    differences.different += u64::try_from(count).unwrap_or(u64::MAX);
}

/// Columns of both, by name.
fn columns<'a>(
    one: &'a Prepared,
    other: &'a Prepared,
) -> Vec<(&'a str, Option<&'a Values>, Option<&'a Values>)> {
    let named = |prepared: &'a Prepared| {
        prepared.plan.columns.iter().zip(&prepared.cells).map(|(column, cells)| {
            let values = match cells {
                Cells::Absent => None,
                Cells::Ready(values) | Cells::Sought(values) => Some(values),
            };
            (column.column.logical_name.as_str(), values)
        })
    };
    let mut all: Vec<_> = named(one).map(|(name, values)| (name, values, None)).collect();
    for (name, values) in named(other) {
        match all.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, _, theirs)) => *theirs = values,
            None => all.push((name, None, values)),
        }
    }
    all
}

fn differing(one: Option<&Values>, other: Option<&Values>, rows: usize) -> BooleanBuffer {
    let left = |values: Option<&Values>| match values {
        None => BooleanBuffer::new_set(rows),
        Some(values) => values.leave.clone().unwrap_or_else(|| BooleanBuffer::new_unset(rows)),
    };
    let (mine, theirs) = (left(one), left(other));
    let left_by_one = &mine ^ &theirs;
    let set_by_both = &!&mine & &!&theirs;
    let values = match (one, other) {
        (Some(one), Some(other)) if one.array.data_type() == other.array.data_type() => {
            &changed(&one.array, &other.array) & &set_by_both
        }
        _ => set_by_both,
    };
    &left_by_one | &values
}
