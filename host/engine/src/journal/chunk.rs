//! Chunks: outcome and id of each row, as one compressed blob.

use std::sync::Arc;

use dvsync_model::{KeyHash, Letter, Outcome};
use jiff::Timestamp;
use uuid::Uuid;

use super::{JournalError, codec};

/// What became of the rows of a chunk, malformed ones included.
#[derive(Debug, Clone, PartialEq)]
pub struct ChunkRecord {
    /// Number of the chunk in the run, from 0.
    pub chunk: u64,
    /// Wall time.
    pub at: Timestamp,
    /// One per row: its ordinal in the source, ascending.
    pub ordinals: Vec<u64>,
    /// One per row.
    pub outcomes: Vec<Outcome>,
    /// One per row: the target record, where there is one.
    pub ids: Vec<Option<Uuid>>,
    /// For each dead letter, deferral and drop.
    pub letters: Vec<RowLetter>,
    /// The judgement id that the rows were judged under, where a rule did.
    pub judgement: Option<Arc<str>>,
    /// Where the chunk begins in the source: its `Position` as JSON.
    pub start: String,
    /// Where the source goes on after this chunk: its `Position` as JSON.
    pub next: String,
    /// Key hashes and ids whose open letters of earlier runs are out of date.
    pub supersedes: Vec<u128>,
    /// For each row that a letter was replayed as: that letter.
    pub replays: Vec<(u32, u64)>,
}

/// A letter and the row of the chunk that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct RowLetter {
    /// Position in the chunk's lists.
    pub row: u32,
    /// Why.
    pub letter: Letter,
    /// Hash of its source key.
    pub key: Option<KeyHash>,
    /// Of a deferral: not tried again before; absent where only another run can
    /// help.
    pub until: Option<Timestamp>,
    /// Its record was in a request of this run.
    pub sent: bool,
}

/// New outcomes of rows that were deferred.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// The chunk that they were settled with.
    pub chunk: u64,
    /// Wall time.
    pub at: Timestamp,
    /// The rows.
    pub rows: Vec<RevisedRow>,
    /// What they are judged under now.
    pub judgement: Option<Arc<str>>,
    /// They are all rows of the chunk that a rule judges, whatever had become of
    /// them: the version that did is rolled back.
    pub again: bool,
}

/// What had become of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct SettledRow {
    #[expect(missing_docs, reason = "see the list of that name in ChunkRecord")]
    pub outcome: Outcome,
    #[expect(missing_docs, reason = "see the list of that name in ChunkRecord")]
    pub id: Option<Uuid>,
    /// Code and column of its letter, where it has one.
    pub why: Option<(String, Option<String>)>,
}

impl SettledRow {
    /// Its record was written.
    #[must_use]
    pub fn is_written(&self) -> bool {
        matches!(self.outcome, Outcome::Created | Outcome::Updated | Outcome::Upserted)
    }
}

/// The new outcome of a row that was deferred.
#[derive(Debug, Clone, PartialEq)]
pub struct RevisedRow {
    /// See [`ChunkRecord`], and so on down to `id`.
    pub ordinal: u64,
    #[expect(missing_docs, reason = "see the list of that name in ChunkRecord")]
    pub outcome: Outcome,
    #[expect(missing_docs, reason = "see the list of that name in ChunkRecord")]
    pub id: Option<Uuid>,
    /// Why, where the outcome needs a letter; its `row` means nothing.
    pub letter: Option<RowLetter>,
}

/// A settled chunk, read back.
#[derive(Debug, Clone, PartialEq)]
pub struct ChunkOutcomes {
    /// See [`ChunkRecord`], and so on down to `next`.
    pub chunk: u64,
    #[expect(missing_docs, reason = "see the field of the same name in ChunkRecord")]
    pub ordinals: Vec<u64>,
    #[expect(missing_docs, reason = "see the field of the same name in ChunkRecord")]
    pub outcomes: Vec<Outcome>,
    #[expect(missing_docs, reason = "see the field of the same name in ChunkRecord")]
    pub ids: Vec<Option<Uuid>>,
    #[expect(missing_docs, reason = "see the field of the same name in ChunkRecord")]
    pub judgement: Option<String>,
    #[expect(missing_docs, reason = "see the field of the same name in ChunkRecord")]
    pub next: String,
}

impl ChunkRecord {
    /// The lists belong together.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        let rows = self.ordinals.len();
        let wrong = |what| Err(JournalError::Contradiction { what });
        if self.outcomes.len() != rows || self.ids.len() != rows {
            let (outcomes, ids) = (self.outcomes.len(), self.ids.len());
            return wrong(format!(
                "chunk {}: {rows} ordinals, {outcomes} outcomes, {ids} ids",
                self.chunk
            ));
        }
        if rows > codec::ROWS_MAX {
            return wrong(format!("chunk {}: {rows} rows", self.chunk));
        }
        if let Some(pair) = self.ordinals.windows(2).find(|pair| pair[0] >= pair[1]) {
            return wrong(format!("chunk {}: ordinal {} before {}", self.chunk, pair[0], pair[1]));
        }
        let outside =
            |letter: &&RowLetter| usize::try_from(letter.row).is_ok_and(|row| row >= rows);
        match self.letters.iter().find(outside) {
            Some(letter) => {
                wrong(format!("chunk {}: a letter for row {} of {rows}", self.chunk, letter.row))
            }
            None => Ok(()),
        }
    }
}
