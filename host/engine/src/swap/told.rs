//! What a run's report says of versions. Values only.

use std::collections::BTreeMap;

use dvsync_model::Counts;
use dvsync_rules::swap::Differences;
use serde::Serialize;
use uuid::Uuid;

use crate::journal::RuleUsed;

/// Swaps that a report lists; older ones are left out.
pub(super) const SWAPS_MAX: usize = 1000;
/// Keys and records that it lists of each.
pub(super) const LISTED_MAX: usize = 100;

/// Rows that rest on one judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JudgementReport {
    /// The version, where a rule judged.
    #[serde(flatten)]
    pub rule: Option<RuleUsed>,
    /// Its rows by outcome.
    pub counts: Counts,
}

/// What became of a version that was to take over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SwapReport {
    /// `name@version`.
    pub name: String,
    /// `sha256:...` of its component, once that was known.
    pub digest: Option<String>,
    /// Its judgement id, once it was bound.
    pub judgement: Option<String>,
    /// How far it got.
    pub stage: &'static str,
    /// Why it got no further.
    pub why: Option<String>,
    /// What else a person should know: that there was no canary, for example.
    pub notes: Vec<String>,
    /// What it judged otherwise than the version before it, in the shadow.
    pub differences: Differences,
    /// Rows that it wrote and that were judged again.
    pub judged_again: AgainReport,
}

/// Rows that a rolled-back version wrote and that were judged again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AgainReport {
    /// Rows that were judged again.
    pub rows: u64,
    /// Of these, rows whose records it had written.
    pub written: u64,
    /// Keys of the first of those.
    pub keys: Vec<String>,
    /// Records that it wrote and that no row of the source leads to any more, or
    /// whose row is not written now: a person must look.
    pub left: u64,
    /// The first of those.
    pub left_ids: Vec<Uuid>,
}

/// By the judgement that was rolled back.
pub(crate) type AgainReports = BTreeMap<String, AgainReport>;
