//! What a job may set, and what it is otherwise.

use dvsync_rules_sdk::{Context, Country, Failure, phone};

use crate::columns::{TARGETS, TELEPHONES};

/// The settings document, read. Every setting is optional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Country of rows that have none. It tells the calling code only; the
    /// address is not filled.
    pub default_country: Option<Country>,
    /// Territory to country, for rows that have no country.
    pub territory_countries: Vec<(String, Country)>,
    /// How a telephone number is written.
    pub phone_format: phone::Format,
    /// What to do with a telephone number that has no such form.
    pub bad_phone: phone::Otherwise,
    /// Code of the source to the target column that the number goes to.
    pub phone_types: Vec<(String, String)>,
    /// What to do with what is not an e-mail address.
    pub bad_email: BadEmail,
    /// Whether names are derived from the e-mail address.
    pub names: bool,
    /// Target columns that are not written, for a target that lacks them.
    pub skip: Vec<String>,
    /// Whether the owner is a sales person of the row's territory.
    pub owner_by_territory: bool,
    /// E-mail address of the user who owns the other contacts; without it their
    /// owner stays as it is.
    pub fallback_owner: Option<String>,
}

/// What to do with what is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadEmail {
    /// The row is rejected.
    #[default]
    Reject,
    /// The target's cell is cleared.
    Clear,
}

impl Settings {
    pub(crate) fn read(context: &Context) -> Result<Self, Failure> {
        let mut given = context.settings()?;
        let settings = Self {
            default_country: given.country("default_country")?,
            territory_countries: given.countries("territory_countries")?.unwrap_or_default(),
            phone_format: given.word("phone_format", phone::Format::WORDS)?.unwrap_or_default(),
            bad_phone: given.word("bad_phone", phone::Otherwise::WORDS)?.unwrap_or_default(),
            phone_types: given.words("phone_types")?.unwrap_or_else(|| {
                let kinds = [("1", "mobilephone"), ("2", "telephone2"), ("3", "telephone1")];
                kinds.iter().map(|&(code, to)| (code.to_owned(), to.to_owned())).collect()
            }),
            bad_email: given
                .word("bad_email", &[("reject", BadEmail::Reject), ("clear", BadEmail::Clear)])?
                .unwrap_or_default(),
            names: given.boolean("names")?.unwrap_or(true),
            skip: given.texts("skip")?.unwrap_or_default(),
            owner_by_territory: given.boolean("owner_by_territory")?.unwrap_or(true),
            fallback_owner: given.text("fallback_owner")?,
        };
        given.finish()?;
        let skips = settings.skip.iter().map(String::as_str);
        known("skip", skips, &TARGETS)?;
        let telephones = settings.phone_types.iter().map(|(_, column)| column.as_str());
        known("phone_types", telephones, &TELEPHONES)?;
        Ok(settings)
    }

    /// The target column is written.
    pub(crate) fn writes(&self, target: &str) -> bool {
        !self.skip.iter().any(|name| name == target)
    }
}

fn known<'a>(
    setting: &str,
    mut names: impl Iterator<Item = &'a str>,
    known: &[&str],
) -> Result<(), Failure> {
    match names.find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Failure::misconfigured(
            "bad-settings",
            format!(
                "settings: `{setting}`: the rule does not write `{name}`, but `{}`",
                known.join("`, `")
            ),
        )),
    }
}
