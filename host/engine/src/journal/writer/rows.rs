//! Messages as rows: the statements that write.

use std::path::Path;

use dvsync_model::Outcome;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::journal::{
    ChunkRecord, Fate, Intent, IntentId, JournalError, Reply, RowLetter, RuleUsed, RunEnd, RunId,
    RunStart, RunStatus, codec, schema,
};

pub(super) fn begin(change: &Connection, start: &RunStart) -> Result<(i64, RunId)> {
    let mut random = start.random;
    let id = loop {
        let id = RunId::new(start.started, random);
        let sql = "SELECT 1 FROM runs WHERE id = ?1";
        if change.query_row(sql, [id.as_str()], |_| Ok(())).optional()?.is_none() {
            break id;
        }
        random = random.wrapping_add(1);
    };
    change.execute(
        "INSERT INTO runs (id, job, mode, target, organization, entity, started, status, rules,
            kind)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            id.as_str(),
            start.job,
            start.mode,
            start.target,
            start.organization.as_bytes(),
            start.entity,
            start.started.as_microsecond(),
            RunStatus::Running.as_str(),
            json(&start.rules)?,
            start.kind.as_str(),
        ],
    )?;
    let run = change.last_insert_rowid();
    for (position, source) in start.sources.iter().enumerate() {
        change.execute(
            "INSERT INTO sources (run, position, name, bytes, modified) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                run,
                integer(position)?,
                source.name,
                integer(source.bytes)?,
                source.modified.map(Timestamp::as_microsecond),
            ],
        )?;
    }
    Ok((run, id))
}

/// The run's row, or nothing where there is no such run.
pub(super) fn resume(
    change: &Connection,
    id: &RunId,
    rules: &[RuleUsed],
    now: Timestamp,
) -> Result<Option<i64>> {
    let run = change
        .query_row(
            "UPDATE runs SET status = ?2, ended = NULL, counts = NULL, requests = NULL,
                message = NULL, rules = ?3 WHERE id = ?1 RETURNING run",
            params![id.as_str(), RunStatus::Running.as_str(), json(&rules)?],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(run) = run {
        heed_clock(change, run, now)?;
    }
    Ok(run)
}

/// A run that was alive later than now had another clock: what waits for a time
/// of that clock would wait for as long as it was wrong.
fn heed_clock(change: &Connection, run: i64, now: Timestamp) -> Result<()> {
    let sql = "SELECT coalesce(alive, started) FROM runs WHERE run = ?1";
    let alive: i64 = change.query_row(sql, [run], |row| row.get(0))?;
    let ahead = alive.saturating_sub(now.as_microsecond());
    if ahead > 0 {
        change.execute(
            "UPDATE letters SET until = until - ?2
             WHERE run = ?1 AND state = 'open' AND until IS NOT NULL",
            params![run, ahead],
        )?;
        self::alive(change, run, now)?;
    }
    Ok(())
}

/// Which rules judge the run's rows from here on, and have judged them.
pub(super) fn rules(change: &Connection, run: i64, rules: &[RuleUsed]) -> Result<()> {
    change
        .prepare_cached("UPDATE runs SET rules = ?2 WHERE run = ?1")?
        .execute(params![run, json(&rules)?])?;
    Ok(())
}

/// Notes that the run's process is at work.
pub(super) fn alive(change: &Connection, run: i64, at: Timestamp) -> Result<()> {
    change
        .prepare_cached("UPDATE runs SET alive = ?2 WHERE run = ?1")?
        .execute(params![run, at.as_microsecond()])?;
    Ok(())
}

pub(super) fn intent(change: &Connection, run: i64, intent: &Intent) -> Result<IntentId> {
    change
        .prepare_cached(
            "INSERT INTO intents (run, at, request, operation, records, fate)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            run,
            intent.at.as_microsecond(),
            intent.request.as_bytes(),
            intent.operation,
            integer(intent.ordinals.len())?,
            Fate::Open.as_str(),
        ])?;
    let id = change.last_insert_rowid();
    change
        .prepare_cached(
            "INSERT INTO intent_records (intent, ordinals, ids, keys) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            id,
            codec::ordinals(&intent.ordinals),
            codec::ids(&intent.ids),
            intent.keys.iter().any(Option::is_some).then(|| codec::keys(&intent.keys)),
        ])?;
    super::letters::supersede(change, run, intent.at, &intent.supersedes)?;
    Ok(IntentId(id))
}

pub(super) fn replied(change: &Connection, intent: IntentId, reply: &Reply) -> Result<()> {
    let found = change
        .prepare_cached(
            "UPDATE intents SET fate = ?2, replied = ?3, landed = ?4, status = ?5,
                service_request = ?6, message = ?7, until = ?8 WHERE intent = ?1",
        )?
        .execute(params![
            intent.0,
            reply.fate.as_str(),
            reply.at.as_microsecond(),
            reply.landed,
            reply.status,
            reply.service_request,
            reply.message,
            reply.until.map(Timestamp::as_microsecond),
        ])?;
    if found == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(found)) }
}

pub(super) fn settle(
    change: &Connection,
    path: &Path,
    run: i64,
    chunk: &ChunkRecord,
) -> std::result::Result<(), JournalError> {
    let blob = codec::chunk(&chunk.ordinals, &chunk.outcomes, &chunk.ids)
        .map_err(|source| JournalError::io("compress a chunk for", path, source))?;
    insert_chunk(change, run, chunk, &blob)
        .and_then(|()| super::letters::supersede(change, run, chunk.at, &chunk.supersedes))
        .and_then(|()| insert_letters(change, run, chunk))
        .and_then(|()| super::letters::replayed(change, run, chunk))
        .map_err(|source| schema::told("write", path, source))
}

fn insert_chunk(change: &Connection, run: i64, chunk: &ChunkRecord, blob: &[u8]) -> Result<()> {
    let mut counted = [0_i64; Outcome::ALL.len()];
    for &outcome in &chunk.outcomes {
        counted[usize::from(codec::number(outcome))] += 1;
    }
    let ordinal = |end: Option<&u64>| end.map(|&ordinal| integer(ordinal)).transpose();
    let [created, updated, upserted, deactivated, deleted, unchanged, dropped, deferred, dead] =
        counted;
    change
        .prepare_cached(
            "INSERT INTO chunks (run, chunk, first_ordinal, last_ordinal, records, created,
                updated, upserted, deactivated, deleted, unchanged, dropped, deferred,
                dead_lettered, judgement, next, outcomes, start)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                ?18)",
        )?
        .execute(params![
            run,
            integer(chunk.chunk)?,
            ordinal(chunk.ordinals.first())?,
            ordinal(chunk.ordinals.last())?,
            integer(chunk.ordinals.len())?,
            created,
            updated,
            upserted,
            deactivated,
            deleted,
            unchanged,
            dropped,
            deferred,
            dead,
            chunk.judgement.as_deref(),
            chunk.next,
            blob,
            chunk.start,
        ])?;
    Ok(())
}

fn insert_letters(change: &Connection, run: i64, chunk: &ChunkRecord) -> Result<()> {
    let number = integer(chunk.chunk)?;
    for entry in &chunk.letters {
        let row = usize::try_from(entry.row).unwrap_or(usize::MAX);
        let (Some(&ordinal), Some(&outcome)) = (chunk.ordinals.get(row), chunk.outcomes.get(row))
        else {
            // `ChunkRecord::check` has refused it.
            return Err(rusqlite::Error::InvalidParameterName(format!("row {row}")));
        };
        insert_letter(change, run, number, integer(ordinal)?, outcome, entry)?;
    }
    Ok(())
}

/// Dead letters and deferrals are open; what was left out on purpose is a note.
pub(super) fn insert_letter(
    change: &Connection,
    run: i64,
    chunk: i64,
    ordinal: i64,
    outcome: Outcome,
    told: &RowLetter,
) -> Result<()> {
    let letter = &told.letter;
    let open = matches!(outcome, Outcome::Deferred | Outcome::DeadLettered);
    change
        .prepare_cached(
            "INSERT INTO letters (run, ordinal, outcome, file, line, key, code, column_name,
                message, hint, id, landed_partially, source_row, chunk, key_hash, until, sent,
                state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                ?18)",
        )?
        .execute(params![
            run,
            ordinal,
            codec::number(outcome),
            &*letter.origin.file,
            integer(letter.origin.line)?,
            letter.key,
            letter.code,
            letter.column,
            letter.message,
            letter.hint,
            letter.id.as_ref().map(|id| id.as_bytes()),
            letter.landed_partially,
            letter.row,
            chunk,
            told.key.map(|key| key.0.to_be_bytes()),
            told.until.map(Timestamp::as_microsecond),
            told.sent,
            open.then_some("open"),
        ])?;
    Ok(())
}

pub(super) fn finish(change: &Connection, run: i64, end: &RunEnd) -> Result<()> {
    change.execute(
        "UPDATE runs SET ended = ?2, status = ?3, counts = ?4, requests = ?5, message = ?6
         WHERE run = ?1",
        params![
            run,
            end.ended.as_microsecond(),
            end.status.as_str(),
            json(&end.counts)?,
            json(&end.requests)?,
            end.message,
        ],
    )?;
    if matches!(end.status, RunStatus::Complete | RunStatus::WithDeadLetters) {
        // Its chunks have them, and nothing will be looked for by them any more.
        change.execute(
            "UPDATE intent_records SET ids = NULL WHERE ids IS NOT NULL AND intent IN
                (SELECT intent FROM intents WHERE run = ?1 AND fate IN (?2, ?3))",
            params![run, Fate::Landed.as_str(), Fate::Refused.as_str()],
        )?;
    }
    Ok(())
}

pub(super) fn prune(change: &Connection, before: Timestamp) -> Result<u64> {
    // The last one is what a resume goes on with, and what people ask about.
    let gone = change.execute(
        "DELETE FROM runs WHERE started < ?1 AND status <> ?2
            AND run NOT IN (SELECT max(run) FROM runs GROUP BY kind) AND NOT EXISTS
            (SELECT 1 FROM intents WHERE intents.run = runs.run AND fate IN (?3, ?4))",
        params![
            before.as_microsecond(),
            RunStatus::Running.as_str(),
            Fate::Open.as_str(),
            Fate::InDoubt.as_str(),
        ],
    )?;
    let mut vacuum = change.prepare("PRAGMA incremental_vacuum")?;
    let mut steps = vacuum.query([])?;
    while steps.next()?.is_some() {}
    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}

pub(super) fn integer<T>(value: T) -> Result<i64>
where
    i64: TryFrom<T>,
    <i64 as TryFrom<T>>::Error: std::error::Error + Send + Sync + 'static,
{
    i64::try_from(value).map_err(|source| rusqlite::Error::ToSqlConversionFailure(source.into()))
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|source| rusqlite::Error::ToSqlConversionFailure(source.into()))
}
