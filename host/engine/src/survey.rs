//! The first pass over the source: keys only, to learn how many rows there are
//! and which of several rows with one key wins.
//!
//! Blocking IO; memory stays flat, see [`crate::spill::Duplicates`].

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_row::{RowConverter, SortField};
use dvsync_sources::{Position, Scan, Source};

use crate::error::RunError;
use crate::job::{self, Job};
use crate::keys::KeyColumns;
use crate::progress::Progress;
use crate::spill::{Duplicates, Keep, Losers, Room};
use crate::stop::Stop;

/// Source rows whose keys are known.
pub(crate) struct Survey {
    /// Rows, unreadable ones included.
    pub(crate) rows: u64,
    /// Rows that another row of their key outdoes.
    pub(crate) losers: Losers,
}

/// Reads the key columns of all rows; `None` when asked to stop meanwhile.
pub(crate) fn survey(
    job: &Job,
    source: &Arc<dyn Source>,
    room: &Room,
    progress: &Progress,
    stop: &Stop,
) -> Result<Option<Survey>, RunError> {
    let keep = match job.source.duplicates.keep {
        job::Keep::First => Keep::First,
        job::Keep::Last => Keep::Last,
        job::Keep::Reject => Keep::Reject,
    };
    let by = job.source.duplicates.by.as_deref();
    let mut columns = job.source.key.clone();
    columns.extend(by.filter(|by| !job.source.key.iter().any(|key| key == by)).map(str::to_owned));
    let mut order = Order::new(source, by)?;
    let mut duplicates = Duplicates::new(keep, room);
    let mut rows = 0;
    let scan = Scan { columns: Some(columns), from: Position::default(), ..Scan::default() };
    for chunk in source.scan(&scan)? {
        if stop.asked() {
            return Ok(None);
        }
        let chunk = chunk?;
        rows = chunk.next.row;
        progress.surveyed(rows);
        let Some(keys) = key_columns(&job.source.key, &chunk.rows)? else { continue };
        let orders = order.of(&chunk.rows)?;
        for row in 0..chunk.rows.num_rows() {
            if let Some(hash) = keys.hash(row) {
                let order = orders.as_ref().map(|rows| rows.row(row));
                let order = order.as_ref().map(|row| row.as_ref());
                duplicates.push(hash, chunk.ordinals.at(row), order)?;
            }
        }
    }
    Ok(Some(Survey { rows, losers: duplicates.finish()? }))
}

/// The key's columns; `None` for a chunk without rows.
pub(crate) fn key_columns(
    key: &[String],
    rows: &RecordBatch,
) -> Result<Option<KeyColumns>, RunError> {
    if rows.num_rows() == 0 {
        return Ok(None);
    }
    let columns: Option<Vec<&ArrayRef>> =
        key.iter().map(|name| rows.column_by_name(name)).collect();
    columns.and_then(KeyColumns::of).map(Some).ok_or_else(|| {
        RunError::job(format!(
            "[source] key `{}` has a type that cannot be a key",
            key.join("`, `")
        ))
    })
}

/// The column that orders rows of one key.
struct Order {
    by: Option<(String, RowConverter)>,
}

impl Order {
    fn new(source: &Arc<dyn Source>, by: Option<&str>) -> Result<Self, RunError> {
        let by = match by {
            None => None,
            Some(by) => {
                let schema = source.schema();
                let field = schema.field_with_name(by)?;
                let converter = RowConverter::new(vec![SortField::new(field.data_type().clone())])?;
                Some((by.to_owned(), converter))
            }
        };
        Ok(Self { by })
    }

    fn of(&mut self, rows: &RecordBatch) -> Result<Option<arrow_row::Rows>, RunError> {
        let Some((by, converter)) = &mut self.by else { return Ok(None) };
        match rows.column_by_name(by) {
            Some(column) => Ok(Some(converter.convert_columns(&[Arc::clone(column)])?)),
            None => Ok(None),
        }
    }
}
