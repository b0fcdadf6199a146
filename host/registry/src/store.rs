//! A folder that keeps versions of rules.
//!
//! ```text
//! blobs/sha256/<hex>             a component, written once, compared with its name on every read
//! names/<name>/<version>.json    a Record: which component, who signed it, quarantine
//! names/<name>/live.json         which version jobs follow (written by whoever swaps)
//! pins/<run id>.json             a version that a run needs until it is finished
//! policy.toml                    a Trust that jobs cannot loosen
//! lock                           held by whoever changes something
//! ```
//!
//! Files are written aside and put in place in one step, so that readers need no
//! lock. A version's file is linked, not renamed, into place: even where locks do
//! not work it is bound to its bytes once.

mod files;
mod live;
mod pins;
mod read;

use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use jiff::Timestamp;
use semver::Version;

use crate::digest::Digest;
use crate::error::RegistryError;
use crate::key::Signature;
use crate::name::RuleName;
use crate::record::{Quarantine, Record};
use crate::statement::Statement;
pub use live::Live;
pub use pins::Pin;
pub use read::{Found, Resolved};

/// The largest component that a store takes; the sandbox has its own limit.
const BLOB_BYTES_MAX: usize = 256 << 20;

/// A folder that keeps versions of rules.
#[derive(Debug)]
pub struct Store {
    folder: Dir,
    path: PathBuf,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// As the store has it now.
    pub record: Record,
    /// It was there already, with the same bytes.
    pub was_there: bool,
}

impl Store {
    /// Opens a store; `None` where there is no such folder.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path) -> Result<Option<Self>, RegistryError> {
        match Dir::open_ambient_dir(path, ambient_authority()) {
            Ok(folder) => Ok(Some(Self { folder, path: path.to_owned() })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RegistryError::Folder { path: path.to_owned(), source }),
        }
    }

    /// Opens a store, made where there is none.
    ///
    /// # Errors
    /// It cannot be made or read.
    pub fn create(path: &Path) -> Result<Self, RegistryError> {
        let cannot = |source| RegistryError::Folder { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(cannot)?;
        let folder = Dir::open_ambient_dir(path, ambient_authority()).map_err(cannot)?;
        Ok(Self { folder, path: path.to_owned() })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a component in, under a version that is not taken, or is its own
    /// already. Signatures are added to those that are there.
    ///
    /// # Errors
    /// [`RegistryError::Taken`] by other bytes; the statement is of other bytes;
    /// the folder cannot be written.
    pub fn push(
        &self,
        statement: &Statement,
        bytes: &[u8],
        signatures: &[Signature],
        now: Timestamp,
    ) -> Result<Pushed, RegistryError> {
        let Statement { name, version, digest, contract } = statement;
        if !version.build.is_empty() {
            return Err(RegistryError::BuildMetadata(version.clone()));
        }
        if Digest::of(bytes) != *digest || bytes.len() > BLOB_BYTES_MAX {
            return Err(RegistryError::Damaged {
                file: statement.label(),
                reason: format!("its {} bytes are not `{digest}`", bytes.len()),
            });
        }
        let _lock = self.lock()?;
        if let Some(mut record) = self.record(name, version)? {
            self.taken(statement, &record)?;
            let before = record.clone();
            signatures.iter().for_each(|signature| record.sign(signature.clone()));
            if record != before {
                self.write_record(name, version, &record)?;
            }
            // Mends a component that was lost or damaged.
            self.write_blob(digest, bytes)?;
            return Ok(Pushed { record, was_there: true });
        }
        self.write_blob(digest, bytes)?;
        let mut record = Record {
            digest: digest.clone(),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            contract: contract.clone(),
            pushed_at: now,
            signatures: Vec::new(),
            quarantined: None,
        };
        signatures.iter().for_each(|signature| record.sign(signature.clone()));
        if !self.bind_record(name, version, &record)? {
            // Somebody was quicker who could not see our lock.
            let there = self.existing(name, version)?;
            self.taken(statement, &there)?;
            return Ok(Pushed { record: there, was_there: true });
        }
        Ok(Pushed { record, was_there: false })
    }

    fn taken(&self, statement: &Statement, there: &Record) -> Result<(), RegistryError> {
        if there.digest == statement.digest && there.contract == statement.contract {
            return Ok(());
        }
        Err(RegistryError::Taken {
            name: statement.name.clone(),
            version: statement.version.clone(),
            there: there.digest.clone(),
            here: statement.digest.clone(),
        })
    }

    /// Adds a signature to a version.
    ///
    /// # Errors
    /// There is no such version, or the folder cannot be written.
    pub fn sign(
        &self,
        name: &RuleName,
        version: &Version,
        signature: Signature,
    ) -> Result<Record, RegistryError> {
        self.change(name, version, |record| record.sign(signature))
    }

    /// Keeps all jobs from a version.
    ///
    /// # Errors
    /// There is no such version, or the folder cannot be written.
    pub fn quarantine(
        &self,
        name: &RuleName,
        version: &Version,
        reason: &str,
        now: Timestamp,
    ) -> Result<Record, RegistryError> {
        self.change(name, version, |record| {
            record.quarantined = Some(Quarantine { reason: reason.to_owned(), at: now });
        })
    }

    /// Lets jobs use a version again.
    ///
    /// # Errors
    /// There is no such version, or the folder cannot be written.
    pub fn release(&self, name: &RuleName, version: &Version) -> Result<Record, RegistryError> {
        self.change(name, version, |record| record.quarantined = None)
    }

    fn change(
        &self,
        name: &RuleName,
        version: &Version,
        change: impl FnOnce(&mut Record),
    ) -> Result<Record, RegistryError> {
        let _lock = self.lock()?;
        let mut record = self.existing(name, version)?;
        change(&mut record);
        self.write_record(name, version, &record)?;
        Ok(record)
    }

    /// Removes a version, and its component where no other version is the same.
    ///
    /// # Errors
    /// It is not there; an unfinished run needs it; it is live.
    pub fn remove(&self, name: &RuleName, version: &Version) -> Result<Record, RegistryError> {
        let _lock = self.lock()?;
        let record = self.existing(name, version)?;
        let pins = self.pins()?;
        if let Some(pin) = pins.iter().find(|pin| pin.digest == record.digest && pin.counts()) {
            return Err(RegistryError::Pinned {
                name: name.clone(),
                version: version.clone(),
                run: pin.run.clone(),
                journal: pin.journal.clone(),
            });
        }
        if self.is_live(name, version, &record.digest)? {
            return Err(RegistryError::Live { name: name.clone(), version: version.clone() });
        }
        self.remove_record(name, version)?;
        if !self.is_used(&record.digest)? {
            self.remove_blob(&record.digest)?;
        }
        Ok(record)
    }

    /// Whether some version is these bytes.
    fn is_used(&self, digest: &Digest) -> Result<bool, RegistryError> {
        for name in self.names()? {
            if self.versions(&name)?.iter().any(|(_, record)| record.digest == *digest) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
