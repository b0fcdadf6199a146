//! Which judgement the outcomes of a run rest on.

use std::collections::BTreeMap;

use dvsync_model::Counts;
use rusqlite::params;
use serde::Serialize;

use super::{ChunkSpan, Reader, cells};
use crate::journal::{JournalError, RunId, SettledRow};

/// Rows that were settled before any rule saw them: no judgement changes them.
const UNJUDGED: &str = "'key_missing', 'duplicate_in_source'";

/// Outcomes that rest on one judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// The judgement id; absent where no rule judged.
    pub judgement: Option<String>,
    /// Its rows by outcome.
    pub counts: Counts,
}

impl Reader {
    /// The outcomes of a run by judgement.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged row.
    pub fn judgements(&self, id: &RunId) -> Result<Vec<Judged>, JournalError> {
        let run = self.row_of(id)?;
        let sql = "SELECT judgement, sum(records), sum(created), sum(updated), sum(upserted),
                sum(deactivated), sum(deleted), sum(unchanged), sum(dropped), sum(deferred),
                sum(dead_lettered) FROM chunks WHERE run = ?1 GROUP BY judgement";
        let mut all: BTreeMap<Option<String>, Counts> = self
            .all(sql, params![run], |row| Ok((row.get(0)?, cells::counts_from(row, 1)?)))?
            .into_iter()
            .collect();
        let sql = "SELECT ordinal, letters.judgement, chunks.judgement
            FROM letters JOIN chunks USING (run, chunk)
            WHERE run = ?1 AND letters.judgement IS NOT NULL";
        let read = |row: &rusqlite::Row<'_>| {
            let under: Option<String> = row.get(1)?;
            let chunk: Option<String> = row.get(2)?;
            Ok((cells::count(row, "ordinal")?, under, chunk))
        };
        for (ordinal, under, chunk) in self.all(sql, params![run], read)? {
            let Some((outcome, _)) = self.outcome(id, ordinal)? else { continue };
            let mut moved = Counts::default();
            moved.settle(outcome);
            all.entry(under).or_default().merge(&moved);
            if let Some(counts) = all.get_mut(&chunk) {
                counts.forget(outcome);
            }
        }
        all.retain(|_, counts| counts.read > 0);
        Ok(all.into_iter().map(|(judgement, counts)| Judged { judgement, counts }).collect())
    }

    /// Chunks of a run that hold a row judged under this, in the order of the
    /// source.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged row.
    pub fn judged_under(
        &self,
        id: &RunId,
        judgement: &str,
    ) -> Result<Vec<ChunkSpan>, JournalError> {
        let run = self.row_of(id)?;
        let sql = "SELECT chunk, start, next, records FROM chunks WHERE run = ?1
            AND (judgement = ?2 OR chunk IN
                (SELECT chunk FROM letters WHERE run = ?1 AND judgement = ?2))
            ORDER BY first_ordinal, chunk";
        self.all(sql, params![run, judgement], cells::span)
    }

    /// Rows of a chunk that a rule has judged, by ordinal.
    ///
    /// # Errors
    /// No such run, what SQLite says, or a damaged blob.
    pub fn judged_rows(
        &self,
        id: &RunId,
        chunk: u64,
    ) -> Result<BTreeMap<u64, SettledRow>, JournalError> {
        let run = self.row_of(id)?;
        let number = i64::try_from(chunk).unwrap_or(i64::MAX);
        let sql = "SELECT * FROM chunks WHERE run = ?1 AND chunk = ?2";
        let mut rows = BTreeMap::new();
        for found in self.all(sql, params![run, number], cells::chunk)? {
            let both = found.outcomes.into_iter().zip(found.ids);
            for (ordinal, (outcome, id)) in found.ordinals.into_iter().zip(both) {
                rows.insert(ordinal, SettledRow { outcome, id, why: None });
            }
        }
        let sql = "SELECT ordinal, code, column_name FROM letters
            WHERE run = ?1 AND chunk = ?2 AND (state IS NULL OR state = 'open')";
        let read = |row: &rusqlite::Row<'_>| {
            let column: Option<String> = row.get("column_name")?;
            Ok((cells::count(row, "ordinal")?, row.get::<_, String>("code")?, column))
        };
        for (ordinal, code, column) in self.all(sql, params![run, number], read)? {
            if let Some(row) = rows.get_mut(&ordinal) {
                row.why = Some((code, column));
            }
        }
        let sql = format!(
            "SELECT ordinal FROM letters WHERE run = ?1 AND chunk = ?2 AND code IN ({UNJUDGED})"
        );
        for ordinal in self.all(&sql, params![run, number], |row| cells::count(row, "ordinal"))? {
            rows.remove(&ordinal);
        }
        Ok(rows)
    }
}
