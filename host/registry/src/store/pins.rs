//! Versions that unfinished runs need: `pins/<run id>.json`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::Store;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::name::RuleName;

/// A version that a run needs until it is finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Id of the run: letters, digits, `-`.
    pub run: String,
    /// The rule.
    pub name: RuleName,
    /// Its version.
    pub version: Version,
    /// Its component.
    pub digest: Digest,
    /// Absolute path of the journal that the run stands in.
    pub journal: PathBuf,
    /// When the run began.
    pub at: Timestamp,
}

impl Pin {
    /// Whether the run can still be resumed: its journal is there.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.journal.try_exists().unwrap_or(true)
    }
}

impl Store {
    /// Keeps a version for a run.
    ///
    /// # Errors
    /// The version has gone meanwhile, or the folder cannot be written.
    pub fn pin(&self, pin: &Pin) -> Result<(), RegistryError> {
        let file = Self::pin_file(&pin.run)?;
        let _lock = self.lock()?;
        let record = self.existing(&pin.name, &pin.version)?;
        if record.digest != pin.digest {
            return Err(self.damaged(
                &Self::record_file(&pin.name, &pin.version),
                format!("it was `{}`, now it is `{}`", pin.digest, record.digest),
            ));
        }
        self.write_json(&file, pin)
    }

    /// Lets the version go that a run has needed.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn unpin(&self, run: &str) -> Result<(), RegistryError> {
        let file = Self::pin_file(run)?;
        let _lock = self.lock()?;
        self.remove_file(&file)
    }

    /// Lets the versions go that other runs of a journal have needed: only its
    /// last run can be resumed.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn unpin_others(&self, journal: &Path, run: &str) -> Result<(), RegistryError> {
        let _lock = self.lock()?;
        for pin in self.pins()? {
            if pin.journal == journal && pin.run != run {
                self.remove_file(&Self::pin_file(&pin.run)?)?;
            }
        }
        Ok(())
    }

    /// All pins, by run.
    ///
    /// # Errors
    /// The folder cannot be read, or a file is damaged.
    pub fn pins(&self) -> Result<Vec<Pin>, RegistryError> {
        let mut pins = Vec::new();
        for file in self.entries("pins")? {
            if file.ends_with(".json") {
                pins.extend(self.json::<Pin>(&format!("pins/{file}"))?);
            }
        }
        pins.sort_by(|a, b| a.run.cmp(&b.run));
        Ok(pins)
    }

    fn pin_file(run: &str) -> Result<String, RegistryError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if run.is_empty() || run.len() > 100 || !run.bytes().all(plain) {
            let reason = "it is no id of a run".to_owned();
            return Err(RegistryError::Damaged { file: run.escape_debug().to_string(), reason });
        }
        Ok(format!("pins/{run}.json"))
    }
}
