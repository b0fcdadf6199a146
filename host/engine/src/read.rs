//! Read: rows of the source as frames, in order, a few ahead of their use.
//!
//! Rows that cannot take part are settled here: those without a key, those that
//! another row of their key outdoes, and lines that could not be read.

use std::sync::Arc;

use dvsync_sources::{Position, Scan};
use futures::Stream;
use tokio::sync::mpsc;

use crate::error::RunError;
use crate::fate::Fate;
use crate::frame::Frame;
use crate::plan::Plan;
use crate::spill::{Losers, Standing};
use crate::stop::Stop;
use crate::survey::key_columns;

/// Frames read ahead of their use.
const AHEAD: usize = 1;

/// Reads the source on a blocking thread of its own.
///
/// The stream ends at the source's end, when asked to stop, or after its first
/// error: an unreadable file, or more unreadable rows than the job allows.
pub(crate) fn read(
    plan: Arc<Plan>,
    losers: Losers,
    stop: Stop,
) -> impl Stream<Item = Result<Arc<Frame>, RunError>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let work = tokio::task::spawn_blocking(move || {
        let mut reader = Reader { losers, number: 0, bad: 0 };
        if let Err(error) = reader.run(&plan, &stop, &sender) {
            // Nobody listens once the run has ended for another reason.
            drop(sender.blocking_send(Err(error)));
        }
    });
    futures::stream::unfold((receiver, Some(work)), async |(mut receiver, work)| {
        if let Some(item) = receiver.recv().await {
            return Some((item, (receiver, work)));
        }
        // The reader has ended: well, or by a panic that must not look like the
        // end of the source.
        match work?.await {
            Ok(()) => None,
            Err(error) => Some((Err(RunError::panicked(error)), (receiver, None))),
        }
    })
}

struct Reader {
    losers: Losers,
    number: u64,
    bad: u64,
}

impl Reader {
    fn run(
        &mut self,
        plan: &Plan,
        stop: &Stop,
        sender: &mpsc::Sender<Result<Arc<Frame>, RunError>>,
    ) -> Result<(), RunError> {
        let scan = Scan {
            columns: Some(plan.projection.clone()),
            from: Position::default(),
            ..Scan::default()
        };
        for chunk in plan.source.scan(&scan)? {
            if stop.asked() {
                return Ok(());
            }
            let chunk = chunk?;
            let key = key_columns(&plan.job.source.key, &chunk.rows)?;
            let part = usize::try_from(chunk.part).unwrap_or(usize::MAX);
            let file = plan.source.parts().get(part).map_or("?", |part| part.name.as_ref()).into();
            self.bad += u64::try_from(chunk.bad.len()).unwrap_or(u64::MAX);
            let masked = Arc::clone(&plan.masked);
            let frame = Arc::new(Frame::new(self.number, file, chunk, key, masked));
            self.number += 1;
            self.judge_keys(&plan.job.source.key, &frame)?;
            // The frame counts, its bad rows included, before the limit is told.
            if sender.blocking_send(Ok(frame)).is_err() {
                return Ok(());
            }
            if self.bad > plan.job.limits.bad_lines_max {
                return Err(RunError::Limit {
                    message: format!(
                        "{} rows of the source cannot be read, more than bad_lines_max = {}",
                        self.bad, plan.job.limits.bad_lines_max
                    ),
                    hint:
                        "look at the dead letters; if they are right, raise [limits] bad_lines_max"
                            .to_owned(),
                });
            }
        }
        Ok(())
    }

    fn judge_keys(&mut self, names: &[String], frame: &Frame) -> Result<(), RunError> {
        let Some(key) = &frame.key else { return Ok(()) };
        for row in 0..frame.rows() {
            if key.hash(row).is_none() {
                let empty: Vec<&str> = names
                    .iter()
                    .map(String::as_str)
                    .zip(key.parts(row))
                    .filter(|(_, part)| {
                        part.is_none_or(|part| part.trim_end_matches(' ').is_empty())
                    })
                    .map(|(name, _)| name)
                    .collect();
                let fate =
                    Fate::dead("key_missing", format!("key `{}` is empty", empty.join("`, `")))
                        .at(empty.first().copied().unwrap_or_default())
                        .hint("give the row a key, or filter such rows out of the source");
                frame.settle_fate(row, &fate, None);
                continue;
            }
            let fate = match self.losers.standing(frame.chunk.ordinals.at(row))? {
                Standing::Kept => continue,
                Standing::Lost { winner } => Fate::dropped(
                    "duplicate_in_source",
                    format!("row {} of the source has the same key and wins", winner + 1),
                ),
                Standing::Rejected { other } => Fate::dead(
                    "duplicate_in_source",
                    format!("row {} of the source has the same key", other + 1),
                )
                .hint("remove one of them, or say which wins: [source] duplicates = { keep = \"last\", by = ... }"),
            };
            frame.settle_fate(row, &fate, None);
        }
        Ok(())
    }
}
