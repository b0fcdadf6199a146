//! What a job may set, and what it is otherwise.

use dvsync_rules_sdk::{Country, phone, settings};

use crate::transform::TARGETS;

settings! {
    /// The settings document, read. Every setting is optional.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Settings {
        /// Country of rows that have none, by English name or ISO 3166 code: tells the calling
        /// code of their telephone numbers.
        pub default_country: Option<Country>,
        /// `+61 500 555 0162` or `+615005550162`.
        pub phone_format: phone::Format = phone::Format::International,
        /// A telephone number that cannot be written so: `keep` keeps the digits where only the
        /// country is unknown and rejects the row else; `clear` clears the cell; `reject` rejects
        /// the row.
        pub bad_phone: phone::Otherwise = phone::Otherwise::Keep,
        /// Code of `business_type` to value of the choice `dv_businesstype`.
        pub business_types: Vec<(String, i32)> = codes(&[("BM", 1), ("BS", 2), ("OS", 3)]),
        /// Code of `brands` to value of the choice `dv_brands`.
        pub brands: Vec<(String, i32)> =
            codes(&[("1", 1), ("2", 2), ("3", 3), ("4", 4), ("4+", 5), ("AW", 6)]),
        /// Target columns that are not written, for a target that lacks them.
        pub skip: Vec<String> where in TARGETS = Vec::new(),
        /// Whether owners are set.
        pub owners: bool = true,
        /// E-mail address of the user who owns accounts without a known sales person; without it
        /// their owner stays as it is.
        pub fallback_owner: Option<String>,
        /// `statuscode` of an open account.
        pub open_status: i32 = 1,
        /// `statuscode` of a closed account.
        pub closed_status: i32 = 2,
    }
}

impl Settings {
    /// The target column is written.
    pub(crate) fn writes(&self, target: &str) -> bool {
        !self.skip.iter().any(|name| name == target)
    }
}

fn codes(list: &[(&str, i32)]) -> Vec<(String, i32)> {
    list.iter().map(|&(code, value)| (code.to_owned(), value)).collect()
}
