//! Names of prospects in upper case; those without a name are rejected.

use dvsync_rules_sdk::prelude::*;

struct Shout;

impl Rule for Shout {
    fn describe() -> Description {
        Description { name: "shout", version: "0.1.0", entities: &["lead"], ..Default::default() }
    }

    fn configure(_: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }
}

impl Transform for Shout {
    fn needs(&self, _: &Context) -> Needs {
        Needs::new().reads(Field::text("name").required()).writes(Field::text("lastname"))
    }

    fn apply(&self, rows: &Rows<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
        let mut lastname = TextBuilder::new(rows.len());
        for (row, name) in rows.text("name")?.iter().enumerate() {
            if !lastname.push_tidy(&name.unwrap_or_default().to_uppercase()) {
                output.reject(row, "no-name", "name", "the prospect has no name");
            }
        }
        output.set("lastname", lastname)
    }
}

dvsync_rules_sdk::export!(Shout: transform);
