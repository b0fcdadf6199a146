//! Source row to target row, a column at a time.

use dvsync_rules_sdk::prelude::*;
use dvsync_rules_sdk::{Country, phone};

use crate::AccountRules;
use crate::columns::{
    ACCOUNT_NUMBER, AMOUNTS, BRANDS_CHOICE, BUSINESS_TYPE_CHOICE, COUNTRY, NAME, PHONE, TEXTS,
    WHOLES,
};

/// All columns that the rule may write.
pub(crate) const TARGETS: [&str; 18] = [
    "accountnumber",
    "name",
    "telephone1",
    TEXTS[0].1,
    TEXTS[1].1,
    TEXTS[2].1,
    TEXTS[3].1,
    TEXTS[4].1,
    TEXTS[5].1,
    TEXTS[6].1,
    TEXTS[7].1,
    TEXTS[8].1,
    WHOLES[0].1,
    WHOLES[1].1,
    AMOUNTS[0].1,
    AMOUNTS[1].1,
    BUSINESS_TYPE_CHOICE.1,
    BRANDS_CHOICE.1,
];

impl Transform for AccountRules {
    /// A column that the source has not is neither read nor written.
    fn needs(&self, context: &Context) -> Needs {
        let writes =
            |source: &str, target: &str| context.has(source) && self.settings.writes(target);
        let mut needs = Needs::new()
            .reads(Field::text(ACCOUNT_NUMBER).required())
            .reads(Field::text(NAME).required())
            .writes(Field::text("accountnumber"))
            .writes(Field::text("name"));
        if writes(PHONE, "telephone1") {
            needs = needs.reads(Field::text(PHONE)).writes(Field::text("telephone1"));
            if context.has(COUNTRY) && !self.settings.writes("address1_country") {
                needs = needs.reads(Field::text(COUNTRY));
            }
        }
        for (source, target) in TEXTS.into_iter().filter(|pair| writes(pair.0, pair.1)) {
            needs = needs.reads(Field::text(source)).writes(Field::text(target));
        }
        for (source, target, ..) in WHOLES.into_iter().filter(|whole| writes(whole.0, whole.1)) {
            needs = needs.reads(context.number(source)).writes(Field::int64(target));
        }
        for (source, target) in AMOUNTS.into_iter().filter(|pair| writes(pair.0, pair.1)) {
            needs = needs.reads(context.number(source)).writes(Field::decimal(target));
        }
        for (source, target) in [BUSINESS_TYPE_CHOICE, BRANDS_CHOICE] {
            if writes(source, target) {
                needs = needs.reads(Field::text(source)).writes(Field::int64(target));
            }
        }
        needs
    }

    fn apply(&self, rows: &Rows<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
        // The order is that in which faults of one row are told: the first counts.
        required(rows, output, (ACCOUNT_NUMBER, "accountnumber"), "no-account-number")?;
        required(rows, output, (NAME, "name"), "no-name")?;
        if output.writes("telephone1") {
            self.telephone(rows, output)?;
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
        for (source, target, least, most) in WHOLES {
            if output.writes(target) {
                whole(rows, output, (source, target), least..=most)?;
            }
        }
        for pair in AMOUNTS {
            if output.writes(pair.1) {
                amount(rows, output, pair)?;
            }
        }
        for (pair, codes) in [
            (BUSINESS_TYPE_CHOICE, &self.settings.business_types),
            (BRANDS_CHOICE, &self.settings.brands),
        ] {
            if output.writes(pair.1) {
                choice(rows, output, pair, codes)?;
            }
        }
        Ok(())
    }
}

/// Source column and target column.
type Pair = (&'static str, &'static str);

fn required(
    rows: &Rows<'_>,
    output: &mut Output<'_>,
    (source, target): Pair,
    code: &str,
) -> Result<(), Failure> {
    let mut column = TextBuilder::new(rows.len());
    for (row, cell) in rows.text(source)?.iter().enumerate() {
        if !column.push_tidy(cell.unwrap_or_default()) {
            output.reject(row, code, source, format!("`{source}` is empty"));
        }
    }
    output.set(target, column)
}

impl AccountRules {
    fn telephone(&self, rows: &Rows<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
        let mut column = TextBuilder::new(rows.len());
        let settings = &self.settings;
        let countries = rows.has(COUNTRY).then(|| rows.text(COUNTRY)).transpose()?;
        // Neighbours often share their country.
        let (mut last, mut country) = ("", settings.default_country);
        for (row, cell) in rows.text(PHONE)?.iter().enumerate() {
            let Some(text) = cell.filter(|text| !text.trim_ascii().is_empty()) else {
                column.push_null();
                continue;
            };
            let name = countries.as_ref().and_then(|cells| cells.get(row)).unwrap_or_default();
            if name != last {
                let none = name.trim_ascii().is_empty();
                country = if none { settings.default_country } else { Country::find(name) };
                last = name;
            }
            let mut fault = None;
            column.push_with(|data| {
                let (format, otherwise) = (settings.phone_format, settings.bad_phone);
                fault = phone::write(text, country, format, otherwise, data).err();
            });
            if let Some(fault) = fault {
                output.reject(row, "bad-phone", PHONE, format!("`{text}` {fault}"));
            }
        }
        output.set("telephone1", column)
    }
}

fn whole(
    rows: &Rows<'_>,
    output: &mut Output<'_>,
    (source, target): Pair,
    range: std::ops::RangeInclusive<i64>,
) -> Result<(), Failure> {
    let mut column = Int64Builder::new(rows.len());
    let numbers = rows.numbers(source)?;
    for row in 0..rows.len() {
        let fault = match numbers.get(row) {
            Ok(None) => {
                column.push_null();
                continue;
            }
            Ok(Some(number)) => match number.to_i64() {
                Some(value) if range.contains(&value) => {
                    column.push(value);
                    continue;
                }
                Some(value) => {
                    format!("{value} is not from {} to {}", range.start(), range.end())
                }
                None => format!("{number} is not a whole number"),
            },
            Err(text) => format!("`{text}` is not a number"),
        };
        output.reject(row, "bad-number", source, fault);
        column.push_null();
    }
    output.set(target, column)
}

/// Most that `revenue` holds, as Microsoft ships it: 100,000,000,000,000.
const AMOUNT_MAX: i128 = 100_000_000_000_000 * 10_000;

fn amount(rows: &Rows<'_>, output: &mut Output<'_>, (source, target): Pair) -> Result<(), Failure> {
    let mut column = DecimalBuilder::money(rows.len());
    let numbers = rows.numbers(source)?;
    for row in 0..rows.len() {
        let fault = match numbers.get(row) {
            Ok(None) => {
                column.push_null();
                continue;
            }
            Ok(Some(number)) => match number.rounded(4) {
                Some(value) if (-AMOUNT_MAX..=AMOUNT_MAX).contains(&value) => {
                    column.push(value);
                    continue;
                }
                _ => format!("{number} is more than an amount can be"),
            },
            Err(text) => format!("`{text}` is not a number"),
        };
        output.reject(row, "bad-amount", source, fault);
        column.push_null();
    }
    output.set(target, column)
}

fn choice(
    rows: &Rows<'_>,
    output: &mut Output<'_>,
    (source, target): Pair,
    codes: &[(String, i32)],
) -> Result<(), Failure> {
    let mut column = Int64Builder::new(rows.len());
    for (row, cell) in rows.text(source)?.iter().enumerate() {
        match cell.map(str::trim_ascii) {
            None | Some("") => column.push_null(),
            Some(code) => match codes.iter().find(|(known, _)| known == code) {
                Some((_, value)) => column.push(i64::from(*value)),
                None => {
                    column.push_null();
                    let known: Vec<&str> = codes.iter().map(|(known, _)| known.as_str()).collect();
                    let message = format!("`{code}` is none of `{}`", known.join("`, `"));
                    output.reject(row, "unknown-code", source, message);
                }
            },
        }
    }
    output.set(target, column)
}
