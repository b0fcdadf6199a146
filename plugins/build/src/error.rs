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
    /// There is no crate to build.
    #[error("`{}` holds no crate", folder.display())]
    NoCrate {
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
            Self::NoCrate { .. } => {
                Some("name the folder with the `Cargo.toml`; `dvsync rules new NAME` makes one")
            }
            Self::Start { .. } => Some("install Rust from https://rustup.rs"),
            Self::Component { .. } => {
                Some("build for `wasm32-unknown-unknown` and import `dvsync:rules` only")
            }
            Self::Manifest { .. }
            | Self::Compile { .. }
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
