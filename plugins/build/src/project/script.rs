//! What Python and JavaScript have in common: the contract is put into a working
//! folder, a driver in the language itself loads the rule, makes its world and
//! calls the tool, and the component is stamped and put in place.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::freshness::Freshness;
use crate::stamp::stamped;
use crate::toolchain::{run, said};
use crate::{BuildError, component};

const CONTRACT: &str = include_str!("../../../../wit/0.1/rules.wit");
/// The driver's exit code when the rule itself is at fault.
const LOAD_FAILED: i32 = 2;

/// A project in a language that is interpreted.
pub(super) struct Script<'a> {
    /// `python`: in stamps and names of folders.
    pub(super) language: &'static str,
    pub(super) folder: &'a Path,
    /// Runs the driver.
    pub(super) interpreter: PathBuf,
    /// The driver's text and file name.
    pub(super) driver: (&'static str, &'static str),
    /// What the driver calls: path, and name with version.
    pub(super) tool: (PathBuf, String),
}

/// What a driver prints.
struct Built {
    name: String,
    /// Folders outside of the project that its modules come from.
    folders: Vec<PathBuf>,
}

/// The working folder of a project.
pub(super) fn work(folder: &Path, language: &str) -> PathBuf {
    folder.join("target").join("rules").join(language)
}

impl Script<'_> {
    /// The component's path; nothing is built when nothing has changed.
    pub(super) fn build(self, say: &dyn Fn(&str)) -> Result<PathBuf, BuildError> {
        let work = work(self.folder, self.language);
        let freshness = Freshness::of(self.folder, &work, &[self.driver.0, CONTRACT, &self.tool.1]);
        if let Some(component) = freshness.component() {
            return Ok(component);
        }
        say(&format!("making a component with {}", self.tool.1));
        let out = work.join("made.wasm");
        write(&work.join("wit").join("rules.wit"), CONTRACT)?;
        let driver = work.join(self.driver.1);
        write(&driver, self.driver.0)?;
        let built = self.run(&driver, &work, &out)?;

        let bytes = std::fs::read(&out).map_err(|source| BuildError::read(&out, source))?;
        let bytes = stamped(bytes, self.language, &built.name);
        let path = self.folder.join("target").join("rules").join(format!("{}.wasm", built.name));
        component::publish(&path, &bytes)?;
        std::fs::remove_file(&out).map_err(|source| BuildError::write(&out, source))?;
        freshness.keep(&path, &built.folders)?;
        Ok(path)
    }

    fn run(&self, driver: &Path, work: &Path, out: &Path) -> Result<Built, BuildError> {
        let mut command = Command::new(&self.interpreter);
        command.arg(driver).arg(self.folder).arg(work).arg(out).arg(&self.tool.0);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let output = run(&mut command)?;
        let failed = |said| BuildError::Script { tool: self.tool.1.clone(), said };
        if !output.status.success() {
            let said = said(&output);
            return Err(match output.status.code() {
                Some(LOAD_FAILED) => BuildError::Load { folder: self.folder.to_owned(), said },
                _ => failed(said),
            });
        }
        let built: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| failed(format!("its answer cannot be read: {error}")))?;
        let name = built["name"].as_str().unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
            let said = format!("`{name}` is no name for a rule");
            return Err(BuildError::Load { folder: self.folder.to_owned(), said });
        }
        let folders = built["folders"].as_array().into_iter().flatten();
        Ok(Built {
            name: name.to_owned(),
            folders: folders.filter_map(Value::as_str).map(PathBuf::from).collect(),
        })
    }
}

/// Writes a file and the folders above it.
pub(super) fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| BuildError::write(folder, source))?;
    }
    std::fs::write(path, text).map_err(|source| BuildError::write(path, source))
}
