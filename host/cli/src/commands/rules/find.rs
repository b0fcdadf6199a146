//! The component that a command names: a file, or a shipped rule by its name.

use std::borrow::Cow;
use std::path::Path;

use dvsync_rules::{Rule, Sandbox};

use crate::failure::Failure;
use crate::shipped;

/// A component, not yet looked into.
pub(super) struct Found {
    /// As messages name it.
    pub(super) origin: String,
    pub(super) bytes: Cow<'static, [u8]>,
}

/// An admitted component.
pub(super) struct Admitted {
    pub(super) rule: Rule,
    /// Whether compiled code lay ready.
    pub(super) was_cached: bool,
}

impl Found {
    /// A file goes before a shipped rule of that name.
    pub(super) fn named(name: &Path) -> Result<Self, Failure> {
        if !name.is_file()
            && let Some(shipped) = name.to_str()
            && let Some(bytes) = shipped::component(shipped)
        {
            return Ok(Self { origin: shipped.to_owned(), bytes: Cow::Borrowed(bytes) });
        }
        Self::file(name)
    }

    pub(super) fn file(path: &Path) -> Result<Self, Failure> {
        let origin = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let hint = if path.is_dir() {
                "it is a folder: name the component that `dvsync rules build` made in it".to_owned()
            } else {
                format!("shipped rules are `{}`; or name a file", shipped::names().join("` and `"))
            };
            Failure::because(format!("cannot read the rule `{origin}`"), error).hint(hint)
        })?;
        Ok(Self { origin, bytes: Cow::Owned(bytes) })
    }

    pub(super) fn admit(&self, sandbox: &Sandbox) -> Result<Admitted, Failure> {
        let was_cached = sandbox.is_cached(&self.bytes);
        let rule = sandbox.admit(&self.bytes, &self.origin)?;
        Ok(Admitted { rule, was_cached })
    }
}
