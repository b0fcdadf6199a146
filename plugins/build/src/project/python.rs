//! A project in Python: `componentize-py` in a virtual environment, without WASI.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Tools;
use super::installed::installed;
use super::script::{Script, work, write};
use crate::BuildError;
use crate::toolchain::{run, said};

const DRIVER: &str = include_str!("../../tools/python/build.py");
/// One line: the tool and its version.
const REQUIREMENTS: &str = include_str!("../../tools/python/requirements.txt");

pub(super) fn build(folder: &Path, tools: Tools<'_>) -> Result<PathBuf, BuildError> {
    let folder = std::path::absolute(folder)
        .map_err(|_| BuildError::NoProject { folder: folder.to_owned() })?;
    let (environment, name) = environment(&folder, tools)?;
    let packages = packages(&folder, &environment, tools)?;
    Script {
        language: "python",
        folder: &folder,
        interpreter: program(&environment, "python"),
        driver: (DRIVER, "build.py"),
        tool: (program(&environment, "componentize-py"), format!("{name}{packages}")),
    }
    .build(tools.say)
}

/// The virtual environment with the tool, and the tool's name: the project's own
/// (`.venv`) where it has it, else one for all projects.
fn environment(folder: &Path, tools: Tools<'_>) -> Result<(PathBuf, String), BuildError> {
    let own = folder.join(".venv");
    if program(&own, "componentize-py").is_file() {
        return Ok((own, "the project's own componentize-py".to_owned()));
    }
    let what = REQUIREMENTS.trim();
    let install = |environment: &Path| {
        (tools.say)(&format!("installing {what} into `{}`, once", environment.display()));
        let python = if cfg!(windows) { "python" } else { "python3" };
        done(Command::new(python).args(["-m", "venv"]).arg(environment), what)?;
        done(pip(environment).arg(what), what)
    };
    let environment = installed(tools.folder, "python", REQUIREMENTS, install)?;
    Ok((environment, what.to_owned()))
}

/// Installs what `requirements.txt` of the project lists, for the rule itself:
/// packages in Python alone. The text of that file, or none.
fn packages(folder: &Path, environment: &Path, tools: Tools<'_>) -> Result<String, BuildError> {
    let requirements = folder.join("requirements.txt");
    let Ok(wanted) = std::fs::read_to_string(&requirements) else { return Ok(String::new()) };
    let place = work(folder, "python").join("packages");
    let stamp = place.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(wanted);
    }
    let what = "the packages of `requirements.txt`";
    (tools.say)(&format!("installing {what}"));
    if place.exists() {
        std::fs::remove_dir_all(&place).map_err(|source| BuildError::write(&place, source))?;
    }
    let mut pip = pip(environment);
    pip.arg("--no-compile").arg("--target").arg(place.join("lib").join("site-packages"));
    done(pip.current_dir(folder).arg("--requirement").arg(&requirements), what)?;
    write(&stamp, &wanted)?;
    Ok(wanted)
}

fn pip(environment: &Path) -> Command {
    let mut pip = Command::new(program(environment, "python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip
}

/// `bin/python`, or what Windows has.
fn program(environment: &Path, name: &str) -> PathBuf {
    match cfg!(windows) {
        true => environment.join("Scripts").join(format!("{name}.exe")),
        false => environment.join("bin").join(name),
    }
}

fn done(command: &mut Command, what: &str) -> Result<(), BuildError> {
    let output = run(command)?;
    if output.status.success() {
        return Ok(());
    }
    // `venv` complains on stdout.
    let said = match said(&output) {
        nothing if nothing.is_empty() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        said => said,
    };
    Err(BuildError::Install { what: what.to_owned(), said })
}
