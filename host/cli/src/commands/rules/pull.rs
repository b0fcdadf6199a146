//! `dvsync rules pull`: a component of a store becomes a file, with its
//! signatures beside it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use dvsync_registry::{Reference, RegistryError, Signed};
use serde_json::json;

use crate::args::{Format, PullArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::judge::signature_file;
use crate::store;
use crate::summary::out;
use crate::talk::Talk;

pub(super) fn pull(args: &PullArgs, talk: Talk) -> Result<Exit, Failure> {
    if super::oci::is_meant(&args.rule) {
        return super::oci::pull(args, talk);
    }
    let reference: Reference = args.rule.parse()?;
    let store = store::there(args.store.store.as_deref())?;
    let resolved = store.resolve(&reference)?;
    let (found, bytes) = (&resolved.found, &resolved.bytes);
    let statement = found.statement()?;
    store.policy()?.check(&statement, &found.record.signatures).map_err(|why| {
        RegistryError::Untrusted { label: found.label(), whom: "the store's policy", why }
    })?;
    let usual = || PathBuf::from(format!("{}-{}.wasm", found.name, found.version));
    let path = args.to.clone().unwrap_or_else(usual);
    write(&path, bytes)?;
    let mut signed = Signed::new(&statement);
    for signature in &found.record.signatures {
        signed.sign(signature.clone());
    }
    if !signed.signatures.is_empty() {
        write(&signature_file(&path), signed.text().as_bytes())?;
    }
    let (label, digest, shown) = (found.label(), &found.record.digest, path.display());
    out(&match args.report {
        Format::Text => format!("{shown}\n  {label}\n  {digest}\n"),
        Format::Json => format!(
            "{}\n",
            json!({"path": path, "name": found.name, "version": found.version, "digest": digest})
        ),
    })?;
    talk.say(format!("from the store `{}`", store.path().display()));
    Ok(Exit::Complete)
}

/// Writes a file that is not there, or is the same.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    let cannot = |error| Failure::because(format!("cannot write `{}`", path.display()), error);
    match std::fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(bytes).map_err(cannot),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if std::fs::read(path).map_err(cannot)? == bytes {
                return Ok(());
            }
            Err(Failure::usage(format!("`{}` is there already, and is another", path.display()))
                .hint("name another file with --to, or remove it"))
        }
        Err(error) => Err(cannot(error)),
    }
}
