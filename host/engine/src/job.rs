//! The job file, and the job that it describes.
//!
//! In two steps: [`JobFile`] is what was typed (TOML, YAML or JSON), [`Job`] is
//! what a run needs: defaults applied, references followed, everything checked
//! that can be checked without the source and the target.
//!
//! ```text
//! text -> Tree -${variables}-> Tree -serde-> JobFile -resolve-> Job
//! ```
//!
//! Reads the job file and the secret files that it names, nothing else; the
//! environment is an argument. A fault names file, line and column, and the
//! nearest key that exists. Secrets never stand in the file, and never in an
//! error. Deliberately not here: whether columns, tables and keys exist
//! (`dvsync check` asks the target).

mod connection;
mod error;
mod fault;
mod file;
mod locate;
mod needed;
mod resolve;
mod resolve_source;
mod resolve_target;
mod rules;
mod secret;
mod source_file;
mod tree;
mod trust;
mod typed;
mod units;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dvsync_rules::{PathStep, SettingsFault};
use serde::Deserialize;

pub use error::{JobError, Place};
pub use file::{
    BatchSection, CallerSection, ColumnSection, EmulatorSection, HeadersSection, JobFile,
    JournalSection, LimitsSection, LookupSection, PrincipalSection, RecordsTyped, RegistrySection,
    RetrySection, RuleLimitsSection, RulesSection, TargetSection,
};
pub use needed::{
    Batch, ColumnMapping, ColumnSource, Duplicates, Emulator, Grant, Job, Journal, Kept, Limits,
    LookupBy, Match, Plugin, Registry, Retry, RuleLimits, Rules, Seed, Source, Target, TargetUrl,
};
pub use resolve_source::kind_of;
pub use secret::SecretRef;
pub use source_file::{DuplicatesSection, GrantSection, SeedSection, SourceSection};
pub use trust::{KeyRef, TrustSection};
pub use units::{Size, Span};
pub use words::{
    BypassWord, CreateInactive, Isolation, Keep, LookupWord, MatchSection, Mode, ModeWord,
    OnFailure, OnMissing, Retrieve, Sanitize, Several, SwapWord, TooLong, WhenNull,
};

use error::nearest;
use fault::{Fault, Step};
use tree::Tree;

/// Formats of a job file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Toml,
    Yaml,
    Json,
}

/// What a job file may refer to.
struct Lookups<'a> {
    /// Folder of the job file: relative paths start here.
    root: &'a Path,
    env: &'a dyn Fn(&str) -> Option<String>,
}

impl Lookups<'_> {
    fn absolute(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }
}

impl Job {
    /// Reads a job file; its ending says the format (`.toml`, `.yaml`, `.yml`,
    /// `.json`).
    ///
    /// `variables` replace the defaults of `[variables]`; `env` is asked for
    /// secrets.
    ///
    /// # Errors
    /// [`JobError`] with the place of the first fault.
    pub fn load(
        path: &Path,
        variables: &BTreeMap<String, String>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Job, JobError> {
        Self::load_with_rule(path, variables, env, None)
    }

    /// The same, with another rule than `[rules] plugin` names, where one is
    /// given.
    ///
    /// # Errors
    /// As [`Job::load`].
    pub fn load_with_rule(
        path: &Path,
        variables: &BTreeMap<String, String>,
        env: &dyn Fn(&str) -> Option<String>,
        plugin: Option<&str>,
    ) -> Result<Job, JobError> {
        let text = read(path)?;
        Self::made(path, &text, variables, env, plugin)
    }

    /// The same for a file that has been read already.
    ///
    /// # Errors
    /// As [`Job::load`].
    pub fn parse(
        path: &Path,
        text: &str,
        variables: &BTreeMap<String, String>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Job, JobError> {
        Self::made(path, text, variables, env, None)
    }

    fn made(
        path: &Path,
        text: &str,
        variables: &BTreeMap<String, String>,
        env: &dyn Fn(&str) -> Option<String>,
        plugin: Option<&str>,
    ) -> Result<Job, JobError> {
        let place = |position| Place { file: path.to_owned(), position };
        let format = format_of(path).ok_or_else(|| JobError::Wrong {
            place: place(None),
            message: "cannot tell the format of the job file by its ending".to_owned(),
            hint: Some("name it .toml, .yaml or .json".to_owned()),
        })?;
        let root = path.parent().unwrap_or(Path::new(""));
        let mut tree = read_tree(format, text).map_err(|(position, message)| JobError::Wrong {
            place: place(position),
            message,
            hint: None,
        })?;
        let mut job = || {
            let variables = with_defaults(&tree, variables)?;
            tree.substitute(&variables)?;
            let mut file = JobFile::deserialize(typed::Typed(&tree))?;
            if let Some(plugin) = plugin {
                plugin.clone_into(&mut file.rules.get_or_insert_default().plugin);
            }
            resolve::job(file, path, &Lookups { root, env })
        };
        job().map_err(|fault| located(fault, path, format, text))
    }

    /// A fault of the rule's settings, told at its place in the job file.
    #[must_use]
    pub fn settings_error(&self, rule: &str, fault: &SettingsFault) -> JobError {
        let steps = fault.path.iter().map(|step| match step {
            PathStep::Key(name) => Step::Key(name.clone()),
            PathStep::Item(position) => Step::Item(*position),
        });
        let mut there = Fault::new(format!("{} (settings of the rule `{rule}`)", fault.message));
        there.hint.clone_from(&fault.hint);
        there.at_key = fault.at_key;
        let outer = ["rules", "settings"].map(|name| Step::Key(name.to_owned()));
        there.steps = outer.into_iter().chain(steps).collect();
        there.steps.reverse();
        match (format_of(&self.file), read(&self.file)) {
            (Some(format), Ok(text)) => located(there, &self.file, format, &text),
            (_, Err(error)) => error,
            // A job that was made has a format.
            (None, _) => JobError::Wrong {
                place: Place { file: self.file.clone(), position: None },
                message: there.message,
                hint: there.hint,
            },
        }
    }
}

fn read(path: &Path) -> Result<String, JobError> {
    std::fs::read_to_string(path).map_err(|source| JobError::Read { path: path.to_owned(), source })
}

/// The fault with its line and column.
fn located(mut fault: Fault, path: &Path, format: Format, text: &str) -> JobError {
    fault.steps.reverse();
    let position = if fault.steps.is_empty() {
        None
    } else {
        locate::locate(format, text, &fault.steps, fault.at_key)
    };
    let place = Place { file: path.to_owned(), position };
    JobError::Wrong { place, message: fault.message, hint: fault.hint }
}

/// JSON Schema of the job file, for editors.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(JobFile).to_value()
}

fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "toml" => Some(Format::Toml),
        "yaml" | "yml" => Some(Format::Yaml),
        "json" => Some(Format::Json),
        _ => None,
    }
}

type SyntaxFault = (Option<(usize, usize)>, String);

fn read_tree(format: Format, text: &str) -> Result<Tree, SyntaxFault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::Toml => toml::from_str(text).map_err(|error| {
            let position = error.span().map(|span| locate::position(text, span.start));
            (position, first_line(error.message()))
        }),
        Format::Yaml => serde_yaml_ng::from_str(text).map_err(|error| {
            let position = error.location().map(|at| (at.line(), at.column()));
            (position, first_line(&error.to_string()))
        }),
        Format::Json => serde_json::from_str(text).map_err(|error| {
            (Some((error.line(), error.column().max(1))), first_line(&error.to_string()))
        }),
    }
}

/// Parsers put excerpts and positions behind their message.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let end = line.rfind(" at line ").unwrap_or(line.len());
    line[..end].to_owned()
}

/// The defaults of `[variables]`, overridden by those given.
fn with_defaults(
    tree: &Tree,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut variables = match tree.get("variables") {
        Some(declared) => BTreeMap::<String, String>::deserialize(typed::Typed(declared))
            .map_err(|fault| fault.under(Step::Key("variables".to_owned())))?,
        None => BTreeMap::new(),
    };
    for (name, value) in given {
        if !variables.contains_key(name) {
            let hint = match nearest(name, variables.keys().map(String::as_str)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("declare it with a default: `[variables] {name} = \"...\"`"),
            };
            return Err(Fault::new(format!("variable `{name}` is not declared")).hint(hint));
        }
        variables.insert(name.clone(), value.clone());
    }
    Ok(variables)
}
