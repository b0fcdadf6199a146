//! Send: a batch goes out, and each of its records gets its fate.
//!
//! The client retries what is certain; here is what is not. A batch refused for
//! its content is sent again as one `$batch` that goes on after errors, so that
//! two requests find all records at fault. Creates of unknown fate are looked
//! for by id before anything is sent again; updates and upserts say the same
//! thing twice without harm. Every request is journalled before it leaves.

mod doubt;
mod refusal;
mod second;

use std::sync::Arc;
use std::time::Duration;

use dvsync_dataverse::{
    Client, Clock, Disposition, Form, Operation, Refusal, Status, Write, Written,
};
use dvsync_model::Outcome;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::RunError;
use crate::fate::{Again, Fate};
use crate::frame::Frame;
use crate::journal::{self, Intent, Reply, Run};
use crate::pack::{Batch, Packed, Row};
use crate::pending::Pending;
use crate::plan::Plan;
use crate::stop::Stop;

/// What sending needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) plan: Arc<Plan>,
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    pub(crate) run: Run,
    pub(crate) stop: Stop,
    pub(crate) pending: Arc<Pending>,
}

/// Records that are (still) to be sent in one call.
struct Work {
    write: Write,
    rows: Vec<Row>,
    form: Form,
    /// Calls that these records were in before.
    tries: u32,
    /// An earlier call may have landed.
    doubtful: bool,
    /// Records that the service named as missing were taken out before.
    hinted: bool,
}

/// What one call leaves to be done.
enum Then {
    Nothing,
    Again(Vec<Work>),
}

impl Sender {
    /// Sends what was packed and settles its records. Gives back the frames
    /// whose ledgers changed, and what made the run impossible to go on with.
    pub(crate) async fn send(self, packed: Packed) -> (Vec<Arc<Frame>>, Result<(), RunError>) {
        let batch = match packed {
            Packed::Closed(frame) => {
                frame.close();
                return (vec![frame], Ok(()));
            }
            Packed::Batch(batch) => batch,
        };
        let mut frames: Vec<Arc<Frame>> =
            batch.rows.iter().map(|row| Arc::clone(&row.frame)).collect();
        frames.dedup_by_key(|frame| frame.number);
        let ended = self.send_batch(batch).await;
        (frames, ended)
    }

    async fn send_batch(&self, batch: Batch) -> Result<(), RunError> {
        let form = self.form(batch.write.operation(), batch.write.len());
        let mut stack = vec![Work {
            write: batch.write,
            rows: batch.rows,
            form,
            tries: 0,
            doubtful: false,
            hinted: false,
        }];
        while let Some(work) = stack.pop() {
            if self.stop.asked() {
                leave(&work);
                continue;
            }
            match self.call(work).await? {
                Then::Nothing => {}
                Then::Again(more) => stack.extend(more),
            }
        }
        Ok(())
    }

    /// How a batch goes out first.
    fn form(&self, operation: Operation, records: usize) -> Form {
        let bulk = self.plan.entity.bulk;
        let there = match operation {
            Operation::Create => bulk.create,
            Operation::Update => bulk.update,
            Operation::Upsert => bulk.upsert(),
        };
        if there && records > 1 { Form::Bulk } else { Form::Batch { continue_on_error: true } }
    }

    /// One call, journalled, and what its reply calls for.
    async fn call(&self, work: Work) -> Result<Then, RunError> {
        let intent = self.run.intent(self.intent(&work)).await?;
        let written = self.client.write(&work.write, work.form).await;
        self.run.replied(intent, self.reply(&written)).await?;
        match written {
            Written::Each(statuses) => self.each(work, statuses).await,
            Written::Refused(refusal) => self.refused(work, &refusal).await,
            Written::InDoubt(doubt) => self.doubt(work, &doubt).await,
            // Nothing of it has left: the rows are not reached.
            Written::NotNow(later) if later.cancelled => {
                leave(&work);
                Ok(Then::Nothing)
            }
            Written::NotNow(later) => {
                let hint = if later.code == "records_per_day" {
                    "run the job again tomorrow, or raise [limits] records_per_day"
                } else {
                    "run the job again later, or raise [limits] wait_max"
                };
                let fate = Fate::deferred(later.code, later.message)
                    .hint(hint)
                    .again(Again::NotBefore(self.wall_at(later.until)));
                self.settle_all(&work, &fate);
                Ok(Then::Nothing)
            }
            Written::Stop(error) => {
                leave(&work);
                Err(error.into())
            }
        }
    }

    /// A status for each record.
    async fn each(&self, work: Work, statuses: Vec<Status>) -> Result<Then, RunError> {
        if statuses.len() != work.rows.len() {
            return Err(RunError::Bug(format!(
                "{} statuses for {} records",
                statuses.len(),
                work.rows.len()
            )));
        }
        let (mut again, mut doubtful, mut landed) = (Vec::new(), Vec::new(), Vec::new());
        let mut stop = None;
        for (position, status) in statuses.into_iter().enumerate() {
            let row = &work.rows[position];
            match status {
                Status::Landed { created, id } => {
                    let outcome = outcome(work.write.operation(), created);
                    landed.push((row.clone(), outcome, id.or(row.known_id())));
                }
                Status::NotAttempted => again.push(position),
                Status::Refused(refusal) => match refusal.disposition {
                    Disposition::StopRun => {
                        row.frame.leave(row.at());
                        stop = Some(refusal::stopped(&refusal));
                    }
                    Disposition::LookBeforeResend => doubtful.push(position),
                    Disposition::RetryNow
                    | Disposition::RetryAfter
                    | Disposition::OtherPrincipal
                    | Disposition::RefreshToken => {
                        if work.tries + 1 < self.plan.job.retry.attempts {
                            again.push(position);
                        } else {
                            self.settle_refused(&work, row, &refusal, true);
                        }
                    }
                    Disposition::Defer => self.settle_refused(&work, row, &refusal, true),
                    Disposition::Landed
                    | Disposition::Narrow
                    | Disposition::Halve
                    | Disposition::DeadLetter => self.settle_refused(&work, row, &refusal, false),
                },
            }
        }
        self.landed(landed).await?;
        let mut more = Vec::new();
        if !doubtful.is_empty() {
            let part = part(&work, &doubtful);
            match self.look(part, "it clashed with a record that is there already").await? {
                Then::Nothing => {}
                Then::Again(work) => more.extend(work),
            }
        }
        if !again.is_empty() {
            let mut part = part(&work, &again);
            part.form = Form::Batch { continue_on_error: true };
            part.tries += 1;
            self.pause(&part).await;
            more.push(part);
        }
        if let Some(error) = stop {
            for work in &more {
                leave(work);
            }
            return Err(error);
        }
        Ok(if more.is_empty() { Then::Nothing } else { Then::Again(more) })
    }

    /// The whole call was refused; nothing landed.
    async fn refused(&self, mut work: Work, refusal: &Refusal) -> Result<Then, RunError> {
        let single = work.rows.len() == 1;
        match refusal.disposition {
            Disposition::StopRun => {
                leave(&work);
                Err(refusal::stopped(refusal))
            }
            Disposition::LookBeforeResend => {
                self.look(work, "it clashed with a record that is there already").await
            }
            Disposition::Narrow | Disposition::DeadLetter | Disposition::Landed if !single => {
                work.tries += 1;
                match work.form {
                    Form::Bulk if refusal::names_missing(&work, refusal) => {
                        Ok(self.without_missing(work, refusal))
                    }
                    Form::Bulk => {
                        work.form = Form::Batch { continue_on_error: true };
                        Ok(Then::Again(vec![work]))
                    }
                    // Even the batch that goes on after errors was refused.
                    Form::Batch { .. } => Ok(Then::Again(halves(&work))),
                }
            }
            Disposition::Halve if !single => Ok(Then::Again(halves(&work))),
            Disposition::Narrow
            | Disposition::DeadLetter
            | Disposition::Landed
            | Disposition::Halve => {
                self.settle_refused(&work, &work.rows[0], refusal, false);
                Ok(Then::Nothing)
            }
            // The client has tried as often as the job allows.
            Disposition::RetryNow
            | Disposition::RetryAfter
            | Disposition::OtherPrincipal
            | Disposition::RefreshToken
            | Disposition::Defer => {
                for row in &work.rows {
                    self.settle_refused(&work, row, refusal, true);
                }
                Ok(Then::Nothing)
            }
        }
    }

    /// Records that landed: settled, or on to their second step.
    async fn landed(&self, landed: Vec<(Row, Outcome, Option<Uuid>)>) -> Result<(), RunError> {
        let mut second = Vec::new();
        for (row, outcome, id) in landed {
            if row.then_state.is_some() {
                second.push(row);
            } else {
                row.frame.settle(row.at(), outcome, id);
            }
        }
        if second.is_empty() { Ok(()) } else { self.set_states(second).await }
    }

    fn settle_refused(&self, work: &Work, row: &Row, refusal: &Refusal, later: bool) {
        let fate = refusal::fate(&self.plan, work.write.operation(), refusal, later);
        row.settle_fate(&fate, row.known_id());
    }

    fn settle_all(&self, work: &Work, fate: &Fate) {
        for row in &work.rows {
            row.settle_fate(fate, row.known_id());
        }
    }

    /// Waits before these records are sent again; the wish to stop ends the wait.
    async fn pause(&self, work: &Work) {
        let retry = self.plan.job.retry;
        let wait = retry.base.saturating_mul(1 << work.tries.min(16)).min(retry.max);
        // Half fixed, half by chance: workers that failed together spread out. On
        // a clock that is set, the same chances come again.
        let first = work.rows.first().map_or(0, |row| row.frame.chunk.ordinals.at(row.at()));
        let now = self.clock.wall().as_microsecond();
        let hash = xxh3_64_with_seed(&now.to_le_bytes(), first);
        let [low, high, ..] = hash.to_le_bytes();
        let chance = f64::from(u16::from_le_bytes([low, high])) / f64::from(u16::MAX);
        let wait = wait / 2 + Duration::from_secs_f64(wait.as_secs_f64() / 2.0 * chance);
        let until = self.clock.now() + wait;
        tokio::select! {
            () = self.clock.sleep_until(until) => {}
            () = self.stop.wait() => {}
        }
    }

    fn intent(&self, work: &Work) -> Intent {
        let operation = match work.write.operation() {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Upsert => "upsert",
        };
        let supersedes = if self.pending.is_empty() {
            Vec::new()
        } else {
            let marks = |row: &Row| {
                let marks = self.pending.of(row.frame.key_hash(row.at()), row.known_id());
                marks.collect::<Vec<_>>()
            };
            work.rows.iter().flat_map(marks).collect()
        };
        let unnamed = |row: &Row| if row.id.is_nil() { row.key } else { None };
        Intent {
            at: self.clock.wall(),
            request: Uuid::new_v4(),
            operation: operation.into(),
            ordinals: work.rows.iter().map(|row| row.frame.chunk.ordinals.at(row.at())).collect(),
            ids: work.rows.iter().map(Row::known_id).collect(),
            keys: work.rows.iter().map(unnamed).collect(),
            supersedes,
        }
    }

    /// The wall's time when the client's clock shows this.
    fn wall_at(&self, when: Duration) -> jiff::Timestamp {
        let (now, wall) = (self.clock.now(), self.clock.wall());
        let moved = match when.checked_sub(now) {
            Some(ahead) => wall.checked_add(ahead),
            None => wall.checked_sub(now.saturating_sub(when)),
        };
        moved.unwrap_or(jiff::Timestamp::MAX)
    }

    fn reply(&self, written: &Written) -> Reply {
        let mut reply = Reply {
            at: self.clock.wall(),
            fate: journal::Fate::Landed,
            landed: 0,
            status: None,
            service_request: None,
            message: None,
            until: None,
        };
        match written {
            Written::Each(statuses) => {
                let landed = |status: &&Status| matches!(status, Status::Landed { .. });
                let count = statuses.iter().filter(landed).count();
                reply.landed = u32::try_from(count).unwrap_or(u32::MAX);
            }
            Written::Refused(refusal) => {
                reply.fate = journal::Fate::Refused;
                reply.status = Some(refusal.status);
                reply.service_request.clone_from(&refusal.request_id);
                reply.message = Some(refusal.message.clone());
            }
            Written::InDoubt(doubt) => {
                reply.fate = journal::Fate::InDoubt;
                reply.status = doubt.status;
                reply.service_request.clone_from(&doubt.request_id);
                reply.message = Some(doubt.message.clone());
                let within = self.plan.job.limits.commit_within;
                reply.until = self.wall_at(doubt.sent_at).checked_add(within).ok();
            }
            Written::NotNow(later) => {
                reply.fate = journal::Fate::Refused;
                reply.message = Some(later.message.clone());
            }
            Written::Stop(error) => {
                reply.fate = journal::Fate::Refused;
                reply.message = Some(error.to_string());
            }
        }
        reply
    }
}

fn outcome(operation: Operation, created: Option<bool>) -> Outcome {
    match (operation, created) {
        (Operation::Create, _) | (Operation::Upsert, Some(true)) => Outcome::Created,
        (Operation::Update, _) | (Operation::Upsert, Some(false)) => Outcome::Updated,
        (Operation::Upsert, None) => Outcome::Upserted,
    }
}

/// The run ends before these records were written: they have no outcome.
/// Those that may have landed all the same stay in doubt in the journal.
fn leave(work: &Work) {
    for row in &work.rows {
        if work.doubtful {
            let fate = Fate::deferred(
                "in_doubt",
                "no reply came, and the run ended before it was looked for",
            )
            .hint("run the job again: it looks before it writes");
            row.settle_fate(&fate, row.known_id());
        } else {
            row.frame.leave(row.at());
        }
    }
}

fn part(work: &Work, positions: &[usize]) -> Work {
    Work {
        write: work.write.subset(positions),
        rows: positions.iter().map(|&position| work.rows[position].clone()).collect(),
        form: work.form,
        tries: work.tries,
        doubtful: work.doubtful,
        hinted: work.hinted,
    }
}

fn halves(work: &Work) -> Vec<Work> {
    let middle = work.rows.len() / 2;
    let (first, second): (Vec<usize>, Vec<usize>) =
        (0..work.rows.len()).partition(|&position| position < middle);
    // The stack gives back the last one first: order is kept.
    vec![part(work, &second), part(work, &first)]
}
