//! A rule that reads every column it is told of and sets none: what
//! `dvsync rules bench` measures others against.

use dvsync_rules_sdk::prelude::*;

/// Does nothing.
#[derive(Debug)]
pub struct Nothing;

impl Rule for Nothing {
    fn describe() -> Description {
        Description {
            name: "nothing",
            version: env!("CARGO_PKG_VERSION"),
            entities: &["*"],
            ..Default::default()
        }
    }

    fn configure(_: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }
}

impl Transform for Nothing {
    fn needs(&self, context: &Context) -> Needs {
        context.source.iter().cloned().fold(Needs::new(), Needs::reads)
    }

    fn apply(&self, _: &Rows<'_>, _: &mut Output<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

dvsync_rules_sdk::export!(Nothing: transform);
