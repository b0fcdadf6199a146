//! What a job may set, and what it is otherwise.

use dvsync_rules_sdk::{Context, Country, Failure, phone};

use crate::transform::TARGETS;

/// The settings document, read. Every setting is optional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Country of rows that have none. It tells the calling code only; the
    /// address is not filled.
    pub default_country: Option<Country>,
    /// How a telephone number is written.
    pub phone_format: phone::Format,
    /// What to do with a telephone number that has no such form.
    pub bad_phone: phone::Otherwise,
    /// Code of the source to value of the choice `dv_businesstype`.
    pub business_types: Vec<(String, i32)>,
    /// Code of the source to value of the choice `dv_brands`.
    pub brands: Vec<(String, i32)>,
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

impl Settings {
    pub(crate) fn read(context: &Context) -> Result<Self, Failure> {
        let mut given = context.settings()?;
        let settings = Self {
            default_country: given.country("default_country")?,
            phone_format: given.word("phone_format", phone::Format::WORDS)?.unwrap_or_default(),
            bad_phone: given.word("bad_phone", phone::Otherwise::WORDS)?.unwrap_or_default(),
            business_types: given
                .codes("business_types")?
                .unwrap_or_else(|| codes(&[("BM", 1), ("BS", 2), ("OS", 3)])),
            brands: given.codes("brands")?.unwrap_or_else(|| {
                codes(&[("1", 1), ("2", 2), ("3", 3), ("4", 4), ("4+", 5), ("AW", 6)])
            }),
            skip: given.texts("skip")?.unwrap_or_default(),
            owners: given.boolean("owners")?.unwrap_or(true),
            fallback_owner: given.text("fallback_owner")?,
            open_status: given.int32("open_status")?.unwrap_or(1),
            closed_status: given.int32("closed_status")?.unwrap_or(2),
        };
        given.finish()?;
        match settings.skip.iter().find(|name| !TARGETS.contains(&name.as_str())) {
            None => Ok(settings),
            Some(name) => Err(Failure::misconfigured(
                "bad-settings",
                format!(
                    "settings: `skip`: the rule does not write `{name}`, but `{}`",
                    TARGETS.join("`, `")
                ),
            )),
        }
    }

    /// The target column is written.
    pub(crate) fn writes(&self, target: &str) -> bool {
        !self.skip.iter().any(|name| name == target)
    }
}

fn codes(list: &[(&str, i32)]) -> Vec<(String, i32)> {
    list.iter().map(|&(code, value)| (code.to_owned(), value)).collect()
}
