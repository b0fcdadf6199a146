//! Who owns a contact: the sales person of its territory, by e-mail address.
//!
//! Of several in one territory the first in the granted table counts, so the
//! table stands in the order in which they should: by id, as it comes. One who
//! is not `current` owns nothing.

use dvsync_rules_sdk::prelude::*;

use crate::ContactRules;
use crate::columns::TERRITORY;

impl Owner for ContactRules {
    fn needs(&self, context: &Context) -> Needs {
        if self.owns_by_territory {
            Needs::new().reads(context.identifier(TERRITORY))
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
        let fallback = self.settings.fallback_owner.as_deref().unwrap_or_default();
        if !self.owns_by_territory {
            (0..incoming.len()).for_each(|_| owners.push_user(fallback));
            return Ok(());
        }
        let keys = incoming.column(TERRITORY)?;
        let found = self.tables.resolve("salespeople", TERRITORY, keys, &["email", "current"])?;
        let (emails, current) = (found.rows().text("email")?, found.rows().flags("current")?);
        for row in 0..incoming.len() {
            let email = emails.get(row).map(str::trim).filter(|email| !email.is_empty());
            match email {
                Some(email) if current.get(row) == Ok(Some(true)) => owners.push_user(email),
                _ => owners.push_user(fallback),
            }
        }
        Ok(())
    }
}
