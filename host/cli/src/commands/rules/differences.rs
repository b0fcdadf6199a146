//! What a rule says of rows, against what is expected; and whether a row's
//! result depends on that row alone. The first is pure.

use std::collections::BTreeSet;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_select::take::take_record_batch;
use dvsync_rules::Bound;
use serde::Serialize;

use super::csv::Table;
use super::judge::{LEAVE, Row, judge};
use crate::failure::Failure;

/// The column of verdicts.
const VERDICT: &str = "verdict";
/// More rows than that are not judged one by one.
const ALONE_MAX: usize = 200;

/// A cell or a verdict that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// From 1, as in the files without their header.
    pub(super) row: usize,
    pub(super) column: String,
    pub(super) expected: String,
    pub(super) found: String,
}

/// A row that is judged otherwise among others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Dependence {
    /// From 1.
    pub(super) row: usize,
    /// How the rows were cut then: `each row alone`.
    pub(super) cut: &'static str,
    pub(super) whole: String,
    pub(super) otherwise: String,
}

/// All differences, in order of rows. A row with a verdict sets nothing.
pub(super) fn compare(expected: &Table, rows: &[Row]) -> Vec<Difference> {
    let mut differences = Vec::new();
    let verdicts = expected.position(VERDICT);
    for row in 0..rows.len().max(expected.rows.len()) {
        let mut differ = |column: &str, expected: &str, found: &str| {
            if expected != found {
                let (expected, found) = (expected.to_owned(), found.to_owned());
                let column = column.to_owned();
                differences.push(Difference { row: row + 1, column, expected, found });
            }
        };
        let (Some(asked), Some(said)) = (expected.rows.get(row), rows.get(row)) else {
            let is = |there: bool| if there { "a row" } else { "no row" };
            differ("(row)", is(row < expected.rows.len()), is(row < rows.len()));
            continue;
        };
        let cell = |at: Option<usize>| at.and_then(|at| asked.get(at)).map(String::as_str);
        let verdict = cell(verdicts).unwrap_or_default();
        match said {
            Row::Stopped { words, .. } => differ(VERDICT, verdict, words),
            Row::Set(_) if !verdict.is_empty() => differ(VERDICT, verdict, ""),
            Row::Set(cells) => {
                let names: BTreeSet<&str> = expected
                    .columns
                    .iter()
                    .filter(|name| *name != VERDICT)
                    .chain(cells.keys())
                    .map(String::as_str)
                    .collect();
                for name in names {
                    let asked = cell(expected.position(name)).unwrap_or(LEAVE);
                    differ(name, asked, cells.get(name).map_or(LEAVE, String::as_str));
                }
            }
        }
    }
    differences
}

/// The table that would be expected of these rows.
pub(super) fn as_expected(rows: &[Row]) -> Table {
    let names: BTreeSet<&String> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Set(cells) => Some(cells.keys()),
            Row::Stopped { .. } => None,
        })
        .flatten()
        .collect();
    let line = |row: &Row| match row {
        Row::Stopped { words, .. } => {
            names.iter().map(|_| String::new()).chain([words.clone()]).collect()
        }
        Row::Set(cells) => names
            .iter()
            .map(|name| cells.get(*name).map_or_else(|| LEAVE.to_owned(), Clone::clone))
            .chain([String::new()])
            .collect(),
    };
    let columns = names.iter().map(|name| (*name).clone()).chain([VERDICT.to_owned()]).collect();
    Table { columns, rows: rows.iter().map(line).collect() }
}

/// Judges the rows again, cut and ordered in other ways; a row at most once.
pub(super) fn dependences(
    bound: &Bound,
    source: &RecordBatch,
    current: Option<&RecordBatch>,
    whole: &[Row],
) -> Result<Vec<Dependence>, Failure> {
    let mut found: Vec<Dependence> = Vec::new();
    for (cut, parts) in cuts(whole.len()) {
        for part in parts {
            let positions: UInt32Array =
                part.iter().map(|row| u32::try_from(*row).unwrap_or(u32::MAX)).collect();
            let take = |rows: &RecordBatch| {
                take_record_batch(rows, &positions)
                    .map_err(|error| Failure::bug("cannot cut the rows of a case", error))
            };
            let again = judge(bound, &take(source)?, current.map(take).transpose()?.as_ref())?;
            for (row, otherwise) in part.into_iter().zip(&again) {
                if whole[row] != *otherwise && found.iter().all(|other| other.row != row + 1) {
                    let (whole, otherwise) = (whole[row].line(), otherwise.line());
                    found.push(Dependence { row: row + 1, cut, whole, otherwise });
                }
            }
        }
    }
    found.sort_by_key(|dependence| dependence.row);
    Ok(found)
}

/// Rows of each call.
fn cuts(rows: usize) -> Vec<(&'static str, Vec<Vec<usize>>)> {
    let all: Vec<usize> = (0..rows).collect();
    let in_parts = |size: usize| all.chunks(size.max(1)).map(<[usize]>::to_vec).collect();
    let alone = match rows <= ALONE_MAX {
        true => ("each row alone", in_parts(1)),
        false => ("in calls of 97 rows", in_parts(97)),
    };
    // A step without a factor in common visits each row once.
    let is_prime_to_rows = |step: &usize| gcd(*step, rows) == 1;
    let step = (rows / 2 + 1..rows).find(is_prime_to_rows).unwrap_or(1);
    let shuffled = (0..rows).map(|row| row * step % rows.max(1)).collect();
    vec![
        alone,
        ("in two halves", in_parts(rows.div_ceil(2))),
        ("in reverse order", vec![all.iter().rev().copied().collect()]),
        ("shuffled", vec![shuffled]),
    ]
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(cells: &[(&str, &str)]) -> Row {
        let cell = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Row::Set(cells.iter().map(cell).collect())
    }

    fn stopped(words: &str) -> Row {
        Row::Stopped { code: "x".to_owned(), words: words.to_owned() }
    }

    fn table(columns: &[&str], rows: &[&[&str]]) -> Table {
        let texts = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        Table { columns: texts(columns), rows: rows.iter().map(|row| texts(row)).collect() }
    }

    #[test]
    fn what_is_written_as_expected_has_no_differences() {
        let rows = [set(&[("a", "1"), ("b", "")]), set(&[("a", "2")]), stopped("reject x: y")];
        let expected = as_expected(&rows);
        let blank = ["", "", "reject x: y"];
        let written = table(&["a", "b", "verdict"], &[&["1", "", ""], &["2", LEAVE, ""], &blank]);
        assert_eq!(expected, written);
        assert_eq!(compare(&expected, &rows), []);
    }

    #[test]
    fn each_difference_names_its_row_and_column() {
        let rows = [set(&[("a", "1"), ("new", "n")]), stopped("reject x: y"), set(&[]), set(&[])];
        let expected = table(&["a", "verdict"], &[&["2", ""], &["1", ""], &["1", "drop z: w"]]);
        let told: Vec<String> = compare(&expected, &rows)
            .into_iter()
            .map(|d| format!("{} {}: `{}` `{}`", d.row, d.column, d.expected, d.found))
            .collect();
        assert_eq!(
            told,
            [
                "1 a: `2` `1`",
                "1 new: `(leave)` `n`",
                "2 verdict: `` `reject x: y`",
                "3 verdict: `drop z: w` ``",
                "4 (row): `no row` `a row`",
            ]
        );
    }

    #[test]
    fn each_cut_has_each_row_once() {
        for rows in [0, 1, 2, 3, 6, 30, 200, 201, 1000] {
            for (cut, parts) in cuts(rows) {
                let mut seen: Vec<usize> = parts.concat();
                seen.sort_unstable();
                assert_eq!(seen, (0..rows).collect::<Vec<_>>(), "{rows} rows, {cut}");
            }
        }
    }
}
