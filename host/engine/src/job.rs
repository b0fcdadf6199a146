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
mod secret;
mod source_file;
mod tree;
mod typed;
mod units;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use error::{JobError, Place};
pub use file::{
    BatchSection, CallerSection, ColumnSection, EmulatorSection, HeadersSection, JobFile,
    JournalSection, LimitsSection, LookupSection, PrincipalSection, RecordsTyped, RetrySection,
    RuleLimitsSection, RulesSection, TargetSection,
};
pub use needed::{
    Batch, ColumnMapping, ColumnSource, Duplicates, Emulator, Grant, Job, Journal, Limits,
    LookupBy, Match, Plugin, Retry, RuleLimits, Rules, Seed, Source, Target, TargetUrl,
};
pub use resolve_source::kind_of;
pub use secret::SecretRef;
pub use source_file::{DuplicatesSection, GrantSection, SeedSection, SourceSection};
pub use units::{Size, Span};
pub use words::{
    BypassWord, CreateInactive, Isolation, Keep, LookupWord, MatchSection, Mode, ModeWord,
    OnFailure, OnMissing, Retrieve, Sanitize, Several, TooLong, WhenNull,
};

use error::nearest;
use fault::Fault;
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
        let text = std::fs::read_to_string(path)
            .map_err(|source| JobError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &text, variables, env)
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
            let file = JobFile::deserialize(typed::Typed(&tree))?;
            resolve::job(file, path, &Lookups { root, env })
        };
        job().map_err(|mut fault: Fault| {
            fault.steps.reverse();
            let position = if fault.steps.is_empty() {
                None
            } else {
                locate::locate(format, text, &fault.steps, fault.at_key)
            };
            JobError::Wrong { place: place(position), message: fault.message, hint: fault.hint }
        })
    }
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
            .map_err(|fault| fault.under(fault::Step::Key("variables".to_owned())))?,
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
