//! Folders, jobs, and the program to start.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder with a job in it.
pub(crate) struct Place {
    folder: TempDir,
}

/// Accounts into the embedded emulator, by number and name.
pub(crate) const JOB: &str = r#"name = "accounts"
mode = "upsert"
[source]
path = "accounts.csv"
key = ["number"]
types = { number = "text" }
[target]
url = "emulator"
entity = "account"
match = { key = ["accountnumber"] }
[columns.accountnumber]
from = "number"
[columns.name]
from = "name"
"#;

impl Place {
    /// With so many accounts.
    pub(crate) fn new(rows: usize) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let lines = (0..rows).map(|row| format!("A{row:05},Store {row}\n"));
        let text = format!("number,name\n{}", lines.collect::<String>());
        place.write("accounts.csv", &text);
        place.write("job.toml", JOB);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program, started in this folder.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dvsync"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("XDG_CACHE_HOME", compiled_rules())
            .env_remove("DVSYNC_LOG")
            .env_remove("DVSYNC_STORE")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&self.program(arguments).output().unwrap())
    }

    /// Runs it, expects that exit code, and gives the JSON that it prints.
    pub(crate) fn json(&self, arguments: &[&str], exit: i32) -> serde_json::Value {
        let ended = self.run(arguments);
        assert_eq!(ended.exit, Some(exit), "{ended:?}");
        serde_json::from_str(&ended.stdout).unwrap()
    }
}

/// Rules are compiled once for all tests.
fn compiled_rules() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            exit: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }
}
