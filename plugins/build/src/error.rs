//! Why a rule could not be built.

use std::path::{Path, PathBuf};

/// Why a rule could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A tool did not start.
    #[error("cannot start `{tool}`")]
    Start {
        /// Its name.
        tool: String,
        /// Why.
        source: std::io::Error,
    },
    /// The standard library of the target is not there.
    #[error("the rust target `{target}` is not installed, and `{tried}` failed: {said}")]
    Target {
        /// `wasm32-unknown-unknown`.
        target: &'static str,
        /// The command that should have installed it.
        tried: String,
        /// What that command said.
        said: String,
    },
    /// There is no project to build.
    #[error("`{}` holds no rule project", folder.display())]
    NoProject {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// Cargo cannot read the crate's manifest.
    #[error("cannot read the manifest in `{}`: {said}", folder.display())]
    Manifest {
        /// The crate's folder.
        folder: PathBuf,
        /// Cargo's words.
        said: String,
    },
    /// The crate does not compile.
    #[error("cannot compile `{package}`:\n{said}")]
    Compile {
        /// The crate.
        package: String,
        /// Cargo's words.
        said: String,
    },
    /// The crate compiles, yet to no core module.
    #[error("`{package}` makes no wasm module")]
    NoModule {
        /// The crate.
        package: String,
    },
    /// What a project needs cannot be installed.
    #[error("cannot install {what}:\n{said}")]
    Install {
        /// The tool with its version, or the project's own packages.
        what: String,
        /// The installer's words.
        said: String,
    },
    /// The rule's module raises, or holds no rule.
    #[error("cannot load the rule in `{}`:\n{said}", folder.display())]
    Load {
        /// The project.
        folder: PathBuf,
        /// The interpreter's words.
        said: String,
    },
    /// The tool that makes a component of a script has failed.
    #[error("cannot make a component with {tool}:\n{said}")]
    Script {
        /// The tool with its version.
        tool: String,
        /// Its words.
        said: String,
    },
    /// The core module is no component.
    #[error("cannot make a component: {said}")]
    Component {
        /// What is wrong with it.
        said: String,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl BuildError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Target { .. } => Some("run `rustup target add wasm32-unknown-unknown`"),
            Self::NoModule { .. } => Some("add `crate-type = [\"cdylib\"]` under `[lib]`"),
            Self::NoProject { .. } => Some(
                "name the folder with the `Cargo.toml`, `pyproject.toml` or `package.json`; \
                 `dvsync rules new NAME` makes one",
            ),
            Self::Start { tool, .. } => Some(match tool.as_str() {
                "python3" | "python" => "install Python 3.10 or later with its module `venv`",
                "node" | "npm" | "npm.cmd" => "install Node.js 20 or later, with npm",
                _ => "install Rust from https://rustup.rs",
            }),
            Self::Install { .. } => Some(
                "the registry must be reachable (PyPI, npm), and Python needs its module `venv`",
            ),
            Self::Component { .. } => {
                Some("build for `wasm32-unknown-unknown` and import `dvsync:rules` only")
            }
            Self::Manifest { .. }
            | Self::Compile { .. }
            | Self::Load { .. }
            | Self::Script { .. }
            | Self::Read { .. }
            | Self::Write { .. } => None,
        }
    }

    pub(crate) fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: std::io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }
}
