//! Rules for accounts: names are tidied, and an account needs one.

use dvsync_rules_sdk::prelude::*;

/// The rule, configured.
pub struct Accounts;

impl Rule for Accounts {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            entities: &["account"],
            ..Default::default()
        }
    }

    fn configure(context: &Context) -> Result<Self, Failure> {
        context.settings()?.finish()?; // there are none: a misspelt one is an error
        Ok(Self)
    }
}

impl Transform for Accounts {
    fn needs(&self, _: &Context) -> Needs {
        Needs::new().reads(Field::text("name").required()).writes(Field::text("name"))
    }

    fn apply(&self, rows: &Rows<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
        let mut names = TextBuilder::new(rows.len());
        for (row, name) in rows.text("name")?.iter().enumerate() {
            if !names.push_tidy(name.unwrap_or_default()) {
                output.reject(row, "no-name", "name", "the account has no name");
            }
        }
        output.set("name", names)
    }
}

dvsync_rules_sdk::export!(Accounts: transform);
