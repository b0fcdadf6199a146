//! Read: rows of the source as frames, in order, a few ahead of their use.
//!
//! A pass is the whole source, what an earlier process of the run has left of
//! it, or rows that were deferred. Rows that cannot take part are settled here:
//! those without a key, those that another row of their key outdoes, and lines
//! that could not be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::UInt32Array;
use arrow_select::take::take_record_batch;
use dvsync_sources::{Chunk, Numbering, Position, Scan};
use futures::Stream;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::error::RunError;
use crate::fate::Fate;
use crate::frame::{Frame, JudgedAgain, TriedAgain};
use crate::journal::{ChunkSpan, DueRow, Reader, RunId};
use crate::letters::Replayed;
use crate::plan::Plan;
use crate::spill::{Losers, Standing};
use crate::stop::Stop;
use crate::survey::key_columns;

/// Frames read ahead of their use.
const AHEAD: usize = 1;

/// Which rows are read.
pub(crate) enum Pass {
    /// The source.
    Source {
        losers: Losers,
        from: From,
        /// The letters that its rows were.
        replayed: Option<Arc<Replayed>>,
    },
    /// Deferred rows of the run.
    Deferred { journal: Reader, run: RunId, due: Due },
    /// Rows that a version judged which was rolled back.
    Again { journal: Reader, run: RunId, judgement: Arc<str>, chunks: Vec<ChunkSpan> },
}

/// Where a pass over the source begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct From {
    pub(crate) position: Position,
    /// Number of its first chunk.
    pub(crate) number: u64,
    /// The run whose settled rows are left out.
    pub(crate) settled: Option<Settled>,
}

/// A run whose settled rows are in a journal.
#[derive(Debug, Clone)]
pub(crate) struct Settled {
    pub(crate) journal: std::path::PathBuf,
    pub(crate) run: RunId,
}

/// Deferrals whose time has come.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    pub(crate) chunks: Vec<ChunkSpan>,
    pub(crate) now: Timestamp,
    /// A code whose deferrals are due whatever their time.
    pub(crate) code: Option<&'static str>,
}

/// Reads on a blocking thread of its own.
///
/// The stream ends at the pass's end, when asked to stop, or after its first
/// error: an unreadable file, or more unreadable rows than the job allows.
pub(crate) fn read(
    plan: Arc<Plan>,
    pass: Pass,
    stop: Stop,
) -> impl Stream<Item = Result<Frame, RunError>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let work = tokio::task::spawn_blocking(move || {
        let reading = Reading { plan: &plan, stop: &stop, sender: &sender };
        let read = match pass {
            Pass::Source { losers, from, replayed } => reading.source(losers, from, replayed),
            Pass::Deferred { journal, run, due } => reading.deferred(&journal, &run, &due),
            Pass::Again { journal, run, judgement, chunks } => {
                reading.again(&journal, &run, &judgement, &chunks)
            }
        };
        if let Err(error) = read {
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

struct Reading<'a> {
    plan: &'a Plan,
    stop: &'a Stop,
    sender: &'a mpsc::Sender<Result<Frame, RunError>>,
}

impl Reading<'_> {
    fn source(
        &self,
        mut losers: Losers,
        from: From,
        replayed: Option<Arc<Replayed>>,
    ) -> Result<(), RunError> {
        let settled = match from.settled {
            Some(Settled { journal, run }) => Some((Reader::open(&journal)?, run)),
            None => None,
        };
        let (mut number, mut start, mut bad) = (from.number, from.position, 0_u64);
        let bad_max = self.plan.job.limits.bad_lines_max;
        for chunk in self.plan.source.scan(&self.scan(start))? {
            if self.stop.asked() {
                return Ok(());
            }
            let mut chunk = chunk?;
            let next = chunk.next;
            if let Some((journal, run)) = &settled
                && next.row > start.row
            {
                let known = journal.settled(run, start.row, next.row - 1)?;
                chunk = without(chunk, &known.into_iter().collect())?;
            }
            bad += u64::try_from(chunk.bad.len()).unwrap_or(u64::MAX);
            if chunk.rows.num_rows() + chunk.bad.len() > 0 {
                let mut frame = self.frame(number, start, chunk)?;
                frame.replayed.clone_from(&replayed);
                number += 1;
                judge_keys(&mut losers, &self.plan.job.source.key, &frame)?;
                // The frame counts, its bad rows included, before the limit is told.
                if self.sender.blocking_send(Ok(frame)).is_err() {
                    return Ok(());
                }
            }
            start = next;
            if bad > bad_max {
                return Err(too_many_bad(bad, bad_max));
            }
        }
        Ok(())
    }

    fn deferred(&self, journal: &Reader, run: &RunId, due: &Due) -> Result<(), RunError> {
        let mut number = 0;
        for span in &due.chunks {
            let mut rows: BTreeMap<u64, DueRow> = journal
                .due_rows(run, span.chunk, due.now, due.code)?
                .into_iter()
                .map(|row| (row.ordinal, row))
                .collect();
            let mut start = match &span.start {
                Some(start) => position(start)?,
                None => Position::default(),
            };
            let end = position(&span.next)?.row;
            for chunk in self.plan.source.scan(&self.scan(start))? {
                if self.stop.asked() {
                    return Ok(());
                }
                let chunk = only(chunk?, |ordinal| rows.contains_key(&ordinal))?;
                let next = chunk.next;
                if chunk.rows.num_rows() > 0 {
                    let mut frame = self.frame(number, start, chunk)?;
                    number += 1;
                    let due = (0_u32..).zip(frame.chunk.ordinals.iter());
                    let due = due.filter_map(|(row, at)| Some((row, rows.remove(&at)?)));
                    frame.again = Some(TriedAgain { chunk: span.chunk, rows: due.collect() });
                    if self.sender.blocking_send(Ok(frame)).is_err() {
                        return Ok(());
                    }
                }
                start = next;
                if next.row >= end {
                    break;
                }
            }
            if let Some(gone) = rows.keys().next() {
                return Err(RunError::Limit {
                    message: format!(
                        "row {} of the source was deferred and is not there any more",
                        gone + 1
                    ),
                    hint: "the source has changed while the run was under way: run the job again"
                        .to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Each chunk whole, however the source is cut now.
    fn again(
        &self,
        journal: &Reader,
        run: &RunId,
        judgement: &Arc<str>,
        chunks: &[ChunkSpan],
    ) -> Result<(), RunError> {
        for (number, span) in (0_u64..).zip(chunks) {
            let mut rows = journal.judged_rows(run, span.chunk)?;
            let mut start = match &span.start {
                Some(start) => position(start)?,
                None => Position::default(),
            };
            let (first, end) = (start, position(&span.next)?.row);
            let mut pieces: Vec<Chunk> = Vec::new();
            for chunk in self.plan.source.scan(&self.scan(start))? {
                if self.stop.asked() {
                    return Ok(());
                }
                let piece = only(chunk?, |ordinal| rows.contains_key(&ordinal))?;
                start = piece.next;
                pieces.push(piece);
                if start.row >= end {
                    break;
                }
            }
            let Some(whole) = joined(pieces)? else { continue };
            let mut frame = self.frame(number, first, whole)?;
            let numbered = (0_u32..).zip(frame.chunk.ordinals.iter());
            let again = numbered.filter_map(|(row, at)| Some((row, rows.remove(&at)?))).collect();
            let judgement = Arc::clone(judgement);
            frame.judged_again = Some(JudgedAgain { chunk: span.chunk, judgement, rows: again });
            if self.sender.blocking_send(Ok(frame)).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn scan(&self, from: Position) -> Scan {
        Scan { columns: Some(self.plan.projection.clone()), from, ..Scan::default() }
    }

    fn frame(&self, number: u64, start: Position, chunk: Chunk) -> Result<Frame, RunError> {
        let plan = self.plan;
        let key = key_columns(&plan.job.source.key, &chunk.rows)?;
        let part = usize::try_from(chunk.part).unwrap_or(usize::MAX);
        let file = plan.source.parts().get(part).map_or("?", |part| part.name.as_ref()).into();
        let mut frame = Frame::new(number, file, chunk, key, Arc::clone(&plan.masked));
        frame.start = start;
        Ok(frame)
    }
}

fn position(text: &str) -> Result<Position, RunError> {
    serde_json::from_str(text)
        .map_err(|error| RunError::Bug(format!("a journalled position cannot be read: {error}")))
}

/// The chunk without rows that are settled.
fn without(chunk: Chunk, settled: &BTreeSet<u64>) -> Result<Chunk, RunError> {
    if settled.is_empty() {
        return Ok(chunk);
    }
    let mut left = pick(chunk, |ordinal| !settled.contains(&ordinal))?;
    left.bad.retain(|bad| !settled.contains(&bad.ordinal));
    Ok(left)
}

/// The chunk with these rows only.
fn only(chunk: Chunk, wanted: impl Fn(u64) -> bool) -> Result<Chunk, RunError> {
    let mut picked = pick(chunk, wanted)?;
    picked.bad.clear();
    Ok(picked)
}

/// One chunk of several that follow each other.
fn joined(mut pieces: Vec<Chunk>) -> Result<Option<Chunk>, RunError> {
    pieces.retain(|piece| piece.rows.num_rows() > 0);
    let Some(last) = pieces.last() else { return Ok(None) };
    if pieces.len() == 1 {
        return Ok(pieces.pop());
    }
    let (mut ordinals, mut lines) = (Numbering::default(), Numbering::default());
    for piece in &pieces {
        piece.ordinals.iter().for_each(|ordinal| ordinals.push(ordinal));
        piece.lines.iter().for_each(|line| lines.push(line));
    }
    let rows = pieces.iter().map(|piece| &piece.rows);
    let rows = arrow_select::concat::concat_batches(&last.rows.schema(), rows)?;
    Ok(Some(Chunk { rows, part: last.part, ordinals, lines, bad: Vec::new(), next: last.next }))
}

fn pick(chunk: Chunk, wanted: impl Fn(u64) -> bool) -> Result<Chunk, RunError> {
    let (mut ordinals, mut lines, mut rows) = (Numbering::default(), Numbering::default(), vec![]);
    for (row, ordinal) in (0_u32..).zip(chunk.ordinals.iter()) {
        if wanted(ordinal) {
            ordinals.push(ordinal);
            lines.push(chunk.lines.at(usize::try_from(row).unwrap_or(usize::MAX)));
            rows.push(row);
        }
    }
    let rows = take_record_batch(&chunk.rows, &UInt32Array::from(rows))?;
    Ok(Chunk { rows, ordinals, lines, ..chunk })
}

fn too_many_bad(bad: u64, bad_max: u64) -> RunError {
    RunError::Limit {
        message: format!(
            "{bad} rows of the source cannot be read, more than bad_lines_max = {bad_max}"
        ),
        hint: "look at the dead letters; if they are right, raise [limits] bad_lines_max"
            .to_owned(),
    }
}

fn judge_keys(losers: &mut Losers, names: &[String], frame: &Frame) -> Result<(), RunError> {
    let Some(key) = &frame.key else { return Ok(()) };
    for row in 0..frame.rows() {
        if key.hash(row).is_none() {
            let empty: Vec<&str> = names
                .iter()
                .map(String::as_str)
                .zip(key.parts(row))
                .filter(|(_, part)| part.is_none_or(|part| part.trim_end_matches(' ').is_empty()))
                .map(|(name, _)| name)
                .collect();
            let fate = Fate::dead("key_missing", format!("key `{}` is empty", empty.join("`, `")))
                .at(empty.first().copied().unwrap_or_default())
                .hint("give the row a key, or filter such rows out of the source");
            frame.settle_fate(row, &fate, None);
            continue;
        }
        let fate = match losers.standing(frame.chunk.ordinals.at(row))? {
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
