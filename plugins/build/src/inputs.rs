//! What a component was made of: for cargo's `rerun-if-changed`, and to build
//! nothing twice.
//!
//! Cargo writes a Makefile rule (`.d`) beside the module with the sources of the
//! crate and of the workspace crates below it; manifests and lock file are added
//! here. The list lies beside the component.

use std::path::{Path, PathBuf};

use crate::BuildError;

/// The files that `component` (as [`crate::build`] returned it) was made of.
///
/// # Errors
///
/// When the list beside it cannot be read.
pub fn inputs(component: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let list = list_path(component);
    let text = std::fs::read_to_string(&list).map_err(|source| BuildError::read(&list, source))?;
    Ok(text.lines().map(PathBuf::from).collect())
}

/// Writes the list. `core` is the module that cargo made.
pub(crate) fn record(component: &Path, core: &Path, manifest_dir: &Path) -> Result<(), BuildError> {
    let rule = core.with_extension("d");
    let text = std::fs::read_to_string(&rule).map_err(|source| BuildError::read(&rule, source))?;
    let mut paths = dependencies(&text);
    let mut manifests: Vec<PathBuf> = Vec::new();
    for folder in paths.iter().map(PathBuf::as_path).chain([manifest_dir]) {
        let manifest = folder.ancestors().map(|at| at.join("Cargo.toml")).find(|at| at.is_file());
        manifests.extend(manifest);
    }
    let lock = manifest_dir.ancestors().map(|at| at.join("Cargo.lock")).find(|at| at.is_file());
    if let Some(lock) = lock {
        manifests.push(lock.with_file_name("Cargo.toml"));
        manifests.push(lock);
    }
    paths.append(&mut manifests);
    paths.sort();
    paths.dedup();

    let list = list_path(component);
    let lines: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    crate::component::publish(&list, lines.join("\n").as_bytes())
}

/// Notes when a build starts: an edit while it runs makes its result stale.
/// The path is for [`finish`].
pub(crate) fn start(component: &Path) -> Result<PathBuf, BuildError> {
    if let Some(folder) = component.parent() {
        std::fs::create_dir_all(folder).map_err(|source| BuildError::write(folder, source))?;
    }
    let started = component.with_extension(format!("{}.started", std::process::id()));
    std::fs::write(&started, []).map_err(|source| BuildError::write(&started, source))?;
    Ok(started)
}

/// The build that started then has put its component in place.
pub(crate) fn finish(component: &Path, started: &Path) -> Result<(), BuildError> {
    let stamp = component.with_extension("stamp");
    std::fs::rename(started, &stamp).map_err(|source| BuildError::write(&stamp, source))
}

/// Whether nothing has changed since the build of the component started.
pub(crate) fn is_fresh(component: &Path) -> bool {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|about| about.modified());
    let (Ok(built), Ok(paths)) = (modified(&component.with_extension("stamp")), inputs(component))
    else {
        return false;
    };
    component.is_file()
        && paths.iter().all(|path| modified(path).is_ok_and(|changed| changed < built))
}

fn list_path(component: &Path) -> PathBuf {
    component.with_extension("inputs")
}

/// The right-hand side of cargo's Makefile rule; blanks in names are escaped.
fn dependencies(rule: &str) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for line in rule.lines() {
        let Some((_, right)) = line.split_once(": ") else { continue };
        let mut name = String::new();
        let mut letters = right.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if letters.peek() == Some(&' ') => name.extend(letters.next()),
                ' ' if name.is_empty() => {}
                ' ' => paths.push(PathBuf::from(std::mem::take(&mut name))),
                other => name.push(other),
            }
        }
        if !name.is_empty() {
            paths.push(PathBuf::from(name));
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_in_file_names_are_kept() {
        let rule = "/t/x.wasm: /a/my\\ rule/src/lib.rs /a/wit/rules.wit\n";
        assert_eq!(
            dependencies(rule),
            [PathBuf::from("/a/my rule/src/lib.rs"), PathBuf::from("/a/wit/rules.wit")]
        );
    }

    #[test]
    fn a_component_that_is_not_there_is_not_fresh() {
        assert!(!is_fresh(Path::new("/nowhere/x.wasm")));
    }
}
