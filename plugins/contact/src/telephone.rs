//! Which of a contact's telephone columns a number goes to, and in which form.
//!
//! A source row has one number of one kind: its column is set (or cleared, where
//! the row has no number), the others stay as the target has them.

use dvsync_rules_sdk::prelude::*;
use dvsync_rules_sdk::{Country, phone};

use crate::ContactRules;
use crate::columns::{COUNTRY, PHONE, PHONE_TYPE, TELEPHONES, TERRITORY};

impl ContactRules {
    /// The target columns that the source's numbers may go to.
    pub(crate) fn telephones(&self, context: &Context) -> Vec<&'static str> {
        if !context.has(PHONE) {
            return Vec::new();
        }
        let typed = context.has(PHONE_TYPE);
        let used = |column: &str| self.settings.phone_types.iter().any(|(_, to)| to == column);
        let meant = |&column: &&str| column == TELEPHONES[0] || (typed && used(column));
        TELEPHONES.into_iter().filter(meant).filter(|to| self.settings.writes(to)).collect()
    }

    pub(crate) fn write_telephones(
        &self,
        rows: &Rows<'_>,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let mut columns = TELEPHONES.map(|name| (name, TextBuilder::new(rows.len())));
        let phones = rows.text(PHONE)?;
        let kinds = rows.has(PHONE_TYPE).then(|| rows.text(PHONE_TYPE)).transpose()?;
        let countries = Countries::of(self, rows)?;
        for row in 0..rows.len() {
            let kind = kinds.as_ref().and_then(|kinds| kinds.get(row)).map(str::trim_ascii);
            let to = match kind {
                None | Some("") => Some(TELEPHONES[0]),
                Some(code) => {
                    let known = self.settings.phone_types.iter().find(|(known, _)| known == code);
                    if known.is_none() {
                        output.reject(row, "unknown-code", PHONE_TYPE, self.unknown(code));
                    }
                    known.map(|(_, column)| column.as_str())
                }
            };
            let text = phones.get(row).map(str::trim_ascii).filter(|text| !text.is_empty());
            for (name, column) in &mut columns {
                match text {
                    _ if to != Some(*name) => column.push_leave(),
                    None => column.push_null(),
                    Some(text) => {
                        let country = countries.get(row).or(self.settings.default_country);
                        let (format, otherwise) =
                            (self.settings.phone_format, self.settings.bad_phone);
                        let mut fault = None;
                        column.push_with(|data| {
                            fault = phone::write(text, country, format, otherwise, data).err();
                        });
                        if let Some(fault) = fault {
                            output.reject(row, "bad-phone", PHONE, format!("`{text}` {fault}"));
                        }
                    }
                }
            }
        }
        for (name, column) in columns {
            if output.writes(name) {
                output.set(name, column)?;
            }
        }
        Ok(())
    }

    fn unknown(&self, code: &str) -> String {
        let known: Vec<&str> =
            self.settings.phone_types.iter().map(|(known, _)| known.as_str()).collect();
        format!("`{code}` is none of `{}`", known.join("`, `"))
    }
}

/// The countries of rows, by address or else by territory.
struct Countries<'a> {
    names: Option<dvsync_rules_sdk::Texts<'a>>,
    territories: Option<dvsync_rules_sdk::Texts<'a>>,
    by_territory: &'a [(String, Country)],
}

impl<'a> Countries<'a> {
    fn of(rule: &'a ContactRules, rows: &Rows<'a>) -> Result<Self, Failure> {
        let open = |name| rows.has(name).then(|| rows.text(name)).transpose();
        let (names, territories) = (open(COUNTRY)?, open(TERRITORY)?);
        Ok(Self { names, territories, by_territory: &rule.settings.territory_countries })
    }

    fn get(&self, row: usize) -> Option<Country> {
        let name = self.names.as_ref().and_then(|names| names.get(row)).unwrap_or_default();
        if !name.trim_ascii().is_empty() {
            return Country::find(name);
        }
        let territory = self.territories.as_ref()?.get(row)?.trim_ascii();
        let entry = self.by_territory.iter().find(|(known, _)| known == territory);
        entry.map(|(_, country)| *country)
    }
}
