//! What a rule author implements: who the rule is, and one trait for each hook.
//!
//! What a hook says of a row depends on that row, the context and the granted
//! tables only: never on the other rows of a call. The host cuts rows into calls
//! as it likes.

use crate::answers::{Choices, Keys, Owners, States};
use crate::context::Context;
use crate::failure::Failure;
use crate::field::Needs;
use crate::output::Output;
use crate::rows::Rows;

/// Who a rule is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// Lower case, `-` between words: `account`.
    pub name: &'static str,
    /// Of the rule, not of the contract: `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// Logical names of the tables that it is for, or `*`.
    pub entities: &'static [&'static str],
    /// JSON Schema of the settings document, if there are settings: what
    /// [`crate::settings!`] makes of a struct.
    pub settings_schema: Option<String>,
    /// Tables that the job must grant, by name.
    pub tables: &'static [&'static str],
}

/// A rule: its description, and its settings made ready.
pub trait Rule: Sized {
    /// Who the rule is.
    fn describe() -> Description;

    /// Makes an instance for a job, before any row is read. The host makes
    /// several, and replaces them as it likes.
    ///
    /// # Errors
    /// [`Failure::misconfigured`] where settings or schema are wrong.
    fn configure(context: &Context) -> Result<Self, Failure>;
}

/// Turns source rows into target rows.
pub trait Transform: Rule {
    /// Which columns it reads and sets.
    fn needs(&self, context: &Context) -> Needs;

    /// Sets columns of a call's rows, and judges rows.
    ///
    /// # Errors
    /// When the call as a whole fails. What is wrong with one row is a verdict.
    fn apply(&self, rows: &Rows<'_>, output: &mut Output<'_>) -> Result<(), Failure>;
}

/// Which rows a key is derived for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Source rows: columns as `reads`, then `reads_target`.
    Incoming,
    /// Records that the target holds: columns as `reads_current`.
    Current,
}

/// The candidates of the rows whose key met several records.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'a> {
    pub(crate) offsets: &'a [i32],
    pub(crate) rows: Rows<'a>,
}

impl<'a> Candidates<'a> {
    /// All candidates of all rows: columns as `reads_current`.
    #[must_use]
    pub fn rows(&self) -> Rows<'a> {
        self.rows
    }

    /// Which of [`Candidates::rows`] are those of a row.
    #[must_use]
    pub fn of(&self, row: usize) -> std::ops::Range<usize> {
        let at = |row: usize| {
            let offset = self.offsets.get(row).copied().unwrap_or(0);
            usize::try_from(offset).unwrap_or(0).min(self.rows.len())
        };
        at(row)..at(row + 1)
    }
}

impl Candidates<'_> {
    /// The only candidate of a row that is so, as [`Choices::push`] takes it;
    /// `None` when none or several are. `is` gets the record's row in
    /// [`Candidates::rows`].
    pub fn only(&self, row: usize, is: impl Fn(usize) -> bool) -> Option<usize> {
        let all = self.of(row);
        let start = all.start;
        let mut so = all.filter(|&record| is(record));
        match (so.next(), so.next()) {
            (Some(record), None) => Some(record - start),
            _ => None,
        }
    }
}

/// Says when a source row and a target record are the same thing.
pub trait Matching: Rule {
    /// Which columns it reads.
    fn needs(&self, context: &Context) -> Needs;

    /// Derives the key of each row.
    ///
    /// # Errors
    /// When the call as a whole fails.
    fn derive(&self, side: Side, rows: &Rows<'_>, keys: &mut Keys) -> Result<(), Failure>;

    /// Chooses among several records of one key. Unless a rule knows better, the
    /// row is rejected: to guess would change the wrong record.
    ///
    /// # Errors
    /// When the call as a whole fails.
    fn choose(
        &self,
        incoming: &Rows<'_>,
        candidates: &Candidates<'_>,
        choices: &mut Choices,
    ) -> Result<(), Failure> {
        for row in 0..incoming.len() {
            let count = candidates.of(row).len();
            let message = format!("the key meets {count} records");
            choices.verdicts.reject(row, "ambiguous-key", None, message);
            choices.push_none();
        }
        Ok(())
    }
}

/// Decides whether a record is active.
pub trait State: Rule {
    /// Which columns it reads.
    fn needs(&self, context: &Context) -> Needs;

    /// Decides the state of each row. `current` has a row for each incoming row,
    /// all null where none matched.
    ///
    /// # Errors
    /// When the call as a whole fails.
    fn decide(
        &self,
        incoming: &Rows<'_>,
        current: &Rows<'_>,
        states: &mut States,
    ) -> Result<(), Failure>;
}

/// Decides who owns a record.
pub trait Owner: Rule {
    /// Which columns it reads.
    fn needs(&self, context: &Context) -> Needs;

    /// Decides the owner of each row. `current` has a row for each incoming row,
    /// all null where none matched.
    ///
    /// # Errors
    /// When the call as a whole fails.
    fn decide(
        &self,
        incoming: &Rows<'_>,
        current: &Rows<'_>,
        owners: &mut Owners,
    ) -> Result<(), Failure>;
}
