//! The demo's folder: jobs and data, written once and then left alone, so that
//! what a person changes there is what the next demo syncs.

use std::path::{Path, PathBuf};

use crate::demo::{Size, generate};
use crate::failure::Failure;

/// Jobs in the order in which they run.
pub(crate) const JOBS: [(&str, &str); 3] = [
    ("accounts.toml", include_str!("../../../../examples/adventureworks/accounts.toml")),
    ("contacts.toml", include_str!("../../../../examples/adventureworks/contacts.toml")),
    (
        "primary-contacts.toml",
        include_str!("../../../../examples/adventureworks/primary-contacts.toml"),
    ),
];

const SCHEMA: (&str, &str) =
    ("schema.toml", include_str!("../../../../examples/adventureworks/schema.toml"));

/// Rows of the demo.
pub(crate) const SIZE: Size = Size { accounts: 2_000, contacts: 12_000, spoilt: true };

/// Writes what is missing; says whether anything was.
pub(crate) fn fill(folder: &Path) -> Result<bool, Failure> {
    let data = generate(SIZE);
    let files = [
        ("data/accounts.csv", data.accounts.as_str()),
        ("data/contacts.csv", data.contacts.as_str()),
        ("data/salespeople.csv", data.salespeople.as_str()),
        SCHEMA,
    ];
    let mut wrote = false;
    for (name, text) in JOBS.into_iter().chain(files) {
        let path = folder.join(name);
        if !path.exists() {
            write(&path, text)?;
            wrote = true;
        }
    }
    Ok(wrote)
}

/// Removes what a demo has made there, and nothing else.
pub(crate) fn clear(folder: &Path) -> Result<(), Failure> {
    for name in ["data", ".dvsync"] {
        remove(folder.join(name), |path| std::fs::remove_dir_all(path))?;
    }
    for name in JOBS.iter().map(|(name, _)| *name).chain([SCHEMA.0]) {
        remove(folder.join(name), |path| std::fs::remove_file(path))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::because(format!("cannot write `{}`", path.display()), error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}

fn remove(path: PathBuf, by: impl Fn(&Path) -> std::io::Result<()>) -> Result<(), Failure> {
    match by(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::because(format!("cannot remove `{}`", path.display()), error))
        }
        _ => Ok(()),
    }
}
