//! Source row to target row, a column at a time.

use dvsync_rules_sdk::email;
use dvsync_rules_sdk::prelude::*;

use crate::columns::{COUNTRY, CUSTOMER_NUMBER, EMAIL, PHONE, PHONE_TYPE, TERRITORY, TEXTS};
use crate::{BadEmail, ContactRules, names};

impl Transform for ContactRules {
    /// A column that the source has not is neither read nor written.
    fn needs(&self, context: &Context) -> Needs {
        let settings = &self.settings;
        let mut needs = Needs::new()
            .reads(Field::text(CUSTOMER_NUMBER).required())
            .writes(Field::text("externaluseridentifier"));
        let mut read = vec![CUSTOMER_NUMBER];
        let mut reads = |needs: Needs, name: &'static str| {
            if !context.has(name) || read.contains(&name) {
                return needs;
            }
            read.push(name);
            needs.reads(Field::text(name))
        };
        if context.has(EMAIL) {
            needs = reads(needs, EMAIL);
            for target in ["emailaddress1", "firstname", "lastname"] {
                let wanted = target == "emailaddress1" || settings.names;
                if wanted && settings.writes(target) {
                    needs = needs.writes(Field::text(target));
                }
            }
        }
        let telephones = self.telephones(context);
        if !telephones.is_empty() {
            for name in [PHONE, PHONE_TYPE, COUNTRY] {
                needs = reads(needs, name);
            }
            if !settings.territory_countries.is_empty() {
                needs = reads(needs, TERRITORY);
            }
            for target in telephones {
                needs = needs.writes(Field::text(target));
            }
        }
        for (source, target) in TEXTS {
            if context.has(source) && settings.writes(target) {
                needs = reads(needs, source).writes(Field::text(target));
            }
        }
        needs
    }

    fn apply(&self, rows: &Rows<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
        // The order is that in which faults of one row are told: the first counts.
        let mut number = TextBuilder::new(rows.len());
        for (row, cell) in rows.text(CUSTOMER_NUMBER)?.iter().enumerate() {
            if !number.push_tidy(cell.unwrap_or_default()) {
                let message = format!("`{CUSTOMER_NUMBER}` is empty");
                output.reject(row, "no-customer-number", CUSTOMER_NUMBER, message);
            }
        }
        output.set("externaluseridentifier", number)?;
        if rows.has(EMAIL) {
            self.write_email(rows, output)?;
        }
        if rows.has(PHONE) {
            self.write_telephones(rows, output)?;
        }
        for (source, target) in TEXTS {
            if output.writes(target) {
                let mut column = TextBuilder::new(rows.len());
                for cell in rows.text(source)?.iter() {
                    column.push_tidy(cell.unwrap_or_default());
                }
                output.set(target, column)?;
            }
        }
        Ok(())
    }
}

impl ContactRules {
    /// The address, and the name that shows in it.
    fn write_email(&self, rows: &Rows<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
        let count = rows.len();
        let mut address = TextBuilder::new(count);
        let (mut first, mut last) = (TextBuilder::new(count), TextBuilder::new(count));
        let mut form = String::new();
        for (row, cell) in rows.text(EMAIL)?.iter().enumerate() {
            form.clear();
            let text = cell.map(str::trim).unwrap_or_default();
            if !text.is_empty()
                && let Err(fault) = email::normalize(text, &mut form)
                && self.settings.bad_email == BadEmail::Reject
            {
                output.reject(row, "bad-email", EMAIL, format!("`{text}` {fault}"));
            }
            address.push_with(|data| data.push_str(&form));
            // What cannot be derived stays as somebody may have typed it.
            match names::of_email(&form) {
                Some(name) => {
                    last.push_with(|data| names::push(name.last, data));
                    match name.first {
                        Some(part) => {
                            first.push_with(|data| names::push(part, data));
                        }
                        None => first.push_leave(),
                    }
                }
                None => {
                    first.push_leave();
                    last.push_leave();
                }
            }
        }
        for (name, column) in [("emailaddress1", address), ("firstname", first), ("lastname", last)]
        {
            if output.writes(name) {
                output.set(name, column)?;
            }
        }
        Ok(())
    }
}
