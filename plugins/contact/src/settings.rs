//! What a job may set, and what it is otherwise.

use dvsync_rules_sdk::{Country, Word, phone, settings};

use crate::columns::{TARGETS, TELEPHONES};

settings! {
    /// The settings document, read. Every setting is optional.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Settings {
        /// Country of rows that have none, by English name or ISO 3166 code: tells the calling
        /// code of their telephone numbers.
        pub default_country: Option<Country>,
        /// Territory to country, for rows that have no country; by English name or ISO 3166 code.
        pub territory_countries: Vec<(String, Country)> = Vec::new(),
        /// `+61 500 555 0162` or `+615005550162`.
        pub phone_format: phone::Format = phone::Format::International,
        /// A telephone number that cannot be written so: `keep` keeps the digits where only the
        /// country is unknown and rejects the row else; `clear` clears the cell; `reject` rejects
        /// the row.
        pub bad_phone: phone::Otherwise = phone::Otherwise::Keep,
        /// Code of `phone_type` to the target column that the number goes to.
        pub phone_types: Vec<(String, String)> where in TELEPHONES = phone_types(),
        /// What is not an e-mail address rejects the row, or clears the cell.
        pub bad_email: BadEmail = BadEmail::Reject,
        /// Whether `firstname` and `lastname` are derived from the e-mail address.
        pub names: bool = true,
        /// Target columns that are not written, for a target that lacks them.
        pub skip: Vec<String> where in TARGETS = Vec::new(),
        /// Whether the owner is the first sales person of the row's territory, where that one is
        /// current.
        pub owner_by_territory: bool = true,
        /// E-mail address of the user who owns the other contacts; without it their owner stays as
        /// it is.
        pub fallback_owner: Option<String>,
    }
}

/// What to do with what is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadEmail {
    /// The row is rejected.
    Reject,
    /// The target's cell is cleared.
    Clear,
}

impl Word for BadEmail {
    const WORDS: &'static [(&'static str, Self)] =
        &[("reject", Self::Reject), ("clear", Self::Clear)];
}

impl Settings {
    /// The target column is written.
    pub(crate) fn writes(&self, target: &str) -> bool {
        !self.skip.iter().any(|name| name == target)
    }
}

fn phone_types() -> Vec<(String, String)> {
    let kinds = [("1", "mobilephone"), ("2", "telephone2"), ("3", "telephone1")];
    kinds.iter().map(|&(code, to)| (code.to_owned(), to.to_owned())).collect()
}
