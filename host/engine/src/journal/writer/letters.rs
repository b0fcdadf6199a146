//! Letters that change: resolved, replayed, superseded, dropped.

use std::path::Path;

use dvsync_model::Outcome;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::rows::{insert_letter, integer};
use crate::journal::{
    ChunkRecord, JournalError, LetterFilter, LetterState, Revision, RunId, codec, schema,
};

/// Closes the open letters of other runs for these key hashes and ids: a newer
/// version of their rows is about to be written, or was looked at.
pub(super) fn supersede(
    change: &Connection,
    run: i64,
    at: Timestamp,
    marks: &[u128],
) -> Result<()> {
    if marks.is_empty() {
        return Ok(());
    }
    let by: String = change.query_row("SELECT id FROM runs WHERE run = ?1", [run], |r| r.get(0))?;
    for column in ["key_hash", "id"] {
        let mut update = change.prepare_cached(&format!(
            "UPDATE letters SET state = 'superseded'
             WHERE state = 'open' AND {column} = ?1 AND run <> ?2 RETURNING letter"
        ))?;
        for mark in marks {
            let closed = update
                .query_map(params![mark.to_be_bytes(), run], |row| row.get::<_, i64>(0))?
                .collect::<Result<Vec<_>>>()?;
            for letter in closed {
                event(change, letter, at, LetterState::Superseded, Some(&by), None)?;
            }
        }
    }
    Ok(())
}

/// Notes which letters the rows of a chunk were, and what came of them.
pub(super) fn replayed(change: &Connection, run: i64, chunk: &ChunkRecord) -> Result<()> {
    if chunk.replays.is_empty() {
        return Ok(());
    }
    let by: String = change.query_row("SELECT id FROM runs WHERE run = ?1", [run], |r| r.get(0))?;
    for &(row, letter) in &chunk.replays {
        let outcome = usize::try_from(row).ok().and_then(|row| chunk.outcomes.get(row));
        let note = outcome.map(|&outcome| word(outcome));
        let letter = integer(letter)?;
        change
            .prepare_cached("UPDATE letters SET state = 'replayed' WHERE letter = ?1")?
            .execute([letter])?;
        event(change, letter, chunk.at, LetterState::Replayed, Some(&by), note)?;
    }
    Ok(())
}

/// Gives deferred rows of a chunk their new outcomes. A row that is not deferred
/// is a contradiction: nothing is counted twice.
pub(super) fn revise(
    change: &Connection,
    path: &Path,
    run: i64,
    revision: &Revision,
) -> std::result::Result<(), JournalError> {
    let told = |source| schema::told("write", path, source);
    let chunk = integer(revision.chunk).map_err(told)?;
    let wrong = |what: String| JournalError::Contradiction { what };
    let found = change
        .query_row(
            "SELECT records, outcomes, judgement FROM chunks WHERE run = ?1 AND chunk = ?2",
            params![run, chunk],
            |row| {
                let judgement: Option<String> = row.get(2)?;
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, judgement))
            },
        )
        .optional()
        .map_err(told)?;
    let Some((records, blob, judgement)) = found else {
        return Err(wrong(format!("a revision of chunk {chunk}, which is not there")));
    };
    let rows = usize::try_from(records).unwrap_or_default();
    let (ordinals, mut outcomes, mut ids) = codec::read_chunk(&blob, rows)
        .map_err(|what| JournalError::Damaged { path: path.to_owned(), what: what.to_owned() })?;
    for row in &revision.rows {
        let place = ordinals.binary_search(&row.ordinal).ok();
        let open = |place: &usize| revision.again || outcomes[*place] == Outcome::Deferred;
        let Some(place) = place.filter(open) else {
            return Err(wrong(format!("a new outcome of row {}: not deferred", row.ordinal)));
        };
        outcomes[place] = row.outcome;
        ids[place] = row.id.or(ids[place]);
    }
    let blob = codec::chunk(&ordinals, &outcomes, &ids)
        .map_err(|source| JournalError::io("compress a chunk for", path, source))?;
    let under = revision.judgement.as_deref();
    recount(change, run, chunk, &outcomes, &blob)
        .and_then(|()| match revision.again {
            true => judge_again(change, run, chunk, revision),
            false => {
                let other = under.filter(|under| Some(*under) != judgement.as_deref());
                revise_letters(change, run, chunk, revision, other)
            }
        })
        .map_err(told)
}

/// The chunk has another judgement: what was said of its rows before is over.
fn judge_again(change: &Connection, run: i64, chunk: i64, revision: &Revision) -> Result<()> {
    change
        .prepare_cached("UPDATE chunks SET judgement = ?3 WHERE run = ?1 AND chunk = ?2")?
        .execute(params![run, chunk, revision.judgement.as_deref()])?;
    for row in &revision.rows {
        let ordinal = integer(row.ordinal)?;
        let closed = change
            .prepare_cached(
                "UPDATE letters SET state = 'resolved'
                 WHERE run = ?1 AND chunk = ?2 AND ordinal = ?3
                    AND (state IS NULL OR state = 'open') RETURNING letter",
            )?
            .query_map(params![run, chunk, ordinal], |row| row.get::<_, i64>(0))?
            .collect::<Result<Vec<_>>>()?;
        for letter in closed {
            let note = format!("judged again: {}", word(row.outcome));
            event(change, letter, revision.at, LetterState::Resolved, None, Some(&note))?;
        }
        change
            .prepare_cached(
                "UPDATE letters SET judgement = NULL
                 WHERE run = ?1 AND chunk = ?2 AND ordinal = ?3 AND judgement IS NOT NULL",
            )?
            .execute(params![run, chunk, ordinal])?;
        if let Some(told) = &row.letter {
            insert_letter(change, run, chunk, ordinal, row.outcome, told)?;
        }
    }
    Ok(())
}

fn recount(
    change: &Connection,
    run: i64,
    chunk: i64,
    outcomes: &[Outcome],
    blob: &[u8],
) -> Result<()> {
    let of =
        |wanted: Outcome| integer(outcomes.iter().filter(|&&outcome| outcome == wanted).count());
    change
        .prepare_cached(
            "UPDATE chunks SET outcomes = ?3, created = ?4, updated = ?5, upserted = ?6,
                deactivated = ?7, deleted = ?8, unchanged = ?9, dropped = ?10, deferred = ?11,
                dead_lettered = ?12 WHERE run = ?1 AND chunk = ?2",
        )?
        .execute(params![
            run,
            chunk,
            blob,
            of(Outcome::Created)?,
            of(Outcome::Updated)?,
            of(Outcome::Upserted)?,
            of(Outcome::Deactivated)?,
            of(Outcome::Deleted)?,
            of(Outcome::Unchanged)?,
            of(Outcome::Dropped)?,
            of(Outcome::Deferred)?,
            of(Outcome::DeadLettered)?,
        ])?;
    Ok(())
}

/// `other`: the judgement of the new outcomes, where it is not the chunk's.
fn revise_letters(
    change: &Connection,
    run: i64,
    chunk: i64,
    revision: &Revision,
    other: Option<&str>,
) -> Result<()> {
    for row in &revision.rows {
        let ordinal = integer(row.ordinal)?;
        match &row.letter {
            Some(told) if row.outcome == Outcome::Deferred => {
                let letter = &told.letter;
                change
                    .prepare_cached(
                        "UPDATE letters SET code = ?4, column_name = ?5, message = ?6, hint = ?7,
                            id = coalesce(?8, id), until = ?9, sent = max(sent, ?10),
                            landed_partially = max(landed_partially, ?11),
                            attempts = attempts + 1
                         WHERE run = ?1 AND chunk = ?2 AND ordinal = ?3
                            AND state = 'open' AND outcome = 7",
                    )?
                    .execute(params![
                        run,
                        chunk,
                        ordinal,
                        letter.code,
                        letter.column,
                        letter.message,
                        letter.hint,
                        letter.id.as_ref().map(|id| id.as_bytes()),
                        told.until.map(Timestamp::as_microsecond),
                        told.sent,
                        letter.landed_partially,
                    ])?;
            }
            told => {
                let resolved = change
                    .prepare_cached(
                        "UPDATE letters SET state = 'resolved', judgement = ?4
                         WHERE run = ?1 AND chunk = ?2 AND ordinal = ?3
                            AND state = 'open' AND outcome = 7 RETURNING letter",
                    )?
                    .query_map(params![run, chunk, ordinal, other], |row| row.get::<_, i64>(0))?
                    .collect::<Result<Vec<_>>>()?;
                for letter in resolved {
                    let note = Some(word(row.outcome));
                    event(change, letter, revision.at, LetterState::Resolved, None, note)?;
                }
                if let Some(told) = told {
                    insert_letter(change, run, chunk, ordinal, row.outcome, told)?;
                }
            }
        }
    }
    Ok(())
}

/// Drops the open letters that are meant; tells how many.
pub(super) fn drop_letters(
    change: &Connection,
    filter: &LetterFilter,
    reason: &str,
    at: Timestamp,
) -> Result<u64> {
    let mut update = change.prepare_cached(
        "UPDATE letters SET state = 'dropped' WHERE state = 'open'
            AND (?1 IS NULL OR run = (SELECT run FROM runs WHERE id = ?1))
            AND (?2 IS NULL OR code = ?2) AND (?3 IS NULL OR key = ?3 COLLATE NOCASE)
            AND (?4 IS NULL OR letter = ?4) RETURNING letter",
    )?;
    let dropped = update
        .query_map(
            params![
                filter.run.as_ref().map(RunId::as_str),
                filter.cause,
                filter.key,
                filter.number.map(integer).transpose()?,
            ],
            |row| row.get::<_, i64>(0),
        )?
        .collect::<Result<Vec<_>>>()?;
    for &letter in &dropped {
        event(change, letter, at, LetterState::Dropped, None, Some(reason))?;
    }
    Ok(u64::try_from(dropped.len()).unwrap_or(u64::MAX))
}

fn event(
    change: &Connection,
    letter: i64,
    at: Timestamp,
    what: LetterState,
    run: Option<&str>,
    note: Option<&str>,
) -> Result<()> {
    change
        .prepare_cached(
            "INSERT INTO letter_events (letter, at, what, run, note) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![letter, at.as_microsecond(), what.as_str(), run, note])?;
    Ok(())
}

/// An outcome as reports write it.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Upserted => "upserted",
        Outcome::Deactivated => "deactivated",
        Outcome::Deleted => "deleted",
        Outcome::Unchanged => "unchanged",
        Outcome::Dropped => "dropped",
        Outcome::Deferred => "deferred",
        Outcome::DeadLettered => "dead_lettered",
    }
}
