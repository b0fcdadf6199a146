//! What a store knows of one version: `names/<name>/<version>.json`. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::key::Signature;

/// What a store knows of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Of the component; never changes.
    pub digest: Digest,
    /// Of the component, bytes; never changes.
    pub size: u64,
    /// `dvsync:rules@0.1.0`; never changes.
    pub contract: String,
    /// When it came.
    pub pushed_at: Timestamp,
    /// Who vouches for it.
    #[serde(default)]
    pub signatures: Vec<Signature>,
    /// Why no job may use it.
    #[serde(default)]
    pub quarantined: Option<Quarantine>,
}

/// Why no job may use a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// For people.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

impl Record {
    /// Adds a signature; one of the same key gives way.
    pub fn sign(&mut self, signature: Signature) {
        self.signatures.retain(|old| old.key_id != signature.key_id);
        self.signatures.push(signature);
    }
}
