//! The rows of one chunk on their way from read to settled, and the ledger
//! that gives each of them exactly one outcome.
//!
//! A frame is shared by the batches that its records went into. Whoever learns
//! a record's fate writes it here; [`Frame::close`] and the last fate together
//! make the chunk complete. A second fate for one row is a bug and is refused.
//! All rows of a frame are judged by one generation of the rule: where two take
//! part, the chunk is cut into a frame for each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow_array::RecordBatch;
use dvsync_model::{KeyHash, Letter, Origin, Outcome};
use dvsync_sources::{Chunk, Position};
use uuid::Uuid;

use crate::fate::{Again, Fate};
use crate::journal::{DueRow, SettledRow};
use crate::keys::KeyColumns;
use crate::letters::Replayed;

mod cut;

/// The rows of one chunk.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Chunks are numbered from 0 in the order in which they are read.
    pub(crate) number: u64,
    /// File, as the job names it.
    pub(crate) file: Arc<str>,
    /// What was read, with where each row stood.
    pub(crate) chunk: Chunk,
    /// The source's own key, where the job names one.
    pub(crate) key: Option<KeyColumns>,
    /// Source columns whose values never leave in a letter.
    pub(crate) masked: Arc<[String]>,
    /// Where in the source the chunk begins.
    pub(crate) start: Position,
    /// Rows that were settled as deferred before.
    pub(crate) again: Option<TriedAgain>,
    /// Rows that were settled under a version that was rolled back.
    pub(crate) judged_again: Option<JudgedAgain>,
    /// The letters that the rows were.
    pub(crate) replayed: Option<Arc<Replayed>>,
    judgement: OnceLock<Arc<str>>,
    ledger: Mutex<Ledger>,
}

/// Rows that were settled as deferred and are tried again.
#[derive(Debug)]
pub(crate) struct TriedAgain {
    /// The chunk that they were settled with.
    pub(crate) chunk: u64,
    /// Their deferrals, by row of the frame; all of its rows have one.
    pub(crate) rows: BTreeMap<u32, DueRow>,
}

/// Rows that were settled under a version that was rolled back.
#[derive(Debug)]
pub(crate) struct JudgedAgain {
    /// The chunk that they were settled with.
    pub(crate) chunk: u64,
    /// The judgement that is not valid any more.
    pub(crate) judgement: Arc<str>,
    /// What had become of them, by row of the frame; all of its rows have one.
    pub(crate) rows: BTreeMap<u32, SettledRow>,
}

impl JudgedAgain {
    /// What had become of a row.
    pub(crate) fn of(&self, row: usize) -> Option<&SettledRow> {
        self.rows.get(&u32::try_from(row).ok()?)
    }
}

/// Why a row is not written.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) row: u32,
    pub(crate) outcome: Outcome,
    pub(crate) letter: Letter,
    pub(crate) again: Again,
    /// Its record was in a request of this run.
    pub(crate) sent: bool,
}

/// Outcomes and letters, by row.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// One a good row; `None` until it is known, and for ever if the run
    /// stopped before.
    pub(crate) outcomes: Vec<Option<Outcome>>,
    /// Target ids, nil where there is none.
    pub(crate) ids: Vec<Uuid>,
    /// Why rows are dropped, deferred or dead letters, by row.
    pub(crate) letters: Vec<Told>,
    /// Rows that the run ended before.
    pub(crate) not_reached: usize,
    open: usize,
    closed: bool,
}

impl Frame {
    /// What is logged while a rule judges its rows stands in this span: at any
    /// level, so that it is there whenever a line of the rule is.
    pub(crate) fn span(&self) -> tracing::Span {
        tracing::error_span!("judge", chunk = self.number)
    }

    /// A frame with no fate decided, but for the rows that could not be read.
    pub(crate) fn new(
        number: u64,
        file: Arc<str>,
        chunk: Chunk,
        key: Option<KeyColumns>,
        masked: Arc<[String]>,
    ) -> Self {
        let rows = chunk.rows.num_rows();
        let ledger = Ledger {
            outcomes: vec![None; rows],
            ids: vec![Uuid::nil(); rows],
            letters: Vec::new(),
            not_reached: 0,
            open: rows,
            closed: false,
        };
        Self {
            number,
            file,
            chunk,
            key,
            masked,
            start: Position::default(),
            again: None,
            judged_again: None,
            replayed: None,
            judgement: OnceLock::new(),
            ledger: Mutex::new(ledger),
        }
    }

    /// The same rows as if they had just been read: nothing has become of them.
    pub(crate) fn as_read(&self) -> Self {
        let (file, masked) = (Arc::clone(&self.file), Arc::clone(&self.masked));
        Self::new(self.number, file, self.chunk.clone(), self.key.clone(), masked)
    }

    /// The deferral that a row has come from, where it is tried again.
    fn tried(&self, row: usize) -> Option<&DueRow> {
        self.again.as_ref()?.rows.get(&u32::try_from(row).ok()?)
    }

    /// How often this run has deferred the row before.
    pub(crate) fn tries(&self, row: usize) -> u32 {
        self.tried(row).map_or(0, |due| due.attempts)
    }

    /// Its record was in a request of this run before.
    pub(crate) fn was_sent(&self, row: usize) -> bool {
        self.tried(row).is_some_and(|due| due.sent)
    }

    /// This run has written this record for the row before, under a version
    /// that was rolled back. Nil: whichever record it was.
    pub(crate) fn has_written(&self, row: usize, id: Uuid) -> bool {
        let settled = self.judged_again.as_ref().and_then(|again| again.of(row));
        settled
            .is_some_and(|settled| settled.is_written() && (id.is_nil() || settled.id == Some(id)))
    }

    /// Names the judgement id that all of its rows are judged under; the first
    /// one stands.
    pub(crate) fn judge(&self, judgement: Arc<str>) {
        if self.judgement.set(judgement).is_err() {
            tracing::error!(chunk = self.number, "a part of a chunk was judged twice");
        }
    }

    /// That judgement id, once it is known.
    pub(crate) fn judgement(&self) -> Option<Arc<str>> {
        self.judgement.get().cloned()
    }

    /// Its record's first step has landed before.
    pub(crate) fn landed_partially(&self, row: usize) -> bool {
        let letter = || self.replayed.as_ref()?.of(self.chunk.ordinals.at(row));
        self.tried(row).is_some_and(|due| due.landed_partially)
            || letter().is_some_and(|letter| letter.landed_partially)
    }

    /// Hash of a row's source key.
    pub(crate) fn key_hash(&self, row: usize) -> Option<KeyHash> {
        self.key.as_ref().and_then(|key| key.hash(row))
    }

    /// Good rows.
    pub(crate) fn rows(&self) -> usize {
        self.chunk.rows.num_rows()
    }

    /// The source rows.
    pub(crate) fn source(&self) -> &RecordBatch {
        &self.chunk.rows
    }

    /// Where reading goes on after this chunk.
    pub(crate) fn next(&self) -> Position {
        self.chunk.next
    }

    /// Rows without an outcome so far, ascending.
    pub(crate) fn open_rows(&self) -> Vec<u32> {
        let ledger = self.locked();
        (0_u32..)
            .zip(&ledger.outcomes)
            .filter(|(_, outcome)| outcome.is_none())
            .map(|(row, _)| row)
            .collect()
    }

    /// Gives a row its outcome. `fate` explains outcomes that need it.
    pub(crate) fn settle(&self, row: usize, outcome: Outcome, id: Option<Uuid>) {
        self.locked().settle(row, outcome, id);
    }

    /// Gives a row the outcome of a fate, with its letter.
    pub(crate) fn settle_fate(&self, row: usize, fate: &Fate, id: Option<Uuid>) {
        self.tell(row, fate, id, false);
    }

    /// The same for a row whose record was in a request.
    pub(crate) fn settle_sent(&self, row: usize, fate: &Fate, id: Option<Uuid>) {
        self.tell(row, fate, id, true);
    }

    fn tell(&self, row: usize, fate: &Fate, id: Option<Uuid>, sent: bool) {
        let letter = self.letter(row, fate, id);
        let mut ledger = self.locked();
        ledger.settle(row, fate.outcome, id);
        ledger.letters.push(Told {
            row: u32::try_from(row).unwrap_or(u32::MAX),
            outcome: fate.outcome,
            letter,
            again: fate.again,
            sent: sent || self.was_sent(row),
        });
    }

    /// The run stopped before this row was sent: it has no outcome.
    pub(crate) fn leave(&self, row: usize) {
        let mut ledger = self.locked();
        debug_assert!(ledger.outcomes[row].is_none(), "row {row} is settled already");
        ledger.not_reached += 1;
        ledger.open -= 1;
    }

    /// No further record of this frame will be packed.
    pub(crate) fn close(&self) {
        self.locked().closed = true;
    }

    /// The ledger, once, when every row has its fate; `None` before and after.
    pub(crate) fn complete(&self) -> Option<Ledger> {
        let mut ledger = self.locked();
        if ledger.closed && ledger.open == 0 {
            ledger.closed = false;
            Some(std::mem::take(&mut *ledger))
        } else {
            None
        }
    }

    /// The ledger as it is, when the run ends before the chunk is complete:
    /// open rows count as not reached.
    pub(crate) fn abandon(&self) -> Ledger {
        let mut ledger = std::mem::take(&mut *self.locked());
        ledger.not_reached += ledger.open;
        ledger.open = 0;
        ledger
    }

    /// Letters of the rows that could not be read, in the order of `chunk.bad`.
    pub(crate) fn unreadable(&self) -> impl Iterator<Item = (u64, Letter)> + '_ {
        self.chunk.bad.iter().map(|bad| {
            let replayed = self.replayed.as_ref().and_then(|letters| letters.of(bad.ordinal));
            let read = || Origin { file: Arc::clone(&self.file), line: bad.line };
            let letter = Letter {
                origin: replayed.map_or_else(read, |letter| letter.origin.clone()),
                key: None,
                code: bad.code.to_owned(),
                column: bad.column.clone(),
                message: bad.message.clone(),
                hint: bad.hint.clone(),
                id: None,
                landed_partially: false,
                row: bad.text.clone(),
            };
            (bad.ordinal, letter)
        })
    }

    fn letter(&self, row: usize, fate: &Fate, id: Option<Uuid>) -> Letter {
        let read = || Origin { file: Arc::clone(&self.file), line: self.chunk.lines.at(row) };
        let letter = || self.replayed.as_ref()?.of(self.chunk.ordinals.at(row));
        Letter {
            origin: letter().map_or_else(read, |letter| letter.origin.clone()),
            key: self.key.as_ref().and_then(|key| key.shown(row)),
            code: fate.code.to_string(),
            column: fate.column.clone(),
            message: fate.message.clone(),
            hint: fate.hint.as_deref().map(str::to_owned),
            id,
            landed_partially: fate.landed_partially || self.landed_partially(row),
            row: Some(crate::letter_row::render(self.source(), row, &self.masked)),
        }
    }

    fn locked(&self) -> MutexGuard<'_, Ledger> {
        // A panic while it was held left no half-written row: each change is one
        // assignment after its checks.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    fn settle(&mut self, row: usize, outcome: Outcome, id: Option<Uuid>) {
        debug_assert!(self.outcomes[row].is_none(), "row {row} has two fates");
        if self.outcomes[row].is_some() {
            tracing::error!(row, "a row was given a second fate; the first one stands");
            return;
        }
        self.outcomes[row] = Some(outcome);
        if let Some(id) = id {
            self.ids[row] = id;
        }
        self.open -= 1;
    }
}
