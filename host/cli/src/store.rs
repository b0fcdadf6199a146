//! Which store of rules is meant: what is typed goes before the environment,
//! that before the job, that before `.dvsync/rules`.

use std::path::{Path, PathBuf};

use dvsync_registry::Store;

use crate::failure::Failure;

/// Without anything else, from where the program was started.
const USUAL: &str = ".dvsync/rules";

/// The store that the command line or the environment names.
pub(crate) fn named(typed: Option<&Path>) -> Option<PathBuf> {
    let from_environment =
        || std::env::var_os("DVSYNC_STORE").filter(|text| !text.is_empty()).map(PathBuf::from);
    typed.map(Path::to_owned).or_else(from_environment)
}

/// The store that a command without a job means, whether or not it is there.
pub(crate) fn place(typed: Option<&Path>) -> PathBuf {
    named(typed).unwrap_or_else(|| PathBuf::from(USUAL))
}

/// The store, which has to be there where somebody names it.
pub(crate) fn if_there(typed: Option<&Path>) -> Result<Option<Store>, Failure> {
    let store = Store::open(&place(typed))?;
    match (store, named(typed)) {
        (None, Some(path)) => Err(missing(&path)),
        (store, _) => Ok(store),
    }
}

/// The store, which has to be there.
pub(crate) fn there(typed: Option<&Path>) -> Result<Store, Failure> {
    let path = place(typed);
    Store::open(&path)?.ok_or_else(|| missing(&path))
}

/// There is no such store.
pub(crate) fn missing(path: &Path) -> Failure {
    Failure::usage(format!("there is no store of rules `{}`", path.display())).hint(
        "name it with --store or DVSYNC_STORE; the first `dvsync rules push` into it makes it",
    )
}
