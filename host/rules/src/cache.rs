//! Compiled rules on disk: a private folder, each file authenticated before it
//! is loaded, since loading machine code that someone else wrote would be to run
//! it.
//!
//! A file is named by the digest of the component and by the engine's
//! compatibility hash, and holds a MAC (HMAC-SHA256 over name and code, the key
//! in the same folder, for its owner only) and the code. Safe under concurrent
//! processes: files are written aside and renamed. Whatever is wrong with the
//! folder, the worst that happens is that a rule is compiled again.

use std::hash::{Hash, Hasher};
use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::digest::hex;

const KEY_FILE: &str = "key";
const KEY_BYTES: usize = 64;
const MAC_BYTES: usize = 32;
const ENDING: &str = ".cwasm";

/// A folder of compiled rules.
pub(crate) struct Cache {
    folder: Dir,
    key: [u8; KEY_BYTES],
    bytes_max: u64,
}

impl Cache {
    /// Opens the folder and its key, making both where they are not there.
    pub(crate) fn open(path: &Path, bytes_max: u64) -> io::Result<Self> {
        create_private(path)?;
        let folder = Dir::open_ambient_dir(path, ambient_authority())?;
        let key = match read_key(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_key(&folder)?;
                read_key(&folder)?
            }
            other => other?,
        };
        Ok(Self { folder, key, bytes_max })
    }

    /// Whether there is a file for it, genuine or not.
    pub(crate) fn holds(&self, engine: &Engine, digest: &str) -> bool {
        self.folder.exists(file_name(engine, digest))
    }

    /// The compiled component, if the folder holds it and it is genuine.
    pub(crate) fn load(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let name = file_name(engine, digest);
        let mut bytes = self.folder.read(&name).ok()?;
        let mac = bytes.get(..MAC_BYTES)?;
        let code = bytes.get(MAC_BYTES..)?;
        if self.mac(&name, code).verify_slice(mac).is_err() {
            tracing::warn!(file = name, "a compiled rule was not written by us: compiling again");
            return None;
        }
        bytes.drain(..MAC_BYTES);
        // SAFETY: the bytes are what `Component::serialize` of an engine with the
        // same compatibility hash gave: the MAC, whose key only this user can
        // read, covers them and the name, which holds that hash. They are in our
        // own memory, so nobody can change them after the check.
        match unsafe { Component::deserialize(engine, &bytes) } {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(file = name, %error, "cannot load a compiled rule: compiling again");
                None
            }
        }
    }

    /// Keeps the compiled component; the oldest give way to it.
    pub(crate) fn store(&self, component: &Component, digest: &str) {
        let kept = component
            .serialize()
            .map_err(|error| io::Error::other(format!("{error:#}")))
            .and_then(|code| self.write(&file_name(component.engine(), digest), &code));
        if let Err(error) = kept {
            tracing::warn!(%error, "cannot keep a compiled rule");
        }
    }

    fn write(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let mac = self.mac(name, code).finalize().into_bytes();
        self.make_room(u64::try_from(code.len()).unwrap_or(u64::MAX))?;
        let temporary = format!("{name}.{}", random_name()?);
        let written = write_private(&self.folder, &temporary, &[&mac, code])
            .and_then(|()| self.folder.rename(&temporary, &self.folder, name));
        if written.is_err() {
            // The first error is the one to tell.
            drop(self.folder.remove_file(&temporary));
        }
        written
    }

    fn make_room(&self, bytes: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in self.folder.entries()? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name.contains(ENDING)) {
                let about = entry.metadata()?;
                files.push((about.modified()?.into_std(), about.len(), name));
            }
        }
        files.sort();
        let mut sum: u64 = files.iter().map(|(_, len, _)| len).sum();
        for (_, len, name) in files {
            if sum.saturating_add(bytes) <= self.bytes_max {
                break;
            }
            match self.folder.remove_file(name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => sum = sum.saturating_sub(len),
            }
        }
        Ok(())
    }

    fn mac(&self, name: &str, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(code);
        mac
    }
}

fn file_name(engine: &Engine, digest: &str) -> String {
    let mut state = HashInto(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut state);
    let component = digest.rsplit(':').next().unwrap_or(digest);
    format!("{component}-{}{ENDING}", hex(&state.0.finalize()[..8]))
}

/// Feeds a `Hash` into SHA-256, so that the name depends on no process's seed.
struct HashInto(Sha256);

impl Hasher for HashInto {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn read_key(folder: &Dir) -> io::Result<[u8; KEY_BYTES]> {
    let mut file = folder.open(KEY_FILE)?;
    #[cfg(unix)]
    {
        use cap_std::fs::PermissionsExt;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("others can read its `{KEY_FILE}` (mode {mode:o})"),
            ));
        }
    }
    let mut key = [0; KEY_BYTES];
    file.read_exact(&mut key)?;
    Ok(key)
}

/// Puts a new key in place in one step; of several processes one wins.
fn make_key(folder: &Dir) -> io::Result<()> {
    let mut key = [0; KEY_BYTES];
    fill_random(&mut key)?;
    let temporary = format!("{KEY_FILE}.{}", random_name()?);
    write_private(folder, &temporary, &[&key])?;
    let linked = folder.hard_link(&temporary, folder, KEY_FILE);
    folder.remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn write_private(folder: &Dir, name: &str, parts: &[&[u8]]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = folder.open_with(name, &options)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

fn random_name() -> io::Result<String> {
    let mut bytes = [0; 8];
    fill_random(&mut bytes)?;
    Ok(format!("{}.tmp", hex(&bytes)))
}

fn fill_random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string()))
}
