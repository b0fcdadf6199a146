//! Classify: what is to happen to each row, given what the target holds.
//!
//! Lookups are resolved, records matched, the rule's state and owner hooks
//! asked, and the cells that differ found. Rows that need no write are settled
//! here; the others go on with the cells to send.

mod decide;
mod diff;
mod hooks;
pub(crate) mod lookups;
mod matched;
mod states;

pub(crate) use diff::changed;

use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use dvsync_dataverse::Field;
use dvsync_model::KeyHash;
use dvsync_rules::swap::{Differences, Tally};
use uuid::Uuid;

use crate::blocking::unblock;
use crate::error::RunError;
use crate::frame::Frame;
use crate::known::Known;
use crate::prepare::{Prepared, prepare, tally};
use crate::swap::{Generation, Judging, Part, compare};
use matched::Matched;

/// Rows with what is to be sent of them.
pub(crate) struct Classified {
    pub(crate) frame: Arc<Frame>,
    /// Rows to be written, in order.
    pub(crate) records: Vec<Record>,
    /// Columns to choose cells from.
    pub(crate) fields: Vec<Field>,
    /// One per field: a bit for each prepared row, set = send.
    pub(crate) send: Vec<BooleanBuffer>,
}

/// One row to be written.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Row in the frame.
    pub(crate) row: u32,
    /// Row in the fields.
    pub(crate) at: usize,
    pub(crate) action: Action,
    /// Primary id: the matched record's, or derived for a new one. Nil where
    /// the service finds the record by `address`.
    pub(crate) id: Uuid,
    /// The key that it was matched by.
    pub(crate) key: Option<KeyHash>,
    /// `accountnumber='AW1'`, for [`Action::Upsert`].
    pub(crate) address: Option<String>,
    /// `(statecode, statuscode)` to be set once it is created.
    pub(crate) then_state: Option<(i32, i32)>,
}

/// What is to happen to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Action {
    Create,
    Update,
    Upsert,
}

/// Rows that a generation has prepared, or failed to.
pub(crate) struct Attempt {
    part: Part,
    prepared: Result<Prepared, RunError>,
}

impl Attempt {
    /// Lets the part's generation prepare it. CPU only, on a blocking thread.
    pub(crate) async fn at(part: Part) -> Result<Self, RunError> {
        let prepared = prepared_by(&part.by, &part.frame).await?;
        Ok(Self { part, prepared })
    }
}

/// The inner error is the generation's, the outer one ours.
async fn prepared_by(
    by: &Generation,
    frame: &Arc<Frame>,
) -> Result<Result<Prepared, RunError>, RunError> {
    let (by, frame) = (Arc::clone(by), Arc::clone(frame));
    unblock(move || prepare(&by.generation, frame)).await
}

/// Classifies a part of a chunk. A generation that loses its trial by it, or has
/// lost it meanwhile, does not count: the one before it judges the part.
pub(crate) async fn classify(
    judging: &Arc<Judging>,
    known: &Arc<Known>,
    attempt: Attempt,
) -> Result<Classified, RunError> {
    let Attempt { part, mut prepared } = attempt;
    let mut by = Arc::clone(&part.by);
    loop {
        let asked = asked(known, prepared).await;
        let tally = match &asked {
            Ok((prepared, _)) => tally(&prepared.fates),
            Err(error) if by.generation.is_on_trial() && error.is_of_rule() => broken(&part.frame),
            Err(_) => Tally::default(),
        };
        if let Err(error) = asked {
            if tally.rows == 0 {
                return Err(error);
            }
            match judging.judged(&by, tally).await? {
                None => return Err(error),
                Some(other) => by = other,
            }
        } else if let Some(other) = judging.judged(&by, tally).await? {
            by = other;
        } else {
            let (prepared, matched) = asked?;
            if let Some(shadow) = &part.shadow {
                cast_shadow(judging, known, shadow, &prepared).await?;
            }
            if let Some(judgement) = by.generation.judgement() {
                prepared.frame.judge(judgement);
            }
            let (plan, known) = (Arc::clone(&by.generation), Arc::clone(known));
            return unblock(move || decide::decide(&plan, &known, prepared, &matched)).await?;
        }
        prepared = prepared_by(&by, &part.frame).await?;
    }
}

/// Everything that the rule and the target say of the rows.
async fn asked(
    known: &Known,
    prepared: Result<Prepared, RunError>,
) -> Result<(Prepared, Matched), RunError> {
    let mut prepared = prepared?;
    let plan = Arc::clone(&prepared.plan);
    lookups::resolve(&plan, known, &mut prepared).await?;
    let mut matched = matched::find(&plan, known, &mut prepared).await?;
    hooks::ask(&plan, known, &mut prepared, &mut matched).await?;
    Ok((prepared, matched))
}

/// Lets another generation judge the same rows; it does not count.
async fn cast_shadow(
    judging: &Arc<Judging>,
    known: &Known,
    by: &Generation,
    counts: &Prepared,
) -> Result<(), RunError> {
    let asked = asked(known, prepared_by(by, &counts.frame).await?).await;
    let (tally, other) = match asked {
        Ok((prepared, _)) => (tally(&prepared.fates), Some(prepared)),
        Err(error) if error.is_of_rule() => (broken(&counts.frame), None),
        Err(error) => return Err(error),
    };
    let compared = |differences: &mut Differences, keys_max: usize| {
        if let Some(other) = &other {
            compare(counts, other, keys_max, differences);
        }
    };
    judging.shadowed(by, tally, compared).await
}

fn broken(frame: &Frame) -> Tally {
    Tally::broken(u64::try_from(frame.open_rows().len()).unwrap_or(u64::MAX).max(1))
}
