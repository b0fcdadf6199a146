//! Pack: classified rows become batches of one operation, filled in order
//! across chunks.
//!
//! Encodes each record once. An id that was packed before in this run is held
//! back: two source rows that are one record would otherwise overwrite each
//! other in an order that nobody chose.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use dvsync_dataverse::{Address, Operation, Write, WriteBuilder};
use dvsync_model::KeyHash;
use uuid::Uuid;

use crate::classify::{Action, Classified, Record};
use crate::error::RunError;
use crate::fate::Fate;
use crate::frame::Frame;
use crate::plan::Plan;
use crate::spill::{Room, Seen};

/// Records that are sent together.
pub(crate) struct Batch {
    pub(crate) write: Write,
    /// One per record of `write`.
    pub(crate) rows: Vec<Row>,
}

/// Where a record of a batch came from, and what is left to do once it landed.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) frame: Arc<Frame>,
    pub(crate) row: u32,
    /// Nil where the service finds the record by key.
    pub(crate) id: Uuid,
    /// What it is found by, to tell whose record an id is.
    pub(crate) key: Option<KeyHash>,
    pub(crate) then_state: Option<(i32, i32)>,
}

impl Row {
    /// Its row in the frame.
    pub(crate) fn at(&self) -> usize {
        usize::try_from(self.row).unwrap_or(usize::MAX)
    }

    /// Gives it the outcome of a fate.
    pub(crate) fn settle_fate(&self, fate: &Fate, id: Option<Uuid>) {
        self.frame.settle_sent(self.at(), fate, id);
    }

    /// Its id, where it is known.
    pub(crate) fn known_id(&self) -> Option<Uuid> {
        (!self.id.is_nil()).then_some(self.id)
    }
}

/// What goes on to be sent and settled.
pub(crate) enum Packed {
    /// To be sent.
    Batch(Batch),
    /// All records of this frame are in batches that were given out before, or
    /// in the ones still being filled.
    Closed(Arc<Frame>),
}

impl Packed {
    /// What it takes while it is sent, about.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Packed::Batch(batch) => batch.write.bytes(),
            Packed::Closed(_) => 0,
        }
    }
}

/// Records packed in a run, whichever pass they were packed in.
pub(crate) type Shared = Arc<Mutex<Seen>>;

/// Batches being filled.
pub(crate) struct Packer {
    plan: Arc<Plan>,
    open: BTreeMap<Action, (WriteBuilder, Vec<Row>)>,
    /// Bytes of the last batch of each kind: the next has about as many.
    last: BTreeMap<Action, usize>,
    /// Records packed in this run.
    seen: Shared,
    /// Those packed again, because their rows were deferred after they were sent.
    again: Seen,
}

impl Packer {
    /// Nothing packed yet.
    pub(crate) fn new(plan: Arc<Plan>, seen: Shared, room: &Room) -> Self {
        Self { plan, open: BTreeMap::new(), last: BTreeMap::new(), seen, again: Seen::new(room) }
    }

    /// Packs the rows of a chunk; gives out the batches that became full.
    pub(crate) fn pack(&mut self, classified: Classified) -> Result<Vec<Packed>, RunError> {
        let mut out = Vec::new();
        let Classified { frame, records, fields, send } = classified;
        for record in records {
            let row = usize::try_from(record.row).unwrap_or(usize::MAX);
            let was_sent = frame.was_sent(row) || frame.has_written(row, record.id);
            if !self.first(&record, was_sent)? {
                frame.settle_fate(
                    usize::try_from(record.row).unwrap_or(usize::MAX),
                    &Fate::dead(
                        "duplicate_match",
                        "another row of this run is the same record of the target",
                    )
                    .hint("two source keys lead to one record: mend one of the rows, or the rule's key"),
                    (!record.id.is_nil()).then_some(record.id),
                );
                continue;
            }
            let (builder, rows) = self.open.entry(record.action).or_insert_with(|| {
                let operation = match record.action {
                    Action::Create => Operation::Create,
                    Action::Update => Operation::Update,
                    Action::Upsert => Operation::Upsert,
                };
                let last = self.last.get(&record.action).copied().unwrap_or(0);
                let bytes = last + last / 16;
                let entity = Arc::clone(&self.plan.entity);
                (WriteBuilder::with_capacity(entity, operation, bytes), Vec::new())
            });
            let address = match &record.address {
                Some(address) => Address::Key(address),
                None => Address::Id(record.id),
            };
            builder.push(address, &fields, record.at, &|field| send[field].value(record.at));
            rows.push(Row {
                frame: Arc::clone(&frame),
                row: record.row,
                id: record.id,
                key: record.key,
                then_state: record.then_state,
            });
            let batch = self.plan.job.batch;
            if builder.len() >= batch.records || builder.bytes() >= batch.bytes_max {
                self.last.insert(record.action, builder.bytes());
                out.extend(self.open.remove(&record.action).map(finish));
            }
        }
        out.push(Packed::Closed(frame));
        Ok(out)
    }

    /// Gives out what is left.
    pub(crate) fn rest(&mut self) -> Vec<Packed> {
        std::mem::take(&mut self.open).into_values().map(finish).collect()
    }

    /// Whether this record is packed for the first time in this run.
    fn first(&mut self, record: &Record, was_sent: bool) -> Result<bool, RunError> {
        let id = match &record.address {
            None => record.id,
            // Not an id that the service would know, but as unique as one.
            Some(address) => {
                let KeyHash(hash) =
                    dvsync_model::key::hash([Some(address.as_str())]).unwrap_or(KeyHash(0));
                Uuid::from_u128(hash)
            }
        };
        if was_sent {
            return Ok(self.again.insert(id)?);
        }
        Ok(self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id)?)
    }
}

fn finish((builder, rows): (WriteBuilder, Vec<Row>)) -> Packed {
    Packed::Batch(Batch { write: builder.finish(), rows })
}
