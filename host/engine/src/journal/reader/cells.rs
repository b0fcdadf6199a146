//! Rows of the journal as values; what does not fit is damage, never a panic.

use dvsync_model::{Counts, Letter, Origin, Outcome};
use jiff::Timestamp;
use rusqlite::{Row, RowIndex};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{
    Cause, ChunkOutcomes, ChunkSpan, Doubt, DueRow, Fate, LetterRecord, LetterState, RunId,
    RunRecord, Waiting, codec,
};
use crate::journal::{FrozenSource, IntentId, LetterEvent, RunKind, RunStatus};

/// Why a row cannot be read.
#[derive(Debug)]
pub(super) enum Damage {
    Sqlite(rusqlite::Error),
    Cell(String),
}

impl From<rusqlite::Error> for Damage {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::InvalidColumnType(_, name, found) => {
                Damage::Cell(format!("column `{name}` holds {found}"))
            }
            rusqlite::Error::FromSqlConversionFailure(_, _, source) => {
                Damage::Cell(source.to_string())
            }
            rusqlite::Error::IntegralValueOutOfRange(_, value) => {
                Damage::Cell(format!("number {value} is out of range"))
            }
            other => Damage::Sqlite(other),
        }
    }
}

pub(super) type Read<T> = Result<T, Damage>;

/// A run's row number and the run, without its sources and, where it has not
/// ended, without its counts.
pub(super) fn run(row: &Row<'_>) -> Read<(i64, RunRecord)> {
    let record = RunRecord {
        id: run_id(row, "id")?,
        kind: named(row, "kind", &RunKind::ALL, |kind| kind.as_str())?,
        job: row.get("job")?,
        mode: row.get("mode")?,
        target: row.get("target")?,
        organization: id(row, "organization")?,
        entity: row.get("entity")?,
        started: time(row, "started")?,
        ended: row.get::<_, Option<i64>>("ended")?.map(moment).transpose()?,
        status: named(row, "status", &RunStatus::ALL, |status| status.as_str())?,
        counts: json(row, "counts")?.unwrap_or_default(),
        requests: json(row, "requests")?.unwrap_or_default(),
        message: row.get("message")?,
        rules: json(row, "rules")?.unwrap_or_default(),
        sources: Vec::new(),
    };
    Ok((row.get("run")?, record))
}

pub(super) fn source(row: &Row<'_>) -> Read<FrozenSource> {
    Ok(FrozenSource {
        name: row.get("name")?,
        bytes: count(row, "bytes")?,
        modified: row.get::<_, Option<i64>>("modified")?.map(moment).transpose()?,
    })
}

/// Sums in the order of [`Outcome::ALL`], after the sum of rows.
pub(super) fn counts(row: &Row<'_>) -> Read<Counts> {
    counts_from(row, 0)
}

/// Ten sums, from this column on.
pub(super) fn counts_from(row: &Row<'_>, first: usize) -> Read<Counts> {
    let sum = |position: usize| -> Read<u64> {
        let sum = row.get::<_, Option<i64>>(first + position)?.unwrap_or_default();
        u64::try_from(sum).map_err(|_| Damage::Cell(format!("a count is {sum}")))
    };
    Ok(Counts {
        read: sum(0)?,
        created: sum(1)?,
        updated: sum(2)?,
        upserted: sum(3)?,
        deactivated: sum(4)?,
        deleted: sum(5)?,
        unchanged: sum(6)?,
        dropped: sum(7)?,
        deferred: sum(8)?,
        dead_lettered: sum(9)?,
        ..Counts::default()
    })
}

pub(super) fn letter(row: &Row<'_>) -> Read<LetterRecord> {
    Ok(LetterRecord {
        number: count(row, "letter")?,
        run: run_id(row, "run_id")?,
        ordinal: count(row, "ordinal")?,
        outcome: outcome(row, "outcome")?,
        letter: Letter {
            origin: Origin {
                file: row.get::<_, String>("file")?.into(),
                line: count(row, "line")?,
            },
            key: row.get("key")?,
            code: row.get("code")?,
            column: row.get("column_name")?,
            message: row.get("message")?,
            hint: row.get("hint")?,
            id: row.get::<_, Option<[u8; 16]>>("id")?.map(Uuid::from_bytes),
            landed_partially: row.get("landed_partially")?,
            row: row.get("source_row")?,
        },
        state: match row.get_ref("state")? {
            rusqlite::types::ValueRef::Null => None,
            _ => Some(state(row, "state")?),
        },
        until: row.get::<_, Option<i64>>("until")?.map(moment).transpose()?,
        attempts: attempts(row)?,
    })
}

fn state(row: &Row<'_>, column: &str) -> Read<LetterState> {
    named(row, column, &LetterState::ALL, |state| state.as_str())
}

fn attempts(row: &Row<'_>) -> Read<u32> {
    let attempts = count(row, "attempts")?;
    u32::try_from(attempts).map_err(|_| Damage::Cell(format!("attempts {attempts} are too many")))
}

/// Columns in the order in which `causes` asks for them.
pub(super) fn cause(row: &Row<'_>) -> Read<Cause> {
    Ok(Cause {
        outcome: outcome(row, 0)?,
        code: row.get(1)?,
        column: row.get(2)?,
        letters: count(row, 3)?,
        message: row.get(5)?,
        hint: row.get(6)?,
    })
}

pub(super) fn event(row: &Row<'_>) -> Read<LetterEvent> {
    let run: Option<String> = row.get("run")?;
    Ok(LetterEvent {
        at: time(row, "at")?,
        state: state(row, "what")?,
        run: run.map(|_| run_id(row, "run")).transpose()?,
        note: row.get("note")?,
    })
}

pub(super) fn span(row: &Row<'_>) -> Read<ChunkSpan> {
    Ok(ChunkSpan {
        chunk: count(row, "chunk")?,
        start: row.get("start")?,
        next: row.get("next")?,
        records: count(row, "records")?,
    })
}

pub(super) fn waiting(row: &Row<'_>) -> Read<Option<Waiting>> {
    match row.get::<_, Option<i64>>("earliest")? {
        None => Ok(None),
        Some(earliest) => {
            Ok(Some(Waiting { earliest: moment(earliest)?, rows: count(row, "records")? }))
        }
    }
}

pub(super) fn due_row(row: &Row<'_>) -> Read<DueRow> {
    Ok(DueRow {
        ordinal: count(row, "ordinal")?,
        code: row.get("code")?,
        column: row.get("column_name")?,
        attempts: attempts(row)?,
        sent: row.get("sent")?,
        landed_partially: row.get("landed_partially")?,
    })
}

pub(super) fn chunk(row: &Row<'_>) -> Read<ChunkOutcomes> {
    let records = rows(row)?;
    let blob = row.get_ref("outcomes")?.as_blob().map_err(wrong)?;
    let (ordinals, outcomes, ids) = codec::read_chunk(blob, records).map_err(cell)?;
    Ok(ChunkOutcomes {
        chunk: count(row, "chunk")?,
        ordinals,
        outcomes,
        ids,
        judgement: row.get("judgement")?,
        next: row.get("next")?,
    })
}

pub(super) fn doubt(row: &Row<'_>) -> Read<Doubt> {
    let records = rows(row)?;
    let ordinals = row.get_ref("ordinals")?.as_blob().map_err(wrong)?;
    let ids = row.get_ref("ids")?.as_blob_or_null().map_err(wrong)?;
    let keys = row.get_ref("keys")?.as_blob_or_null().map_err(wrong)?;
    Ok(Doubt {
        run: run_id(row, "run_id")?,
        entity: row.get("entity")?,
        alive: row.get::<_, Option<i64>>("alive")?.map(moment).transpose()?,
        until: row.get::<_, Option<i64>>("until")?.map(moment).transpose()?,
        intent: IntentId(row.get("intent")?),
        at: time(row, "at")?,
        request: id(row, "request")?,
        operation: row.get("operation")?,
        fate: named(row, "fate", &Fate::ALL, |fate| fate.as_str())?,
        ordinals: codec::read_ordinals(ordinals, records).map_err(cell)?,
        ids: match ids {
            Some(ids) => codec::read_ids(ids, records).map_err(cell)?,
            None => vec![None; records],
        },
        keys: match keys {
            Some(keys) => codec::read_keys(keys, records).map_err(cell)?,
            None => vec![None; records],
        },
    })
}

pub(super) fn outcome(row: &Row<'_>, column: impl RowIndex) -> Read<Outcome> {
    let number: i64 = row.get(column)?;
    let known = u8::try_from(number).ok().and_then(codec::outcome);
    known.ok_or_else(|| Damage::Cell(format!("outcome {number} is unknown")))
}

pub(super) fn count(row: &Row<'_>, column: impl RowIndex) -> Read<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| Damage::Cell(format!("number {number} is out of range")))
}

fn rows(row: &Row<'_>) -> Read<usize> {
    let number = count(row, "records")?;
    usize::try_from(number).map_err(|_| Damage::Cell(format!("a list has {number} rows")))
}

fn run_id(row: &Row<'_>, column: &str) -> Read<RunId> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| Damage::Cell(format!("{error}")))
}

fn id(row: &Row<'_>, column: &str) -> Read<Uuid> {
    Ok(Uuid::from_bytes(row.get::<_, [u8; 16]>(column)?))
}

fn time(row: &Row<'_>, column: &str) -> Read<Timestamp> {
    moment(row.get(column)?)
}

fn moment(microseconds: i64) -> Read<Timestamp> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|_| Damage::Cell(format!("time {microseconds} is out of range")))
}

fn named<T: Copy>(
    row: &Row<'_>,
    column: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Read<T> {
    let text: String = row.get(column)?;
    all.iter()
        .copied()
        .find(|&one| name(one) == text)
        .ok_or_else(|| Damage::Cell(format!("{column} `{text}` is unknown")))
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Read<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Damage::Cell(format!("column `{column}`: {error}")))
}

fn wrong(error: rusqlite::types::FromSqlError) -> Damage {
    Damage::Cell(error.to_string())
}

fn cell(what: codec::Wrong) -> Damage {
    Damage::Cell(what.to_owned())
}
