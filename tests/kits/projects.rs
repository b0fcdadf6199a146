//! Projects of this repository, built. They are copied first, file by file where
//! one has changed: what is not touched is not built again, and the tree stays
//! clean.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use dvsync_rules::{Rule, Sandbox, SandboxSettings};
use dvsync_rules_build::{Tools, build_project};

/// A language that needs an interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    JavaScript,
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::Python, Self::JavaScript];

    /// As folders name it: `honest-python`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "js",
        }
    }

    pub(crate) fn interpreter(self) -> &'static str {
        match self {
            Self::Python => "python3",
            Self::JavaScript => "node",
        }
    }

    /// Whether its tests can run here; says so where they cannot.
    pub(crate) fn is_there(self) -> bool {
        let started = Command::new(self.interpreter()).arg("--version").output();
        let is_there = started.is_ok_and(|output| output.status.success());
        if !is_there {
            eprintln!("left out: `{}` is not installed", self.interpreter());
        }
        is_there
    }
}

fn target_tmp() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The copied tree: the folders of it that rules are made of.
fn tree() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let copy = target_tmp().join("kits");
    fs::create_dir_all(&copy).unwrap();
    let lock = fs::File::create(copy.join("lock")).unwrap();
    lock.lock().unwrap();
    for folder in
        ["plugins/python/dvsync_rules", "plugins/js/dvsync-rules", "examples", "tests/kits"]
    {
        refresh(&root.join(folder), &copy.join(folder));
    }
    copy
}

fn refresh(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if ["target", ".dvsync", "__pycache__"].iter().any(|left_out| name == *left_out) {
            continue;
        }
        let copy = to.join(name);
        if path.is_dir() {
            refresh(&path, &copy);
        } else {
            let text = fs::read(&path).unwrap();
            if fs::read(&copy).ok().as_ref() != Some(&text) {
                fs::write(copy, text).unwrap();
            }
        }
    }
}

/// The rule of a project, by its folder below the root of this repository.
pub(crate) fn rule(folder: &str) -> Rule {
    let project = tree().join(folder);
    // One process builds and compiles, the others find what it has made.
    let lock = fs::File::create(project.join(".lock")).unwrap();
    lock.lock().unwrap();
    let tools = target_tmp().join("dvsync").join("tools");
    let tools = Tools { folder: &tools, say: &|line| eprintln!("{line}") };
    let path = build_project(&project, "release", tools)
        .unwrap_or_else(|error| panic!("{folder}: {error}"));
    let wasm = fs::read(path).unwrap();
    sandbox().admit(&wasm, folder).unwrap_or_else(|error| panic!("{error}"))
}

/// One sandbox for all tests of a process; compiled rules are kept.
pub(crate) fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| {
        let cache_dir = Some(target_tmp().join("dvsync").join("rules"));
        Sandbox::new(SandboxSettings { cache_dir, ..SandboxSettings::default() }).unwrap()
    })
}
