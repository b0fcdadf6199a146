//! Turns a project into a rule component. Of a Rust crate cargo builds a core
//! module for `wasm32-unknown-unknown`, and `wit-component` makes a component of
//! it; of a Python or JavaScript project `componentize-py` or `componentize-js`
//! makes one, which are installed where the caller says.
//!
//! For build scripts, tests and `dvsync rules build`. Starts processes (cargo,
//! rustc, rustup; python3, pip; node, npm) and writes below the target folder that
//! it is given and into the folder of tools. No WASI and no adapters: what a rule
//! imports is the contract.

mod component;
mod error;
mod inputs;
mod project;
mod stamp;
mod toolchain;

use std::path::{Path, PathBuf};

pub use component::componentize;
pub use error::BuildError;
pub use inputs::inputs;
pub use project::{Tools, build_project};

/// Builds `package` of the workspace that `manifest_dir` lies in, and returns
/// the path of the component.
///
/// `profile` is a cargo profile (`guest` in this workspace). `target_dir` must
/// not be the target folder of a cargo that waits for this call (a build
/// script's), since that one holds the lock; any folder below it will do, and
/// the same one for all guests shares what they have in common. Does nothing
/// when nothing that the component was made of has changed since.
///
/// # Errors
///
/// When the target's standard library is missing and cannot be installed, the
/// crate does not compile (the message holds the compiler's words), it makes no
/// core module, or that module is no component.
pub fn build(
    manifest_dir: &Path,
    package: &str,
    profile: &str,
    target_dir: &Path,
) -> Result<PathBuf, BuildError> {
    let component = target_dir.join("rules").join(profile).join(format!("{package}.wasm"));
    if inputs::is_fresh(&component) {
        return Ok(component);
    }
    toolchain::ensure_target(manifest_dir)?;
    let started = inputs::start(&component)?;
    let core_path = toolchain::cargo_build(manifest_dir, package, profile, target_dir)?;
    let core = std::fs::read(&core_path).map_err(|source| BuildError::read(&core_path, source))?;
    let bytes = componentize(&core)?;
    inputs::record(&component, &core_path, manifest_dir)?;
    component::publish(&component, &bytes)?;
    inputs::finish(&component, &started)?;
    Ok(component)
}

/// [`build`] for a build script, and the lines that it has to print:
/// `cargo::rerun-if-changed=...` for all that the component was made of.
///
/// # Errors
///
/// As [`build`].
pub fn build_for_script(
    manifest_dir: &Path,
    package: &str,
    profile: &str,
    target_dir: &Path,
) -> Result<(PathBuf, String), BuildError> {
    let component = build(manifest_dir, package, profile, target_dir)?;
    let lines = inputs(&component)?
        .iter()
        .map(|path| format!("cargo::rerun-if-changed={}\n", path.display()))
        .collect();
    Ok((component, lines))
}
