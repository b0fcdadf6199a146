//! Files of a store: read whole with a limit, written aside and put in place.

use std::io::{self, Read, Write};
use std::path::Path;

use cap_std::fs::{File, OpenOptions};
use semver::Version;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Store;
use crate::digest::{Digest, hex};
use crate::error::RegistryError;
use crate::name::RuleName;
use crate::record::Record;

const LOCK: &str = "lock";
/// A record with many signatures has a few kilobytes.
const JSON_BYTES_MAX: u64 = 1 << 20;

/// Held while something changes; the end of the process frees it, too.
pub(super) struct Lock {
    _file: std::fs::File,
}

impl Store {
    /// Waits for whoever is changing something.
    pub(super) fn lock(&self) -> Result<Lock, RegistryError> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).read(true);
        let locked = self.folder.open_with(LOCK, &options).and_then(|file| {
            let file = file.into_std();
            file.lock()?;
            Ok(file)
        });
        locked.map(|file| Lock { _file: file }).map_err(|source| self.failed("lock", LOCK, source))
    }

    pub(super) fn failed(
        &self,
        what: &'static str,
        file: &str,
        source: io::Error,
    ) -> RegistryError {
        RegistryError::File { what, file: file.to_owned(), store: self.path.clone(), source }
    }

    /// A file as text; `None` where there is none.
    pub(super) fn text(&self, file: &str) -> Result<Option<String>, RegistryError> {
        let open = match self.folder.open(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| self.failed("read", file, error))?,
        };
        let mut text = String::new();
        open.take(JSON_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|error| self.failed("read", file, error))?;
        Ok(Some(text))
    }

    /// A JSON file; `None` where there is none.
    pub(super) fn json<T: DeserializeOwned>(&self, file: &str) -> Result<Option<T>, RegistryError> {
        let Some(text) = self.text(file)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| self.damaged(file, error.to_string()))
    }

    pub(super) fn damaged(&self, file: &str, reason: String) -> RegistryError {
        let file = self.path.join(Path::new(file)).display().to_string();
        RegistryError::Damaged { file, reason }
    }

    pub(super) fn write_json(
        &self,
        file: &str,
        value: &impl Serialize,
    ) -> Result<(), RegistryError> {
        let temporary = self.aside(file, &self.json_bytes(file, value)?)?;
        self.rename(&temporary, file)
    }

    fn json_bytes(&self, file: &str, value: &impl Serialize) -> Result<Vec<u8>, RegistryError> {
        let mut bytes = serde_json::to_vec_pretty(value)
            .map_err(|error| self.failed("write", file, error.into()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Writes a file under another name beside it, whole and on disk.
    fn aside(&self, file: &str, bytes: &[u8]) -> Result<String, RegistryError> {
        if let Some(folder) = Path::new(file).parent() {
            self.folder
                .create_dir_all(folder)
                .map_err(|error| self.failed("write", file, error))?;
        }
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|error| RegistryError::Random(io::Error::other(error.to_string())))?;
        let temporary = format!("{file}.{}.tmp", hex(&random));
        let write = |mut file: File| {
            file.write_all(bytes)?;
            file.sync_all()
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        self.folder
            .open_with(&temporary, &options)
            .and_then(write)
            .map_err(|error| self.gave_up(&temporary, file, error))?;
        Ok(temporary)
    }

    fn rename(&self, temporary: &str, file: &str) -> Result<(), RegistryError> {
        self.folder
            .rename(temporary, &self.folder, file)
            .map_err(|error| self.gave_up(temporary, file, error))
    }

    fn gave_up(&self, temporary: &str, file: &str, error: io::Error) -> RegistryError {
        // The first error is the one to tell.
        drop(self.folder.remove_file(temporary));
        self.failed("write", file, error)
    }

    pub(super) fn record_file(name: &RuleName, version: &Version) -> String {
        format!("names/{name}/{version}.json")
    }

    pub(super) fn write_record(
        &self,
        name: &RuleName,
        version: &Version,
        record: &Record,
    ) -> Result<(), RegistryError> {
        self.write_json(&Self::record_file(name, version), record)
    }

    /// Puts a version's file in place if there is none; says whether it did.
    pub(super) fn bind_record(
        &self,
        name: &RuleName,
        version: &Version,
        record: &Record,
    ) -> Result<bool, RegistryError> {
        let file = Self::record_file(name, version);
        let temporary = self.aside(&file, &self.json_bytes(&file, record)?)?;
        match self.folder.hard_link(&temporary, &self.folder, &file) {
            Ok(()) => {
                self.folder
                    .remove_file(&temporary)
                    .map_err(|error| self.failed("write", &file, error))?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                drop(self.folder.remove_file(&temporary));
                Ok(false)
            }
            // A file system without hard links: the lock has to do.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                self.rename(&temporary, &file).map(|()| true)
            }
            Err(error) => Err(self.gave_up(&temporary, &file, error)),
        }
    }

    pub(super) fn remove_record(
        &self,
        name: &RuleName,
        version: &Version,
    ) -> Result<(), RegistryError> {
        self.remove_file(&Self::record_file(name, version))?;
        // Fails where another version is left, as it should.
        drop(self.folder.remove_dir(format!("names/{name}")));
        Ok(())
    }

    pub(super) fn remove_file(&self, file: &str) -> Result<(), RegistryError> {
        match self.folder.remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("remove", file, error))
            }
            _ => Ok(()),
        }
    }

    fn blob_file(digest: &Digest) -> String {
        format!("blobs/sha256/{}", digest.hex())
    }

    /// Writes a component, unless it is there and whole.
    pub(super) fn write_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<(), RegistryError> {
        let file = Self::blob_file(digest);
        if self.folder.read(&file).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        let temporary = self.aside(&file, bytes)?;
        self.rename(&temporary, &file)
    }

    pub(super) fn remove_blob(&self, digest: &Digest) -> Result<(), RegistryError> {
        self.remove_file(&Self::blob_file(digest))
    }

    /// Reads a component; what has not this digest is not given away.
    pub(super) fn blob(&self, digest: &Digest, size: u64) -> Result<Vec<u8>, RegistryError> {
        let file = Self::blob_file(digest);
        let open = self.folder.open(&file).map_err(|error| self.failed("read", &file, error))?;
        let mut bytes = Vec::new();
        open.take(size.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| self.failed("read", &file, error))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) != size {
            return Err(self.damaged(&file, format!("it has not the {size} bytes that it had")));
        }
        let found = Digest::of(&bytes);
        if found != *digest {
            return Err(self.damaged(&file, format!("its digest is `{found}`")));
        }
        Ok(bytes)
    }
}
