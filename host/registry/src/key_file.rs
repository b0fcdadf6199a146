//! Keys in files: a private one is for its owner alone.

use std::io::Write;
use std::path::{Path, PathBuf};

use dvsync_model::Secret;

use crate::error::RegistryError;
use crate::key::{Key, PublicKey};

/// Makes a key: the private one in `path`, readable by its owner alone, the
/// public one beside it, as `<path>.pub`. Never writes over a file.
///
/// # Errors
/// A file is there already, or cannot be written.
pub fn write_new_key(path: &Path) -> Result<(PublicKey, PathBuf), RegistryError> {
    let mut public_path = path.as_os_str().to_owned();
    public_path.push(".pub");
    let public_path = PathBuf::from(public_path);
    let (key, pem) = Key::generate()?;
    write(path, pem.expose(), 0o600)?;
    if let Err(error) = write(&public_path, &format!("{}\n", key.public()), 0o644) {
        // Half a pair is of no use; the first error is the one to tell.
        drop(std::fs::remove_file(path));
        return Err(error);
    }
    Ok((key.public(), public_path))
}

/// Reads a private key.
///
/// # Errors
/// Others can read the file, or it holds no key.
pub fn read_key(path: &Path) -> Result<Key, RegistryError> {
    let cannot = |source| RegistryError::KeyFile { path: path.to_owned(), source };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(cannot)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(RegistryError::KeyFileOpen { path: path.to_owned(), mode });
        }
    }
    let text = Secret::new(std::fs::read_to_string(path).map_err(cannot)?);
    Key::from_pem(&text)
}

/// Reads a public key: the first word of the file.
///
/// # Errors
/// The file cannot be read, or holds no public key.
pub fn read_public_key(path: &Path) -> Result<PublicKey, RegistryError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| RegistryError::KeyFile { path: path.to_owned(), source })?;
    text.split_whitespace().next().unwrap_or_default().parse()
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), RegistryError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _no_modes_here = mode;
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|source| RegistryError::KeyFile { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_written_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("team.key");
        let (public, public_path) = write_new_key(&path).unwrap();
        assert_eq!(read_key(&path).unwrap().public(), public);
        assert_eq!(read_public_key(&public_path).unwrap(), public);
        let again = write_new_key(&path).unwrap_err();
        assert!(matches!(again, RegistryError::KeyFile { .. }), "{again}");
        // A public key that is there is not written over, and no half pair stays.
        std::fs::remove_file(&path).unwrap();
        assert!(write_new_key(&path).is_err());
        assert!(!path.exists());
        assert!(read_public_key(&path).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_private_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("team.key");
        write_new_key(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = read_key(&path).unwrap_err();
        assert!(error.to_string().ends_with("can be read by others (mode 640)"), "{error}");
        assert_eq!(error.hint().unwrap(), format!("chmod 600 {}", path.display()));
    }
}
