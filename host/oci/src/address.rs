//! `oci://host/repository:tag@sha256:...`. Pure.

use std::fmt;
use std::str::FromStr;

use crate::error::OciError;

const SCHEME: &str = "oci://";

/// Where an artifact lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// With its port, if it has one.
    pub host: String,
    /// `contoso/rules/account`.
    pub repository: String,
    /// `1.2.0`.
    pub tag: Option<String>,
    /// `sha256:...` of the manifest.
    pub digest: Option<String>,
}

impl Address {
    /// Whether a text means one.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// What the registry is asked for: the digest goes before the tag.
    pub(crate) fn reference(&self) -> Option<&str> {
        self.digest.as_deref().or(self.tag.as_deref())
    }

    /// `https://host`; plain http for registries on this machine.
    pub(crate) fn origin(&self) -> String {
        let scheme = if is_local(&self.host) { "http" } else { "https" };
        format!("{scheme}://{}", self.host)
    }
}

/// Whether what goes to a host stays on this machine.
pub(crate) fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(name, _)| name),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    matches!(name, "localhost" | "127.0.0.1" | "::1")
}

impl FromStr for Address {
    type Err = OciError;

    fn from_str(text: &str) -> Result<Self, OciError> {
        let wrong = || OciError::Address(text.to_owned());
        let rest = text.strip_prefix(SCHEME).ok_or_else(wrong)?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest, None),
        };
        let (host, path) = rest.split_once('/').ok_or_else(wrong)?;
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        let plain = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let lower = |text: &str| !text.contains(|c: char| c.is_ascii_uppercase());
        let is_digest = |text: &str| {
            let hex = text.strip_prefix("sha256:").unwrap_or_default();
            hex.len() == 64 && plain(hex, "") && hex.bytes().all(|b| b.is_ascii_hexdigit())
        };
        let good = plain(host, ".-:[]")
            && repository.split('/').all(|part| plain(part, "._-") && lower(part) && part != "..")
            && tag.is_none_or(|tag| plain(tag, "._-") && tag.len() <= 128)
            && digest.is_none_or(is_digest)
            && (tag.is_some() || digest.is_some());
        if !good {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_lowercase),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        let digest = format!("@sha256:{}", "0a".repeat(32));
        for text in [
            "oci://ghcr.io/contoso/rules/account:1.2.0".to_owned(),
            "oci://127.0.0.1:5000/account:1.2.0-rc.1".to_owned(),
            "oci://[::1]:5000/account:1".to_owned(),
            format!("oci://ghcr.io/account{digest}"),
            format!("oci://ghcr.io/account:1.2.0{digest}"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for wrong in [
            "ghcr.io/account:1",
            "oci://ghcr.io",
            "oci://ghcr.io/account",
            "oci://ghcr.io/../account:1",
            "oci://ghcr.io/Account:1",
            "oci://ghcr.io/account:a b",
            "oci://me@ghcr.io/account:1",
            "oci://ghcr.io/account@sha256:12",
        ] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_what_stays_on_this_machine_goes_in_clear() {
        let origin = |text: &str| text.parse::<Address>().unwrap().origin();
        assert_eq!(origin("oci://localhost:5000/a:1"), "http://localhost:5000");
        assert_eq!(origin("oci://[::1]:5000/a:1"), "http://[::1]:5000");
        assert_eq!(origin("oci://localhost.example/a:1"), "https://localhost.example");
    }
}
