//! The processes: rustc, rustup and cargo, freed from what an outer cargo put
//! into the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::BuildError;

const TARGET: &str = "wasm32-unknown-unknown";

/// Flags and settings of an outer build that must not reach a guest's; the
/// jobserver (`CARGO_MAKEFLAGS`) stays, so that both builds share its slots.
const OUTER: &[&str] = &[
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_INCREMENTAL",
    "CARGO_TARGET_DIR",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "TARGET",
];

/// Makes sure that the standard library of the target is there.
pub(crate) fn ensure_target(folder: &Path) -> Result<(), BuildError> {
    let mut rustc = command("RUSTC", "rustc", folder);
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    let printed = run(&mut rustc)?;
    let libdir = PathBuf::from(String::from_utf8_lossy(&printed.stdout).trim());
    if printed.status.success() && libdir.is_dir() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.current_dir(folder).args(["target", "add", TARGET]);
    let tried = format!("rustup target add {TARGET}");
    let said = match run(&mut rustup) {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => said(&output),
        Err(error) => error.to_string(),
    };
    Err(BuildError::Target { target: TARGET, tried, said })
}

/// What cargo says of the crate in that folder and its workspace.
pub(crate) fn metadata(folder: &Path) -> Result<Value, BuildError> {
    let mut cargo = command("CARGO", "cargo", folder);
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = run(&mut cargo)?;
    let wrong = |said: String| BuildError::Manifest { folder: folder.to_owned(), said };
    if !output.status.success() {
        return Err(wrong(said(&output)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| wrong(error.to_string()))
}

/// Compiles the crate and returns the path of its core module.
pub(crate) fn cargo_build(
    manifest_dir: &Path,
    package: &str,
    profile: &str,
    target_dir: &Path,
) -> Result<PathBuf, BuildError> {
    let mut cargo = command("CARGO", "cargo", manifest_dir);
    cargo
        .args(["build", "--lib", "--message-format=json-render-diagnostics"])
        .args(["--target", TARGET, "--profile", profile, "--package", package])
        .arg("--target-dir")
        .arg(target_dir);
    let output = run(&mut cargo)?;
    if !output.status.success() {
        return Err(BuildError::Compile { package: package.to_owned(), said: said(&output) });
    }
    module_of(&output.stdout, package)
        .ok_or_else(|| BuildError::NoModule { package: package.to_owned() })
}

/// The `.wasm` file that cargo's messages name for the package.
fn module_of(messages: &[u8], package: &str) -> Option<PathBuf> {
    // A library's target may have another name than its package; the module of
    // the package that was asked for is the last artifact.
    let crate_name = package.replace('-', "_");
    let files: Vec<PathBuf> = messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|name| name.as_str().map(PathBuf::from))
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    let named = files.iter().find(|path| path.file_stem().is_some_and(|at| *at == *crate_name));
    named.or(files.last()).cloned()
}

fn command(variable: &str, name: &str, folder: &Path) -> Command {
    // Inside a build script or a test cargo says which cargo and rustc it is.
    let program = std::env::var_os(variable).unwrap_or_else(|| OsString::from(name));
    let mut command = Command::new(program);
    command.current_dir(folder);
    for name in OUTER {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run(command: &mut Command) -> Result<Output, BuildError> {
    command.output().map_err(|source| BuildError::Start {
        tool: command.get_program().to_string_lossy().into_owned(),
        source,
    })
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_of_the_package_is_found_among_those_of_others() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","filenames":["/t/liba.rlib"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","filenames":["/t/guest_a.wasm"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","filenames":["/t/other.wasm"]}"#,
            "\n",
        );
        let found = module_of(messages.as_bytes(), "guest-a");
        assert_eq!(found, Some(PathBuf::from("/t/guest_a.wasm")));
        assert_eq!(module_of(b"", "guest-a"), None);
    }
}
