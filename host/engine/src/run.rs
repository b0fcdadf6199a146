//! One run, from job to report: the six verbs on one screen.

use std::sync::Arc;

use dvsync_dataverse::RequestCounts;
use futures::{Stream, StreamExt, TryStreamExt, stream};

use crate::blocking::unblock;
use crate::classify::{Classified, classify};
use crate::error::RunError;
use crate::job::Job;
use crate::journal::{
    Durability, FrozenSource, Journal, Requests, RuleUsed, Run, RunEnd, RunStart, RunStatus,
};
use crate::known::Known;
use crate::pack::{Packed, Packer};
use crate::plan::{self, Parts, Plan};
use crate::prepare::prepare;
use crate::progress::{Progress, Stage};
use crate::read::read;
use crate::report::{Report, status};
use crate::send::Sender;
use crate::settle::{Book, Failure};
use crate::spill::{Losers, Room};
use crate::stop::Stop;
use crate::survey::survey;

/// Chunks that are prepared or classified at the same time.
pub(crate) const CHUNKS: usize = 2;
/// Batches that are sent at the same time, whatever the principals would bear.
const BATCHES_MAX: usize = 64;

/// Runs a job.
///
/// # Errors
/// The run could not begin: nothing was written. Once it has begun, the report
/// tells how it ended, failures included.
pub async fn run(
    job: &Job,
    parts: Parts,
    progress: &Progress,
    stop: &Stop,
) -> Result<Report, RunError> {
    let began = parts.clock.now();
    progress.enter(Stage::Planning);
    let plan = Arc::new(plan::make(job, &parts).await?);
    let journal = open_journal(job).await?;
    let run = journal.begin(start(&plan, &parts)).await?;
    let before = parts.client.counts();

    let book = Arc::new(Book::new(Arc::clone(&plan), run.clone(), progress.clone()));
    let failure = Failure::default();
    // Its own wish to stop, so that a failure is not taken for Ctrl-C.
    let halt = Stop::new();
    let synced = sync(&plan, &parts, &run, &book, &failure, progress, &halt);
    tokio::pin!(synced);
    let ended = tokio::select! {
        ended = &mut synced => ended,
        () = stop.wait() => {
            halt.ask();
            synced.await
        }
    };
    failure.catch(ended, &halt);
    failure.catch(book.close().await, &halt);
    progress.enter(Stage::Done);

    let counts = book.counts();
    failure.catch(counts.check().map_err(|law| RunError::Bug(law.to_string())), &halt);
    let mut error = failure.take();
    let requests = requests(before, parts.client.counts());
    let end = RunEnd {
        ended: parts.clock.wall(),
        status: status(&counts, stop.asked(), error.as_ref()),
        counts,
        requests,
        message: error.as_ref().map(ToString::to_string),
    };
    let mut status = end.status;
    if let Err(lost) = run.finish(end).await {
        tracing::error!(error = %lost, "the end of the run could not be journalled");
        status = RunStatus::Failed;
        error = error.or(Some(lost.into()));
    }
    if let Ok(before) = parts.clock.wall().checked_sub(job.journal.retention)
        && let Err(error) = journal.prune(before).await
    {
        tracing::warn!(%error, "old runs stay in the journal");
    }
    let seconds = (parts.clock.now() - began).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let records_per_second = counts.read as f64 / seconds.max(1e-9);
    Ok(Report {
        run_id: run.id().clone(),
        job: job.name.clone(),
        mode: mode(job),
        status,
        counts,
        requests,
        seconds,
        records_per_second,
        rules: rules(&plan),
        causes: book.causes(),
        journal: journal.path().to_owned(),
        message: error.as_ref().map(ToString::to_string),
        hint: error.as_ref().and_then(RunError::hint),
        error,
    })
}

/// Read, prepare, classify, pack, send, settle.
async fn sync(
    plan: &Arc<Plan>,
    parts: &Parts,
    run: &Run,
    book: &Arc<Book>,
    failure: &Failure,
    progress: &Progress,
    stop: &Stop,
) -> Result<(), RunError> {
    let Some((losers, known)) = look_around(plan, parts, progress, stop).await? else {
        return Ok(());
    };
    progress.enter(Stage::Syncing);
    let sender = Sender {
        plan: Arc::clone(plan),
        client: parts.client.clone(),
        clock: parts.clock,
        run: run.clone(),
        stop: stop.clone(),
    };
    let batches =
        (plan.job.target.principals.len() * plan.job.target.concurrency_max).clamp(1, BATCHES_MAX);

    let frames =
        read(Arc::clone(plan), losers, stop.clone()).inspect_ok(|frame| book.opened(frame));
    let prepared = frames
        .map_ok(|frame| {
            let plan = Arc::clone(plan);
            async move { unblock(move || prepare(&plan, frame)).await? }
        })
        .try_buffered(CHUNKS);
    let classified =
        prepared.map_ok(|prepared| classify(plan, &known, prepared)).try_buffered(CHUNKS);
    let packed = pack(Packer::new(Arc::clone(plan), &room(plan)), classified);
    let sent = until_error(packed, failure.clone(), stop.clone())
        .map(|packed| sender.clone().send(packed))
        .buffer_unordered(batches);
    tokio::pin!(sent);
    while let Some((frames, ended)) = sent.next().await {
        failure.catch(ended, stop);
        failure.catch(book.settle(frames).await, stop);
    }
    Ok(())
}

/// What has to be known before the first row can be judged; `None` when asked
/// to stop meanwhile.
async fn look_around(
    plan: &Arc<Plan>,
    parts: &Parts,
    progress: &Progress,
    stop: &Stop,
) -> Result<Option<(Losers, Arc<Known>)>, RunError> {
    progress.enter(Stage::Surveying);
    let (of, watched, halt) = (Arc::clone(plan), progress.clone(), stop.clone());
    let surveyed =
        unblock(move || survey(&of.job, &of.source, &room(&of), &watched, &halt)).await??;
    let Some(surveyed) = surveyed else { return Ok(None) };
    progress.surveyed(surveyed.rows);
    progress.enter(Stage::ReadingTarget);
    let opening = Known::open(plan, &parts.client, room(plan), surveyed.rows, progress);
    tokio::select! {
        known = opening => Ok(Some((surveyed.losers, Arc::new(known?)))),
        () = stop.wait() => Ok(None),
    }
}

/// Batches as they fill, and after the last chunk those that did not.
fn pack(
    packer: Packer,
    classified: impl Stream<Item = Result<Classified, RunError>>,
) -> impl Stream<Item = Result<Packed, RunError>> {
    let classified = classified.map_ok(Some).chain(stream::iter([Ok(None)]));
    classified
        .scan(packer, |packer, next| {
            let packed = next.and_then(|next| match next {
                Some(classified) => packer.pack(classified),
                None => Ok(packer.rest()),
            });
            std::future::ready(Some(packed))
        })
        .map_ok(|packed| stream::iter(packed.into_iter().map(Ok)))
        .try_flatten()
}

/// The items up to the first error, which is noted: what is under way is
/// finished, nothing new begins.
fn until_error<T>(
    items: impl Stream<Item = Result<T, RunError>>,
    failure: Failure,
    stop: Stop,
) -> impl Stream<Item = T> {
    items
        .map(move |item| failure.catch(item, &stop))
        .take_while(|item| std::future::ready(item.is_some()))
        .filter_map(std::future::ready)
}

/// Where tables larger than memory go: beside the journal, on the same disk. All
/// tables of the run share the job's memory.
fn room(plan: &Plan) -> Room {
    const LEAST: usize = 4 << 20;
    let folder = plan.job.journal.path.parent().map(std::path::Path::to_owned);
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let lookups = plan.columns.iter().filter(|column| column.lookup.is_some()).count();
    // The target, what its filter lets through, keys of the source, ids written.
    let tables = lookups + 4;
    let memory_max = (plan.job.limits.memory / tables).max(LEAST);
    Room { memory_max, ..Room::new(folder.unwrap_or_else(|| ".".into())) }
}

async fn open_journal(job: &Job) -> Result<Journal, RunError> {
    let path = job.journal.path.clone();
    Ok(unblock(move || Journal::open(&path, Durability::default())).await??)
}

fn start(plan: &Plan, parts: &Parts) -> RunStart {
    let random = uuid::Uuid::new_v4().into_bytes();
    RunStart {
        job: plan.job.name.clone(),
        mode: mode(&plan.job),
        target: plan.job.target.address().to_owned(),
        organization: plan.organization,
        entity: plan.entity.logical_name.clone(),
        started: parts.clock.wall(),
        random: u16::from_le_bytes([random[0], random[1]]),
        rules: rules(plan),
        sources: plan
            .source
            .parts()
            .iter()
            .map(|part| FrozenSource {
                name: part.name.to_string(),
                bytes: part.bytes,
                modified: part.modified,
            })
            .collect(),
    }
}

fn rules(plan: &Plan) -> Vec<RuleUsed> {
    let used = plan.bound().map(|bound| RuleUsed {
        name: bound.description().name.clone(),
        version: bound.description().version.clone(),
        digest: bound.digest().to_owned(),
        judgement: bound.judgement().to_owned(),
    });
    used.into_iter().collect()
}

fn mode(job: &Job) -> String {
    format!("{:?}", job.mode).to_lowercase()
}

fn requests(before: RequestCounts, after: RequestCounts) -> Requests {
    Requests {
        sent: after.sent - before.sent,
        retried: after.retried - before.retried,
        throttled: after.throttled - before.throttled,
        failed: after.failed - before.failed,
    }
}
