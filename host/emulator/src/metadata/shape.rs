//! `$select`, `$expand` and `$filter` over JSON values.

use serde_json::{Map, Value};

use crate::query::expression::{Expression, Literal, Operator};
use crate::refusal::Refusal;

/// Shown whatever is selected.
const ALWAYS: &[&str] = &["@odata.type", "MetadataId"];

/// A definition as the options want it. Collections and option sets are there
/// only when expanded.
pub(super) fn shaped(
    value: Value,
    select: Option<&str>,
    expand: Option<&str>,
) -> Result<Value, Refusal> {
    let Value::Object(mut object) = value else { return Ok(value) };
    let expanded = expand.map(terms).unwrap_or_default();
    let mut shown = Map::new();
    for (name, inner) in &expanded {
        let taken = object.remove(*name).ok_or_else(|| {
            Refusal::odata(format!("Could not find a property named '{name}' to expand."))
        })?;
        let taken = match taken {
            Value::Array(list) => Value::Array(
                list.into_iter()
                    .map(|one| shaped(one, option(inner, "$select"), option(inner, "$expand")))
                    .collect::<Result<_, _>>()?,
            ),
            one => shaped(one, option(inner, "$select"), option(inner, "$expand"))?,
        };
        shown.insert((*name).to_owned(), taken);
    }
    for name in ["OptionSet", "GlobalOptionSet"] {
        object.remove(name);
    }
    match select {
        None => shown.extend(object),
        Some(select) => {
            for name in select.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let value = object.get(name).cloned();
                // Definitions of derived types have what their cast has.
                let value = value.ok_or_else(|| {
                    Refusal::odata(format!(
                        "Could not find a property named '{name}' on the metadata type."
                    ))
                });
                shown.insert(name.to_owned(), value?);
            }
            for name in ALWAYS {
                if let Some(value) = object.get(*name) {
                    shown.insert((*name).to_owned(), value.clone());
                }
            }
        }
    }
    Ok(Value::Object(shown))
}

/// `A($select=x;$expand=y),B` as names with their options.
fn terms(expand: &str) -> Vec<(&str, &str)> {
    let (mut ranges, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, byte) in expand.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                ranges.push((start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    ranges.push((start, expand.len()));
    let mut terms = Vec::new();
    for (from, to) in ranges {
        let term = expand[from..to].trim();
        terms.push(match term.split_once('(') {
            Some((name, inner)) => (name, inner.strip_suffix(')').unwrap_or(inner)),
            None => (term, ""),
        });
    }
    terms
}

/// One option of an expand; options are parted by `;`.
fn option<'o>(inner: &'o str, name: &str) -> Option<&'o str> {
    inner.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Whether a definition fits a filter.
pub(super) fn matches(condition: &Expression, value: &Value) -> Result<bool, Refusal> {
    Ok(match condition {
        Expression::And(list) => {
            for one in list {
                if !matches(one, value)? {
                    return Ok(false);
                }
            }
            true
        }
        Expression::Or(list) => {
            for one in list {
                if matches(one, value)? {
                    return Ok(true);
                }
            }
            false
        }
        Expression::Not(inner) => !matches(inner, value)?,
        Expression::Compare(operator, path, literal) => {
            let equal = equals(at(value, path)?, literal);
            match operator {
                Operator::Eq => equal,
                Operator::Ne => !equal,
                _ => return Err(Refusal::unsupported("that operator for metadata")),
            }
        }
        Expression::Text(function, path, Literal::Text(needle)) => {
            let found = at(value, path)?.as_str().unwrap_or_default();
            match function.as_str() {
                "contains" => found.contains(needle.as_str()),
                "startswith" => found.starts_with(needle.as_str()),
                _ => found.ends_with(needle.as_str()),
            }
        }
        _ => return Err(Refusal::unsupported("that function for metadata")),
    })
}

/// `IsCustomizable/Value`.
fn at<'v>(value: &'v Value, path: &str) -> Result<&'v Value, Refusal> {
    path.split('/').try_fold(value, |value, name| {
        value.get(name).ok_or_else(|| {
            Refusal::odata(format!(
                "Could not find a property named '{path}' on the metadata type."
            ))
        })
    })
}

fn equals(value: &Value, literal: &Literal) -> bool {
    match literal {
        Literal::Null => value.is_null(),
        Literal::Bool(wanted) => value == wanted,
        // Enumerations need their type's name: plain text never equals one.
        Literal::Text(text) | Literal::Enum(text) => value.as_str() == Some(text),
        Literal::Bare(text) => match value {
            Value::Number(number) => number.to_string() == *text,
            Value::String(found) => found.eq_ignore_ascii_case(text),
            _ => false,
        },
        Literal::List(_) => false,
    }
}
