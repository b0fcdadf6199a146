//! Why a job cannot go on with a rule. What became of single rows is data
//! ([`crate::Fault`], [`crate::Verdict`]), not an error.

use std::path::PathBuf;

use crate::schema::SettingsFault;

/// Why a rule cannot be admitted, bound or called.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The sandbox cannot be set up on this machine.
    #[error("cannot set up the sandbox for rules")]
    Sandbox(#[source] wasmtime::Error),
    /// The folder for compiled rules cannot be used.
    #[error("cannot use `{}` for compiled rules", path.display())]
    CacheFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no component that this host can run.
    #[error("cannot admit the rule `{origin}`: {reason}")]
    Refused {
        /// Where the bytes came from.
        origin: String,
        /// What is wrong with them.
        reason: Refusal,
    },
    /// A call that sets a rule up failed: `describe`, `needs`, `configure`.
    #[error("the rule `{rule}` failed in `{call}`: {reason}")]
    Setup {
        /// The rule.
        rule: String,
        /// The exported function.
        call: &'static str,
        /// What happened.
        reason: String,
    },
    /// The rule says that settings or schema are wrong.
    #[error("the rule `{rule}` is misconfigured: {message} (`{code}`)")]
    Misconfigured {
        /// The rule.
        rule: String,
        /// The author's code.
        code: String,
        /// The author's words.
        message: String,
    },
    /// The job's settings do not fit the schema that the rule publishes.
    #[error("the settings do not fit the rule `{rule}`: {fault}")]
    Settings {
        /// The rule.
        rule: String,
        /// What is wrong, and where.
        fault: Box<SettingsFault>,
    },
    /// What `needs` answered makes no sense.
    #[error("the rule `{rule}` asks for what cannot be: {reason}")]
    Needs {
        /// The rule.
        rule: String,
        /// What.
        reason: String,
    },
    /// The rule is for other entities.
    #[error("the rule `{rule}` is for {}, not for `{entity}`", listed(entities))]
    Entity {
        /// The rule.
        rule: String,
        /// The job's entity.
        entity: String,
        /// The rule's.
        entities: Vec<String>,
    },
    /// A table that the rule needs was not granted.
    #[error("the rule `{rule}` needs the table `{table}`, which the job does not grant")]
    Table {
        /// The rule.
        rule: String,
        /// Name of the table.
        table: String,
    },
    /// A granted table cannot be used.
    #[error("cannot use the table `{table}`: {reason}")]
    TableContent {
        /// Name of the table.
        table: String,
        /// Why.
        reason: String,
    },
    /// A column that the rule needs is not there.
    #[error("the rule `{rule}` needs the column `{column}`, which {side} does not have")]
    Column {
        /// The rule.
        rule: String,
        /// Name of the column.
        column: String,
        /// `the source`, `the target`, `the current record`.
        side: &'static str,
    },
    /// A column has a type that cannot be cast without loss.
    #[error(
        "cannot read column `{column}` for the rule `{rule}`: expected {expected}, found {found}"
    )]
    Type {
        /// The rule.
        rule: String,
        /// Name of the column.
        column: String,
        /// The type that the rule asked for.
        expected: &'static str,
        /// The type that there is.
        found: String,
    },
    /// A hook was called that the rule does not export.
    #[error("the rule `{rule}` has no hook `{hook}`")]
    NoHook {
        /// The rule.
        rule: String,
        /// `transform`, `matching`, `state`, `owner`.
        hook: &'static str,
    },
    /// The caller passed batches that do not fit each other.
    #[error("cannot call the rule `{rule}`: {reason}")]
    Input {
        /// The rule.
        rule: String,
        /// What does not fit.
        reason: String,
    },
}

/// What is wrong with the bytes of a rule.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not WebAssembly at all.
    #[error("it is not WebAssembly")]
    NotWasm,
    /// A module, not yet a component.
    #[error("it is a core module, not a component")]
    CoreModule,
    /// A binary format that this host does not read.
    #[error("it is a component of the binary format {found}, this host reads {known}")]
    Format {
        /// Version and layer in the file.
        found: u32,
        /// What this host reads.
        known: u32,
    },
    /// Too many bytes.
    #[error("it has {bytes} bytes, more than the {bytes_max} allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// Too many components or modules inside.
    #[error("it holds {parts} components and modules, more than the {parts_max} allowed")]
    TooManyParts {
        /// How many.
        parts: usize,
        /// The limit.
        parts_max: usize,
    },
    /// The bytes break the format.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// An interface of a contract version that this host does not speak.
    #[error("this rule exports {}, this host speaks {speaks}", listed(.exports))]
    OtherVersion {
        /// As written in the component.
        exports: Vec<String>,
        /// `0.1`.
        speaks: &'static str,
    },
    /// No `plugin`.
    #[error("it does not export `dvsync:rules/plugin@0.1.0`; it exports {}", none_or(.exports))]
    NoPlugin {
        /// As written in the component.
        exports: Vec<String>,
    },
    /// A `plugin` without anything to call.
    #[error("it exports no hook (`transform`, `matching`, `state` or `owner`)")]
    NoHooks,
    /// It asks for more than this contract gives.
    #[error("it imports {}, and a rule gets `log` and `lookups` only", listed(.imports))]
    Imports {
        /// As written in the component.
        imports: Vec<String>,
    },
    /// It has the right names and the wrong types, or does not compile.
    #[error("{0}")]
    Unfit(String),
    /// What it says of itself cannot be.
    #[error("its description is wrong: {0}")]
    Description(String),
}

impl RuleError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Refused { reason, .. } => reason.hint()?,
            Self::Settings { fault, .. } => {
                let usual = || "see `dvsync rules inspect`: it lists the settings".to_owned();
                return Some(fault.hint.clone().unwrap_or_else(usual));
            }
            Self::Table { table, .. } => return Some(format!("add `[tables.{table}]` to the job")),
            Self::Column { .. } => {
                "add the column to the source, or use another version of the rule"
            }
            Self::Type { .. } => "declare the column's type in the job",
            Self::Misconfigured { .. } => "mend `settings` under `[rules]`",
            Self::Sandbox(_) => "the limit on virtual memory (`ulimit -v`) may be too low",
            Self::CacheFolder { .. } => "give another folder, or none: then nothing is cached",
            Self::Setup { .. } | Self::Needs { .. } => "tell the author of the rule",
            Self::Entity { .. }
            | Self::TableContent { .. }
            | Self::NoHook { .. }
            | Self::Input { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

impl Refusal {
    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotWasm => "give the `.wasm` file that `dvsync rules build` made",
            Self::CoreModule => {
                "make a component of it: `dvsync rules build`, `wasm-tools component new`"
            }
            Self::OtherVersion { .. } | Self::Format { .. } => {
                "rebuild the rule against the contract that this host speaks"
            }
            Self::NoPlugin { .. } | Self::NoHooks => {
                "export `plugin` and one hook at least: see `docs/rules-authoring.md`"
            }
            Self::Imports { imports } if imports.iter().any(|name| name.starts_with("wasi:")) => {
                "build without WASI: `wasm32-unknown-unknown`, `componentize-py --stub-wasi`, \
                 `componentize-js -d stdio random clocks http fetch-event`"
            }
            Self::Imports { .. } => "remove what imports them",
            Self::TooLarge { .. }
            | Self::TooManyParts { .. }
            | Self::Damaged(_)
            | Self::Unfit(_)
            | Self::Description(_) => return None,
        })
    }
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn none_or(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { listed(names) }
}
