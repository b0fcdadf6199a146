use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::served::Served;

/// A script and what runs it.
pub(crate) struct Script {
    program: PathBuf,
    script: PathBuf,
    /// Where its packages are.
    folder: PathBuf,
}

/// Where the scripts lie.
fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name)
}

/// The folder for a client's packages, made anew if `wanted` has changed, by
/// `install`, which is told the folder. One process at a time.
fn installed(name: &str, wanted: &Path, install: impl Fn(&Path)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let folder = folder.join(name);
    let stamp = folder.join("installed");
    let wanted = fs::read_to_string(wanted).unwrap();
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return folder;
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    install(&folder);
    fs::write(stamp, wanted).unwrap();
    folder
}

/// Runs a command that must end well; what it printed.
#[track_caller]
fn done(command: &mut Command, why: &str) -> String {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!("{why}: cannot start {:?}: {error}", command.get_program()),
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{why}: {}\n{said}\n{complained}", output.status);
    said
}

/// Microsoft's SDK in a virtual environment of its own.
pub(crate) fn python() -> Script {
    let requirements = sources("python").join("requirements.txt");
    let folder = installed("python", &requirements, |folder| {
        let mut venv = Command::new("python3");
        done(venv.args(["-m", "venv"]).arg(folder), "this test needs Python 3 with venv");
        let mut pip = Command::new(program(folder, "python"));
        let install = ["-m", "pip", "install", "--quiet", "--requirement"];
        done(
            pip.args(install).arg(&requirements),
            "cannot install from PyPI; is the registry reachable?",
        );
    });
    let program = program(&folder, "python");
    Script { program, script: sources("python").join("clients.py"), folder }
}

/// `bin/python`, or what Windows has.
fn program(folder: &Path, name: &str) -> PathBuf {
    match cfg!(windows) {
        true => folder.join("Scripts").join(format!("{name}.exe")),
        false => folder.join("bin").join(name),
    }
}

/// `dynamics-web-api` beside a manifest.
pub(crate) fn node() -> Script {
    let manifest = sources("node").join("package.json");
    let folder = installed("node", &manifest, |folder| {
        fs::copy(&manifest, folder.join("package.json")).unwrap();
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        let install = ["install", "--no-audit", "--no-fund", "--ignore-scripts"];
        done(
            Command::new(npm).args(install).current_dir(folder),
            "cannot install from npm's registry; is it reachable, and is npm installed?",
        );
    });
    Script { program: "node".into(), script: sources("node").join("clients.mjs"), folder }
}

impl Script {
    /// What it printed; it must end well.
    #[track_caller]
    pub(crate) fn run(&self, served: &Served) -> String {
        let mut command = Command::new(&self.program);
        command
            .arg(&self.script)
            .env("EMULATOR_URL", &served.url)
            .env("EMULATOR_CLIENT_ID", &served.client_id)
            .env("EMULATOR_CLIENT_SECRET", &served.client_secret)
            .env("CLIENTS_FOLDER", &self.folder)
            .env("REQUESTS_CA_BUNDLE", &served.certificate)
            .env("NODE_EXTRA_CA_CERTS", &served.certificate)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        // A proxy has no way to this machine's loopback.
        for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        done(&mut command, "the client's script failed")
    }
}
