//! What the job has written of today's records before this run: its client is
//! told, so that `[limits] records_per_day` holds across runs.

use std::time::Duration;

use dvsync_dataverse::Client;
use dvsync_model::Counts;
use jiff::Timestamp;

use crate::blocking::unblock;
use crate::error::RunError;
use crate::job::Job;
use crate::journal::Journal;

const DAY: Duration = Duration::from_hours(24);

/// Tells the client what runs of the last 24 hours have written.
pub(crate) async fn note_spent(
    job: &Job,
    client: &Client,
    journal: &Journal,
    now: Timestamp,
) -> Result<(), RunError> {
    if job.limits.records_per_day.is_none() {
        return Ok(());
    }
    let reader = journal.reader()?;
    let runs = unblock(move || reader.runs()).await??;
    let day_ago = now.saturating_sub(DAY).unwrap_or(Timestamp::MIN);
    let recent = runs.iter().filter(|run| run.ended.unwrap_or(run.started) > day_ago);
    client.note_spent(recent.map(|run| written(&run.counts)).sum());
    Ok(())
}

/// Rows that took a write.
fn written(counts: &Counts) -> u64 {
    counts.created + counts.updated + counts.upserted + counts.deactivated + counts.deleted
}
