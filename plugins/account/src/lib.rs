//! Rules for accounts: stores as a CRM wants them.
//!
//! A component for `dvsync`; natively a library whose tests need no sandbox.
//! Source columns, target columns and settings stand in the README beside it.
//! Promises: a row's result depends on that row, the settings and the granted
//! `salespeople` only. Deliberately not here: parents and primary contacts, which
//! the job resolves as lookups.

mod columns;
mod matching;
mod owner;
mod settings;
mod state;
mod transform;

use dvsync_rules_sdk::prelude::*;

pub use settings::Settings;

/// The rule, configured.
#[derive(Debug)]
pub struct AccountRules {
    settings: Settings,
    tables: Tables,
    has_closed: bool,
    has_sales_person: bool,
}

impl Rule for AccountRules {
    fn describe() -> Description {
        Description {
            name: "account",
            version: env!("CARGO_PKG_VERSION"),
            entities: &["account"],
            settings_schema: Some(Settings::schema()),
            tables: &["salespeople"],
        }
    }

    fn configure(context: &Context) -> Result<Self, Failure> {
        let settings = Settings::read(context)?;
        Ok(Self {
            tables: context.tables.clone(),
            has_closed: context.has(columns::CLOSED),
            has_sales_person: settings.owners && context.has(columns::SALES_PERSON),
            settings,
        })
    }
}

dvsync_rules_sdk::export!(AccountRules: transform, matching, state, owner);
