//! Finds the line and column of a path in the file's text.
//!
//! Pure, and only done when there is something to report. YAML's parser tells
//! positions in its errors alone, so the path is walked with a deserializer
//! that fails where it arrives; JSON is read as the YAML that it is.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Format;
use super::fault::Step;

/// Line and column, from 1, of the value (or, with `at_key`, of the key) at
/// `path`; of the nearest thing around it where it is not there.
pub(super) fn locate(
    format: Format,
    text: &str,
    path: &[Step],
    at_key: bool,
) -> Option<(usize, usize)> {
    match format {
        Format::Toml => toml_offset(text, path, at_key).map(|offset| position(text, offset)),
        Format::Yaml | Format::Json => {
            let found = (0..=path.len()).rev().find_map(|length| {
                let walk = Walk { path: &path[..length], at_key: at_key || length < path.len() };
                walk.deserialize(serde_yaml_ng::Deserializer::from_str(text)).err()?.location()
            })?;
            Some((found.line(), found.column()))
        }
    }
}

/// Line and column, from 1, of a byte offset.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn toml_offset(text: &str, path: &[Step], at_key: bool) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut key = document.span();
    let mut value = document.span();
    let mut here = Here::Table(document.get_ref());
    for (depth, step) in path.iter().enumerate() {
        let next: Option<(std::ops::Range<usize>, &Spanned<DeValue<'_>>)> = match (here, step) {
            (Here::Table(table), Step::Key(name)) => table
                .iter()
                .find(|(key, _)| key.get_ref() == name)
                .map(|(key, value)| (key.span(), value)),
            (Here::List(list), Step::Item(index)) => {
                list.get(*index).map(|value| (value.span(), value))
            }
            _ => None,
        };
        let Some((next_key, next_value)) = next else {
            return Some(if depth == 0 { 0 } else { key.start });
        };
        key = next_key;
        value = next_value.span();
        here = match next_value.get_ref() {
            DeValue::Table(table) => Here::Table(table),
            DeValue::Array(list) => Here::List(list),
            _ => Here::Leaf,
        };
    }
    Some(if at_key || matches!(here, Here::Table(_)) { key.start } else { value.start })
}

#[derive(Clone, Copy)]
enum Here<'a> {
    Table(&'a DeTable<'a>),
    List(&'a [Spanned<DeValue<'a>>]),
    Leaf,
}

#[derive(Clone, Copy)]
struct Walk<'a> {
    path: &'a [Step],
    at_key: bool,
}

const HERE: &str = "here";

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HERE)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((Step::Key(name), rest)) = self.path.split_first() else {
            return Err(de::Error::custom(HERE));
        };
        let fail_on = (self.at_key && rest.is_empty()).then_some(name.as_str());
        while let Some(key) = entries.next_key_seed(KeyWalk { fail_on })? {
            if key == *name {
                entries.next_value_seed(Walk { path: rest, at_key: self.at_key })?;
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Item(index), rest)) = self.path.split_first() else {
            return Err(de::Error::custom(HERE));
        };
        for _ in 0..*index {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        items.next_element_seed(Walk { path: rest, at_key: self.at_key })?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

struct KeyWalk<'a> {
    fail_on: Option<&'a str>,
}

impl<'de> DeserializeSeed<'de> for KeyWalk<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyWalk<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<String, E> {
        if self.fail_on == Some(key) { Err(E::custom(HERE)) } else { Ok(key.to_owned()) }
    }
}
