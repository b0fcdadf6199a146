//! Verdicts and faults of a chunk, gathered from the parts that it was judged
//! in. Pure.

use std::collections::BTreeMap;

use super::Part;
use crate::bindings::dvsync::rules::types;
use crate::judged::{Fault, Verdict, VerdictKind, codes};
use crate::store::cut;

const MESSAGE_BYTES_MAX: usize = 512;
const CODE_BYTES_MAX: usize = 64;
const COLUMN_BYTES_MAX: usize = 128;

/// Checks the verdicts of one call of so many rows, and orders them by row.
pub(super) fn lift(verdicts: Vec<types::Verdict>, rows: usize) -> Result<Vec<Verdict>, String> {
    if verdicts.len() > rows {
        return Err(format!("{} verdicts for {rows} rows", verdicts.len()));
    }
    let mut lifted = Vec::with_capacity(verdicts.len());
    for verdict in verdicts {
        let row = usize::try_from(verdict.row).unwrap_or(usize::MAX);
        if row >= rows {
            return Err(format!("a verdict for row {row} of {rows}"));
        }
        if verdict.code.is_empty() {
            return Err(format!("a verdict without a code for row {row}"));
        }
        lifted.push(Verdict {
            row,
            kind: match verdict.kind {
                types::VerdictKind::Reject => VerdictKind::Reject,
                types::VerdictKind::Drop => VerdictKind::Drop,
                types::VerdictKind::Defer => VerdictKind::Defer,
            },
            code: shortened(verdict.code, CODE_BYTES_MAX),
            column: verdict.column.map(|column| shortened(column, COLUMN_BYTES_MAX)),
            message: shortened(verdict.message, MESSAGE_BYTES_MAX),
        });
    }
    lifted.sort_by_key(|verdict| verdict.row);
    if let Some(pair) = lifted.windows(2).find(|pair| pair[0].row == pair[1].row) {
        return Err(format!("two verdicts for row {}", pair[0].row));
    }
    Ok(lifted)
}

fn shortened(text: String, bytes_max: usize) -> String {
    if text.len() <= bytes_max { text } else { cut(&text, bytes_max).to_owned() }
}

/// Verdicts and faults of a whole chunk.
pub(super) struct Gathered {
    verdicts: Vec<Verdict>,
    faults: BTreeMap<usize, Fault>,
}

impl Gathered {
    /// Takes the verdicts out of the parts. `faults` are those that were known
    /// before the call; they outrank whatever the rule says of the row.
    pub(super) fn new<O>(
        parts: &mut [Part<O>],
        faults: BTreeMap<usize, Fault>,
        verdicts_of: impl Fn(&mut O) -> Vec<Verdict>,
    ) -> Self {
        let mut gathered = Self { verdicts: Vec::new(), faults };
        for part in parts {
            match part {
                Part::Judged(rows, output) => {
                    let start = rows.start;
                    let verdicts = verdicts_of(output).into_iter();
                    gathered.verdicts.extend(
                        verdicts.map(|verdict| Verdict { row: verdict.row + start, ..verdict }),
                    );
                }
                Part::AtFault(row, failed) => {
                    gathered.fault(*row, failed.code, &failed.message);
                }
                Part::GivenUp(rows) => {
                    let message = format!(
                        "rows {} to {} of a failing chunk, not narrowed further",
                        rows.start,
                        rows.end.saturating_sub(1)
                    );
                    for row in rows.clone() {
                        gathered.fault(row, codes::BUDGET, &message);
                    }
                }
            }
        }
        gathered
    }

    pub(super) fn fault(&mut self, row: usize, code: &'static str, message: &str) {
        let fault = || Fault { row, code, message: message.to_owned() };
        self.faults.entry(row).or_insert_with(fault);
    }

    /// In order of rows; a row has a fault or a verdict, not both.
    pub(super) fn finish(self) -> (Vec<Verdict>, Vec<Fault>) {
        let Self { mut verdicts, faults } = self;
        if !faults.is_empty() {
            verdicts.retain(|verdict| !faults.contains_key(&verdict.row));
        }
        (verdicts, faults.into_values().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(row: u32, code: &str, message: &str) -> types::Verdict {
        types::Verdict {
            row,
            kind: types::VerdictKind::Reject,
            code: code.to_owned(),
            column: None,
            message: message.to_owned(),
        }
    }

    #[test]
    fn broken_verdicts_are_told() {
        for (verdicts, broken) in [
            (vec![verdict(2, "x", "")], "a verdict for row 2 of 2"),
            (vec![verdict(u32::MAX, "x", "")], "a verdict for row 4294967295 of 2"),
            (vec![verdict(0, "", "")], "a verdict without a code for row 0"),
            (vec![verdict(1, "x", ""), verdict(1, "y", "")], "two verdicts for row 1"),
            (vec![verdict(0, "x", ""); 3], "3 verdicts for 2 rows"),
        ] {
            assert_eq!(lift(verdicts, 2).expect_err("broken"), broken);
        }
    }

    #[test]
    fn verdicts_come_in_order_and_messages_are_cut_between_characters() {
        let long = "ä".repeat(300);
        let lifted = lift(vec![verdict(1, "b", &long), verdict(0, "a", "short")], 2).expect("good");
        assert_eq!(lifted[0].code, "a");
        assert_eq!(lifted[1].message, "ä".repeat(256));
    }
}
