//! `[behavior.codes]`: named refusals with another status, code or text.
//!
//! Pure. An unknown name is an error that names the nearest one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::EmulatorError;
use crate::refusal::Name;

/// What a refusal says instead of the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Coding {
    /// HTTP status, 400 to 599.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// As the service writes it: `0x80040217`, or nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The text; `{message}` in it is the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Refusals that say something else than usual, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "BTreeMap<String, Coding>", into = "BTreeMap<String, Coding>")]
pub struct Codes(BTreeMap<Name, Coding>);

impl Codes {
    /// Gives a refusal another status, code or text; what is left out stays usual.
    ///
    /// # Errors
    /// There is no refusal of that name, the status is none of an error, the code
    /// is not hexadecimal.
    pub fn set(&mut self, name: &str, coding: Coding) -> Result<(), EmulatorError> {
        let known = Name::of(name).ok_or_else(|| {
            let near = Name::nearest(name);
            wrong(format!("`codes` has no refusal `{name}`: did you mean `{near}`?"))
        })?;
        if let Some(status) = coding.status.filter(|status| !(400..600).contains(status)) {
            return Err(wrong(format!(
                "`codes.{name}.status` must be from 400 to 599, found {status}"
            )));
        }
        if let Some(code) = coding.code.as_deref().filter(|code| !is_code(code)) {
            return Err(wrong(format!(
                "`codes.{name}.code` must be like `0x80040217`, or empty, found `{code}`"
            )));
        }
        self.0.insert(known, coding);
        Ok(())
    }

    /// All refusals that have a name: name, usual status, usual code.
    pub fn names() -> impl Iterator<Item = (&'static str, u16, &'static str)> {
        Name::ALL.iter().map(|name| {
            let (status, code) = name.usual();
            (name.text(), status, code)
        })
    }

    pub(crate) fn of(&self, name: Name) -> Option<&Coding> {
        self.0.get(&name)
    }
}

fn wrong(message: String) -> EmulatorError {
    EmulatorError::Settings(message)
}

fn is_code(code: &str) -> bool {
    let digits = code.strip_prefix("0x");
    let hex = |digits: &str| {
        (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    code.is_empty() || digits.is_some_and(hex)
}

impl TryFrom<BTreeMap<String, Coding>> for Codes {
    type Error = String;

    fn try_from(map: BTreeMap<String, Coding>) -> Result<Self, String> {
        let mut codes = Self::default();
        for (name, coding) in map {
            codes.set(&name, coding).map_err(|error| match error {
                EmulatorError::Settings(message) => message,
                other => other.to_string(),
            })?;
        }
        Ok(codes)
    }
}

impl From<Codes> for BTreeMap<String, Coding> {
    fn from(codes: Codes) -> Self {
        codes.0.into_iter().map(|(name, coding)| (name.text().to_owned(), coding)).collect()
    }
}
