//! Rules for contacts: customers with an address, a telephone number and an
//! e-mail address.
//!
//! A component for `dvsync`; natively a library whose tests need no sandbox.
//! Source columns, target columns and settings stand in the README beside it.
//! Promises: a row's result depends on that row, the settings and the granted
//! `salespeople` only. Deliberately not here: the parent account, which the job
//! resolves as a lookup from `parent_account_number`.

mod columns;
mod matching;
mod names;
mod owner;
mod settings;
mod telephone;
mod transform;

use dvsync_rules_sdk::prelude::*;

pub use settings::{BadEmail, Settings};

/// The rule, configured.
#[derive(Debug)]
pub struct ContactRules {
    settings: Settings,
    tables: Tables,
    owns_by_territory: bool,
}

impl Rule for ContactRules {
    fn describe() -> Description {
        Description {
            name: "contact",
            version: env!("CARGO_PKG_VERSION"),
            entities: &["contact"],
            settings_schema: Some(Settings::schema()),
            tables: &["salespeople"],
        }
    }

    fn configure(context: &Context) -> Result<Self, Failure> {
        let settings = Settings::read(context)?;
        let owns_by_territory = settings.owner_by_territory && context.has(columns::TERRITORY);
        Ok(Self { settings, tables: context.tables.clone(), owns_by_territory })
    }
}

dvsync_rules_sdk::export!(ContactRules: transform, matching, owner);
