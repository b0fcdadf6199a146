//! What a job may set, and what it is otherwise.

use std::collections::BTreeMap;

use dvsync_rules_sdk::{Country, Failure, phone};
use serde::Deserialize;

/// The settings document. Every setting is optional.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Country of rows that have none: English name or ISO 3166 code. It tells
    /// the calling code only; the address is not filled.
    pub default_country: Option<String>,
    /// How a telephone number is written.
    pub phone_format: phone::Format,
    /// What to do with a telephone number that has no such form.
    pub bad_phone: BadPhone,
    /// Code of the source to value of the choice `dv_businesstype`.
    pub business_types: BTreeMap<String, i32>,
    /// Code of the source to value of the choice `dv_brands`.
    pub brands: BTreeMap<String, i32>,
    /// Target columns that are not written, for a target that lacks them.
    pub skip: Vec<String>,
    /// Whether owners are set.
    pub owners: bool,
    /// E-mail address of the user who owns accounts without a known sales
    /// person; without it their owner stays as it is.
    pub fallback_owner: Option<String>,
    /// `statuscode` of an open account.
    pub open_status: i32,
    /// `statuscode` of a closed account.
    pub closed_status: i32,
}

impl Default for Settings {
    fn default() -> Self {
        let codes = |list: &[(&str, i32)]| {
            list.iter().map(|&(code, value)| (code.to_owned(), value)).collect()
        };
        Self {
            default_country: None,
            phone_format: phone::Format::International,
            bad_phone: BadPhone::Keep,
            business_types: codes(&[("BM", 1), ("BS", 2), ("OS", 3)]),
            brands: codes(&[("1", 1), ("2", 2), ("3", 3), ("4", 4), ("4+", 5), ("AW", 6)]),
            skip: Vec::new(),
            owners: true,
            fallback_owner: None,
            open_status: 1,
            closed_status: 2,
        }
    }
}

/// What to do with a telephone number that cannot be written in its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadPhone {
    /// A number of an unknown country keeps its digits; what is not a telephone
    /// number at all rejects the row.
    Keep,
    /// The target's cell is cleared.
    Clear,
    /// The row is rejected.
    Reject,
}

impl Settings {
    /// The country of rows that have none.
    pub(crate) fn country(&self) -> Result<Option<Country>, Failure> {
        let Some(name) = &self.default_country else { return Ok(None) };
        Country::find(name).map(Some).ok_or_else(|| {
            Failure::misconfigured(
                "bad-settings",
                format!("`default_country`: no country `{name}` is known, try its ISO 3166 code"),
            )
        })
    }

    /// The target column is written.
    pub(crate) fn writes(&self, target: &str) -> bool {
        !self.skip.iter().any(|name| name == target)
    }

    pub(crate) fn check(&self) -> Result<(), Failure> {
        let known = |name: &str| crate::transform::TARGETS.contains(&name);
        match self.skip.iter().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => Err(Failure::misconfigured(
                "bad-settings",
                format!(
                    "`skip`: the rule does not write `{name}`, it writes `{}`",
                    crate::transform::TARGETS.join("`, `")
                ),
            )),
        }
    }
}
