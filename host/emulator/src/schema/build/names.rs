//! Names: what is a legal one, plurals, and which property of a body means what.

use std::collections::HashMap;

use crate::schema::column::{Column, Kind};
use crate::schema::table::Property;
use crate::store::Quick;

/// A logical name is lower-case letters, digits and underscores.
pub(super) fn check(name: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || !name.bytes().all(legal) {
        return Err(format!(
            "`{name}` is not a logical name: expected lower-case letters, digits and `_`"
        ));
    }
    Ok(())
}

/// `account` to `accounts`, `company` to `companies`, `class` to `classes`.
pub(super) fn plural(name: &str) -> String {
    let stem = name.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    if let Some(stem) = stem {
        return format!("{stem}ies");
    }
    if name.ends_with(['s', 'x', 'z']) || name.ends_with("ch") || name.ends_with("sh") {
        return format!("{name}es");
    }
    format!("{name}s")
}

pub(super) fn properties(columns: &[Column]) -> HashMap<Box<str>, Property, Quick> {
    let mut properties: HashMap<Box<str>, Property, Quick> = HashMap::default();
    for (position, column) in columns.iter().enumerate() {
        let Kind::Lookup { targets, .. } = &column.kind else {
            properties.insert(column.name.as_str().into(), Property::Value(position));
            continue;
        };
        let mut navigations: Vec<(&str, Vec<u8>)> = Vec::new();
        for (index, target) in (0_u8..).zip(targets) {
            match navigations.iter_mut().find(|(name, _)| *name == target.navigation) {
                Some((_, indexes)) => indexes.push(index),
                None => navigations.push((&target.navigation, vec![index])),
            }
        }
        properties.insert(column.name.as_str().into(), Property::LookupValue(position));
        properties.insert(column.property.as_str().into(), Property::LookupValue(position));
        for (name, indexes) in navigations {
            let bind = format!("{name}@odata.bind");
            properties.insert(bind.into(), Property::Bind(position, indexes.clone()));
            properties.insert(name.into(), Property::Navigation(position, indexes));
        }
    }
    properties
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_follow_the_usual_spelling() {
        let expect = [
            ("account", "accounts"),
            ("new_company", "new_companies"),
            ("new_day", "new_days"),
            ("new_class", "new_classes"),
            ("new_branch", "new_branches"),
        ];
        for (name, set) in expect {
            assert_eq!(plural(name), set);
        }
    }

    #[test]
    fn a_name_with_upper_case_is_refused() {
        assert!(check("new_Thing").is_err());
        assert!(check("").is_err());
        assert!(check("new_thing2").is_ok());
    }
}
