//! One JSON object, walked over without building it.
//!
//! Pure.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::bad::BadRecord;

/// A value of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// `null`.
    Null,
    /// A string, unescaped.
    String(&'a str),
    /// A number, as it is written.
    Number(&'a str),
    /// `true` or `false`.
    Boolean(&'a str),
    /// An object or an array, as it is written.
    Nested(&'a str),
}

/// Who takes the cells of an object.
pub(crate) trait Cells {
    /// The column of a key; `None` if nobody wants its value.
    fn column(&mut self, key: &str) -> Result<Option<usize>, BadRecord>;

    /// Takes a value.
    fn cell(&mut self, column: usize, cell: Cell<'_>) -> Result<(), BadRecord>;
}

/// Hands every wanted value of the object in `text` to `cells`, in order.
pub(crate) fn walk(text: &str, cells: &mut impl Cells) -> Result<(), BadRecord> {
    let mut refused = None;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walked = deserializer
        .deserialize_map(Walk { cells, refused: &mut refused })
        .and_then(|()| deserializer.end());
    match (refused, walked) {
        (Some(bad), _) => Err(bad),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => Err(malformed(&error)),
    }
}

fn malformed(error: &serde_json::Error) -> BadRecord {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = said.strip_suffix(&place).unwrap_or(&said);
    let what = what.replacen("EOF", "end", 1);
    let hint = error.is_eof().then_some("write one whole object per line");
    BadRecord::malformed(
        format!("no JSON object: {what} at character {}", error.column().max(1)),
        hint,
    )
}

struct Walk<'c, C> {
    cells: &'c mut C,
    refused: &'c mut Option<BadRecord>,
}

impl<'de, C: Cells> Visitor<'de> for Walk<'_, C> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(found) = map.next_key_seed(Key { cells: self.cells })? {
            let column = match found {
                Ok(column) => column,
                Err(bad) => {
                    *self.refused = Some(bad);
                    return Err(A::Error::custom("refused"));
                }
            };
            let Some(column) = column else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let raw = map.next_value::<&'de RawValue>()?.get();
            let unescaped;
            let cell = match raw.as_bytes().first() {
                Some(b'"') if !raw.contains('\\') => {
                    Cell::String(raw.get(1..raw.len() - 1).unwrap_or_default())
                }
                Some(b'"') => {
                    unescaped = serde_json::from_str::<Cow<'_, str>>(raw)
                        .map_err(|_| A::Error::custom("a string with half a character"))?;
                    Cell::String(&unescaped)
                }
                Some(b'{' | b'[') => Cell::Nested(raw),
                Some(b't' | b'f') => Cell::Boolean(raw),
                Some(b'n') | None => Cell::Null,
                Some(_) => Cell::Number(raw),
            };
            if let Err(bad) = self.cells.cell(column, cell) {
                *self.refused = Some(bad);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// Resolves a key while it is still borrowed.
struct Key<'c, C> {
    cells: &'c mut C,
}

impl<'de, C: Cells> DeserializeSeed<'de> for Key<'_, C> {
    type Value = Result<Option<usize>, BadRecord>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<C: Cells> Visitor<'_> for Key<'_, C> {
    type Value = Result<Option<usize>, BadRecord>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.cells.column(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<String>, Vec<String>);

    impl Cells for Seen {
        fn column(&mut self, key: &str) -> Result<Option<usize>, BadRecord> {
            self.0.push(key.to_owned());
            Ok((key != "skip").then_some(self.0.len()))
        }

        fn cell(&mut self, _: usize, cell: Cell<'_>) -> Result<(), BadRecord> {
            self.1.push(format!("{cell:?}"));
            Ok(())
        }
    }

    #[test]
    fn every_value_is_handed_over_as_it_is() {
        let mut seen = Seen::default();
        let text =
            r#" {"a":null,"\u00e4":"x\ny","skip":{"a":1},"n":-1.50e3,"o":{ "p": [1] },"b":true}"#;
        walk(text, &mut seen).unwrap();
        assert_eq!(seen.0, ["a", "ä", "skip", "n", "o", "b"]);
        assert_eq!(
            seen.1,
            [
                "Null",
                "String(\"x\\ny\")",
                "Number(\"-1.50e3\")",
                "Nested(\"{ \\\"p\\\": [1] }\")",
                "Boolean(\"true\")"
            ]
        );
    }

    #[test]
    fn what_is_no_object_says_why_and_where() {
        for (text, message) in [
            ("1", "no JSON object: invalid type: integer `1`, expected an object at character 1"),
            ("{\"a\":1", "no JSON object: end while parsing an object at character 6"),
            ("{\"a\" 1}", "no JSON object: expected `:` at character 6"),
            ("{\"a\":1} x", "no JSON object: trailing characters at character 9"),
            (
                "{\"a\":\"\\ud800\"}",
                "no JSON object: a string with half a character at character 14",
            ),
        ] {
            let bad = walk(text, &mut Seen::default()).unwrap_err();
            assert_eq!(bad.message, message);
            assert_eq!(bad.code, "malformed_record");
        }
    }
}
