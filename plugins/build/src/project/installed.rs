//! Installs a tool once for all projects of a user: one process at a time, and only
//! whole.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::script::write;
use crate::BuildError;

/// The folder `name` below `tools`, where `install` has put what `wanted` says:
/// anew when that has changed. `install` is told the folder, which is empty.
pub(super) fn installed(
    tools: &Path,
    name: &str,
    wanted: &str,
    install: impl Fn(&Path) -> Result<(), BuildError>,
) -> Result<PathBuf, BuildError> {
    let folder = tools.join(name);
    let stamp = folder.join("installed");
    let is_there = || std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted);
    if is_there() {
        return Ok(folder);
    }
    let cannot = |path: &Path| {
        let path = path.to_owned();
        move |source| BuildError::write(&path, source)
    };
    std::fs::create_dir_all(tools).map_err(cannot(tools))?;
    let lock_path = tools.join(format!("{name}.lock"));
    let lock = File::create(&lock_path).map_err(cannot(&lock_path))?;
    lock.lock().map_err(cannot(&lock_path))?;
    // Another process may have been quicker.
    if is_there() {
        return Ok(folder);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(cannot(&folder))?;
    }
    std::fs::create_dir_all(&folder).map_err(cannot(&folder))?;
    install(&folder)?;
    write(&stamp, wanted)?;
    Ok(folder)
}
