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

use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use dvsync_dataverse::Field;
use dvsync_model::KeyHash;
use uuid::Uuid;

use crate::error::RunError;
use crate::frame::Frame;
use crate::known::Known;
use crate::plan::Plan;
use crate::prepare::Prepared;

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

/// Classifies prepared rows.
pub(crate) async fn classify(
    plan: &Arc<Plan>,
    known: &Arc<Known>,
    mut prepared: Prepared,
) -> Result<Classified, RunError> {
    lookups::resolve(plan, known, &mut prepared).await?;
    let mut matched = matched::find(plan, known, &mut prepared).await?;
    hooks::ask(plan, known, &mut prepared, &mut matched).await?;
    let (plan, known) = (Arc::clone(plan), Arc::clone(known));
    crate::blocking::unblock(move || decide::decide(&plan, &known, prepared, &matched)).await?
}
