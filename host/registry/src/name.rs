//! Names of rules: they become names of folders. Pure.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::RegistryError;

const BYTES_MAX: usize = 100;
/// `dvsync run --rules` means something else by them.
const TAKEN: [&str; 2] = ["same", "latest"];

/// Lower-case letters, digits, `-` and `_`; starts with a letter or a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RuleName(String);

impl RuleName {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RuleName {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let good = text.bytes().next().is_some_and(plain)
            && text.bytes().all(|byte| plain(byte) || byte == b'-' || byte == b'_')
            && text.len() <= BYTES_MAX
            && !TAKEN.contains(&text);
        if good { Ok(Self(text.to_owned())) } else { Err(RegistryError::Name(text.to_owned())) }
    }
}

impl TryFrom<String> for RuleName {
    type Error = RegistryError;

    fn try_from(text: String) -> Result<Self, RegistryError> {
        text.parse()
    }
}

impl From<RuleName> for String {
    fn from(name: RuleName) -> String {
        name.0
    }
}

impl Borrow<str> for RuleName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_folder_that_cannot_climb() {
        for good in ["a", "account", "my-rules", "2nd_account"] {
            assert!(good.parse::<RuleName>().is_ok(), "{good}");
        }
        let long = "a".repeat(BYTES_MAX + 1);
        for wrong in ["", "..", ".", "a/b", "a\\b", "-a", "_", "Account", "a b", "ä", "same", &long]
        {
            assert!(wrong.parse::<RuleName>().is_err(), "{wrong}");
        }
    }
}
