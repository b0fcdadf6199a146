//! All rows as they are, kept and brought back.

use std::fs;
use std::path::PathBuf;

use super::Emulator;
use crate::error::EmulatorError;

impl Emulator {
    /// All rows as they are now. The form is that of the log on disk.
    ///
    /// # Errors
    /// The schema cannot be written.
    pub fn snapshot(&self) -> Result<Vec<u8>, EmulatorError> {
        let store = self.read_store();
        store.snapshot(&self.environment().schema)
    }

    /// Brings back the rows of a snapshot, in place of those that are there.
    /// Requests, limits and faults stay as they are.
    ///
    /// # Errors
    /// It is none, is torn or does not fit the schema: nothing has changed. Or the
    /// state on disk cannot be written.
    pub fn restore(&self, snapshot: &[u8]) -> Result<(), EmulatorError> {
        let mut store = self.write_store();
        let environment = self.environment();
        store.restore(&environment.schema, snapshot)
    }

    /// Writes a snapshot into the state folder.
    pub(crate) fn keep_snapshot(&self, name: &str, bytes: &[u8]) -> Result<(), EmulatorError> {
        let path = self.snapshot_path(name)?;
        let problem = |source| EmulatorError::State { verb: "write", path: path.clone(), source };
        fs::write(&path, bytes).map_err(problem)
    }

    /// Reads one from there.
    pub(crate) fn kept_snapshot(&self, name: &str) -> Result<Vec<u8>, EmulatorError> {
        let path = self.snapshot_path(name)?;
        if !path.exists() {
            return Err(EmulatorError::Snapshot(format!("there is none of the name `{name}`")));
        }
        fs::read(&path).map_err(|source| EmulatorError::State { verb: "read", path, source })
    }

    fn snapshot_path(&self, name: &str) -> Result<PathBuf, EmulatorError> {
        match &self.settings.state {
            Some(folder) => Ok(folder.join(format!("{name}.snapshot"))),
            None => Err(EmulatorError::Snapshot(
                "there is no state folder for it: leave the name out to have it as the reply's body"
                    .to_owned(),
            )),
        }
    }
}
