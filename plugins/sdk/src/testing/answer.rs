//! What a hook answered, as text to compare.

use std::collections::BTreeMap;

use crate::bindings::types::{Column, TextBuffers, Values, Verdict, VerdictKind};
use crate::cells::bit;
use crate::field::Field;
use crate::rows::Rows;
use crate::tables::{rows_of, type_of};

/// Cells and verdicts of each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    rows: Vec<BTreeMap<String, String>>,
    verdicts: Vec<String>,
}

impl Answer {
    /// A cell that stays as the target has it.
    pub const LEAVE: &str = "(leave)";
    /// A cell that is cleared.
    pub const NULL: &str = "(null)";

    pub(crate) fn new(rows: usize, verdicts: Vec<Verdict>) -> Self {
        let mut texts = vec![String::new(); rows];
        for verdict in verdicts {
            let row = usize::try_from(verdict.row).ok().and_then(|row| texts.get_mut(row));
            if let Some(text) = row {
                *text = verdict_text(&verdict);
            }
        }
        Self { rows: vec![BTreeMap::new(); rows], verdicts: texts }
    }

    /// A cell as text: numbers with their point, [`Answer::NULL`] and
    /// [`Answer::LEAVE`]. A column that was not set is left.
    #[must_use]
    pub fn cell(&self, row: usize, column: &str) -> &str {
        self.rows.get(row).and_then(|cells| cells.get(column)).map_or(Self::LEAVE, String::as_str)
    }

    /// The verdict: `reject code (column): message`, or empty.
    #[must_use]
    pub fn verdict(&self, row: usize) -> &str {
        self.verdicts.get(row).map_or("", String::as_str)
    }

    /// The row as one line: what it sets, in column order, and its verdict.
    #[must_use]
    pub fn line(&self, row: usize) -> String {
        let mut line = String::new();
        for (name, text) in self.rows.get(row).into_iter().flatten() {
            if text != Self::LEAVE {
                line.push_str(&format!("{name}={text} | "));
            }
        }
        line + self.verdict(row)
    }

    /// Each row as one line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        (0..self.rows.len()).map(|row| self.line(row)).collect()
    }

    pub(crate) fn set(&mut self, column: &Column, leave: Option<&[u8]>) {
        for (row, text) in texts(column).into_iter().enumerate() {
            let text = match text {
                _ if leave.is_some_and(|bits| bit(bits, row)) => Self::LEAVE.to_owned(),
                Some(text) => text,
                None => Self::NULL.to_owned(),
            };
            self.put(row, &column.name, text);
        }
    }

    pub(crate) fn set_text(&mut self, name: &str, buffers: &TextBuffers) {
        for row in 0..self.rows.len() {
            self.put(row, name, super::text_at(buffers, row));
        }
    }

    pub(crate) fn put(&mut self, row: usize, name: &str, text: String) {
        if let Some(cells) = self.rows.get_mut(row) {
            cells.insert(name.to_owned(), text);
        }
    }
}

fn verdict_text(verdict: &Verdict) -> String {
    let kind = match verdict.kind {
        VerdictKind::Reject => "reject",
        VerdictKind::Drop => "drop",
        VerdictKind::Defer => "defer",
    };
    let column = verdict.column.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("{kind} {}{column}: {}", verdict.code, verdict.message)
}

/// The cells of a column as text.
pub(crate) fn texts(column: &Column) -> Vec<Option<String>> {
    let count = match &column.values {
        // Bits do not tell how many rows there are.
        Values::Boolean(bits) => bits.len() * 8,
        _ => rows_of(column),
    };
    let fields = [Field::new(column.name.clone(), type_of(column))];
    let rows = Rows::of(&fields, std::slice::from_ref(column), count);
    let name = column.name.as_str();
    macro_rules! all {
        ($cells:expr, $text:expr) => {
            $cells.map(|cells| cells.iter().map(|cell| cell.map($text)).collect::<Vec<_>>())
        };
    }
    let found = match &column.values {
        Values::Boolean(_) => all!(rows.boolean(name), |value| value.to_string()),
        Values::Int64(_) => all!(rows.int64(name), |value| value.to_string()),
        Values::TimestampUs(_) => all!(rows.timestamp(name), |value| value.to_string()),
        Values::Float64(_) => all!(rows.float64(name), |value| value.to_string()),
        Values::Date32(_) => all!(rows.date(name), |value| value.to_string()),
        Values::Uuid(_) => {
            all!(rows.uuid(name), |value| format!("{:032x}", u128::from_be_bytes(value)))
        }
        Values::Decimal128(_) => all!(rows.decimal(name), |value| value.to_string()),
        Values::Text(_) => all!(rows.text(name), |value| value.to_owned()),
        Values::Binary(_) => all!(rows.binary(name), |value| format!("{value:02x?}")),
        Values::Strings(list) => Ok(list.clone()),
    };
    found.unwrap_or_default()
}
