//! What `matching`, `state` and `owner` answer: keys, choices, states, owners.
//! Pure.
//!
//! A hook gives each row its answer once and in order; an answer of another
//! length is refused here, before the host does.

use crate::bindings::types::{TextBuffers, Verdict};
use crate::columns::TextStore;
use crate::failure::Failure;
use crate::verdicts::Verdicts;

/// What `matching` derives: a key a row.
#[derive(Debug)]
pub struct Keys {
    /// For rows that do not go on.
    pub verdicts: Verdicts,
    text: TextStore,
}

impl Keys {
    pub(crate) fn new(rows: usize) -> Self {
        Self { verdicts: Verdicts::new(rows), text: TextStore::new(rows) }
    }

    /// The next row's key. Equal keys match; an empty one matches nothing.
    #[inline]
    pub fn push(&mut self, key: &str) {
        self.text.data.push_str(key);
        self.text.end_row();
    }

    /// The next row's key, written at the end of the data of all keys.
    #[inline]
    pub fn push_with(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.text.data);
        self.text.end_row();
    }

    pub(crate) fn finish(self, rows: usize) -> Result<(TextBuffers, Vec<Verdict>), Failure> {
        same_rows("keys", self.text.rows(), rows)?;
        Ok((self.text.into_buffers(), self.verdicts.finish()))
    }
}

/// What `matching` chooses: one of a row's candidates, or none.
#[derive(Debug)]
pub struct Choices {
    /// For rows that do not go on.
    pub verdicts: Verdicts,
    chosen: Vec<i32>,
}

impl Choices {
    pub(crate) fn new(rows: usize) -> Self {
        Self { verdicts: Verdicts::new(rows), chosen: Vec::with_capacity(rows) }
    }

    /// Rows answered so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chosen.len()
    }

    /// No row has been answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    /// The next row's record: its position among the row's candidates, from 0.
    pub fn push(&mut self, position: usize) {
        self.chosen.push(i32::try_from(position).unwrap_or(-1));
    }

    /// None of the next row's candidates is the same thing.
    pub fn push_none(&mut self) {
        self.chosen.push(-1);
    }

    pub(crate) fn finish(self, rows: usize) -> Result<(Vec<i32>, Vec<Verdict>), Failure> {
        same_rows("choices", self.chosen.len(), rows)?;
        Ok((self.chosen, self.verdicts.finish()))
    }
}

/// What `state` decides: state and status reason of each row.
#[derive(Debug)]
pub struct States {
    /// For rows that do not go on.
    pub verdicts: Verdicts,
    statecode: Vec<Option<i32>>,
    statuscode: Vec<Option<i32>>,
}

impl States {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            verdicts: Verdicts::new(rows),
            statecode: Vec::with_capacity(rows),
            statuscode: Vec::with_capacity(rows),
        }
    }

    /// The next row's `statecode`, and the `statuscode` that belongs to it;
    /// without one the service takes the state's own default.
    #[inline]
    pub fn push(&mut self, statecode: i32, statuscode: Option<i32>) {
        self.statecode.push(Some(statecode));
        self.statuscode.push(statuscode);
    }

    /// The next row's state stays as the target has it.
    #[inline]
    pub fn push_leave(&mut self) {
        self.statecode.push(None);
        self.statuscode.push(None);
    }

    pub(crate) fn finish(self, rows: usize) -> Result<FinishedStates, Failure> {
        same_rows("states", self.statecode.len(), rows)?;
        Ok((self.statecode, self.statuscode, self.verdicts.finish()))
    }
}

type FinishedStates = (Vec<Option<i32>>, Vec<Option<i32>>, Vec<Verdict>);

/// What `owner` decides: a user, a team, or as it is.
#[derive(Debug)]
pub struct Owners {
    /// For rows that do not go on.
    pub verdicts: Verdicts,
    by: String,
    kinds: Vec<u8>,
    text: TextStore,
}

impl Owners {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            verdicts: Verdicts::new(rows),
            by: String::from("id"),
            kinds: Vec::with_capacity(rows),
            text: TextStore::new(rows),
        }
    }

    /// How keys name the owner in this call: `id` (the default), or a column
    /// that is unique among users or teams (`internalemailaddress`).
    pub fn by(&mut self, column: &str) {
        column.clone_into(&mut self.by);
    }

    /// The next row's owner is the user of that key; an empty key leaves it.
    #[inline]
    pub fn push_user(&mut self, key: &str) {
        self.push(1, key);
    }

    /// The next row's owner is the team of that key; an empty key leaves it.
    #[inline]
    pub fn push_team(&mut self, key: &str) {
        self.push(2, key);
    }

    /// The next row's owner stays as it is.
    #[inline]
    pub fn push_leave(&mut self) {
        self.push(0, "");
    }

    fn push(&mut self, kind: u8, key: &str) {
        self.kinds.push(if key.is_empty() { 0 } else { kind });
        self.text.data.push_str(key);
        self.text.end_row();
    }

    pub(crate) fn finish(self, rows: usize) -> Result<FinishedOwners, Failure> {
        same_rows("owners", self.kinds.len(), rows)?;
        let keys = self.text.into_buffers();
        Ok(FinishedOwners {
            kinds: self.kinds,
            by: self.by,
            keys,
            verdicts: self.verdicts.finish(),
        })
    }
}

#[derive(Debug)]
pub(crate) struct FinishedOwners {
    pub(crate) kinds: Vec<u8>,
    pub(crate) by: String,
    pub(crate) keys: TextBuffers,
    pub(crate) verdicts: Vec<Verdict>,
}

fn same_rows(what: &str, found: usize, rows: usize) -> Result<(), Failure> {
    if found == rows {
        Ok(())
    } else {
        Err(Failure::internal("bad-output", format!("{found} {what} for {rows} rows")))
    }
}
