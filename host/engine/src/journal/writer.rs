//! The one thread that writes: a bounded queue in, groups of messages out.
//!
//! A group is whatever waits when the thread is free, written in one
//! transaction, in the order given; who waits for an answer gets it after the
//! commit. The first failure ends all writing: it is kept, told to all of its
//! group, and to everybody who comes later.

mod letters;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{
    ChunkRecord, Intent, IntentId, JournalError, LetterFilter, Reply, Revision, RuleUsed, RunEnd,
    RunId, RunStart, schema,
};

/// Messages that wait: with chunks of 8,192 rows, about 8 MiB.
const QUEUE_MAX: usize = 32;

/// Messages in one transaction.
const GROUP_MAX: usize = 64;

pub(super) type Answer<T> = oneshot::Sender<Result<T, JournalError>>;

/// Everything that can be written.
#[derive(Debug)]
pub(super) enum Message {
    Begin { start: Box<RunStart>, reply: Answer<(i64, RunId)> },
    Resume { id: RunId, rules: Vec<RuleUsed>, now: Timestamp, reply: Answer<i64> },
    Alive { run: i64, at: Timestamp },
    Rules { run: i64, rules: Vec<RuleUsed> },
    Intent { run: i64, intent: Intent, reply: Answer<IntentId> },
    Replied { intent: IntentId, reply: Reply },
    Settle { run: i64, chunk: Box<ChunkRecord> },
    Revise { run: i64, revision: Box<Revision> },
    DropLetters { filter: LetterFilter, reason: String, at: Timestamp, reply: Answer<u64> },
    Flush { reply: Answer<()> },
    Finish { run: i64, end: Box<RunEnd>, reply: Answer<()> },
    Prune { before: Timestamp, reply: Answer<u64> },
}

/// The queue's near end. Dropping it writes what is queued, then joins the thread.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    // `None` only while it is dropped.
    queue: Option<mpsc::Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    failed: Arc<OnceLock<JournalError>>,
}

impl Writer {
    pub(super) fn start(path: PathBuf, connection: Connection) -> Result<Self, JournalError> {
        let (queue, messages) = mpsc::channel(QUEUE_MAX);
        let failed = Arc::new(OnceLock::new());
        let work = Work { path: path.clone(), connection, messages, failed: Arc::clone(&failed) };
        let thread = std::thread::Builder::new()
            .name("dvsync-journal".to_owned())
            .spawn(move || work.run())
            .map_err(|source| JournalError::io("start the writer of", &path, source))?;
        Ok(Self { path, queue: Some(queue), thread: Some(thread), failed })
    }

    /// Queues a message and waits for its commit.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        message: impl FnOnce(Answer<T>) -> Message,
    ) -> Result<T, JournalError> {
        let (reply, answer) = oneshot::channel();
        self.tell(message(reply)).await?;
        // On a thread that blocks, so that a paused clock knows of the wait.
        match tokio::task::spawn_blocking(move || answer.blocking_recv()).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) | Err(_) => Err(self.stopped()),
        }
    }

    /// Queues a message; waits only while the queue is full.
    pub(super) async fn tell(&self, message: Message) -> Result<(), JournalError> {
        if let Some(error) = self.failed.get() {
            return Err(error.clone());
        }
        match &self.queue {
            Some(queue) => queue.send(message).await.map_err(|_| self.stopped()),
            None => Err(self.stopped()),
        }
    }

    fn stopped(&self) -> JournalError {
        self.failed
            .get()
            .cloned()
            .unwrap_or_else(|| JournalError::Stopped { path: self.path.clone() })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(journal = %self.path.display(), "the journal's writer has panicked");
        }
        if let Some(error) = self.failed.get() {
            tracing::error!(%error, "the journal has stopped being written");
        }
    }
}

struct Work {
    path: PathBuf,
    connection: Connection,
    messages: mpsc::Receiver<Message>,
    failed: Arc<OnceLock<JournalError>>,
}

/// Tells the one who waits, after the commit or instead of it.
type Acknowledge = Box<dyn FnOnce(Result<(), JournalError>)>;

impl Work {
    fn run(mut self) {
        while let Some(first) = self.messages.blocking_recv() {
            let mut told = Vec::new();
            let written = match self.failed.get() {
                Some(error) => {
                    told.push(write_nothing(first));
                    Err(error.clone())
                }
                None => self.group(first, &mut told),
            };
            if let Err(error) = &written {
                self.failed.get_or_init(|| error.clone());
            }
            for acknowledge in told {
                acknowledge(written.clone());
            }
        }
    }

    fn group(&mut self, first: Message, told: &mut Vec<Acknowledge>) -> Result<(), JournalError> {
        let path = &self.path;
        let failed = |source| schema::told("write", path, source);
        let change = match self.connection.transaction_with_behavior(TransactionBehavior::Immediate)
        {
            Ok(change) => change,
            Err(source) => {
                told.push(write_nothing(first));
                return Err(failed(source));
            }
        };
        let mut next = Some(first);
        while let Some(message) = next {
            write(&change, path, message, told)?;
            next = if told.len() < GROUP_MAX { self.messages.try_recv().ok() } else { None };
        }
        change.commit().map_err(failed)
    }
}

/// Writes a message within the group's transaction and leaves its
/// acknowledgement, failed or not.
fn write(
    change: &Connection,
    path: &Path,
    message: Message,
    told: &mut Vec<Acknowledge>,
) -> Result<(), JournalError> {
    let failed = |source| schema::told("write", path, source);
    match message {
        Message::Begin { start, reply } => {
            answer(told, reply, rows::begin(change, &start).map_err(failed))
        }
        Message::Resume { id, rules, now, reply } => {
            let found = rows::resume(change, &id, &rules, now).map_err(failed);
            if let Ok(None) = found {
                // Nothing was written: the caller's mistake, not the journal's.
                let error = JournalError::NoSuchRun { path: path.to_owned(), run: id.to_string() };
                told.push(Box::new(move |written| send(reply, written.and(Err(error)))));
                return Ok(());
            }
            answer(told, reply, found.map(Option::unwrap_or_default))
        }
        Message::Intent { run, intent, reply } => {
            answer(told, reply, rows::intent(change, run, &intent).map_err(failed))
        }
        Message::Replied { intent, reply } => {
            told.push(Box::new(drop));
            rows::replied(change, intent, &reply).map_err(failed)
        }
        Message::Settle { run, chunk } => {
            told.push(Box::new(drop));
            rows::settle(change, path, run, &chunk)
        }
        Message::Alive { run, at } => {
            told.push(Box::new(drop));
            rows::alive(change, run, at).map_err(failed)
        }
        Message::Rules { run, rules } => {
            told.push(Box::new(drop));
            rows::rules(change, run, &rules).map_err(failed)
        }
        Message::Revise { run, revision } => {
            told.push(Box::new(drop));
            letters::revise(change, path, run, &revision)
        }
        Message::DropLetters { filter, reason, at, reply } => {
            answer(told, reply, letters::drop_letters(change, &filter, &reason, at).map_err(failed))
        }
        Message::Flush { reply } => answer(told, reply, Ok(())),
        Message::Finish { run, end, reply } => {
            answer(told, reply, rows::finish(change, run, &end).map_err(failed))
        }
        Message::Prune { before, reply } => {
            answer(told, reply, rows::prune(change, before).map_err(failed))
        }
    }
}

/// The acknowledgement of a message that was not written.
fn write_nothing(message: Message) -> Acknowledge {
    match message {
        Message::Begin { reply, .. } => refuse(reply),
        Message::Resume { reply, .. } => refuse(reply),
        Message::Intent { reply, .. } => refuse(reply),
        Message::Flush { reply } | Message::Finish { reply, .. } => refuse(reply),
        Message::Prune { reply, .. } | Message::DropLetters { reply, .. } => refuse(reply),
        Message::Replied { .. }
        | Message::Settle { .. }
        | Message::Revise { .. }
        | Message::Rules { .. }
        | Message::Alive { .. } => Box::new(drop),
    }
}

fn refuse<T: 'static>(reply: Answer<T>) -> Acknowledge {
    Box::new(move |written| {
        if let Err(error) = written {
            send(reply, Err(error));
        }
    })
}

fn answer<T: 'static>(
    told: &mut Vec<Acknowledge>,
    reply: Answer<T>,
    result: Result<T, JournalError>,
) -> Result<(), JournalError> {
    match result {
        Ok(value) => {
            told.push(Box::new(move |written| send(reply, written.map(|()| value))));
            Ok(())
        }
        Err(error) => {
            told.push(refuse(reply));
            Err(error)
        }
    }
}

fn send<T>(reply: Answer<T>, result: Result<T, JournalError>) {
    if reply.send(result).is_err() {
        tracing::debug!("nobody waits for the journal any more");
    }
}
