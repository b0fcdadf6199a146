//! The component that a command names: a file, a version in a store, a shipped
//! rule by its name, or a folder whose project is built first.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use dvsync_registry::{Digest, Reference, Signature, Statement};
use dvsync_rules::{Rule, Sandbox};

use crate::args::StoreArgs;
use crate::failure::Failure;
use crate::judge::signed_beside;
use crate::talk::Talk;
use crate::{shipped, store};

/// A component, not yet looked into.
pub(super) struct Found {
    /// As messages name it.
    pub(super) origin: String,
    pub(super) bytes: Cow<'static, [u8]>,
    pub(super) place: Place,
    talk: Talk,
}

/// Where a component lies.
pub(super) enum Place {
    Shipped,
    File(PathBuf),
    Store(dvsync_registry::Found),
}

/// An admitted component.
pub(super) struct Admitted {
    pub(super) rule: Rule,
    /// Whether compiled code lay ready.
    pub(super) was_cached: bool,
}

impl Found {
    pub(super) fn named(name: &Path, typed: &StoreArgs, talk: Talk) -> Result<Self, Failure> {
        if name.is_dir() {
            return Self::file(&super::build::built(name, "release", talk)?, talk);
        }
        // A file goes before a rule of that name, a store's before a shipped one.
        if !name.is_file()
            && let Some(text) = name.to_str()
            && !text.contains(['/', '\\'])
            && let Ok(reference) = text.parse::<Reference>()
        {
            if let Some(store) = store::if_there(typed.store.as_deref())? {
                match store.find(&reference) {
                    Err(error) if error.is_missing() && shipped::component(text).is_none() => {
                        return Err(error.into());
                    }
                    Err(error) if error.is_missing() => {}
                    found => {
                        let found = found?;
                        let bytes = store.component(&found)?.into();
                        let origin = found.label();
                        return Ok(Self { origin, bytes, place: Place::Store(found), talk });
                    }
                }
            }
            if let Some(bytes) = shipped::component(text) {
                let (origin, bytes) = (text.to_owned(), Cow::Borrowed(bytes));
                return Ok(Self { origin, bytes, place: Place::Shipped, talk });
            }
        }
        Self::file(name, talk)
    }

    pub(super) fn file(path: &Path, talk: Talk) -> Result<Self, Failure> {
        let origin = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let names = shipped::names().join("` and `");
            Failure::because(format!("cannot read the rule `{origin}`"), error)
                .hint(format!("name a component, a folder, or a shipped rule: `{names}`"))
        })?;
        Ok(Self { origin, bytes: bytes.into(), place: Place::File(path.to_owned()), talk })
    }

    /// Signatures that go with it; those beside a file only as far as they are of
    /// these bytes.
    pub(super) fn signatures(&self) -> Result<Vec<Signature>, Failure> {
        match &self.place {
            Place::Shipped => Ok(Vec::new()),
            Place::Store(found) => Ok(found.record.signatures.clone()),
            Place::File(path) => Ok(match signed_beside(path)? {
                Some(signed) if signed.statement()?.digest == Digest::of(&self.bytes) => {
                    signed.signatures
                }
                _ => Vec::new(),
            }),
        }
    }

    pub(super) fn admit(&self, sandbox: &Sandbox) -> Result<Admitted, Failure> {
        shipped::tell_of_compiling(sandbox, &self.bytes, &self.origin, self.talk);
        let was_cached = sandbox.is_cached(&self.bytes);
        let rule = sandbox.admit(&self.bytes, &self.origin)?;
        Ok(Admitted { rule, was_cached })
    }
}

/// What a signature of an admitted rule says.
pub(super) fn statement(rule: &Rule) -> Result<Statement, Failure> {
    let described = rule.description();
    let version = described.version.parse().map_err(|_| {
        Failure::usage(format!("`{}` calls its version `{}`", described.name, described.version))
            .hint("a version is three numbers: `1.2.0`")
    })?;
    let digest = rule.digest().parse::<Digest>().map_err(Failure::usage)?;
    let contract = &rule.surface().contract;
    Ok(Statement::new(described.name.parse()?, version, digest, contract)?)
}

/// The fixtures that go with it.
pub(super) fn fixtures(given: Option<&Path>, rule: &Path) -> PathBuf {
    match given {
        Some(folder) => folder.to_owned(),
        None if rule.is_dir() => rule.join("fixtures"),
        None => PathBuf::from("fixtures"),
    }
}
