//! Amounts with a unit: `"10m"`, `"64MiB"`.
//!
//! Pure. A number without a unit is refused, so that nobody has to guess.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

const SPANS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// A length of time as typed: a whole number and `ms`, `s`, `m`, `h` or `d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A number of bytes as typed: a whole number and `B`, `kB`, `MB`, `GB`, `KiB`,
/// `MiB` or `GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

fn amount(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

impl Span {
    /// Reads `"10m"`; `None` where it is not a whole number and a unit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        amount(text, &SPANS).map(|milliseconds| Self(Duration::from_millis(milliseconds)))
    }
}

impl Size {
    /// Reads `"64MiB"`; `None` where it is not a whole number and a unit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        amount(text, &SIZES).map(Self)
    }
}

struct Amount<T> {
    expected: &'static str,
    parse: fn(&str) -> Option<T>,
}

impl<T> Visitor<'_> for Amount<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Amount {
            expected: "a duration with its unit, such as \"30s\", \"10m\" or \"2h\"",
            parse: Span::parse,
        })
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Amount {
            expected: "a size with its unit, such as \"64MiB\" or \"500kB\"",
            parse: Size::parse,
        })
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a whole number and its unit: ms, s, m, h or d",
            "pattern": "^[0-9]+ *(ms|s|m|h|d)$"
        })
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a whole number and its unit: B, kB, MB, GB, KiB, MiB or GiB",
            "pattern": "^[0-9]+ *(B|kB|MB|GB|KiB|MiB|GiB)$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_whole_number_and_a_unit() {
        let seconds = |text| Span::parse(text).map(|span| span.0.as_secs_f64());
        assert_eq!(seconds("250ms"), Some(0.25));
        assert_eq!(seconds("30s"), Some(30.0));
        assert_eq!(seconds("10 m"), Some(600.0));
        assert_eq!(seconds("90d"), Some(7_776_000.0));
        for wrong in ["", "10", "m", "-1s", "1.5h", "10M", "1h30m", "99999999999999999999s"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(Size::parse("64MiB"), Some(Size(67_108_864)));
        assert_eq!(Size::parse("1kB"), Some(Size(1_000)));
        assert_eq!(Size::parse("1kb"), None);
    }
}
