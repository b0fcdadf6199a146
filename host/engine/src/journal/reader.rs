//! Reading a journal, also while a run writes it.

mod cells;
mod judgements;
mod letters;
mod unsettled;

pub use judgements::Judged;
pub use unsettled::{ChunkSpan, DueRow, Waiting};

use std::path::{Path, PathBuf};

use dvsync_model::{Letter, Outcome};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use uuid::Uuid;

use super::{
    ChunkOutcomes, Doubt, Fate, JournalError, LetterState, RunId, RunRecord, RunStatus, codec,
    lock, schema,
};
use cells::{Damage, Read};

/// Letters read at once.
const LETTERS_PAGE: i64 = 512;

/// Doubts read at once.
const DOUBTS_PAGE: i64 = 64;

/// A journal, open for reading. Sees what was committed, also of a run at work.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

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
    /// How it stands; absent for a note on a row that was left out on purpose.
    pub state: Option<LetterState>,
    /// Of a deferral: its run tries it again after that; absent where only
    /// another run can help.
    pub until: Option<Timestamp>,
    /// How often its run has tried.
    pub attempts: u32,
}

impl Reader {
    /// Opens an existing journal.
    ///
    /// # Errors
    /// There is none, it is no journal, or of another version.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let connection = schema::open_readable(path)?;
        let path = path.canonicalize().map_err(|source| JournalError::io("open", path, source))?;
        Ok(Self { connection, path })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All runs, the one that was begun last first, whatever the clock showed.
    ///
    /// # Errors
    /// What SQLite says, or a damaged row.
    pub fn runs(&self) -> Result<Vec<RunRecord>, JournalError> {
        self.run_rows("SELECT * FROM runs ORDER BY run DESC", params![])
    }

    /// One run.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged row.
    pub fn run(&self, id: &RunId) -> Result<RunRecord, JournalError> {
        let found = self.run_rows("SELECT * FROM runs WHERE id = ?1", params![id.as_str()])?;
        found.into_iter().next().ok_or_else(|| self.no_such_run(id))
    }

    /// The letters of a run grouped by outcome, code and column, most frequent first.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged row.
    pub fn causes(&self, id: &RunId) -> Result<Vec<Cause>, JournalError> {
        let run = self.row_of(id)?;
        // Of bare columns beside `min`, SQLite takes the row that has the minimum.
        let sql = "SELECT outcome, code, column_name, count(*), min(letter), message, hint
            FROM letters WHERE run = ?1 AND state IS NOT 'resolved'
            GROUP BY outcome, code, column_name
            ORDER BY outcome DESC, count(*) DESC, code, column_name";
        self.all(sql, params![run], cells::cause)
    }

    /// The letters of a run in the order in which they were written, without
    /// deferrals that the run has brought to an end; read in pages, so that any
    /// number fits in memory.
    ///
    /// # Errors
    /// No such run. Items: what SQLite says, or a damaged row.
    pub fn letters(
        &self,
        id: &RunId,
    ) -> Result<impl Iterator<Item = Result<LetterRecord, JournalError>> + '_, JournalError> {
        let run = self.row_of(id)?;
        let sql = "SELECT letters.*, runs.id AS run_id FROM letters JOIN runs USING (run)
            WHERE letters.run = ?1 AND state IS NOT 'resolved' AND letter > ?2 ORDER BY letter LIMIT ?3";
        Ok(paged(move |last: Option<&LetterRecord>| {
            let after = last.map_or(0, |record| record.number);
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            self.all(sql, params![run, after, LETTERS_PAGE], cells::letter)
        }))
    }

    /// The settled chunks of a run by chunk number, read one at a time.
    ///
    /// # Errors
    /// No such run. Items: what SQLite says, or a damaged blob.
    pub fn outcomes(
        &self,
        id: &RunId,
    ) -> Result<impl Iterator<Item = Result<ChunkOutcomes, JournalError>> + '_, JournalError> {
        let run = self.row_of(id)?;
        let sql = "SELECT * FROM chunks WHERE run = ?1 AND chunk > ?2 ORDER BY chunk LIMIT 1";
        Ok(paged(move |last: Option<&ChunkOutcomes>| {
            let after = last.map_or(-1, |chunk| i64::try_from(chunk.chunk).unwrap_or(i64::MAX));
            self.all(sql, params![run, after], cells::chunk)
        }))
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
        let run = self.row_of(id)?;
        let Ok(wanted) = i64::try_from(ordinal) else { return Ok(None) };
        let sql = "SELECT * FROM chunks WHERE run = ?1 AND first_ordinal <= ?2
            AND last_ordinal >= ?2 ORDER BY chunk";
        let chunks = self.all(sql, params![run, wanted], cells::chunk)?;
        Ok(chunks.iter().find_map(|chunk| {
            let row = chunk.ordinals.binary_search(&ordinal).ok()?;
            Some((chunk.outcomes[row], chunk.ids[row]))
        }))
    }

    /// Requests of unknown fate, of all runs, in the order in which they were
    /// made; read in pages. Of a run at work these are those in flight.
    ///
    /// # Errors
    /// Items: what SQLite says, or a damaged row.
    pub fn doubts(&self) -> impl Iterator<Item = Result<Doubt, JournalError>> + '_ {
        let sql = "SELECT intents.*, runs.id AS run_id, entity, alive, ordinals, ids, keys
            FROM intents JOIN runs USING (run) JOIN intent_records USING (intent)
            WHERE fate IN ('open', 'in_doubt') AND intent > ?1 ORDER BY intent LIMIT ?2";
        paged(move |last: Option<&Doubt>| {
            let after = last.map_or(0, |doubt| doubt.intent.0);
            self.all(sql, params![after, DOUBTS_PAGE], cells::doubt)
        })
    }

    fn run_rows(
        &self,
        sql: &str,
        parameters: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<RunRecord>, JournalError> {
        // Before and after: a run may begin or end while the rows are read.
        let before = lock::is_running(&self.path)?;
        let mut runs = self.all(sql, parameters, cells::run)?;
        let running = before || lock::is_running(&self.path)?;
        for (run, record) in &mut runs {
            let sql = "SELECT name, bytes, modified FROM sources WHERE run = ?1 ORDER BY position";
            record.sources = self.all(sql, params![*run], cells::source)?;
            if record.status == RunStatus::Running && !running {
                record.status = RunStatus::Interrupted;
            }
            if record.ended.is_none() {
                let sql = "SELECT sum(records), sum(created), sum(updated), sum(upserted),
                    sum(deactivated), sum(deleted), sum(unchanged), sum(dropped),
                    sum(deferred), sum(dead_lettered) FROM chunks WHERE run = ?1";
                let counts = self.all(sql, params![*run], cells::counts)?;
                record.counts = counts.into_iter().next().unwrap_or_default();
            }
        }
        Ok(runs.into_iter().map(|(_, record)| record).collect())
    }

    fn row_of(&self, id: &RunId) -> Result<i64, JournalError> {
        self.connection
            .query_row("SELECT run FROM runs WHERE id = ?1", [id.as_str()], |row| row.get(0))
            .optional()
            .map_err(|source| schema::told("read", &self.path, source))?
            .ok_or_else(|| self.no_such_run(id))
    }

    fn no_such_run(&self, id: &RunId) -> JournalError {
        JournalError::NoSuchRun { path: self.path.clone(), run: id.to_string() }
    }

    fn all<T>(
        &self,
        sql: &str,
        parameters: &[&dyn rusqlite::ToSql],
        read: impl Fn(&Row<'_>) -> Read<T>,
    ) -> Result<Vec<T>, JournalError> {
        let told = |source| schema::told("read", &self.path, source);
        let mut statement = self.connection.prepare_cached(sql).map_err(told)?;
        let mut rows = statement.query(parameters).map_err(told)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(told)? {
            found.push(read(row).map_err(|damage| match damage {
                Damage::Sqlite(source) => told(source),
                Damage::Cell(what) => JournalError::Damaged { path: self.path.clone(), what },
            })?);
        }
        Ok(found)
    }
}

/// Items of pages, each page asked for by the last item of the one before; an
/// error is the last item.
fn paged<T: Clone>(
    page: impl Fn(Option<&T>) -> Result<Vec<T>, JournalError>,
) -> impl Iterator<Item = Result<T, JournalError>> {
    let mut items = Vec::new().into_iter();
    let mut last: Option<T> = None;
    let mut ended = false;
    std::iter::from_fn(move || {
        if items.len() == 0 && !ended {
            match page(last.as_ref()) {
                Ok(found) => {
                    last = found.last().cloned();
                    items = found.into_iter();
                }
                Err(error) => {
                    ended = true;
                    return Some(Err(error));
                }
            }
        }
        let item = items.next();
        ended |= item.is_none();
        item.map(Ok)
    })
}
