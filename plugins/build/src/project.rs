//! A project of its own, outside of any workspace of ours: which language it is
//! in, where it builds, and its component.

mod freshness;
mod installed;
mod javascript;
mod python;
mod rust;
mod script;

use std::path::{Path, PathBuf};

use crate::BuildError;

/// What makes components of scripts, and how the caller hears what takes long.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// Where `componentize-py` and `componentize-js` are installed when they are
    /// needed: one copy for all projects (70 and 380 MB).
    pub folder: &'a Path,
    /// Called before what takes more than a moment.
    pub say: &'a dyn Fn(&str),
}

/// Builds the project in `folder` and returns the path of its component:
/// `target/rules/NAME.wasm`, for a crate below the target folder that cargo names.
///
/// A `Cargo.toml` says that it is Rust (then `profile` is the cargo profile), a
/// `pyproject.toml` Python, a `package.json` JavaScript. What the component exports
/// are the hooks that the rule has. Nothing is built when nothing has changed.
///
/// # Errors
///
/// When the folder holds no project, a tool is missing or cannot be installed, the
/// rule cannot be loaded or compiled (the message holds the tool's words).
pub fn build_project(
    folder: &Path,
    profile: &str,
    tools: Tools<'_>,
) -> Result<PathBuf, BuildError> {
    let has = |name: &str| folder.join(name).is_file();
    if has("Cargo.toml") {
        rust::build(folder, profile)
    } else if has("pyproject.toml") {
        python::build(folder, tools)
    } else if has("package.json") {
        javascript::build(folder, tools)
    } else {
        Err(BuildError::NoProject { folder: folder.to_owned() })
    }
}
