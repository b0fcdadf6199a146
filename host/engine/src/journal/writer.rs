//! The one thread that writes: a bounded queue in, groups of messages out.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{ChunkRecord, Intent, IntentId, JournalError, Reply, RunEnd, RunId, RunStart};

pub(super) type Answer<T> = oneshot::Sender<Result<T, JournalError>>;

pub(super) enum Message {
    Begin { start: Box<RunStart>, reply: Answer<(i64, RunId)> },
    Resume { id: RunId, reply: Answer<i64> },
    Intent { run: i64, intent: Intent, reply: Answer<IntentId> },
    Replied { intent: IntentId, reply: Reply },
    Settle { run: i64, chunk: Box<ChunkRecord> },
    Flush { reply: Answer<()> },
    Finish { run: i64, end: Box<RunEnd>, reply: Answer<()> },
    Prune { before: Timestamp, reply: Answer<u64> },
}

#[derive(Debug)]
pub(super) struct Writer {}

impl Writer {
    pub(super) fn start(path: PathBuf, connection: Connection) -> Result<Self, JournalError> {
        todo!()
    }

    pub(super) async fn ask<T>(
        &self,
        message: impl FnOnce(Answer<T>) -> Message,
    ) -> Result<T, JournalError> {
        todo!()
    }

    pub(super) async fn tell(&self, message: Message) -> Result<(), JournalError> {
        todo!()
    }
}
