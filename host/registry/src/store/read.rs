//! What is in a store, and which version a reference stands for.

use std::io;
use std::str::FromStr;

use semver::Version;

use super::Store;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::name::RuleName;
use crate::record::Record;
use crate::reference::Reference;
use crate::statement::Statement;
use crate::trust::Trust;

const POLICY: &str = "policy.toml";

/// A version of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: RuleName,
    /// Which version.
    pub version: Version,
    /// What the store knows of it.
    pub record: Record,
}

/// A version of a store, with its component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Which one.
    pub found: Found,
    /// The component; compared with its digest.
    pub bytes: Vec<u8>,
}

impl Found {
    /// `account@1.2.0`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// What a signature of it says.
    ///
    /// # Errors
    /// The record is damaged.
    pub fn statement(&self) -> Result<Statement, RegistryError> {
        let Self { name, version, record } = self;
        Statement::new(name.clone(), version.clone(), record.digest.clone(), &record.contract)
    }
}

impl Store {
    /// Names of the rules, in order.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn names(&self) -> Result<Vec<RuleName>, RegistryError> {
        // What is no name is none of ours.
        let names = self.entries("names")?;
        let mut names: Vec<RuleName> = names.iter().filter_map(|name| name.parse().ok()).collect();
        names.sort();
        Ok(names)
    }

    /// Versions of a rule, the oldest first.
    ///
    /// # Errors
    /// The folder cannot be read, or a file is damaged.
    pub fn versions(&self, name: &RuleName) -> Result<Vec<(Version, Record)>, RegistryError> {
        let mut versions = Vec::new();
        for file in self.entries(&format!("names/{name}"))? {
            let version = file.strip_suffix(".json").map(Version::from_str);
            // `live.json` and files of other tools are no versions.
            let Some(Ok(version)) = version else { continue };
            // One that is gone meanwhile is left out.
            if let Some(record) = self.record(name, &version)? {
                versions.push((version, record));
            }
        }
        versions.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(versions)
    }

    /// What the store knows of a version; `None` where it has none.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn record(
        &self,
        name: &RuleName,
        version: &Version,
    ) -> Result<Option<Record>, RegistryError> {
        self.json(&Self::record_file(name, version))
    }

    pub(super) fn existing(
        &self,
        name: &RuleName,
        version: &Version,
    ) -> Result<Record, RegistryError> {
        self.record(name, version)?.map_or_else(
            || {
                let wanted = crate::reference::Wanted::Exact(version.clone());
                Err(self.missing(&Reference { name: name.clone(), wanted })?)
            },
            Ok,
        )
    }

    fn missing(&self, reference: &Reference) -> Result<RegistryError, RegistryError> {
        let versions = self.versions(&reference.name)?;
        Ok(if versions.is_empty() {
            RegistryError::NoRule {
                name: reference.name.clone(),
                store: self.path.clone(),
                known: self.names()?,
            }
        } else {
            RegistryError::NoVersion {
                reference: reference.clone(),
                known: versions.into_iter().map(|(version, _)| version).collect(),
            }
        })
    }

    /// The newest version that a reference takes and that is not in quarantine.
    ///
    /// # Errors
    /// There is none; it names one that is in quarantine; a file is damaged.
    pub fn find(&self, reference: &Reference) -> Result<Found, RegistryError> {
        let Reference { name, wanted } = reference;
        let all = self.versions(name)?;
        let fit = all.into_iter().rev().filter(|(v, record)| wanted.accepts(v, &record.digest));
        let mut in_quarantine = None;
        for (version, record) in fit {
            match &record.quarantined {
                None => return Ok(Found { name: name.clone(), version, record }),
                Some(quarantine) => {
                    let reason = quarantine.reason.clone();
                    in_quarantine.get_or_insert(RegistryError::Quarantined {
                        name: name.clone(),
                        version,
                        reason,
                    });
                }
            }
        }
        match in_quarantine {
            Some(error) => Err(error),
            None => Err(self.missing(reference)?),
        }
    }

    /// The same, with its component.
    ///
    /// # Errors
    /// As [`Store::find`]; the component is gone or damaged.
    pub fn resolve(&self, reference: &Reference) -> Result<Resolved, RegistryError> {
        let found = self.find(reference)?;
        let bytes = self.blob(&found.record.digest, found.record.size)?;
        Ok(Resolved { found, bytes })
    }

    /// The component of a version, whether or not it is in quarantine.
    ///
    /// # Errors
    /// It is not there or damaged.
    pub fn component(&self, found: &Found) -> Result<Vec<u8>, RegistryError> {
        self.blob(&found.record.digest, found.record.size)
    }

    /// What the store demands of each of its rules, whatever a job says: its
    /// `policy.toml`. Nothing without one.
    ///
    /// # Errors
    /// It cannot be read. A policy that cannot be understood is never taken for
    /// none.
    pub fn policy(&self) -> Result<Trust, RegistryError> {
        let Some(text) = self.text(POLICY)? else { return Ok(Trust::default()) };
        let policy: Trust = toml::from_str(&text)
            .map_err(|error| self.damaged(POLICY, error.message().to_owned()))?;
        if policy.require && policy.keys.is_empty() {
            let reason = "it requires signatures and names no key".to_owned();
            return Err(self.damaged(POLICY, reason));
        }
        Ok(policy)
    }

    /// Whether `live.json` names the version or its digest.
    pub(super) fn is_live(
        &self,
        name: &RuleName,
        version: &Version,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        let live: Option<serde_json::Value> = self.json(&format!("names/{name}/live.json"))?;
        let named = |field: &str, text: &str| {
            live.as_ref().is_some_and(|live| live[field].as_str() == Some(text))
        };
        // The previous version is what a roll-back goes back to.
        Ok(named("version", &version.to_string())
            || named("digest", digest.as_str())
            || named("previous", &version.to_string()))
    }

    pub(super) fn entries(&self, folder: &str) -> Result<Vec<String>, RegistryError> {
        let cannot = |error| self.failed("read", folder, error);
        let entries = match self.folder.read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(cannot)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            if let Ok(name) = entry.map_err(cannot)?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }
}
