//! Who owns an account: its sales person, by e-mail address.

use dvsync_rules_sdk::prelude::*;

use crate::AccountRules;
use crate::columns::SALES_PERSON;

impl Owner for AccountRules {
    fn needs(&self, context: &Context) -> Needs {
        if self.has_sales_person {
            Needs::new().reads(context.identifier(SALES_PERSON))
        } else {
            Needs::new()
        }
    }

    fn decide(
        &self,
        incoming: &Rows<'_>,
        _: &Rows<'_>,
        owners: &mut Owners,
    ) -> Result<(), Failure> {
        owners.by("internalemailaddress");
        let fallback = match &self.settings.fallback_owner {
            Some(email) if self.settings.owners => email.as_str(),
            _ => "",
        };
        if !self.has_sales_person {
            (0..incoming.len()).for_each(|_| owners.push_user(fallback));
            return Ok(());
        }
        let keys = incoming.column(SALES_PERSON)?;
        let found = self.tables.resolve("salespeople", SALES_PERSON, keys, &["email"])?;
        for email in found.rows().text("email")?.iter() {
            owners.push_user(email.map(str::trim).filter(|e| !e.is_empty()).unwrap_or(fallback));
        }
        Ok(())
    }
}
