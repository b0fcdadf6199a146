//! Whether an account is active: where the source says that stores are closed.

use dvsync_rules_sdk::prelude::*;

use crate::AccountRules;
use crate::columns::CLOSED;

const ACTIVE: i32 = 0;
const INACTIVE: i32 = 1;

impl State for AccountRules {
    fn needs(&self, context: &Context) -> Needs {
        if self.has_closed { Needs::new().reads(context.flag(CLOSED)) } else { Needs::new() }
    }

    fn decide(
        &self,
        incoming: &Rows<'_>,
        _: &Rows<'_>,
        states: &mut States,
    ) -> Result<(), Failure> {
        if !self.has_closed {
            (0..incoming.len()).for_each(|_| states.push_leave());
            return Ok(());
        }
        let closed = incoming.flags(CLOSED)?;
        for row in 0..incoming.len() {
            match closed.get(row) {
                Ok(Some(true)) => states.push(INACTIVE, Some(self.settings.closed_status)),
                Ok(Some(false) | None) => states.push(ACTIVE, Some(self.settings.open_status)),
                Err(text) => {
                    let message = format!("`{text}` is neither yes nor no");
                    states.verdicts.reject(row, "bad-flag", CLOSED, message);
                    states.push_leave();
                }
            }
        }
        Ok(())
    }
}
