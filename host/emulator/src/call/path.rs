//! Which resource a path names.

use percent_encoding::percent_decode_str;

use super::address::{Address, Key};
use crate::refusal::Refusal;
use crate::schema::{Collection, Property, Schema, Table};

/// What a path names.
#[derive(Debug)]
pub(crate) enum Resource {
    /// The service document.
    Root,
    Batch,
    /// `$metadata`.
    Csdl,
    /// Everything below `EntityDefinitions`.
    Definitions(Vec<String>),
    /// Name, and what stands in its parentheses.
    Function(String, String),
    /// Position of the table.
    Set(usize),
    Count(usize),
    Bulk(usize, String),
    Record(Address),
    /// A column's property of a record.
    Column(Address, usize),
    /// The same as plain text: `/$value`.
    Text(Address, usize),
    /// `record/navigation` and what follows: the lookup, the targets it may
    /// name, the further segments.
    Through(Address, usize, Vec<u8>, Vec<String>),
    /// `record/navigation/$ref`: the lookup, and the targets it may name.
    Reference(Address, usize, Vec<u8>),
    /// `record/collection`.
    Related(Address, Collection),
    /// `record/collection/$count`.
    RelatedCount(Address, Collection),
    /// `record/collection/$ref`, or `record/collection(key)/$ref`.
    References(Address, Collection, Option<Address>),
}

/// Segments that no real path has.
const SEGMENTS_MAX: usize = 20;

/// Reads a path behind the service root. `strict`: forbidden characters in key
/// values are refused.
pub(crate) fn resource(schema: &Schema, path: &str) -> Result<Resource, Refusal> {
    let segments = segments(path)?;
    let mut rest = segments.iter().map(String::as_str);
    let Some(first) = rest.next() else { return Ok(Resource::Root) };
    let rest: Vec<&str> = rest.collect();
    match first {
        "$batch" if rest.is_empty() => return Ok(Resource::Batch),
        "$metadata" if rest.is_empty() => return Ok(Resource::Csdl),
        _ => {}
    }
    let (name, inside) = match first.split_once('(') {
        None => (first, None),
        Some((name, inside)) => {
            let inside = inside.strip_suffix(')').ok_or_else(|| Refusal::no_segment(first))?;
            (name, Some(inside))
        }
    };
    if matches!(name, "EntityDefinitions" | "RelationshipDefinitions") {
        return Ok(Resource::Definitions(segments));
    }
    if matches!(
        name,
        "WhoAmI"
            | "RetrieveTotalRecordCount"
            | "RetrieveVersion"
            | "RetrieveMetadataChanges"
            | "CreateEntities"
            | "PublishXml"
            | "PublishAllXml"
    ) {
        return match rest.is_empty() {
            true => Ok(Resource::Function(name.to_owned(), inside.unwrap_or("").to_owned())),
            false => Err(Refusal::no_segment(rest[0])),
        };
    }
    let table = schema.set(name).ok_or_else(|| Refusal::no_segment(name))?;
    match inside {
        None => set(table, &rest),
        Some(inside) => {
            let key = Key::parse(table, inside, true)?;
            below(schema, Address { table: table.position, key }, &rest)
        }
    }
}

fn set(table: &Table, rest: &[&str]) -> Result<Resource, Refusal> {
    match rest {
        [] => Ok(Resource::Set(table.position)),
        ["$count"] => Ok(Resource::Count(table.position)),
        [action] => match action.strip_prefix("Microsoft.Dynamics.CRM.") {
            Some(action) => Ok(Resource::Bulk(table.position, action.to_owned())),
            None => Err(Refusal::no_segment(action)),
        },
        [_, further, ..] => Err(Refusal::no_segment(further)),
    }
}

/// What follows a record.
pub(crate) fn below(schema: &Schema, address: Address, rest: &[&str]) -> Result<Resource, Refusal> {
    let table = &schema.tables[address.table];
    let Some((&name, further)) = rest.split_first() else { return Ok(Resource::Record(address)) };
    if let Some(&collection) = table.collections.get(name) {
        return match further {
            [] => Ok(Resource::Related(address, collection)),
            ["$count"] => Ok(Resource::RelatedCount(address, collection)),
            ["$ref"] => Ok(Resource::References(address, collection, None)),
            [further, ..] => Err(Refusal::no_segment(further)),
        };
    }
    if let Some((name, inside)) = name.split_once('(') {
        let collection = table.collections.get(name).ok_or_else(|| Refusal::no_segment(name))?;
        let other = &schema.tables[collection.table()];
        let inside = inside.strip_suffix(')').ok_or_else(|| Refusal::no_segment(name))?;
        let member = Address { table: other.position, key: Key::parse(other, inside, true)? };
        return match further {
            ["$ref"] => Ok(Resource::References(address, *collection, Some(member))),
            _ => Err(Refusal::no_segment(name)),
        };
    }
    match (table.properties.get(name), further) {
        (Some(Property::Value(column) | Property::LookupValue(column)), []) => {
            Ok(Resource::Column(address, *column))
        }
        (Some(Property::Value(column) | Property::LookupValue(column)), ["$value"]) => {
            Ok(Resource::Text(address, *column))
        }
        (Some(Property::Navigation(column, targets)), ["$ref"]) => {
            Ok(Resource::Reference(address, *column, targets.clone()))
        }
        (Some(Property::Navigation(column, targets)), further) => {
            let further = further.iter().map(|&segment| segment.to_owned()).collect();
            Ok(Resource::Through(address, *column, targets.clone(), further))
        }
        (Some(Property::Value(_) | Property::LookupValue(_)), [further, ..]) => {
            Err(Refusal::no_segment(further))
        }
        _ => Err(Refusal::no_segment(name)),
    }
}

/// Cut at slashes outside quotes, decoded; a trailing slash is tolerated.
fn segments(path: &str) -> Result<Vec<String>, Refusal> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = Vec::new();
    let (mut start, mut quoted) = (0, false);
    let mut cut = |from: usize, to: usize| -> Result<(), Refusal> {
        let segment = percent_decode_str(&path[from..to])
            .decode_utf8()
            .map_err(|_| Refusal::odata("The URL is not UTF-8."))?;
        segments.push(segment.into_owned());
        Ok(())
    };
    for (at, byte) in path.bytes().enumerate() {
        quoted ^= byte == b'\'' || path.as_bytes()[at..].starts_with(b"%27");
        if byte == b'/' && !quoted {
            cut(start, at)?;
            start = at + 1;
        }
    }
    cut(start, path.len())?;
    if let Some(further) = segments.get(SEGMENTS_MAX) {
        return Err(Refusal::no_segment(further));
    }
    if segments.len() == 1 && segments[0].is_empty() {
        segments.clear();
    }
    Ok(segments)
}
