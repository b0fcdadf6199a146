//! A project in JavaScript: `componentize-js`, with all that needs WASI left out.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Tools;
use super::installed::installed;
use super::script::{Script, write};
use crate::BuildError;
use crate::toolchain::{run, said};

const DRIVER: &str = include_str!("../../tools/javascript/build.mjs");
const PACKAGE: &str = include_str!("../../tools/javascript/package.json");
/// All that comes with the tool, each by version and digest.
const LOCK: &str = include_str!("../../tools/javascript/package-lock.json");
/// The tool's main module below the folder with `node_modules`.
const TOOL: &str = "node_modules/@bytecodealliance/componentize-js/src/componentize.js";
const NAME: &str = "componentize-js 0.23.0";

pub(super) fn build(folder: &Path, tools: Tools<'_>) -> Result<PathBuf, BuildError> {
    let folder = std::path::absolute(folder)
        .map_err(|_| BuildError::NoProject { folder: folder.to_owned() })?;
    let own = folder.join(TOOL);
    let tool = if own.is_file() {
        (own, "the project's own componentize-js".to_owned())
    } else {
        (
            installed(tools.folder, "javascript", LOCK, |at| install(at, tools))?.join(TOOL),
            NAME.to_owned(),
        )
    };
    Script {
        language: "javascript",
        folder: &folder,
        interpreter: "node".into(),
        driver: (DRIVER, "build.mjs"),
        tool,
    }
    .build(tools.say)
}

fn install(folder: &Path, tools: Tools<'_>) -> Result<(), BuildError> {
    (tools.say)(&format!("installing {NAME} into `{}`, once", folder.display()));
    write(&folder.join("package.json"), PACKAGE)?;
    write(&folder.join("package-lock.json"), LOCK)?;
    // Not `npm ci`: it misses what is optional for other systems in a lock file that
    // this one wrote. The versions are those of the lock file either way.
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut npm = Command::new(npm);
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
    let output = run(&mut npm)?;
    if output.status.success() {
        return Ok(());
    }
    Err(BuildError::Install { what: NAME.to_owned(), said: said(&output) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_is_named_as_it_is_pinned() {
        let (tool, version) = NAME.split_once(' ').unwrap();
        assert!(PACKAGE.contains(&format!("{tool}\": \"{version}\"")), "{PACKAGE}");
        assert!(LOCK.contains(&format!("{tool}\": \"{version}\"")), "the lock file is another's");
        assert!(!LOCK.contains("\"resolved\""), "the lock file names somebody's registry");
    }
}
