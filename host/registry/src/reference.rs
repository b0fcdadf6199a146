//! What a job or a person calls a rule in a store. Pure.
//!
//! ```text
//! account              the newest version
//! account@1            the newest 1.x.y
//! account@1.2          the newest 1.2.y
//! account@1.2.0        that one
//! account@sha256:...   the one with these bytes
//! ```

use std::fmt;
use std::str::FromStr;

use semver::Version;

use crate::digest::Digest;
use crate::error::RegistryError;
use crate::name::RuleName;

/// A rule of a store, and which of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its name.
    pub name: RuleName,
    /// Which version.
    pub wanted: Wanted,
}

/// Which version of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The newest that is no pre-release.
    Newest,
    /// The newest of this major that is no pre-release.
    Major(u64),
    /// The newest of this minor that is no pre-release.
    Minor(u64, u64),
    /// This one.
    Exact(Version),
    /// The one with these bytes.
    Digest(Digest),
}

impl Wanted {
    /// Whether a version will do.
    #[must_use]
    pub fn accepts(&self, version: &Version, digest: &Digest) -> bool {
        let released = version.pre.is_empty();
        match self {
            Self::Newest => released,
            Self::Major(major) => released && version.major == *major,
            Self::Minor(major, minor) => {
                released && (version.major, version.minor) == (*major, *minor)
            }
            Self::Exact(wanted) => version == wanted,
            Self::Digest(wanted) => digest == wanted,
        }
    }

    /// Whether it names one version: then a quarantined one is an error, and not
    /// passed over.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        matches!(self, Self::Exact(_) | Self::Digest(_))
    }
}

impl FromStr for Reference {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let wrong = || RegistryError::Reference(text.to_owned());
        let Some((name, wanted)) = text.split_once('@') else {
            return Ok(Self { name: text.parse()?, wanted: Wanted::Newest });
        };
        let name = name.parse()?;
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let plain = plain && (text == "0" || !text.starts_with('0'));
            if plain { text.parse::<u64>().map_err(|_| wrong()) } else { Err(wrong()) }
        };
        let wanted = if wanted.contains(':') {
            Wanted::Digest(wanted.parse().map_err(|_| wrong())?)
        } else if let Ok(version) = Version::parse(wanted) {
            Wanted::Exact(version)
        } else if let Some((major, minor)) = wanted.split_once('.') {
            Wanted::Minor(number(major)?, number(minor)?)
        } else {
            Wanted::Major(number(wanted)?)
        };
        Ok(Self { name, wanted })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.wanted {
            Wanted::Newest => write!(f, "{name}"),
            Wanted::Major(major) => write!(f, "{name}@{major}"),
            Wanted::Minor(major, minor) => write!(f, "{name}@{major}.{minor}"),
            Wanted::Exact(version) => write!(f, "{name}@{version}"),
            Wanted::Digest(digest) => write!(f, "{name}@{digest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_it_is_written() {
        let digest = Digest::of(b"x");
        let by_digest = format!("account@{digest}");
        for text in ["account", "account@1", "account@1.2", "account@1.2.0-rc.1", &by_digest] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        for wrong in [
            "account@",
            "account@v1",
            "account@1.",
            "account@01",
            "account@1.2.3.4",
            "@1",
            "account@sha256:12",
            "account@md5:12",
            "account@1@2",
        ] {
            assert!(wrong.parse::<Reference>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_range_takes_released_versions_only() {
        let digest = Digest::of(b"x");
        let table = [
            ("a", "1.2.0", true),
            ("a", "1.2.0-rc.1", false),
            ("a@1", "1.9.3", true),
            ("a@1", "2.0.0", false),
            ("a@1.2", "1.2.7", true),
            ("a@1.2", "1.3.0", false),
            ("a@1.2", "1.2.8-rc.1", false),
            ("a@1.2.8-rc.1", "1.2.8-rc.1", true),
            ("a@1.2.8", "1.2.8-rc.1", false),
        ];
        for (reference, version, accepted) in table {
            let wanted = reference.parse::<Reference>().unwrap().wanted;
            let version = Version::parse(version).unwrap();
            assert_eq!(wanted.accepts(&version, &digest), accepted, "{reference} {version}");
        }
    }
}
