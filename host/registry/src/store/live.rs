//! Which version jobs follow: `names/<name>/live.json`.

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::Store;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::name::RuleName;

/// The version that jobs follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Which one.
    pub version: Version,
    /// Its component.
    pub digest: Digest,
    /// The one before it, to go back to.
    pub previous: Option<Version>,
    /// How far it got with those who follow it: a word of the swap's stages.
    pub stage: String,
    /// Since when.
    pub since: Timestamp,
    /// Percent of the keys, step by step; as usual if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Vec<u8>>,
    /// Chunks in the shadow; as usual if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_chunks: Option<u32>,
}

impl Store {
    /// The version of a rule that jobs follow; `None` where none was published.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn live(&self, name: &RuleName) -> Result<Option<Live>, RegistryError> {
        self.json(&live_file(name))
    }

    /// Changes which version jobs follow, in one step. `change` is given what
    /// holds now; `None` leaves it so.
    ///
    /// # Errors
    /// The file cannot be read or written, or is damaged.
    pub fn follow(
        &self,
        name: &RuleName,
        change: impl FnOnce(Option<Live>) -> Option<Live>,
    ) -> Result<Option<Live>, RegistryError> {
        let _lock = self.lock()?;
        let changed = change(self.live(name)?);
        if let Some(live) = &changed {
            self.write_json(&live_file(name), live)?;
        }
        Ok(changed)
    }
}

fn live_file(name: &RuleName) -> String {
    format!("names/{name}/live.json")
}
