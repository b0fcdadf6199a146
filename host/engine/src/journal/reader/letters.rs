//! Letters that ask for something, and what has happened to them.

use rusqlite::params;

use super::cells;
use super::{Cause, LETTERS_PAGE, LetterRecord, Reader, paged};
use crate::journal::{JournalError, LetterEvent, LetterFilter, RunId};

/// The letters that a filter means; its terms are parameters 1 to 5.
const MEANT: &str = "letters.state IS NOT NULL AND (?1 IS NULL OR runs.id = ?1)
    AND (?2 IS NULL OR letters.code = ?2) AND (?3 IS NULL OR letters.key = ?3 COLLATE NOCASE)
    AND (?4 IS NULL OR letters.letter = ?4) AND (?5 IS NULL OR letters.state = ?5)";

impl Reader {
    /// The letters that are meant, of all runs, in the order in which they were
    /// written; read in pages.
    ///
    /// # Errors
    /// Items: what SQLite says, or a damaged row.
    pub fn meant<'a>(
        &'a self,
        filter: &'a LetterFilter,
    ) -> impl Iterator<Item = Result<LetterRecord, JournalError>> + 'a {
        let sql = format!(
            "SELECT letters.*, runs.id AS run_id FROM letters JOIN runs USING (run)
             WHERE {MEANT} AND letter > ?6 ORDER BY letter LIMIT ?7"
        );
        paged(move |last: Option<&LetterRecord>| {
            let after = last.map_or(0, |record| i64::try_from(record.number).unwrap_or(i64::MAX));
            let [run, cause, key, number, state] = &terms(filter);
            self.all(
                &sql,
                params![run, cause, key, number, state, after, LETTERS_PAGE],
                cells::letter,
            )
        })
    }

    /// The letters that are meant, grouped by outcome, code and column, most
    /// frequent first.
    ///
    /// # Errors
    /// What SQLite says, or a damaged row.
    pub fn causes_of(&self, filter: &LetterFilter) -> Result<Vec<Cause>, JournalError> {
        let sql = format!(
            "SELECT outcome, code, column_name, count(*), min(letter), letters.message, hint
             FROM letters JOIN runs USING (run) WHERE {MEANT}
             GROUP BY outcome, code, column_name
             ORDER BY outcome DESC, count(*) DESC, code, column_name"
        );
        let [run, cause, key, number, state] = &terms(filter);
        self.all(&sql, params![run, cause, key, number, state], cells::cause)
    }

    /// What has happened to a letter, in order.
    ///
    /// # Errors
    /// What SQLite says, or a damaged row.
    pub fn history(&self, letter: u64) -> Result<Vec<LetterEvent>, JournalError> {
        let letter = i64::try_from(letter).unwrap_or(i64::MAX);
        let sql = "SELECT * FROM letter_events WHERE letter = ?1 ORDER BY event";
        self.all(sql, params![letter], cells::event)
    }

    /// Key hashes and ids of open letters, ascending, at most so many; and
    /// whether these are all.
    ///
    /// # Errors
    /// What SQLite says, or a damaged row.
    pub fn open_marks(&self, marks_max: usize) -> Result<(Vec<u128>, bool), JournalError> {
        let sql = "SELECT key_hash FROM letters WHERE state = 'open' AND key_hash IS NOT NULL
            UNION ALL SELECT id FROM letters WHERE state = 'open' AND id IS NOT NULL LIMIT ?1";
        let limit = i64::try_from(marks_max).unwrap_or(i64::MAX).saturating_add(1);
        let mut marks = self
            .all(sql, params![limit], |row| Ok(u128::from_be_bytes(row.get::<_, [u8; 16]>(0)?)))?;
        let all = marks.len() <= marks_max;
        marks.truncate(marks_max);
        marks.sort_unstable();
        marks.dedup();
        Ok((marks, all))
    }
}

/// A filter as parameters 1 to 5.
fn terms(filter: &LetterFilter) -> [Option<String>; 5] {
    [
        filter.run.as_ref().map(RunId::to_string),
        filter.cause.clone(),
        filter.key.clone(),
        filter.number.map(|number| number.to_string()),
        filter.state.map(|state| state.as_str().to_owned()),
    ]
}
