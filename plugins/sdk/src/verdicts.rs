//! What a rule says of rows beyond their values. Pure.

use crate::bindings::types;
use crate::bits::Bits;

/// What becomes of a row with a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictKind {
    /// A dead letter: a person must look.
    Reject,
    /// Left out on purpose.
    Drop,
    /// Not now: try again in this run, then in the next.
    Defer,
}

/// Verdicts of one call, one at most for each row: the first one counts.
#[derive(Debug)]
pub struct Verdicts {
    rows: usize,
    judged: Bits,
    list: Vec<types::Verdict>,
}

impl Verdicts {
    pub(crate) fn new(rows: usize) -> Self {
        Self { rows, judged: Bits::new(false, rows), list: Vec::new() }
    }

    /// The row becomes a dead letter.
    ///
    /// `code` is stable and machine-readable, `column` the source column that is
    /// wrong, `message` for a person: it shows the wrong value.
    pub fn reject(
        &mut self,
        row: usize,
        code: &str,
        column: impl Into<Option<&'static str>>,
        message: impl Into<String>,
    ) {
        self.judge(row, VerdictKind::Reject, code, column.into(), message.into());
    }

    /// The row is left out on purpose.
    pub fn drop(
        &mut self,
        row: usize,
        code: &str,
        column: impl Into<Option<&'static str>>,
        message: impl Into<String>,
    ) {
        self.judge(row, VerdictKind::Drop, code, column.into(), message.into());
    }

    /// The row is tried again later.
    pub fn defer(
        &mut self,
        row: usize,
        code: &str,
        column: impl Into<Option<&'static str>>,
        message: impl Into<String>,
    ) {
        self.judge(row, VerdictKind::Defer, code, column.into(), message.into());
    }

    /// The row has a verdict already.
    #[must_use]
    pub fn has(&self, row: usize) -> bool {
        self.judged.is_flipped(row)
    }

    fn judge(
        &mut self,
        row: usize,
        kind: VerdictKind,
        code: &str,
        column: Option<&str>,
        message: String,
    ) {
        if self.has(row) || row >= self.rows {
            return;
        }
        let Ok(number) = u32::try_from(row) else { return };
        self.judged.flip(row);
        let kind = match kind {
            VerdictKind::Reject => types::VerdictKind::Reject,
            VerdictKind::Drop => types::VerdictKind::Drop,
            VerdictKind::Defer => types::VerdictKind::Defer,
        };
        self.list.push(types::Verdict {
            row: number,
            kind,
            code: code.to_owned(),
            column: column.map(str::to_owned),
            message,
        });
    }

    /// In the order in which the rule gave them.
    pub(crate) fn finish(self) -> Vec<types::Verdict> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_one_verdict_and_it_is_the_first() {
        let mut verdicts = Verdicts::new(5);
        verdicts.drop(4, "last", None, "");
        verdicts.reject(1, "first", "name", "no name");
        verdicts.reject(1, "second", "name", "again");
        verdicts.defer(5, "beyond", None, "");
        assert!(verdicts.has(1) && !verdicts.has(0));
        let list = verdicts.finish();
        let told: Vec<_> =
            list.iter().map(|verdict| (verdict.row, verdict.code.as_str())).collect();
        assert_eq!(told, [(4, "last"), (1, "first")]);
    }
}
