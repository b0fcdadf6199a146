//! Whether a script's component is still that of its files. The tools give other
//! bytes each time, so a build that need not be would give the rule another digest,
//! and compile it again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{BuildError, component};

/// What changes without changing the rule.
const LEFT_OUT: [&str; 7] =
    ["target", "node_modules", "venv", "fixtures", "tests", "test", "README.md"];

/// The state of a project's files.
pub(super) struct Freshness<'a> {
    folder: &'a Path,
    /// Where it is kept from one build to the next.
    kept: PathBuf,
    /// Of what is not among the files: the tools.
    seed: u64,
}

impl<'a> Freshness<'a> {
    pub(super) fn of(folder: &'a Path, work: &Path, tools: &[&str]) -> Self {
        let mut hasher = DefaultHasher::new();
        (env!("CARGO_PKG_VERSION"), tools).hash(&mut hasher);
        Self { folder, kept: work.join("built.json"), seed: hasher.finish() }
    }

    /// The component, where it is that of the files as they are.
    pub(super) fn component(&self) -> Option<PathBuf> {
        let kept: Value = serde_json::from_slice(&std::fs::read(&self.kept).ok()?).ok()?;
        let component = PathBuf::from(kept["component"].as_str()?);
        let folders =
            kept["folders"].as_array()?.iter().map(|path| path.as_str().map(PathBuf::from));
        let state = self.state(&folders.collect::<Option<Vec<_>>>()?)?;
        (component.is_file() && kept["state"].as_u64()? == state).then_some(component)
    }

    /// Notes what the component was made of: also the folders outside of the project.
    pub(super) fn keep(&self, made: &Path, folders: &[PathBuf]) -> Result<(), BuildError> {
        let Some(state) = self.state(folders) else { return Ok(()) };
        let kept = json!({"component": made, "folders": folders, "state": state});
        component::publish(&self.kept, kept.to_string().as_bytes())
    }

    /// None where a file cannot be read: then nothing is known.
    fn state(&self, folders: &[PathBuf]) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        self.seed.hash(&mut hasher);
        folders.hash(&mut hasher);
        for folder in std::iter::once(self.folder).chain(folders.iter().map(PathBuf::as_path)) {
            for file in files(folder)? {
                (&file, std::fs::read(&file).ok()?).hash(&mut hasher);
            }
        }
        Some(hasher.finish())
    }
}

/// Files below a folder, in order, without what is hidden, built or tried.
fn files(folder: &Path) -> Option<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).ok()? {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(['.', '_']) && !name.ends_with(".py") || LEFT_OUT.contains(&&*name)
            {
                continue;
            }
            match entry.file_type().ok()? {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_fresh_until_a_file_or_a_tool_changes() {
        let place = std::env::temp_dir().join(format!("dvsync-fresh-{}", std::process::id()));
        let (folder, work) = (place.join("project"), place.join("project/target/rules/python"));
        let sdk = place.join("sdk");
        for made in [&work, &sdk, &folder.join("fixtures")] {
            std::fs::create_dir_all(made).unwrap();
        }
        let component = work.join("x.wasm");
        for (path, text) in
            [(folder.join("rule.py"), "1"), (sdk.join("__init__.py"), "2"), (component.clone(), "")]
        {
            std::fs::write(path, text).unwrap();
        }
        let of = |tool: &'static str| Freshness::of(&folder, &work, &[tool]);
        assert_eq!(of("a").component(), None);
        of("a").keep(&component, std::slice::from_ref(&sdk)).unwrap();
        assert_eq!(of("a").component(), Some(component.clone()));
        assert_eq!(of("b").component(), None, "another tool");
        std::fs::write(folder.join("fixtures/x.csv"), "3").unwrap();
        assert_eq!(of("a").component(), Some(component.clone()), "fixtures are no part");
        std::fs::write(sdk.join("__init__.py"), "4").unwrap();
        assert_eq!(of("a").component(), None, "a file outside of the project");
        std::fs::remove_dir_all(place).unwrap();
    }
}
