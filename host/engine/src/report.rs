//! What a run did, for people and programs.

use std::path::PathBuf;

use dvsync_dataverse::PrincipalCounts;
use dvsync_model::{Counts, Letter, Outcome};
use serde::Serialize;

use crate::error::RunError;
use crate::journal::{Requests, RuleUsed, RunId, RunStatus};
use crate::swap::{JudgementReport, SwapReport};

/// What a run did. Serializes to the JSON that `--report json` prints.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Its name in the journal.
    pub run_id: RunId,
    /// The job's name.
    pub job: String,
    /// `insert`, `update` or `upsert`.
    pub mode: String,
    /// How it ended.
    pub status: RunStatus,
    /// Rows by outcome.
    pub counts: Counts,
    /// Requests made.
    pub requests: Requests,
    /// What each principal did.
    pub principals: Vec<PrincipalUsed>,
    /// Wall time of the whole run.
    pub seconds: f64,
    /// Rows settled for each second of the run.
    pub records_per_second: f64,
    /// Rules that judged the rows.
    pub rules: Vec<RuleUsed>,
    /// Rows by the judgement that they rest on.
    pub judgements: Vec<JudgementReport>,
    /// What became of each version of the rule that came while the run went on.
    pub swaps: Vec<SwapReport>,
    /// Why rows are not written, the most frequent cause first.
    pub causes: Vec<Cause>,
    /// Where the journal lies.
    pub journal: PathBuf,
    /// Why the run stopped early.
    pub message: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The error itself, for exit codes.
    #[serde(skip)]
    pub error: Option<RunError>,
}

/// What one principal did in a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrincipalUsed {
    /// Its name.
    pub name: String,
    /// Requests that it sent.
    pub sent: u64,
    /// Replies that asked it to wait.
    pub throttled: u64,
    /// Records of its writes that were answered.
    pub records: u64,
    /// Seconds that it had to wait because the service asked for it.
    pub frozen_seconds: f64,
    /// How often the service refused it, and it was put out for a while.
    pub quarantined: u64,
}

/// What each did between two looks.
pub(crate) fn principals(
    before: &[PrincipalCounts],
    after: &[PrincipalCounts],
) -> Vec<PrincipalUsed> {
    let used = after.iter().map(|after| {
        let before = before.iter().find(|before| before.name == after.name);
        let before = before.cloned().unwrap_or_default();
        PrincipalUsed {
            name: after.name.clone(),
            sent: after.sent - before.sent,
            throttled: after.throttled - before.throttled,
            records: after.records - before.records,
            frozen_seconds: after.frozen.saturating_sub(before.frozen).as_secs_f64(),
            quarantined: after.quarantined - before.quarantined,
        }
    });
    used.collect()
}

/// Rows that were not written for one reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cause {
    /// What became of them.
    pub outcome: Outcome,
    /// Stable and machine-readable.
    pub code: String,
    /// The column at fault.
    pub column: Option<String>,
    /// How many.
    pub count: u64,
    /// Where the first one stands: `accounts.csv:12`.
    pub first: String,
    /// What was wrong with it.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Cause {
    /// The first row with this cause.
    pub(crate) fn first(outcome: Outcome, letter: &Letter) -> Self {
        Self {
            outcome,
            code: letter.code.clone(),
            column: letter.column.clone(),
            count: 1,
            first: letter.origin.to_string(),
            message: letter.message.clone(),
            hint: letter.hint.clone(),
        }
    }
}

/// How a run ended.
pub(crate) fn status(counts: &Counts, stopped: bool, failure: Option<&RunError>) -> RunStatus {
    match failure {
        Some(RunError::Limit { .. }) => RunStatus::Incomplete,
        Some(_) => RunStatus::Failed,
        None if stopped || counts.deferred > 0 || counts.not_reached > 0 => RunStatus::Incomplete,
        None if counts.dead_lettered > 0 => RunStatus::WithDeadLetters,
        None => RunStatus::Complete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_happened_names_the_status() {
        let counts = |deferred, dead_lettered, not_reached| Counts {
            deferred,
            dead_lettered,
            not_reached,
            ..Counts::default()
        };
        let limit = RunError::Limit { message: "m".into(), hint: "h".into() };
        let bug = RunError::Bug("b".into());
        for (counts, stopped, failure, expect) in [
            (counts(0, 0, 0), false, None, RunStatus::Complete),
            (counts(0, 1, 0), false, None, RunStatus::WithDeadLetters),
            (counts(1, 1, 0), false, None, RunStatus::Incomplete),
            (counts(0, 0, 1), false, None, RunStatus::Incomplete),
            (counts(0, 0, 0), true, None, RunStatus::Incomplete),
            (counts(0, 9, 0), true, Some(&limit), RunStatus::Incomplete),
            (counts(0, 0, 0), true, Some(&bug), RunStatus::Failed),
        ] {
            assert_eq!(status(&counts, stopped, failure), expect);
        }
    }
}
