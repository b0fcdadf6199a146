//! A case of a rule's fixtures: a folder with the rows of a source and what
//! goes with them.
//!
//! ```text
//! fixtures/codes.txt                 codes that the rule may give, one a line; optional
//! fixtures/CASE/source.csv           rows in
//! fixtures/CASE/expected.csv         what the rule says of each
//! fixtures/CASE/target.csv           the record that each row met, blank = none; optional
//! fixtures/CASE/tables/NAME.csv      granted tables; optional
//! fixtures/CASE/settings.toml        settings of the rule; optional
//! fixtures/CASE/case.toml            entity, clock, seed, types of columns; optional
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use dvsync_rules::{BindSettings, Bound, Context, Limits, Rule, RuleError};
use dvsync_sources::{DeclaredType, Settings, SourceKind};
use serde::Deserialize;
use serde_json::Value;

use super::{inspect, tables};
use crate::exit::Exit;
use crate::failure::Failure;

/// The start of the run in fixtures that do not say another.
pub(super) const NOW: &str = "2026-01-01T00:00:00Z";

/// `case.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CaseFile {
    /// Logical name; without it the rule's first.
    entity: Option<String>,
    /// The start of the run.
    now: Option<String>,
    seed: Option<u64>,
    /// Of columns of `source.csv`; others are inferred as in a job.
    types: BTreeMap<String, DeclaredType>,
    /// The same for `target.csv`.
    target_types: BTreeMap<String, DeclaredType>,
}

/// A case, read.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) source: RecordBatch,
    /// A record a row, all null where none matched.
    pub(super) current: Option<RecordBatch>,
    tables: BTreeMap<String, RecordBatch>,
    context: Context,
}

/// Folders of the cases, by name; `only` those where it names any.
pub(super) fn folders(fixtures: &Path, only: &[String]) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |error| {
        Failure::because(format!("cannot read the fixtures `{}`", fixtures.display()), error)
            .hint("a case is `fixtures/CASE/source.csv`; or name another folder with --fixtures")
    };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(fixtures).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.join("source.csv").is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    let names: Vec<String> = folders.iter().map(|folder| name_of(folder)).collect();
    if let Some(missing) = only.iter().find(|name| !names.contains(name)) {
        return Err(Failure::usage(format!("there is no case `{missing}`"))
            .hint(format!("there are `{}`", names.join("`, `"))));
    }
    if !only.is_empty() {
        folders.retain(|folder| only.contains(&name_of(folder)));
    }
    if folders.is_empty() {
        return Err(Failure::usage(format!("`{}` holds no case", fixtures.display()))
            .hint("a case is a folder with a `source.csv` in it"));
    }
    Ok(folders)
}

/// Codes of `codes.txt`; none where there is no such file.
pub(super) fn codes(fixtures: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(fixtures.join("codes.txt")).ok()?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    Some(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

fn name_of(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Case {
    pub(super) fn read(folder: &Path, rule: &Rule) -> Result<Self, Failure> {
        let file = case_file(&folder.join("case.toml"))?;
        let source = csv(folder, "source.csv", file.types)?;
        let current = match folder.join("target.csv").is_file() {
            true => Some(csv(folder, "target.csv", file.target_types)?),
            false => None,
        };
        if let Some(current) = &current
            && current.num_rows() != source.num_rows()
        {
            return Err(Failure::usage(format!(
                "`{}` has {} rows and `source.csv` {}",
                folder.join("target.csv").display(),
                current.num_rows(),
                source.num_rows()
            ))
            .hint("it holds the record that each row met, all blank where there is none"));
        }
        let mut context = inspect::context(rule, source.schema(), settings(folder)?)?;
        if let Some(entity) = file.entity {
            context.entity = entity;
        }
        if let Some(seed) = file.seed {
            context.seed = seed;
        }
        if let Some(now) = file.now {
            context.now = now.parse().map_err(|error| {
                let file = folder.join("case.toml");
                Failure::because(format!("`now = \"{now}\"` in `{}`", file.display()), error)
                    .hint(format!("write an instant: {NOW}"))
            })?;
        }
        Ok(Self {
            name: name_of(folder),
            folder: folder.to_owned(),
            source,
            current,
            tables: granted(&folder.join("tables"))?,
            context,
        })
    }

    /// The rule bound to this case; no call is judged twice in secret.
    pub(super) fn bind(&self, rule: &Rule) -> Result<Bound, Failure> {
        let settings = BindSettings { recheck_every: None, ..BindSettings::default() };
        let tables = self.tables.clone();
        rule.bind(self.context.clone(), tables, Limits::of(rule.profile()), settings)
            .map_err(|error| self.unfit(error))
    }

    /// A job's hints name parts of a job; here is none.
    fn unfit(&self, error: RuleError) -> Failure {
        let file = |name: &str| self.folder.join(name).display().to_string();
        let hint = match &error {
            RuleError::Table { table, .. } => {
                Some(format!("grant it: `{}`", file(&format!("tables/{table}.csv"))))
            }
            RuleError::Misconfigured { .. } | RuleError::Settings { .. } => {
                Some(format!("mend `{}`", file("settings.toml")))
            }
            RuleError::Column { .. } => Some(format!("add the column to `{}`", file("source.csv"))),
            RuleError::Type { .. } => {
                Some(format!("declare it under `[types]` in `{}`", file("case.toml")))
            }
            _ => error.hint(),
        };
        let error =
            anyhow::Error::new(error).context(format!("cannot judge the case `{}`", self.name));
        Failure { exit: Exit::Usage, error, hint }
    }

    /// What the rule is told of the job.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }
}

fn case_file(path: &Path) -> Result<CaseFile, Failure> {
    let said = || format!("cannot read the case `{}`", path.display());
    match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|error| Failure::because(said(), error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(CaseFile::default()),
        Err(error) => Err(Failure::because(said(), error)),
    }
}

fn settings(folder: &Path) -> Result<Value, Failure> {
    for name in ["settings.toml", "settings.json"] {
        let path = folder.join(name);
        if path.is_file() {
            return inspect::settings(&path);
        }
    }
    Ok(Value::Null)
}

fn granted(folder: &Path) -> Result<BTreeMap<String, RecordBatch>, Failure> {
    let mut granted = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(granted) };
    for entry in entries {
        let path = entry
            .map_err(|error| {
                Failure::because(format!("cannot read `{}`", folder.display()), error)
            })?
            .path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        granted.insert(name.to_owned(), tables::rows(&tables::settings(&path)?)?);
    }
    Ok(granted)
}

fn csv(
    folder: &Path,
    name: &str,
    types: BTreeMap<String, DeclaredType>,
) -> Result<RecordBatch, Failure> {
    tables::rows(&Settings { types, ..Settings::new(SourceKind::Csv, name, folder) })
}
