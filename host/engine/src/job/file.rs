//! The job file as typed.
//!
//! Pure data: what may be written, section by section, with no defaults
//! applied and nothing checked across keys. [`super::resolve`] turns it into a
//! [`super::Job`]. The documentation here is what editors show.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::secret::SecretRef;
use super::source_file::{GrantSection, SeedSection, SourceSection};
use super::trust::TrustSection;
use super::units::{Size, Span};
use super::words::{
    BypassWord, CreateInactive, DopHintWord, Isolation, LookupWord, MatchSection, ModeWord,
    OnFailure, OnMissing, Retrieve, Sanitize, Several, SwapWord, TooLong, WhenNull,
};

/// A job: one source, one entity of one target.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct JobFile {
    /// Names the job in reports; letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// What may happen to records of the target.
    pub mode: ModeWord,
    /// Defaults of variables: `${name}` in any text of this file.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Where rows come from.
    pub source: SourceSection,
    /// Where records go to.
    pub target: TargetSection,
    /// The rule that judges each row.
    pub rules: Option<RulesSection>,
    /// Where rules are kept.
    #[serde(default)]
    pub registry: RegistrySection,
    /// Tables that the rule may look up, by the name that it uses.
    #[serde(default)]
    pub tables: BTreeMap<String, GrantSection>,
    /// Columns of the target, by logical name.
    #[serde(default)]
    pub columns: BTreeMap<String, ColumnSection>,
    /// How many records travel together.
    #[serde(default)]
    pub batch: BatchSection,
    /// When and how often something is tried again.
    #[serde(default)]
    pub retry: RetrySection,
    /// When enough is enough.
    #[serde(default)]
    pub limits: LimitsSection,
    /// What dvsync remembers.
    #[serde(default)]
    pub journal: JournalSection,
}

/// Where records go to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct TargetSection {
    /// `https://contoso.crm.dynamics.com`, or `emulator` for the embedded one.
    pub url: String,
    /// Logical name of the table: `account`.
    pub entity: String,
    /// When a row and a record are the same thing.
    #[serde(rename = "match")]
    pub matching: MatchSection,
    /// What is read of the target before writing; `columns` if absent.
    pub lookup: Option<LookupWord>,
    /// How the target is read; `auto` if absent.
    pub retrieve: Option<Retrieve>,
    /// OData filter: which matched records may be written.
    pub filter: Option<String>,
    /// When one key matches several records; `reject` if absent.
    pub several: Option<Several>,
    /// How a record that is to be inactive is created; `two_steps` if absent.
    pub create_inactive: Option<CreateInactive>,
    /// Application users that share the work.
    #[serde(default)]
    pub principals: Vec<PrincipalSection>,
    /// What is asked of the service with each write.
    #[serde(default)]
    pub headers: HeadersSection,
    /// Requests in flight at most, for each principal: 1 to 52.
    pub concurrency_max: Option<u32>,
    /// What the service's hint of how many requests to send at once counts for;
    /// `environment` if absent.
    pub dop_hint_scope: Option<DopHintWord>,
    /// How long one request may take; `150s` if absent.
    pub timeout: Option<Span>,
    /// `v9.2` if absent.
    pub api_version: Option<String>,
    /// PEM file with certificates to trust besides the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// `http://proxy:3128`; the environment's if absent.
    pub proxy: Option<String>,
    /// Settings of the embedded emulator.
    pub emulator: Option<EmulatorSection>,
}

/// An application user. One of `token`, `client_secret`, `managed_identity`,
/// `workload_identity` and `azure_cli` says how it signs in.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct PrincipalSection {
    /// For logs and reports.
    pub name: Option<String>,
    /// A ready token.
    pub token: Option<SecretRef>,
    /// Directory of the application.
    pub tenant_id: Option<String>,
    /// The application; or the user-assigned managed identity.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<SecretRef>,
    /// The identity of the machine.
    pub managed_identity: bool,
    /// The identity that Kubernetes hands out.
    pub workload_identity: bool,
    /// Whoever is signed in with `az login`.
    pub azure_cli: bool,
}

/// What is asked of the service with each write.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct HeadersSection {
    /// Custom plug-ins and workflows to skip; needs a privilege.
    pub bypass_custom_logic: Vec<BypassWord>,
    /// Starts no Power Automate flows.
    pub bypass_flows: bool,
    /// Does not look for duplicates by the environment's rules; true if absent.
    pub suppress_duplicate_detection: Option<bool>,
    /// Acts for somebody else.
    pub caller: Option<CallerSection>,
    /// Unique name of a solution.
    pub solution: Option<String>,
    /// Text that plug-ins see as `tag`.
    pub tag: Option<String>,
}

/// Somebody to act for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallerSection {
    /// Object id in Entra.
    ObjectId(String),
    /// `systemuserid`.
    SystemUser(String),
}

/// Settings of the embedded emulator.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct EmulatorSection {
    /// Folder that keeps its records; `.dvsync/emulator` if absent.
    pub state: Option<PathBuf>,
    /// TOML file with tables and columns besides the built-in ones.
    pub schema: Option<PathBuf>,
    /// Time that each request takes besides its work.
    pub latency: Option<Span>,
    /// Records that are there before the job starts.
    pub seed: Vec<SeedSection>,
}

/// The rule that judges each row.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct RulesSection {
    /// `account`, `account@1`, `account@0.1.0`, `account@sha256:...` (of the store, else shipped)
    /// or a file, `rules/own.wasm`.
    pub plugin: String,
    /// Passed to the rule as JSON; the rule's own schema says what may stand here.
    pub settings: Option<BTreeMap<String, serde_json::Value>>,
    /// Whose signatures it needs; anybody's, or none, if absent.
    pub trust: Option<TrustSection>,
    /// Whether a run takes a version that is published in the store meanwhile; `pinned` if absent.
    pub swap: Option<SwapWord>,
    /// How instances are shared; `warm` if absent.
    pub isolation: Option<Isolation>,
    /// What becomes of rows that the rule fails on; `dead_letter` if absent.
    pub on_failure: Option<OnFailure>,
    /// Bounds of each call.
    #[serde(default)]
    pub limits: RuleLimitsSection,
    /// A component that imports WASI is admitted, with an empty context: not there
    /// yet.
    #[serde(default)]
    pub wasi: bool,
}

/// Where rules are kept.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct RegistrySection {
    /// Folder; `.dvsync/rules` if absent. `--store` and `DVSYNC_STORE` go before it.
    pub path: Option<PathBuf>,
}

/// Bounds of each call of a rule.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct RuleLimitsSection {
    /// Memory of one instance; `64MiB` if absent, `256MiB` for a rule in Python or
    /// JavaScript.
    pub memory: Option<Size>,
    /// Time of one call; `10s` if absent, `30s` for a rule in Python or JavaScript.
    pub time_per_call: Option<Span>,
    /// What one call may return; `128MiB` if absent.
    pub output: Option<Size>,
    /// Log lines of one call; 100 if absent.
    pub log_lines: Option<u32>,
    /// Calls spent on finding the rows at fault in one chunk; 1000 if absent.
    pub narrowing_calls: Option<u32>,
}

/// How one column of the target is filled.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct ColumnSection {
    /// Column of the source, or of the rule's output where it sets one.
    pub from: Option<String>,
    /// The same value for each row.
    pub value: Option<serde_json::Value>,
    /// Reference to a record found by one of its columns.
    pub lookup: Option<LookupSection>,
    /// Cleaning, in this order.
    pub sanitize: Vec<Sanitize>,
    /// Text beyond the column's length; `reject` if absent.
    pub too_long: Option<TooLong>,
    /// Text of the source to number of the choice.
    pub options: BTreeMap<String, i32>,
    /// How dates are written in the source: `%d.%m.%Y`.
    pub format: Option<String>,
    /// An empty value; `clear` if absent.
    pub when_null: Option<WhenNull>,
    /// Shows as `***` in letters, reports and logs.
    pub mask: bool,
}

/// Reference to a record found by one of its columns.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct LookupSection {
    /// Table to look in.
    pub entity: String,
    /// Its column.
    pub by: String,
    /// Column of the source, or of the rule's output, that holds the value.
    pub from: String,
    /// When there is no such record; `reject` if absent.
    pub on_missing: Option<OnMissing>,
}

/// How many records travel together.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct BatchSection {
    /// 1 to 1000; 200 if absent.
    #[schemars(with = "Option<u32>")]
    pub records: Option<RecordsTyped>,
    /// Size of a body at most; `8MiB` if absent.
    pub bytes_max: Option<Size>,
}

/// As typed: a number, or a word that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordsTyped {
    /// So many.
    Number(u64),
    /// Something else.
    Word(String),
}

/// When and how often something is tried again.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct RetrySection {
    /// Tries of one request: 1 to 20; 6 if absent.
    pub attempts: Option<u32>,
    /// First wait where the server names none; `500ms` if absent.
    pub base: Option<Span>,
    /// Longest wait where the server names none; `30s` if absent.
    pub max: Option<Span>,
    /// First wait before deferred records are tried again, doubled each time; `30s` if absent.
    pub deferred_backoff: Option<Span>,
    /// How long after the source's end deferred records are still tried; `10m` if absent.
    pub deferred_deadline: Option<Span>,
}

/// When enough is enough.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct LimitsSection {
    /// A longer wait asked for by the service makes deferrals; `10m` if absent.
    pub wait_max: Option<Span>,
    /// Unreadable rows of the source after which the run stops; 1000 if absent.
    pub bad_lines_max: Option<u64>,
    /// How long the service may still commit a request that it never answered; `150s` if absent.
    pub commit_within: Option<Span>,
    /// Share of dead letters beyond which the run stops; no limit if absent.
    pub dead_letters_max_percent: Option<f64>,
    /// Requests that the job wants to spend at most, over all principals: 0.001 to 1000; no
    /// limit if absent.
    pub requests_per_second: Option<f64>,
    /// Records that the job wants to write at most in any 24 hours; the rest is deferred. No
    /// limit if absent.
    pub records_per_day: Option<u64>,
    /// Memory for what is known of source and target before it goes to disk, and half as much again for requests under way; `48MiB` if absent.
    pub memory: Option<Size>,
}

/// What dvsync remembers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct JournalSection {
    /// `.dvsync/<name>.db` if absent.
    pub path: Option<PathBuf>,
    /// What it survives: the end of the `process`, or a `power_cut` too; `process` if absent.
    pub durability: Option<crate::journal::Durability>,
    /// How long finished runs are kept; `90d` if absent.
    pub retention: Option<Span>,
}
