//! The file as a tree: read from TOML, YAML or JSON, variables put in.
//!
//! Pure. Positions are not kept here: a fault carries its path, and
//! [`locate`](super::locate) finds the line for it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::nearest;
use super::fault::{Fault, Step};

/// A value of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    /// In the file's order where the format keeps it.
    Table(Vec<(String, Tree)>),
}

impl Tree {
    /// What it is, for messages; text and numbers are shown.
    pub(super) fn describe(&self) -> String {
        match self {
            Tree::Null => "null".to_owned(),
            Tree::Boolean(value) => format!("`{value}`"),
            Tree::Integer(value) => format!("`{value}`"),
            Tree::Float(value) => format!("`{value}`"),
            Tree::Text(text) => format!("`{text}`"),
            Tree::List(_) => "a list".to_owned(),
            Tree::Table(_) => "a table".to_owned(),
        }
    }

    /// The value under `name`, where this is a table that has it.
    pub(super) fn get(&self, name: &str) -> Option<&Tree> {
        match self {
            Tree::Table(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// Replaces `${name}` in every text by the variable; `$${` is a plain `${`.
    pub(super) fn substitute(&mut self, variables: &BTreeMap<String, String>) -> Result<(), Fault> {
        match self {
            Tree::Text(text) => {
                if text.contains("${") {
                    *text = expand(text, variables)?;
                }
                Ok(())
            }
            Tree::List(items) => items.iter_mut().enumerate().try_for_each(|(index, item)| {
                item.substitute(variables).map_err(|fault| fault.under(Step::Item(index)))
            }),
            Tree::Table(entries) => entries.iter_mut().try_for_each(|(key, value)| {
                value.substitute(variables).map_err(|fault| fault.under(Step::Key(key.clone())))
            }),
            _ => Ok(()),
        }
    }
}

fn expand(text: &str, variables: &BTreeMap<String, String>) -> Result<String, Fault> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = &from[2..];
            continue;
        }
        out.push_str(before);
        let Some(end) = from.find('}') else {
            return Err(Fault::new(format!("`{text}` has a `${{` without `}}`"))
                .hint("write `$${` for a plain `${`"));
        };
        let name = &from[2..end];
        let Some(value) = variables.get(name) else {
            let hint = match nearest(name, variables.keys().map(String::as_str)) {
                Some(known) => format!("did you mean `${{{known}}}`?"),
                None => format!("give it a default: `[variables] {name} = \"...\"`"),
            };
            return Err(Fault::new(format!("unknown variable `{name}`")).hint(hint));
        };
        out.push_str(value);
        rest = &from[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

/// How `toml` spells a date or time to serde; there are none in a job file,
/// so they become the text that was typed.
const TOML_DATETIME: &str = "$__toml_private_datetime";

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Tree, E> {
        i64::try_from(value)
            .map(Tree::Integer)
            .map_err(|_| E::custom(format!("number `{value}` is too large")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut table: Vec<(String, Tree)> = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key == TOML_DATETIME {
                return Ok(Tree::Text(entries.next_value()?));
            }
            if table.iter().any(|(known, _)| *known == key) {
                return Err(de::Error::custom(format!("key `{key}` is there twice")));
            }
            table.push((key, entries.next_value()?));
        }
        Ok(Tree::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_into_texts() {
        let variables = BTreeMap::from([("data".to_owned(), "/tmp/x".to_owned())]);
        let expand = |text| expand(text, &variables).map_err(|fault| fault.message);
        assert_eq!(expand("${data}/a.csv"), Ok("/tmp/x/a.csv".to_owned()));
        assert_eq!(expand("a${data}b${data}"), Ok("a/tmp/xb/tmp/x".to_owned()));
        assert_eq!(expand("$${data} costs $5"), Ok("${data} costs $5".to_owned()));
        assert_eq!(expand("${dat}"), Err("unknown variable `dat`".to_owned()));
        assert_eq!(expand("${data"), Err("`${data` has a `${` without `}`".to_owned()));
    }
}
