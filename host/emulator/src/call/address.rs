//! Which record: `accounts(guid)`, `accounts(accountnumber='A')`, `$1`.

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::cell::Cell;
use crate::query::expression::{self, Literal};
use crate::query::literal;
use crate::refusal::{Name, Refusal};
use crate::schema::{KeyStatus, Kind, Schema, Table};
use crate::store::Rows;

/// Characters that GET and PATCH by key do not work with, percent-encoded or
/// not (*Define alternate keys for a table*).
const FORBIDDEN: &str = "/<>*%&:\\?+";

/// A record, as a URL names it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Address {
    /// Position of the table.
    pub(crate) table: usize,
    pub(crate) key: Key,
}

/// By what the record is found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Id(Uuid),
    /// Position of the alternate key, and its values in the key's order.
    Alternate(usize, Vec<Cell<'static>>),
    /// Elastic tables: id and `partitionid`.
    Partitioned(Uuid, String),
}

impl Address {
    /// Where the record stands, if it is there. A record of an elastic table is
    /// found by its id alone only in the partition that the id itself names.
    pub(crate) fn slot(&self, table: &Table, rows: &Rows) -> Option<u32> {
        match &self.key {
            Key::Id(id) if table.elastic => rows.slot_within(*id, &id.to_string()),
            Key::Id(id) => rows.slot_of(*id),
            Key::Alternate(position, values) => rows.by_key(*position, values),
            Key::Partitioned(id, partition) => rows.slot_within(*id, partition),
        }
    }

    /// The refusal of a record that is not there.
    pub(crate) fn missing(&self, table: &Table) -> Refusal {
        match &self.key {
            Key::Id(id) => Refusal::missing(table, *id),
            Key::Alternate(..) | Key::Partitioned(..) => Refusal::missing_by_key(table),
        }
    }

    /// The same record, in the partition that a URL's `partitionId` names.
    pub(crate) fn partitioned(mut self, table: &Table, partition: Option<&str>) -> Self {
        if let (true, Key::Id(id), Some(partition)) = (table.elastic, &self.key, partition) {
            self.key = Key::Partitioned(*id, partition.to_owned());
        }
        self
    }
}

impl Address {
    /// A reference in a body: relative, root-relative or absolute.
    pub(crate) fn reference(schema: &Schema, text: &str) -> Result<Self, Refusal> {
        Self::read(schema, text, true)
    }

    /// The same; `strict`: characters that URLs do not take are refused.
    pub(crate) fn read(schema: &Schema, text: &str, strict: bool) -> Result<Self, Refusal> {
        let relative = match text.find("/api/data/v") {
            Some(at) => {
                let rest = &text[at + "/api/data/v".len()..];
                rest.split_once('/').map_or("", |(_, rest)| rest)
            }
            None => text.strip_prefix('/').unwrap_or(text),
        };
        let invalid = || Refusal::payload(format!("Invalid URI '{text}'."));
        let (set, rest) = relative.split_once('(').ok_or_else(invalid)?;
        let inside = rest.strip_suffix(')').ok_or_else(invalid)?;
        let table = schema.set(set).ok_or_else(|| Refusal::no_segment(set))?;
        // The usual form, without a detour.
        if let Some(id) = literal::guid(inside) {
            return Ok(Self { table: table.position, key: Key::Id(id) });
        }
        let inside = percent_decode_str(inside)
            .decode_utf8()
            .map_err(|_| Refusal::odata("The URL is not UTF-8."))?;
        Ok(Self { table: table.position, key: Key::parse(table, &inside, strict)? })
    }
}

impl Key {
    /// What stands between the parentheses, decoded.
    pub(crate) fn parse(table: &Table, inside: &str, strict: bool) -> Result<Self, Refusal> {
        if let Some(id) = literal::guid(inside) {
            return Ok(Key::Id(id));
        }
        if table.elastic {
            return Self::elastic(table, inside);
        }
        let mut pairs: Vec<(usize, &str)> = Vec::new();
        for (name, value) in split(inside).ok_or_else(|| Refusal::key_not_defined(table))? {
            if name == table.id_name() {
                // systemusers and teams type their key as `ownerid`.
                let principal = matches!(table.name.as_str(), "systemuser" | "team");
                return match literal::guid(value) {
                    Some(id) if !principal => Ok(Key::Id(id)),
                    _ => Err(Refusal::key_not_defined(table)),
                };
            }
            let column = table.readable(name).ok_or_else(|| Refusal::key_not_defined(table))?;
            pairs.push((column, value));
        }
        let position = table
            .keys
            .iter()
            .position(|key| {
                key.columns.len() == pairs.len()
                    && key.columns.iter().all(|column| pairs.iter().any(|(c, _)| c == column))
            })
            .ok_or_else(|| Refusal::key_not_defined(table))?;
        let key = &table.keys[position];
        if key.status != KeyStatus::Active {
            return Err(Refusal::named(
                Name::KeyNotActive,
                format!("The entity key {} is not active.", key.name),
            ));
        }
        let values = key
            .columns
            .iter()
            .filter_map(|column| pairs.iter().find(|(c, _)| c == column))
            .map(|&(column, text)| value(table, column, text, strict))
            .collect::<Result<_, _>>()?;
        Ok(Key::Alternate(position, values))
    }

    /// By the key that every elastic table has,
    /// `KeyForNoSqlEntityWithPKPartitionId`, or by the id alone.
    fn elastic(table: &Table, inside: &str) -> Result<Self, Refusal> {
        let invalid = || Refusal::key_not_defined(table);
        let (mut id, mut partition) = (None, None);
        for (name, value) in split(inside).ok_or_else(invalid)? {
            if name == table.id_name() {
                id = Some(literal::guid(value).ok_or_else(invalid)?);
            } else if name.eq_ignore_ascii_case("partitionid") {
                match expression::literal(value, &[])? {
                    Literal::Text(text) => partition = Some(text),
                    _ => return Err(invalid()),
                }
            } else {
                return Err(invalid());
            }
        }
        match (id, partition) {
            (Some(id), Some(partition)) => Ok(Key::Partitioned(id, partition)),
            (Some(id), None) => Ok(Key::Id(id)),
            (None, _) => Err(invalid()),
        }
    }

    /// The columns that the key is made of.
    pub(crate) fn columns<'t>(&self, table: &'t Table) -> &'t [usize] {
        match self {
            Key::Id(_) | Key::Partitioned(..) => &[],
            Key::Alternate(position, _) => {
                table.keys.get(*position).map_or(&[], |key| &key.columns)
            }
        }
    }
}

fn value(table: &Table, column: usize, text: &str, strict: bool) -> Result<Cell<'static>, Refusal> {
    let literal = expression::literal(text, &[])?;
    let bad = match &literal {
        Literal::Text(text) if strict => text.chars().find(|&c| FORBIDDEN.contains(c)),
        _ => None,
    };
    if let Some(bad) = bad {
        return Err(Refusal::named(
            Name::ForbiddenCharacter,
            format!(
                "A potentially dangerous Request.Path value was detected from the client ({bad})."
            ),
        ));
    }
    let kind = &table.columns[column].kind;
    match literal::cell(kind, &literal) {
        Some(Cell::Null) | None => Err(Refusal::key_not_defined(table)),
        Some(Cell::Text(text)) if matches!(kind, Kind::Text { .. }) && text.is_empty() => {
            Err(Refusal::key_not_defined(table))
        }
        Some(cell) => Ok(cell),
    }
}

/// `a='x',b=2` as pairs; commas and `=` within quotes do not count.
fn split(inside: &str) -> Option<Vec<(&str, &str)>> {
    let mut pairs = Vec::new();
    let (mut start, mut quoted) = (0, false);
    let ends = inside.bytes().enumerate().filter_map(|(at, byte)| {
        quoted ^= byte == b'\'';
        (byte == b',' && !quoted).then_some(at)
    });
    for end in ends.chain([inside.len()]).collect::<Vec<_>>() {
        pairs.push(inside[start..end].split_once('=')?);
        start = end + 1;
    }
    Some(pairs)
}
