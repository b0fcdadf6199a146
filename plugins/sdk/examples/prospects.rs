//! A whole rule: names of prospects, tidied.

use dvsync_rules_sdk::prelude::*;

/// Names of prospects, tidied.
pub struct Prospects;

impl Rule for Prospects {
    fn describe() -> Description {
        Description {
            name: "prospect",
            version: "0.1.0",
            entities: &["lead"],
            ..Default::default()
        }
    }

    fn configure(_: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }
}

impl Transform for Prospects {
    fn needs(&self, _: &Context) -> Needs {
        Needs::new().reads(Field::text("name").required()).writes(Field::text("lastname"))
    }

    fn apply(&self, rows: &Rows<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
        let mut lastname = TextBuilder::new(rows.len());
        for (row, name) in rows.text("name")?.iter().enumerate() {
            if !lastname.push_tidy(name.unwrap_or_default()) {
                output.reject(row, "no-name", "name", "the prospect has no name");
            }
        }
        output.set("lastname", lastname)
    }
}

dvsync_rules_sdk::export!(Prospects: transform);
