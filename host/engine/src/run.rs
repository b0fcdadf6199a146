//! One run, from job to report: the six verbs on one screen.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::{FutureExt, Stream, StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use crate::blocking::unblock;
use crate::classify::{Attempt, Classified, classify};
use crate::error::RunError;
use crate::flight::Flight;
use crate::holds::{Holds, settle_doubts};
use crate::job::Job;
use crate::journal::{LetterFilter, Run};
use crate::known::Known;
use crate::letters::LeftAlone;
use crate::opening::{Opened, RulesOnResume, Way, room};
use crate::pack::{Packed, Packer};
use crate::plan::{Parts, Plan};
use crate::progress::{Progress, Stage};
use crate::read::{Pass, read};
use crate::report::Report;
use crate::send::Sender;
use crate::settle::{Book, Failure};
use crate::spent::note_spent;
use crate::spill::Losers;
use crate::stop::Stop;
use crate::survey::survey;
use crate::swap::Judging;

/// Chunks that are prepared or classified at the same time.
pub(crate) const CHUNKS: usize = 2;
/// Batches that are sent at the same time, whatever the principals would bear.
const BATCHES_MAX: usize = 128;
/// Part of the job's memory that the bodies of batches under way may take.
const IN_FLIGHT: usize = 2;
/// How often a run says that it is alive, at most.
const BEAT_MAX: Duration = Duration::from_secs(15);

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
    Ok(begin(job, parts, Way::Anew, progress, stop).await?.0)
}

/// Goes on with the job's last run, which was stopped, killed or left with
/// deferrals. The report counts what the run has done before, too.
///
/// # Errors
/// There is nothing to go on with, or its source or rule has changed; else as
/// [`run`].
pub async fn resume(
    job: &Job,
    parts: Parts,
    rules: RulesOnResume,
    progress: &Progress,
    stop: &Stop,
) -> Result<Report, RunError> {
    Ok(begin(job, parts, Way::Resume(rules), progress, stop).await?.0)
}

/// Sends the rows of open letters through the rule and mapping of the job as it
/// is now; tells which letters were left alone.
///
/// # Errors
/// No letter is meant; else as [`run`].
pub async fn replay(
    job: &Job,
    parts: Parts,
    letters: LetterFilter,
    progress: &Progress,
    stop: &Stop,
) -> Result<(Report, LeftAlone), RunError> {
    begin(job, parts, Way::Replay(letters), progress, stop).await
}

async fn begin(
    job: &Job,
    parts: Parts,
    way: Way,
    progress: &Progress,
    stop: &Stop,
) -> Result<(Report, LeftAlone), RunError> {
    let began = parts.clock.now();
    progress.enter(Stage::Planning);
    let opened = Opened::open(job, &parts, way).await?;
    note_spent(job, &parts.client, &opened.journal, parts.clock.wall()).await?;
    let began = (began, parts.client.counts(), parts.client.principals());
    let (plan, run, clock) = (&opened.plan, &opened.run, parts.clock);
    let pending = Arc::clone(&opened.pending);
    let book = Arc::new(Book::new(Arc::clone(plan), run.clone(), clock, progress.clone(), pending));
    opened.remember(&book).await?;
    let (swaps, before) = (parts.swaps.clone(), opened.rules_before.clone());
    let judging = Arc::new(Judging::new(plan, run.clone(), clock, swaps, before));
    let course = Course {
        plan,
        parts: &parts,
        opened: &opened,
        run,
        book: &book,
        judging: &judging,
        holds: OnceLock::new(),
        failure: Failure::default(),
        progress,
        // Its own wish to stop, so that a failure is not taken for Ctrl-C.
        halt: Stop::new(),
    };
    let synced = course.watched(stop).await;
    course.failure.catch(synced, &course.halt);
    Ok((course.close(job, began, stop.asked()).await, opened.left))
}

/// What the passes of a run share.
pub(crate) struct Course<'a> {
    pub(crate) plan: &'a Arc<Plan>,
    pub(crate) parts: &'a Parts,
    pub(crate) opened: &'a Opened,
    pub(crate) run: &'a Run,
    pub(crate) book: &'a Arc<Book>,
    pub(crate) judging: &'a Arc<Judging>,
    holds: OnceLock<Arc<Holds>>,
    pub(crate) failure: Failure,
    pub(crate) progress: &'a Progress,
    pub(crate) halt: Stop,
}

impl Course<'_> {
    /// The run, until it ends or somebody asks it to; it says that it is alive.
    async fn watched(&self, stop: &Stop) -> Result<(), RunError> {
        let clock = self.parts.clock;
        let synced = self.sync();
        tokio::pin!(synced);
        let mut beat = clock.now();
        loop {
            tokio::select! {
                ended = &mut synced => return ended,
                () = stop.wait(), if !self.halt.asked() => self.halt.ask(),
                () = clock.sleep_until(beat) => {
                    let told = self.run.alive(clock.wall()).await;
                    self.failure.catch(told.map_err(RunError::from), &self.halt);
                    beat = clock.now() + beat_of(self.plan);
                }
            }
        }
    }

    /// The source, then what was deferred.
    async fn sync(&self) -> Result<(), RunError> {
        let Some((losers, known)) = self.look_around().await? else { return Ok(()) };
        self.progress.enter(Stage::Syncing);
        let (from, replayed) = (self.opened.from.clone(), self.opened.replayed.clone());
        self.pass(Pass::Source { losers, from, replayed }, &known).await;
        let wait = self.plan.job.retry.deferred_deadline;
        let deadline = self.parts.clock.wall().saturating_add(wait).unwrap_or(Timestamp::MAX);
        loop {
            self.judge_again().await?;
            self.rounds(deadline).await?;
            // What was deferred may have cost a version its trial.
            if self.halt.asked() || self.judging.lost().is_none() {
                return Ok(());
            }
        }
    }

    /// Read, prepare, classify, pack, send, settle.
    pub(crate) async fn pass(&self, pass: Pass, known: &Arc<Known>) {
        let (plan, failure, halt) = (self.plan, &self.failure, &self.halt);
        let sender = Sender {
            plan: Arc::clone(plan),
            client: self.parts.client.heeding(halt.cancel()),
            clock: self.parts.clock,
            run: self.run.clone(),
            stop: halt.clone(),
            pending: Arc::clone(&self.opened.pending),
        };
        let target = &plan.job.target;
        let batches = (target.principals.len() * target.concurrency_max).clamp(1, BATCHES_MAX);

        let numbers = match &pass {
            Pass::Source { from, .. } => Some(AtomicU64::new(from.number)),
            // Their frames are known by the chunks that they were settled with.
            Pass::Deferred { .. } | Pass::Again { .. } => None,
        };
        let numbers = numbers.as_ref();
        let parts = read(Arc::clone(plan), pass, halt.clone())
            .and_then(|frame| async move {
                match numbers {
                    Some(numbers) => self.judging.take(frame, numbers).await,
                    None => Ok(vec![self.judging.whole(frame)]),
                }
            })
            .map_ok(|parts| stream::iter(parts.into_iter().map(Ok)))
            .try_flatten()
            .inspect_ok(|part| self.book.opened(&part.frame));
        let prepared = parts.map_ok(Attempt::at).try_buffered(CHUNKS);
        let classified =
            prepared.map_ok(|attempt| classify(self.judging, known, attempt)).try_buffered(CHUNKS);
        let seen = Arc::clone(&self.opened.seen);
        let packed = pack(Packer::new(Arc::clone(plan), seen, &room(plan)), classified);
        let flight = Flight::of(plan.job.limits.memory / IN_FLIGHT);
        let sent = until_error(packed, failure.clone(), halt.clone())
            .then(|packed| {
                let flight = flight.clone();
                async move { (flight.enter(packed.bytes()).await, packed) }
            })
            .map(|(permit, packed)| sender.clone().send(packed).inspect(|_| drop(permit)))
            .buffer_unordered(batches);
        tokio::pin!(sent);
        while let Some((frames, ended)) = sent.next().await {
            failure.catch(ended, halt);
            failure.catch(self.book.settle(frames).await, halt);
        }
    }

    /// What has to be known before the first row can be judged; `None` when
    /// asked to stop meanwhile.
    async fn look_around(&self) -> Result<Option<(Losers, Arc<Known>)>, RunError> {
        self.progress.enter(Stage::Surveying);
        let (of, watched, halt) = (Arc::clone(self.plan), self.progress.clone(), self.halt.clone());
        let surveyed =
            unblock(move || survey(&of.job, &of.source, &room(&of), &watched, &halt)).await??;
        let Some(surveyed) = surveyed else { return Ok(None) };
        self.progress.surveyed(surveyed.rows);
        self.progress.enter(Stage::ReadingTarget);
        let doubts = settle_doubts(
            &self.opened.journal,
            self.run,
            &self.parts.client,
            &self.plan.entity,
            self.plan.job.limits.commit_within,
            beat_of(self.plan),
        );
        let holds = tokio::select! {
            holds = doubts => holds?,
            () = self.halt.wait() => return Ok(None),
        };
        self.holds.get_or_init(|| Arc::new(holds));
        let known = self.known(surveyed.rows).await?;
        Ok(known.map(|known| (surveyed.losers, Arc::new(known))))
    }

    /// The target as it is now; `None` when asked to stop meanwhile.
    pub(crate) async fn known(&self, rows: u64) -> Result<Option<Known>, RunError> {
        let (plan, client) = (self.plan, &self.parts.client);
        let holds = self.holds.get().cloned().unwrap_or_default();
        tokio::select! {
            known = Known::open(plan, client, room(plan), rows, self.progress, holds) => {
                let mut known = known?;
                known.unsettled = Arc::clone(&self.opened.unsettled);
                Ok(Some(known))
            }
            () = self.halt.wait() => Ok(None),
        }
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

/// How often the run says that it is alive: what its process may have sent
/// unseen is told from that.
fn beat_of(plan: &Plan) -> Duration {
    (plan.job.limits.commit_within / 10).clamp(Duration::from_millis(100), BEAT_MAX)
}
