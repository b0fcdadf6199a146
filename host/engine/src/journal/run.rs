//! Runs: how they begin, end and are shown.

use std::fmt;
use std::str::FromStr;

use dvsync_model::Counts;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names a run: UTC second at which it began and four random hex digits, as in
/// `20261122T085301-4f2a`. Sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// The id of a run that began at `started`.
    #[must_use]
    pub fn new(started: Timestamp, random: u16) -> Self {
        let second = started.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%S").to_string();
        Self(format!("{second}-{random:04x}"))
    }

    /// As people type it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that is not a run id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a run id such as `20261122T085301-4f2a`")]
pub struct NotARunId(String);

impl FromStr for RunId {
    type Err = NotARunId;

    fn from_str(text: &str) -> Result<Self, NotARunId> {
        let well_formed = text.len() == 20
            && text.bytes().enumerate().all(|(position, byte)| match position {
                8 => byte == b'T',
                15 => byte == b'-',
                16.. => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
                _ => byte.is_ascii_digit(),
            });
        if well_formed { Ok(Self(text.to_owned())) } else { Err(NotARunId(text.to_owned())) }
    }
}

impl TryFrom<String> for RunId {
    type Error = NotARunId;

    fn try_from(text: String) -> Result<Self, NotARunId> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> String {
        id.0
    }
}

/// What is known of a run when it begins; never holds a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct RunStart {
    /// Where its rows come from.
    pub kind: RunKind,
    /// The job's name.
    pub job: String,
    /// The job's mode, as the job file writes it: `upsert`.
    pub mode: String,
    /// The target's address, without credentials.
    pub target: String,
    /// The organization that the records go to.
    pub organization: Uuid,
    /// Logical name of the entity.
    pub entity: String,
    /// Wall time.
    pub started: Timestamp,
    /// Any number: tells apart two runs of one second.
    pub random: u16,
    /// Rules that judge this run's rows.
    pub rules: Vec<RuleUsed>,
    /// What the run reads, as it was when the run began.
    pub sources: Vec<FrozenSource>,
}

/// Where a run's rows came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// The job's source.
    #[default]
    Run,
    /// Letters of earlier runs.
    Replay,
}

impl RunKind {
    /// All of them.
    pub const ALL: [RunKind; 2] = [RunKind::Run, RunKind::Replay];

    /// As the journal writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RunKind::Run => "run",
            RunKind::Replay => "replay",
        }
    }
}

/// A rule that judged rows of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleUsed {
    /// The rule's own name.
    pub name: String,
    /// The rule's own version.
    pub version: String,
    /// `sha256:...` of the component.
    pub digest: String,
    /// `sha256:...` of component, settings, granted tables and contract.
    pub judgement: String,
    /// How it stands in the run.
    #[serde(default)]
    pub standing: RuleStanding,
}

/// How a version of a rule stands in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleStanding {
    /// It judges; the run is pinned to it.
    #[default]
    Live,
    /// It has judged until another version took over.
    Superseded,
    /// It judges a share of the rows.
    Canary,
    /// It was found wanting: what it judged is judged again.
    RolledBack,
}

impl RuleStanding {
    /// As reports and the journal write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Superseded => "superseded",
            Self::Canary => "canary",
            Self::RolledBack => "rolled_back",
        }
    }
}

/// A source file as it was when the run began: a changed one refuses to resume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenSource {
    /// As the job would say it.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// When it was last changed, where the file system tells.
    pub modified: Option<Timestamp>,
}

/// How many requests a run has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Requests {
    /// Sent, repeats included.
    pub sent: u64,
    /// Sent again.
    pub retried: u64,
    /// Answered 429.
    pub throttled: u64,
    /// Given up.
    pub failed: u64,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// A process is at work on it.
    Running,
    /// Every row is written, unchanged or dropped.
    Complete,
    /// Complete, and a person must look at some rows.
    WithDeadLetters,
    /// Stopped or with deferrals: can be resumed.
    Incomplete,
    /// Could not go on.
    Failed,
    /// Its process went away without a word: can be resumed.
    Interrupted,
}

impl RunStatus {
    /// All of them.
    pub const ALL: [RunStatus; 6] = [
        RunStatus::Running,
        RunStatus::Complete,
        RunStatus::WithDeadLetters,
        RunStatus::Incomplete,
        RunStatus::Failed,
        RunStatus::Interrupted,
    ];

    /// As reports and the journal write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RunStatus::Running => "running",
            RunStatus::Complete => "complete",
            RunStatus::WithDeadLetters => "with_dead_letters",
            RunStatus::Incomplete => "incomplete",
            RunStatus::Failed => "failed",
            RunStatus::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// Wall time.
    pub ended: Timestamp,
    /// Any but `Running` and `Interrupted`.
    pub status: RunStatus,
    /// What the report says; may count what no chunk holds (`departed`,
    /// `not_reached`).
    pub counts: Counts,
    /// Requests made.
    pub requests: Requests,
    /// Why it stopped, where it stopped early; never holds a secret.
    pub message: Option<String>,
}

/// A run, as the journal has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunRecord {
    /// Its name.
    pub id: RunId,
    /// See [`RunStart`], and so on down to `entity`.
    pub kind: RunKind,
    #[expect(missing_docs, reason = "see the field of the same name in RunStart")]
    pub job: String,
    #[expect(missing_docs, reason = "see the field of the same name in RunStart")]
    pub mode: String,
    #[expect(missing_docs, reason = "see the field of the same name in RunStart")]
    pub target: String,
    #[expect(missing_docs, reason = "see the field of the same name in RunStart")]
    pub organization: Uuid,
    #[expect(missing_docs, reason = "see the field of the same name in RunStart")]
    pub entity: String,
    /// Wall time.
    pub started: Timestamp,
    /// Wall time; absent while it runs and where it was interrupted.
    pub ended: Option<Timestamp>,
    /// How it stands now.
    pub status: RunStatus,
    /// As the run reported; of one without an end: the sum of its settled chunks.
    pub counts: Counts,
    /// As the run reported; zeros without an end.
    pub requests: Requests,
    /// Why it stopped, where it stopped early.
    pub message: Option<String>,
    /// Rules that judged its rows.
    pub rules: Vec<RuleUsed>,
    /// What it read.
    pub sources: Vec<FrozenSource>,
}
