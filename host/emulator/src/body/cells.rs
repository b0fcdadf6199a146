//! JSON values as cells: type, length, range, options, canonical form.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::cell::Cell;
use crate::query::literal;
use crate::refusal::{Name, Refusal, shortened};
use crate::schema::{Choice, Column, Kind, Table};
use crate::settings::Rounding;
use crate::{decimal, instant};

/// Text or null; anything else comes back as what it was.
pub(super) struct TextSeed;

type Text<'de> = Result<Option<Cow<'de, str>>, String>;

impl<'de> DeserializeSeed<'de> for TextSeed {
    type Value = Text<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Text<'de>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextSeed {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Ok(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Ok(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_unit<E: Error>(self) -> Result<Text<'de>, E> {
        Ok(Ok(None))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Text<'de>, E> {
        Ok(Err(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Text<'de>, E> {
        Ok(Err(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Text<'de>, E> {
        Ok(Err(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Text<'de>, E> {
        Ok(Err(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err("[...]".to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err("{...}".to_owned()))
    }
}

/// How values are judged where the service's way is not known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValueRules {
    /// Lengths count characters, not UTF-16 units.
    pub(crate) characters: bool,
    pub(crate) rounding: Rounding,
    /// A time behind a day is left out.
    pub(crate) cut_times: bool,
}

/// A text column's value. Empty is null.
pub(super) fn text<'b>(
    table: &Table,
    position: usize,
    text: Cow<'b, str>,
    rules: ValueRules,
) -> Result<Cell<'b>, Refusal> {
    let column = &table.columns[position];
    let length_max = match column.kind {
        Kind::Text { length_max, .. } | Kind::Memo { length_max } => length_max,
        _ => usize::MAX,
    };
    if text.is_empty() {
        return Ok(Cell::Null);
    }
    let length = || match rules.characters {
        true => text.chars().count(),
        false => text.encode_utf16().count(),
    };
    // UTF-8 has at least as many bytes as UTF-16 has units.
    if text.len() > length_max && length() > length_max {
        return Err(Refusal::named(
            Name::TextTooLong,
            format!(
                "A validation error occurred.  The length of the '{}' attribute of the '{}' \
                 entity exceeded the maximum allowed length of '{length_max}'.",
                column.name, table.name
            ),
        ));
    }
    let illegal = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    if text.bytes().any(illegal) {
        return Err(Refusal::named(
            Name::InvalidCharacter,
            format!(
                "Invalid character in field '{}': '...', hexadecimal value below 0x20.",
                column.name
            ),
        ));
    }
    Ok(Cell::Text(text))
}

/// Any column's value, from the JSON text of it.
pub(super) fn raw<'b>(
    table: &Table,
    position: usize,
    raw: &'b str,
    rules: ValueRules,
) -> Result<Cell<'b>, Refusal> {
    let column = &table.columns[position];
    if raw == "null" {
        return Ok(Cell::Null);
    }
    let mismatch = || Refusal::literal(column, raw);
    match &column.kind {
        Kind::Text { .. } | Kind::Memo { .. } | Kind::Image => {
            text(table, position, json_text(raw).ok_or_else(mismatch)?, rules)
        }
        Kind::Integer { min, max } => {
            let value = whole(raw, column)?;
            if value < *min || value > *max {
                let name = &column.name;
                return Err(Refusal::out_of_range(Name::IntegerOutOfRange, &table.name, name, raw));
            }
            Ok(Cell::Int(value))
        }
        Kind::BigInt => whole(raw, column).map(Cell::Int),
        Kind::Decimal { precision, min, max } => {
            decimal_cell(table, column, raw, (*precision, *precision), (*min, *max), rules)
        }
        Kind::Money { precision, min, max } => {
            decimal_cell(table, column, raw, (4, *precision), (*min, *max), rules)
        }
        Kind::Double { precision, min, max } => {
            let value = number(raw).then(|| raw.parse::<f64>().ok()).flatten();
            let value = value.ok_or_else(mismatch)?;
            if !(*min..=*max).contains(&value) {
                let name = &column.name;
                return Err(Refusal::out_of_range(Name::NumberOutOfRange, &table.name, name, raw));
            }
            Ok(Cell::Double(rounded(value, raw, *precision, rules.rounding)))
        }
        Kind::Boolean { .. } => match raw {
            "true" => Ok(Cell::Bool(true)),
            "false" => Ok(Cell::Bool(false)),
            _ => Err(mismatch()),
        },
        Kind::DateTime { independent } => {
            let text = json_text(raw).ok_or_else(mismatch)?;
            let seconds = instant::parse_instant(&text, *independent).ok_or_else(mismatch)?;
            if seconds < instant::FIRST_SECOND {
                return Err(too_early());
            }
            Ok(Cell::Time(seconds))
        }
        Kind::Date => {
            let text = json_text(raw).ok_or_else(mismatch)?;
            let cut = rules.cut_times && instant::parse_instant(&text, true).is_some();
            let text = if cut { text.get(..10).unwrap_or(&text) } else { &*text };
            let day = instant::parse_date(text).ok_or_else(mismatch)?;
            if day < instant::FIRST_DAY {
                return Err(too_early());
            }
            Ok(Cell::Date(day))
        }
        Kind::Choice { options, .. } => {
            let value = whole(raw, column)?;
            if options.iter().any(|option| i64::from(option.value) == value) {
                return Ok(Cell::Int(value));
            }
            Err(unknown_option(table, column, raw, options))
        }
        // Judged together, when the record is known.
        Kind::State { .. } | Kind::Status { .. } => whole(raw, column).map(Cell::Int),
        Kind::Choices { options } => {
            choices(table, column, &json_text(raw).ok_or_else(mismatch)?, options)
        }
        Kind::Guid | Kind::File => {
            let text = json_text(raw).ok_or_else(mismatch)?;
            literal::guid(&text).map(Cell::Guid).ok_or_else(mismatch)
        }
        Kind::Lookup { .. } => Err(Refusal::lookup_as_value()),
    }
}

/// The text of a JSON string; `None` for anything else.
pub(super) fn json_text(raw: &str) -> Option<Cow<'_, str>> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') {
        serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inside))
    }
}

fn number(raw: &str) -> bool {
    raw.starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

fn whole(raw: &str, column: &Column) -> Result<i64, Refusal> {
    raw.parse().map_err(|_| Refusal::literal(column, raw))
}

fn decimal_cell(
    table: &Table,
    column: &Column,
    raw: &str,
    (scale, precision): (u8, u8),
    (min, max): (i128, i128),
    rules: ValueRules,
) -> Result<Cell<'static>, Refusal> {
    if !number(raw) {
        return Err(Refusal::literal(column, raw));
    }
    let range = || {
        Refusal::out_of_range(Name::NumberOutOfRange, &table.name, &column.name, &shortened(raw))
    };
    let value = decimal::parse_with(raw, precision, rules.rounding);
    let value = value.and_then(|value| decimal::widened(value, precision, scale));
    let value = value.ok_or_else(range)?;
    if value < min || value > max {
        return Err(range());
    }
    Ok(Cell::Decimal(value))
}

/// Through text, so that the result is the double nearest to the rounded number.
fn rounded(value: f64, raw: &str, precision: u8, rounding: Rounding) -> f64 {
    let exact = match rounding {
        Rounding::HalfAway => None,
        mode => decimal::parse_with(raw, precision, mode),
    };
    let text = match exact {
        None => format!("{value:.*}", usize::from(precision)),
        Some(scaled) => {
            let mut text = Vec::new();
            decimal::write(&mut text, scaled, precision);
            String::from_utf8(text).unwrap_or_default()
        }
    };
    let rounded = text.parse().unwrap_or(value);
    if rounded == 0.0 { 0.0 } else { rounded }
}

fn too_early() -> Refusal {
    Refusal::named(
        Name::DateTooEarly,
        "DateTime is less than minumum value supported by CrmDateTime. Minimum value supported: \
         01/01/1753 00:00:00",
    )
}

fn unknown_option(table: &Table, column: &Column, value: &str, options: &[Choice]) -> Refusal {
    let accepted: Vec<String> = options.iter().map(|option| option.value.to_string()).collect();
    Refusal::named(
        Name::UnknownChoice,
        format!(
            "A validation error occurred. The value {value} of '{}' on record of type '{}' is \
             outside the valid range. Accepted Values: {}",
            column.name,
            table.name,
            accepted.join(",")
        ),
    )
}

/// `"1, 4"` as `1,4`: ascending, each once, without blanks.
fn choices(
    table: &Table,
    column: &Column,
    text: &str,
    options: &[Choice],
) -> Result<Cell<'static>, Refusal> {
    let mut values = Vec::new();
    for part in text.split(',').map(str::trim) {
        if part.is_empty() && text.trim().is_empty() {
            return Ok(Cell::Null);
        }
        let value: i32 = part.parse().map_err(|_| Refusal::literal(column, text))?;
        if !options.iter().any(|option| option.value == value) {
            return Err(unknown_option(table, column, part, options));
        }
        values.push(value);
    }
    values.sort_unstable();
    values.dedup();
    let texts: Vec<String> = values.iter().map(i32::to_string).collect();
    Ok(Cell::Text(Cow::Owned(texts.join(","))))
}
