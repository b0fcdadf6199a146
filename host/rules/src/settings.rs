//! What a sandbox, a binding and a call may use. Values only.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use arrow_schema::SchemaRef;

use crate::gate::Gate;

/// For [`crate::Sandbox::new`].
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// Folder for compiled rules, made when it is not there, for its owner only;
    /// none = compile each time.
    pub cache_dir: Option<PathBuf>,
    /// What the compiled rules in that folder may take; the oldest go first.
    pub cache_bytes_max: u64,
    /// The largest rule that is admitted (Python rules have 18 MiB).
    pub wasm_bytes_max: usize,
    /// What one instance may have of linear memory, whatever its [`Limits`] say:
    /// enough for either [`Profile`].
    pub memory_bytes_max: usize,
    /// How many instances may live at once, over all rules.
    pub instances_max: u32,
    /// How often deadlines are looked at.
    pub tick: Duration,
    /// For making the first instance of a rule and asking it who it is.
    pub describe_deadline: Duration,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            cache_dir: None,
            cache_bytes_max: 1 << 30,
            wasm_bytes_max: 64 << 20,
            memory_bytes_max: 256 << 20,
            instances_max: 128,
            tick: Duration::from_millis(10),
            describe_deadline: Duration::from_secs(20),
        }
    }
}

/// What a rule is made of, as far as its limits depend on it.
///
/// The component says it (`dvsync rules build` stamps the language into it), so it
/// is a claim: one that is not true gains more memory and time, within what the
/// sandbox and the job allow, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Machine code by way of a compiler: Rust, C. What says nothing is that.
    #[default]
    Native,
    /// An interpreter with a program in it: Python, JavaScript.
    Interpreter,
}

/// What one rule may use in one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// For one call of a hook with a whole chunk.
    pub call_deadline: Duration,
    /// For making an instance, and for each of `needs` and `configure`.
    pub setup_deadline: Duration,
    /// Linear memory of one instance.
    pub memory_bytes_max: usize,
    /// Table elements of one instance.
    pub table_elements_max: usize,
    /// What one call may hand to the host: results, keys of lookups, log lines.
    pub output_bytes_max: usize,
    /// Log lines of one call; the rest are counted.
    pub log_lines_max: u32,
    /// Calls of `lookups` within one call.
    pub lookups_max: u32,
    /// Calls that narrowing a failing chunk may take.
    pub narrowing_calls_max: u32,
}

impl Limits {
    /// Where nobody says others.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        let native = Self {
            call_deadline: Duration::from_secs(10),
            setup_deadline: Duration::from_secs(5),
            memory_bytes_max: 64 << 20,
            table_elements_max: 20_000,
            output_bytes_max: 128 << 20,
            log_lines_max: 100,
            lookups_max: 1_000,
            narrowing_calls_max: 1_000,
        };
        match profile {
            Profile::Native => native,
            // A started Python has 13 MiB and JavaScript some 30 before the first
            // row; either takes 30 to 100 times as long a row as Rust.
            Profile::Interpreter => Self {
                call_deadline: Duration::from_secs(30),
                setup_deadline: Duration::from_secs(20),
                memory_bytes_max: 256 << 20,
                table_elements_max: 100_000,
                ..native
            },
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(Profile::default())
    }
}

/// Whether instances live on between calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// Instances stay warm and are replaced after a failure or many calls.
    #[default]
    Warm,
    /// A fresh instance for each call.
    Chunk,
}

/// For [`crate::Rule::bind`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindSettings {
    /// Warm instances that are kept: as many as threads call at once.
    pub workers: usize,
    /// Warm, or fresh for each call.
    pub isolation: Isolation,
    /// Calls after which an instance is replaced.
    pub recycle_after: NonZeroU32,
    /// One chunk in so many is judged again by a fresh instance, cut in another
    /// way, and compared; none = never.
    pub recheck_every: Option<NonZeroU32>,
    /// The tenant's: at most so many of its calls at once, the others wait; none
    /// = as many as there are threads.
    pub tenant: Option<Gate>,
}

impl Default for BindSettings {
    fn default() -> Self {
        Self {
            workers: 1,
            isolation: Isolation::Warm,
            recycle_after: NonZeroU32::new(4096).unwrap_or(NonZeroU32::MIN),
            recheck_every: NonZeroU32::new(256),
            tenant: None,
        }
    }
}

/// All that a rule may depend on apart from rows and tables.
#[derive(Debug, Clone)]
pub struct Context {
    /// Logical name of the entity.
    pub entity: String,
    /// The job's settings for the rule: an object, or null.
    pub settings: serde_json::Value,
    /// Columns of the source.
    pub source: SchemaRef,
    /// Columns of the target in canonical types; empty = not known yet, then
    /// nothing is checked against it.
    pub target: SchemaRef,
    /// The same for the whole run, and for a replay of it.
    pub seed: u64,
    /// The start of the run.
    pub now: jiff::Timestamp,
}
