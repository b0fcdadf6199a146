//! When a source row and an account are the same: by account number, without
//! regard to case and blanks.

use dvsync_rules_sdk::prelude::*;
use dvsync_rules_sdk::text;

use crate::AccountRules;
use crate::columns::ACCOUNT_NUMBER;

impl Matching for AccountRules {
    fn needs(&self, _: &Context) -> Needs {
        Needs::new()
            .reads(Field::text(ACCOUNT_NUMBER).required())
            .reads_current(Field::text("accountnumber"))
            .reads_current(Field::int64("statecode"))
    }

    fn derive(&self, side: Side, rows: &Rows<'_>, keys: &mut Keys) -> Result<(), Failure> {
        let numbers = match side {
            Side::Incoming => rows.text(ACCOUNT_NUMBER)?,
            Side::Current => rows.text("accountnumber")?,
        };
        for number in numbers.iter() {
            keys.push_with(|key| text::fold_key(number.unwrap_or_default(), key));
        }
        Ok(())
    }

    /// The only active account of that number; without one a person must look.
    fn choose(
        &self,
        incoming: &Rows<'_>,
        candidates: &Candidates<'_>,
        choices: &mut Choices,
    ) -> Result<(), Failure> {
        let numbers = incoming.text(ACCOUNT_NUMBER)?;
        let states = candidates.rows().int64("statecode")?;
        for row in 0..incoming.len() {
            let all = candidates.of(row);
            let mut active = all.clone().filter(|&record| states.get(record) == Some(0));
            if let (Some(record), None) = (active.next(), active.next()) {
                choices.push(record - all.start);
                continue;
            }
            let number = numbers.get(row).unwrap_or_default();
            let (count, active) =
                (all.len(), all.filter(|&record| states.get(record) == Some(0)).count());
            choices.verdicts.reject(
                row,
                "ambiguous-account",
                ACCOUNT_NUMBER,
                format!("`{number}` meets {count} accounts, {active} of them active"),
            );
            choices.push_none();
        }
        Ok(())
    }
}
