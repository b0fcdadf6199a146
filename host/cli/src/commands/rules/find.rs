//! The component that a command names: a file, a shipped rule by its name, or a
//! folder whose project is built first.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use dvsync_rules::{Rule, Sandbox};

use crate::failure::Failure;
use crate::shipped;
use crate::talk::Talk;

/// A component, not yet looked into.
pub(super) struct Found {
    /// As messages name it.
    pub(super) origin: String,
    pub(super) bytes: Cow<'static, [u8]>,
    talk: Talk,
}

/// An admitted component.
pub(super) struct Admitted {
    pub(super) rule: Rule,
    /// Whether compiled code lay ready.
    pub(super) was_cached: bool,
}

impl Found {
    pub(super) fn named(name: &Path, talk: Talk) -> Result<Self, Failure> {
        if name.is_dir() {
            return Self::file(&super::build::built(name, "release", talk)?, talk);
        }
        // A file goes before a shipped rule of that name.
        if !name.is_file()
            && let Some(shipped) = name.to_str()
            && let Some(bytes) = shipped::component(shipped)
        {
            return Ok(Self { origin: shipped.to_owned(), bytes: Cow::Borrowed(bytes), talk });
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
        Ok(Self { origin, bytes: Cow::Owned(bytes), talk })
    }

    pub(super) fn admit(&self, sandbox: &Sandbox) -> Result<Admitted, Failure> {
        shipped::tell_of_compiling(sandbox, &self.bytes, &self.origin, self.talk);
        let was_cached = sandbox.is_cached(&self.bytes);
        let rule = sandbox.admit(&self.bytes, &self.origin)?;
        Ok(Admitted { rule, was_cached })
    }
}

/// The fixtures that go with it.
pub(super) fn fixtures(given: Option<&Path>, rule: &Path) -> PathBuf {
    match given {
        Some(folder) => folder.to_owned(),
        None if rule.is_dir() => rule.join("fixtures"),
        None => PathBuf::from("fixtures"),
    }
}
