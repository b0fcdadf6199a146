//! Reading a journal, also while a run writes it.

use std::path::Path;

use dvsync_model::{Letter, Outcome};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{ChunkOutcomes, Doubt, JournalError, RunId, RunRecord};

/// A journal, open for reading.
#[derive(Debug)]
pub struct Reader {}

/// Letters of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Dead-lettered, deferred or dropped.
    pub outcome: Outcome,
    /// The letters' code.
    pub code: String,
    /// Their column, where they have one.
    pub column: Option<String>,
    /// How many.
    pub letters: u64,
    /// The first one's message.
    pub message: String,
    /// The first one's hint.
    pub hint: Option<String>,
}

/// A letter, as the journal has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LetterRecord {
    /// Number in the journal: ascends in the order in which they were written.
    pub number: u64,
    /// The run that wrote it.
    pub run: RunId,
    /// Number of the row in the source, from 0.
    pub ordinal: u64,
    /// Dead-lettered, deferred or dropped.
    pub outcome: Outcome,
    /// Why.
    pub letter: Letter,
}

impl Reader {
    /// Opens an existing journal.
    ///
    /// # Errors
    /// There is none, it is no journal, or of another version.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        todo!()
    }

    /// All runs, the newest first.
    ///
    /// # Errors
    /// What SQLite says, or a damaged row.
    pub fn runs(&self) -> Result<Vec<RunRecord>, JournalError> {
        todo!()
    }

    /// One run.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged row.
    pub fn run(&self, id: &RunId) -> Result<RunRecord, JournalError> {
        todo!()
    }

    /// The letters of a run grouped by outcome, code and column, most frequent first.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged row.
    pub fn causes(&self, id: &RunId) -> Result<Vec<Cause>, JournalError> {
        todo!()
    }

    /// The letters of a run in the order in which they were written; read in
    /// pages, so that any number fits in memory.
    ///
    /// # Errors
    /// No such run. Items: what SQLite says, or a damaged row.
    pub fn letters(
        &self,
        id: &RunId,
    ) -> Result<impl Iterator<Item = Result<LetterRecord, JournalError>> + '_, JournalError> {
        Ok(std::iter::empty())
    }

    /// The settled chunks of a run by chunk number, read one at a time.
    ///
    /// # Errors
    /// No such run. Items: what SQLite says, or a damaged blob.
    pub fn outcomes(
        &self,
        id: &RunId,
    ) -> Result<impl Iterator<Item = Result<ChunkOutcomes, JournalError>> + '_, JournalError> {
        Ok(std::iter::empty())
    }

    /// What became of one row, if it is settled.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged blob.
    pub fn outcome(
        &self,
        id: &RunId,
        ordinal: u64,
    ) -> Result<Option<(Outcome, Option<Uuid>)>, JournalError> {
        todo!()
    }

    /// Requests of unknown fate, of all runs, in the order in which they were
    /// made. Of a run at work these are those in flight.
    ///
    /// # Errors
    /// What SQLite says, or a damaged row.
    pub fn doubts(&self) -> Result<Vec<Doubt>, JournalError> {
        todo!()
    }
}
