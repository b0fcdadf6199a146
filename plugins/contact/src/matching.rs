//! When a source row and a contact are the same: by customer number, without
//! regard to case and blanks.

use dvsync_rules_sdk::prelude::*;
use dvsync_rules_sdk::text;

use crate::ContactRules;
use crate::columns::CUSTOMER_NUMBER;

impl Matching for ContactRules {
    fn needs(&self, _: &Context) -> Needs {
        Needs::new()
            .reads(Field::text(CUSTOMER_NUMBER).required())
            .reads_current(Field::text("externaluseridentifier"))
            .reads_current(Field::int64("statecode"))
    }

    fn derive(&self, side: Side, rows: &Rows<'_>, keys: &mut Keys) -> Result<(), Failure> {
        let numbers = match side {
            Side::Incoming => rows.text(CUSTOMER_NUMBER)?,
            Side::Current => rows.text("externaluseridentifier")?,
        };
        for number in numbers.iter() {
            keys.push_with(|key| text::fold_key(number.unwrap_or_default(), key));
        }
        Ok(())
    }

    /// The only active contact of that number; without one a person must look.
    fn choose(
        &self,
        incoming: &Rows<'_>,
        candidates: &Candidates<'_>,
        choices: &mut Choices,
    ) -> Result<(), Failure> {
        let numbers = incoming.text(CUSTOMER_NUMBER)?;
        let states = candidates.rows().int64("statecode")?;
        for row in 0..incoming.len() {
            if let Some(position) = candidates.only(row, |record| states.get(record) == Some(0)) {
                choices.push(position);
                continue;
            }
            let number = numbers.get(row).unwrap_or_default();
            let count = candidates.of(row).len();
            let message = format!("`{number}` meets {count} contacts, not just one of them active");
            choices.verdicts.reject(row, "ambiguous-contact", CUSTOMER_NUMBER, message);
            choices.push_none();
        }
        Ok(())
    }
}
