//! The journal: what a job did, kept so that nothing is lost or doubled.
//!
//! One SQLite file per job (WAL, owner-only, openable with any SQLite tool
//! through the views `v_runs`, `v_letters`, `v_outcomes`, `v_intents`). Does IO:
//! one thread of its own writes, in groups; reading is synchronous.
//!
//! ```text
//! Journal::open(path) -> begin(start) -> Run
//!     run.intent(..).await      before a request leaves; durable when it returns
//!     run.replied(..).await     after its reply, or after its doubt was resolved
//!     run.settle(..).await      when each row of a chunk has its outcome
//!     run.revise(..).await      when deferred rows of it have another one, or
//!                               all of them, judged again by another version
//!     run.finish(..).await      durable when it returns
//! Reader::open(path) -> runs, run, causes, letters, meant, outcomes, doubts, due
//! ```
//!
//! Promises:
//! - One run of a job at a time: a second [`Journal::open`] of one file is
//!   refused; the lock vanishes with the process, however that ends.
//! - What `intent` and `finish` have acknowledged survives a `kill -9`, and a
//!   power cut too with [`Durability::PowerCut`]. What was settled before either
//!   of them survives with it: messages are written in the order given.
//! - A write that fails is never lost silently: the call that waits for it says
//!   so, every later call says so again, and nothing more is written.
//! - A row costs well under a microsecond: outcomes and ids are one compressed
//!   blob a chunk, with rows of their own for letters only.
//!
//! Not here: the decision what to resume or replay, and the wording of reports.

mod chunk;
mod codec;
mod error;
mod letter;
mod lock;
mod place;
mod reader;
mod request;
mod run;
mod schema;
mod writer;

#[cfg(test)]
mod tests;

pub use chunk::{ChunkOutcomes, ChunkRecord, RevisedRow, Revision, RowLetter, SettledRow};
pub use error::JournalError;
pub use letter::{LetterEvent, LetterFilter, LetterState};
pub use reader::{Cause, ChunkSpan, DueRow, Judged, LetterRecord, Reader, Waiting};
pub use request::{Doubt, Fate, Intent, IntentId, Reply};
pub use run::{
    FrozenSource, NotARunId, Requests, RuleStanding, RuleUsed, RunEnd, RunId, RunKind, RunRecord,
    RunStart, RunStatus,
};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use lock::RunLock;
use writer::{Message, Writer};

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// The end of the process, however sudden (`synchronous = NORMAL`). After a
    /// power cut the last moments may be missing, the file is whole, and
    /// host-derived ids still prevent doubles.
    #[default]
    Process,
    /// A power cut too (`synchronous = FULL`): one disk flush per group of
    /// requests.
    PowerCut,
}

/// A job's journal, open for runs. Cheap to clone; the lock is held until the
/// last clone and the last [`Run`] are dropped, which then write what is queued
/// (a short blocking wait).
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    // Dropped in this order: the writer ends before the lock is free.
    writer: Writer,
    _lock: RunLock,
    path: PathBuf,
}

impl Journal {
    /// Opens or creates the journal at `path`, with folder, for the one run of
    /// the job; migrates older versions; marks runs that a vanished process left
    /// as [`RunStatus::Interrupted`].
    ///
    /// # Errors
    /// Another run is at work, a network file system, a file that is no journal
    /// or a newer one, or what the file system says.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, JournalError> {
        let path = place::prepare(path)?;
        let lock = RunLock::take(&path)?;
        place::tighten(&path)?;
        let connection = schema::open_writable(&path, durability)?;
        let writer = Writer::start(path.clone(), connection)?;
        let shared = Shared { writer, _lock: lock, path };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// A connection of its own for reading.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn reader(&self) -> Result<Reader, JournalError> {
        Reader::open(&self.shared.path)
    }

    /// Begins a run; durable when it returns.
    ///
    /// # Errors
    /// The write failed, now or before.
    pub async fn begin(&self, start: RunStart) -> Result<Run, JournalError> {
        let (row, id) = self
            .shared
            .writer
            .ask(|reply| Message::Begin { start: Box::new(start), reply })
            .await?;
        Ok(Run { shared: Arc::clone(&self.shared), row, id })
    }

    /// Goes on with a run that was interrupted or left incomplete, under these
    /// rules; durable when it returns. Where the run was last alive later than
    /// `now`, the clock was set back: its deferrals then wait as long from now as
    /// they had to from there.
    ///
    /// # Errors
    /// There is no such run, or the write failed, now or before.
    pub async fn resume(
        &self,
        id: &RunId,
        rules: Vec<RuleUsed>,
        now: Timestamp,
    ) -> Result<Run, JournalError> {
        let named = id.clone();
        let row = self
            .shared
            .writer
            .ask(|reply| Message::Resume { id: named, rules, now, reply })
            .await?;
        Ok(Run { shared: Arc::clone(&self.shared), row, id: id.clone() })
    }

    /// Drops the open letters that are meant, for a reason; tells how many.
    /// Durable when it returns.
    ///
    /// # Errors
    /// The write failed, now or before.
    pub async fn drop_letters(
        &self,
        filter: LetterFilter,
        reason: String,
        at: Timestamp,
    ) -> Result<u64, JournalError> {
        self.shared.writer.ask(|reply| Message::DropLetters { filter, reason, at, reply }).await
    }

    /// Removes runs, with all that belongs to them, that began before `before`
    /// and have no request of unknown fate, but never the last one nor the last
    /// replay; gives the space back. Tells how many.
    ///
    /// # Errors
    /// The write failed, now or before.
    pub async fn prune(&self, before: Timestamp) -> Result<u64, JournalError> {
        self.shared.writer.ask(|reply| Message::Prune { before, reply }).await
    }
}

/// The run that is being journalled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Run {
    shared: Arc<Shared>,
    row: i64,
    id: RunId,
}

impl Run {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// Journals a request before it leaves; durable when it returns. Calls that
    /// wait at the same time share one commit.
    ///
    /// # Errors
    /// The write failed, now or before: the request must not be sent.
    pub async fn intent(&self, intent: Intent) -> Result<IntentId, JournalError> {
        intent.check()?;
        let run = self.row;
        self.shared.writer.ask(|reply| Message::Intent { run, intent, reply }).await
    }

    /// Journals what became of a request of this run or, resolved in this one,
    /// of an earlier run. Queued; waits only while the queue is full.
    ///
    /// # Errors
    /// A write failed before.
    pub async fn replied(&self, intent: IntentId, reply: Reply) -> Result<(), JournalError> {
        self.shared.writer.tell(Message::Replied { intent, reply }).await
    }

    /// Journals the outcomes of a chunk, each row after its last step; once for
    /// each chunk number. Queued; waits only while the queue is full.
    ///
    /// # Errors
    /// Lists of different lengths, or a write failed before.
    pub async fn settle(&self, chunk: ChunkRecord) -> Result<(), JournalError> {
        chunk.check()?;
        let run = self.row;
        self.shared.writer.tell(Message::Settle { run, chunk: Box::new(chunk) }).await
    }

    /// Gives rows that were settled as deferred their new outcomes. Queued; waits
    /// only while the queue is full.
    ///
    /// # Errors
    /// A write failed before. One of a row that is not deferred ends all
    /// writing, unless the chunk is judged again: it would be counted twice.
    pub async fn revise(&self, revision: Revision) -> Result<(), JournalError> {
        let run = self.row;
        let revision = Box::new(revision);
        self.shared.writer.tell(Message::Revise { run, revision }).await
    }

    /// Notes which rules judge its rows from here on, and have judged them.
    /// Queued: written before the chunks that are told of later.
    ///
    /// # Errors
    /// A write failed before.
    pub async fn rules(&self, rules: Vec<RuleUsed>) -> Result<(), JournalError> {
        let run = self.row;
        self.shared.writer.tell(Message::Rules { run, rules }).await
    }

    /// Notes that the process is at work: what it might still have sent is told
    /// from that, should it vanish. Queued.
    ///
    /// # Errors
    /// A write failed before.
    pub async fn alive(&self, at: Timestamp) -> Result<(), JournalError> {
        let run = self.row;
        self.shared.writer.tell(Message::Alive { run, at }).await
    }

    /// A connection of its own for reading.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn reader(&self) -> Result<Reader, JournalError> {
        Reader::open(&self.shared.path)
    }

    /// Waits until everything told so far is durable.
    ///
    /// # Errors
    /// A write failed, now or before.
    pub async fn flush(&self) -> Result<(), JournalError> {
        self.shared.writer.ask(|reply| Message::Flush { reply }).await
    }

    /// Ends the run; durable, with everything told before, when it returns.
    ///
    /// # Errors
    /// A write failed, now or before: the run is not recorded as ended.
    pub async fn finish(&self, end: RunEnd) -> Result<(), JournalError> {
        let run = self.row;
        self.shared.writer.ask(|reply| Message::Finish { run, end: Box::new(end), reply }).await
    }
}
