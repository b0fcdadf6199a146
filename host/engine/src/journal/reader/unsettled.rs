//! What a run has still to do: rows that are not settled, and deferrals.

use dvsync_model::Outcome;
use jiff::Timestamp;
use rusqlite::params;
use uuid::Uuid;

use super::{Reader, cells};
use crate::journal::{JournalError, RunId};

/// Where a settled chunk lies in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkSpan {
    /// Its number.
    pub chunk: u64,
    /// See `ChunkRecord`; absent in journals of version 1.
    pub start: Option<String>,
    /// See `ChunkRecord`.
    pub next: String,
    /// Rows that are settled.
    pub records: u64,
}

/// Deferrals of a run that the same run may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// When the first of them may be.
    pub earliest: Timestamp,
    /// How many there are.
    pub rows: u64,
}

/// A deferral whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRow {
    /// Number of the row in the source.
    pub ordinal: u64,
    /// Why it was deferred.
    pub code: String,
    /// The column at fault.
    pub column: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// Its record was in a request of this run.
    pub sent: bool,
    /// Something of it has landed.
    pub landed_partially: bool,
}

const DUE: &str = "run = ?1 AND state = 'open' AND outcome = 7 AND until IS NOT NULL
    AND (until <= ?2 OR code = ?3)";

impl Reader {
    /// Settled chunks of a run in the order of the source.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged row.
    pub fn spans(&self, id: &RunId) -> Result<Vec<ChunkSpan>, JournalError> {
        let run = self.row_of(id)?;
        let sql = "SELECT chunk, start, next, records FROM chunks WHERE run = ?1
            ORDER BY first_ordinal, chunk";
        self.all(sql, params![run], cells::span)
    }

    /// The rows with these ordinals that are settled, ascending.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged blob.
    pub fn settled(&self, id: &RunId, first: u64, last: u64) -> Result<Vec<u64>, JournalError> {
        let run = self.row_of(id)?;
        let bound = |ordinal| i64::try_from(ordinal).unwrap_or(i64::MAX);
        let sql = "SELECT * FROM chunks WHERE run = ?1 AND first_ordinal <= ?3
            AND last_ordinal >= ?2";
        let chunks = self.all(sql, params![run, bound(first), bound(last)], cells::chunk)?;
        let mut settled: Vec<u64> = chunks.into_iter().flat_map(|chunk| chunk.ordinals).collect();
        settled.retain(|ordinal| (first..=last).contains(ordinal));
        settled.sort_unstable();
        Ok(settled)
    }

    /// Deferrals that the same run may try again; nothing where there are none.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged row.
    pub fn waiting(&self, id: &RunId) -> Result<Option<Waiting>, JournalError> {
        let run = self.row_of(id)?;
        let sql = "SELECT min(until) AS earliest, count(*) AS records FROM letters
            WHERE run = ?1 AND state = 'open' AND outcome = 7 AND until IS NOT NULL";
        let found = self.all(sql, params![run], cells::waiting)?;
        Ok(found.into_iter().flatten().next())
    }

    /// Chunks with deferrals whose time has come by `now`, or that have this
    /// code, in the order of the source; and how many deferrals these are.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged row.
    pub fn due(
        &self,
        id: &RunId,
        now: Timestamp,
        code: Option<&str>,
    ) -> Result<Vec<ChunkSpan>, JournalError> {
        let run = self.row_of(id)?;
        let sql = format!(
            "SELECT chunks.chunk, start, next, due.records FROM chunks JOIN
                (SELECT chunk, count(*) AS records FROM letters WHERE {DUE} GROUP BY chunk) due
                USING (chunk) WHERE chunks.run = ?1 ORDER BY first_ordinal, chunk"
        );
        self.all(&sql, params![run, now.as_microsecond(), code], cells::span)
    }

    /// Those deferrals of one chunk, by ordinal.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged row.
    pub fn due_rows(
        &self,
        id: &RunId,
        chunk: u64,
        now: Timestamp,
        code: Option<&str>,
    ) -> Result<Vec<DueRow>, JournalError> {
        let run = self.row_of(id)?;
        let sql = format!("SELECT * FROM letters WHERE {DUE} AND chunk = ?4 ORDER BY ordinal");
        let chunk = i64::try_from(chunk).unwrap_or(i64::MAX);
        self.all(&sql, params![run, now.as_microsecond(), code, chunk], cells::due_row)
    }

    /// Records of requests of a run that were not refused, of rows from this one
    /// on: row, id, operation. They may have landed without being settled.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged row.
    pub fn requested(
        &self,
        id: &RunId,
        first: u64,
    ) -> Result<Vec<(u64, Uuid, String)>, JournalError> {
        let run = self.row_of(id)?;
        let sql = "SELECT intents.*, runs.id AS run_id, entity, alive, ordinals, ids, keys
            FROM intents JOIN runs USING (run) JOIN intent_records USING (intent)
            WHERE run = ?1 AND fate <> 'refused' AND intent > ?2 ORDER BY intent LIMIT 64";
        let (mut after, mut found) = (0, Vec::new());
        loop {
            let page = self.all(sql, params![run, after], cells::doubt)?;
            let Some(last) = page.last() else { return Ok(found) };
            after = last.intent.0;
            for intent in page {
                let rows = intent.ordinals.iter().zip(&intent.ids);
                let late = rows.filter(|(ordinal, _)| **ordinal >= first);
                let named = late.filter_map(|(ordinal, id)| Some((*ordinal, (*id)?)));
                found.extend(named.map(|(row, id)| (row, id, intent.operation.clone())));
            }
        }
    }

    /// Ids of records that a run has written, chunk by chunk.
    ///
    /// # Errors
    /// No such run. Items: what SQLite says, or a damaged blob.
    pub fn written(
        &self,
        id: &RunId,
    ) -> Result<impl Iterator<Item = Result<Vec<Uuid>, JournalError>> + '_, JournalError> {
        Ok(self.outcomes(id)?.map(|chunk| {
            let chunk = chunk?;
            let written = |outcome: &Outcome| {
                matches!(outcome, Outcome::Created | Outcome::Updated | Outcome::Upserted)
            };
            let rows = chunk.outcomes.iter().zip(chunk.ids);
            Ok(rows.filter(|(outcome, _)| written(outcome)).filter_map(|(_, id)| id).collect())
        }))
    }
}
