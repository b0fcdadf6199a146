//! The job as a run needs it: every default applied, every path absolute or
//! relative to the working directory, every secret fetched.
//!
//! Pure data. What is said here holds: nobody checks it again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use dvsync_dataverse::{DopHintScope, PrincipalSettings, WriteHeaders};
use dvsync_registry::{Digest, Reference, RuleName, Trust, Version};
use dvsync_sources::Settings;

use super::words::{
    CreateInactive, Isolation, Keep, LookupWord, Mode, OnFailure, OnMissing, Retrieve, Sanitize,
    Several, SwapWord, TooLong, WhenNull,
};

/// One source, one entity of one target.
#[derive(Debug, Clone)]
pub struct Job {
    /// Letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The job file, as it was given.
    pub file: PathBuf,
    /// What may happen to records of the target.
    pub mode: Mode,
    /// Where rows come from.
    pub source: Source,
    /// Where records go to.
    pub target: Target,
    /// The rule that judges each row.
    pub rules: Option<Rules>,
    /// Where rules are kept.
    pub registry: Registry,
    /// Tables granted to the rule, by the name that it uses.
    pub tables: BTreeMap<String, Grant>,
    /// Columns of the target by logical name; not empty where there is no rule.
    pub columns: BTreeMap<String, ColumnMapping>,
    /// How many records travel together.
    pub batch: Batch,
    /// When and how often something is tried again.
    pub retry: Retry,
    /// When enough is enough.
    pub limits: Limits,
    /// What dvsync remembers.
    pub journal: Journal,
}

/// Where rows come from.
#[derive(Debug, Clone)]
pub struct Source {
    /// For `dvsync_sources::open`.
    pub settings: Settings,
    /// Columns that identify a row; at least one, none twice.
    pub key: Vec<String>,
    /// When several rows have one key.
    pub duplicates: Duplicates,
}

/// When several source rows have one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicates {
    /// Which one wins.
    pub keep: Keep,
    /// Source column that orders them; `None` = the order of the source, and
    /// always `None` with [`Keep::Reject`].
    pub by: Option<String>,
}

/// Where records go to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Which environment.
    pub url: TargetUrl,
    /// Logical name of the table.
    pub entity: String,
    /// When a row and a record are the same thing.
    pub matching: Match,
    /// What is read of the target before writing.
    pub lookup: LookupWord,
    /// How it is read.
    pub retrieve: Retrieve,
    /// Which matched records may be written: an OData filter.
    pub filter: Option<String>,
    /// When one key matches several records.
    pub several: Several,
    /// How a record that is to be inactive is created.
    pub create_inactive: CreateInactive,
    /// At least one; names are unique.
    pub principals: Vec<PrincipalSettings>,
    /// What is asked of the service with each write.
    pub headers: WriteHeaders,
    /// Requests in flight at most, for each principal: 1 to 52.
    pub concurrency_max: usize,
    /// What the service's hint of how many requests to send at once counts for.
    pub dop_hint_scope: DopHintScope,
    /// How long one request may take.
    pub timeout: Duration,
    /// `v9.2`.
    pub api_version: String,
    /// PEM file with certificates to trust besides the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// `http://proxy:3128`.
    pub proxy: Option<String>,
}

/// Which environment.
#[derive(Debug, Clone)]
pub enum TargetUrl {
    /// The embedded emulator.
    Emulator(Emulator),
    /// `https://contoso.crm.dynamics.com`, no slash at the end; `http` only
    /// for this machine.
    Service(String),
}

/// The embedded emulator.
#[derive(Debug, Clone)]
pub struct Emulator {
    /// Folder that keeps its records.
    pub state: PathBuf,
    /// TOML file with tables and columns besides the built-in ones.
    pub schema: Option<PathBuf>,
    /// Time that each request takes besides its work.
    pub latency: Duration,
    /// Records that are there before the job starts.
    pub seed: Vec<Seed>,
}

/// Records that the embedded emulator has before the job starts.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Logical name of the table.
    pub entity: String,
    /// Where the rows lie.
    pub settings: Settings,
    /// Target column to source column; not empty.
    pub columns: BTreeMap<String, String>,
    /// Target columns that identify a record; some of `columns`, not empty.
    pub key: Vec<String>,
}

/// When a row and a record are the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// The primary id, taken from this target column.
    Id(String),
    /// An alternate key over these target columns; not empty.
    Key(Vec<String>),
    /// Target columns that are no alternate key; not empty.
    Columns(Vec<String>),
    /// The keys that the rule derives; there is a rule.
    Rules,
}

/// The rule that judges each row.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Which one.
    pub plugin: Plugin,
    /// Passed to the rule; a JSON object.
    pub settings: serde_json::Value,
    /// Whose signatures it needs, besides those that the store demands.
    pub trust: Trust,
    /// Whether a run takes a version that is published meanwhile.
    pub swap: SwapWord,
    /// How instances are shared.
    pub isolation: Isolation,
    /// What becomes of rows that the rule fails on.
    pub on_failure: OnFailure,
    /// Bounds of each call.
    pub limits: RuleLimits,
    /// What the plugin stands for, where that lies in a store; nothing before
    /// somebody has looked.
    pub kept: Option<Kept>,
}

/// Where the rule's component comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plugin {
    /// The store's, or one that is shipped with the program: `account@1`.
    Named(Reference),
    /// A file.
    File(PathBuf),
}

/// Where rules are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// The folder; it need not be there.
    pub path: PathBuf,
}

/// A version in a store that a run judges by: kept there until the run is
/// finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The store.
    pub store: PathBuf,
    /// The rule.
    pub name: RuleName,
    /// Its version.
    pub version: Version,
    /// Its component.
    pub digest: Digest,
}

/// Bounds of each call of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleLimits {
    /// Memory of one instance, bytes; that of the rule's language if absent.
    pub memory: Option<usize>,
    /// Time of one call; that of the rule's language if absent.
    pub time_per_call: Option<Duration>,
    /// What one call may return, bytes.
    pub output: usize,
    /// Log lines of one call.
    pub log_lines: u32,
    /// Calls spent on finding the rows at fault in one chunk.
    pub narrowing_calls: u32,
}

/// A table that the rule may look up.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a job has a handful of them")]
pub enum Grant {
    /// Rows of a file.
    Source(Settings),
    /// Records of the target.
    Entity {
        /// Logical name.
        entity: String,
        /// Columns; not empty.
        select: Vec<String>,
        /// OData filter.
        filter: Option<String>,
    },
}

/// How one column of the target is filled.
#[derive(Debug, Clone)]
pub struct ColumnMapping {
    /// Where its value comes from.
    pub source: ColumnSource,
    /// Cleaning, in this order.
    pub sanitize: Vec<Sanitize>,
    /// Text beyond the column's length.
    pub too_long: TooLong,
    /// Text of the source to number of the choice; empty = numbers come as they are.
    pub options: BTreeMap<String, i32>,
    /// How dates are written in the source (`strftime`).
    pub format: Option<String>,
    /// An empty value.
    pub when_null: WhenNull,
    /// Shows as `***` in letters, reports and logs.
    pub mask: bool,
}

/// Where the value of a target column comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnSource {
    /// What the rule sets; the section only cleans it.
    Rule,
    /// A column of the rule's output where it sets one, of the source else.
    From(String),
    /// The same for each row: a JSON text, number, boolean or null.
    Constant(serde_json::Value),
    /// Reference to a record found by one of its columns.
    Lookup(LookupBy),
}

impl ColumnSource {
    /// The column of the rule's output or of the source that it names.
    #[must_use]
    pub fn reads(&self) -> Option<&str> {
        match self {
            ColumnSource::From(from) => Some(from),
            ColumnSource::Lookup(by) => Some(&by.from),
            ColumnSource::Rule | ColumnSource::Constant(_) => None,
        }
    }
}

/// Reference to a record found by one of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupBy {
    /// Table to look in.
    pub entity: String,
    /// Its column.
    pub by: String,
    /// Column of the rule's output or of the source that holds the value.
    pub from: String,
    /// When there is no such record.
    pub on_missing: OnMissing,
}

/// How many records travel together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// 1 to 1000.
    pub records: usize,
    /// Size of a body at most.
    pub bytes_max: usize,
}

/// When and how often something is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Tries of one request: 1 to 20.
    pub attempts: u32,
    /// First wait where the server names none.
    pub base: Duration,
    /// Longest wait where the server names none; not below `base`.
    pub max: Duration,
    /// First wait before deferred records are tried again; doubles.
    pub deferred_backoff: Duration,
    /// How long after the source's end deferred records are still tried.
    pub deferred_deadline: Duration,
}

/// When enough is enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// A longer wait asked for by the service makes deferrals.
    pub wait_max: Duration,
    /// Unreadable rows after which the run stops.
    pub bad_lines_max: u64,
    /// How long the service may still commit a request that it never answered.
    pub commit_within: Duration,
    /// Requests to spend at most, over all principals: 0.001 to 1000.
    pub requests_per_second: Option<f64>,
    /// Records to write at most in any 24 hours; at least 1.
    pub records_per_day: Option<u64>,
    /// Share of dead letters beyond which the run stops: 0 to 100.
    pub dead_letters_max_percent: Option<f64>,
    /// Bytes for what is known of the target before it goes to disk.
    pub memory: usize,
}

/// What dvsync remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// The SQLite file.
    pub path: PathBuf,
    /// What an acknowledged write survives.
    pub durability: crate::journal::Durability,
    /// How long finished runs are kept.
    pub retention: Duration,
}
