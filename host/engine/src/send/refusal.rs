//! What the service's no means for a record, in words.

use std::collections::BTreeSet;

use dvsync_dataverse::{Operation, Refusal};
use uuid::Uuid;

use super::{Sender, Then, Work, part};
use crate::error::RunError;
use crate::fate::{Again, Fate};
use crate::plan::Plan;

/// Codes that a person can act on, by number: Microsoft's *Web service error
/// codes*.
const HINTS: [(u32, &str); 12] = [
    (0x8004_0220, "give the application user a role with the privilege that the message names"),
    (0x8004_0229, "name another owner: this one does not exist or cannot own records"),
    (0x8004_0231, "give the owner a role that may read the table, or name another owner"),
    (0x8004_0237, "another record has the same alternate key: match by it, or merge the records"),
    (0x8004_0239, "dates begin at 1753-01-01"),
    (0x8004_0265, "a plug-in of the environment refused it: its message says why"),
    (0x8004_0333, "a duplicate detection rule refused it: suppress_duplicate_detection = true"),
    (0x8004_431a, "map the value in [columns.x] options, or add the choice to the environment"),
    (0x8004_432f, "mend the value in the source, or widen the column's range"),
    (0x8004_4330, "mend the value in the source, or widen the column's range"),
    (0x8004_4331, "shorten it in the source, or say too_long = \"truncate\" for the column"),
    (0x8004_8408, "set a status reason that belongs to the state"),
];
const DOES_NOT_EXIST: u32 = 0x8004_0217;

/// The fate of a record that was refused; `later`: for now only.
pub(super) fn fate(plan: &Plan, operation: Operation, refusal: &Refusal, later: bool) -> Fate {
    let code = refusal.code.map_or(0, |code| code.0);
    if operation == Operation::Update && code == DOES_NOT_EXIST {
        return vanished();
    }
    let message = match &refusal.request_id {
        Some(id) => format!("{} (service request {id})", refusal.message),
        None => refusal.message.clone(),
    };
    let mut fate = if later {
        Fate::deferred(refusal.code_text(), message).hint("run the job again later")
    } else {
        Fate::dead(refusal.code_text(), message)
    };
    if let Some((_, hint)) = HINTS.iter().find(|(known, _)| *known == code) {
        fate = fate.hint(*hint);
    }
    fate.column = named_column(plan, &refusal.message);
    fate
}

fn vanished() -> Fate {
    Fate::deferred("vanished", "the record was deleted while the run was under way")
        .hint("run the job again: it decides anew")
        .again(Again::WithOthers)
}

/// The service says that records of a bulk update do not exist, and which. The
/// ids are a hint: the others are sent again, and the next round of the run
/// reads these anew.
pub(super) fn names_missing(work: &Work, refusal: &Refusal) -> bool {
    let code = refusal.code.map_or(0, |code| code.0);
    work.write.operation() == Operation::Update
        && code == DOES_NOT_EXIST
        && !work.hinted
        && !missing(work, refusal).is_empty()
}

impl Sender {
    /// Defers the records that the service named and gives back the others.
    pub(super) fn without_missing(&self, work: Work, refusal: &Refusal) -> Then {
        let missing = missing(&work, refusal);
        let (gone, left): (Vec<usize>, Vec<usize>) = (0..work.rows.len())
            .partition(|&at| work.rows[at].known_id().is_some_and(|id| missing.contains(&id)));
        for at in gone {
            let row = &work.rows[at];
            row.settle_fate(&vanished(), row.known_id());
        }
        if left.is_empty() {
            return Then::Nothing;
        }
        let mut rest = part(&work, &left);
        rest.hinted = true;
        Then::Again(vec![rest])
    }
}

/// Ids of the batch within the service's message.
fn missing(work: &Work, refusal: &Refusal) -> BTreeSet<Uuid> {
    let ours: BTreeSet<Uuid> = work.rows.iter().filter_map(super::Row::known_id).collect();
    let words = refusal.message.split(|c: char| !c.is_ascii_hexdigit() && c != '-');
    words.filter_map(|word| Uuid::try_parse(word).ok()).filter(|id| ours.contains(id)).collect()
}

/// The column that the service's message quotes: shown to the person who reads
/// it; nothing is decided by it.
fn named_column(plan: &Plan, message: &str) -> Option<String> {
    let quoted = message.split('\'').skip(1).step_by(2);
    quoted
        .filter_map(|name| plan.entity.column(name))
        .map(|column| column.logical_name.clone())
        .next()
}

/// A refusal that no record is at fault for.
pub(super) fn stopped(refusal: &Refusal) -> RunError {
    let code = refusal.code_text();
    RunError::job_hint(
        format!("the service refused the write: {} ({code})", refusal.message),
        "dvsync check JOB tries the credentials, privileges and columns of a job",
    )
}
