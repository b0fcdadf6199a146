//! A page of rows, streamed into columns.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use dvsync_model::{Column, Kind};
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::cells::Cells;
use super::{LOOKUP_ENTITY, PAGE_ROWS, Select};
use crate::error::ClientError;
use crate::metadata::nearest;

/// Which member of a row goes where.
pub(super) struct Shape {
    /// Each selected column once; the primary id first.
    columns: Vec<Column>,
    /// Position in `columns` of each column of the batch.
    layout: Vec<usize>,
    members: BTreeMap<String, Member>,
    schema: SchemaRef,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Value(usize),
    /// The table that the lookup of that position points to.
    Target(usize),
    Ignored,
}

impl Shape {
    pub(super) fn new(select: &Select) -> Result<Self, ClientError> {
        let entity = &select.entity;
        let mut columns: Vec<Column> = Vec::new();
        let mut layout = Vec::new();
        for name in std::iter::once(&entity.primary_id).chain(&select.columns) {
            let column = entity.column(name).ok_or_else(|| ClientError::UnknownColumn {
                entity: entity.logical_name.clone(),
                column: name.clone(),
                nearest: nearest(name, entity.columns.iter().map(|column| &column.logical_name)),
            })?;
            if !column.valid_for_read {
                return Err(ClientError::UnusableColumn {
                    entity: entity.logical_name.clone(),
                    column: name.clone(),
                    problem: "cannot be read".to_owned(),
                });
            }
            let known = columns.iter().position(|known| known.logical_name == *name);
            layout.push(known.unwrap_or(columns.len()));
            if known.is_none() {
                columns.push(column.clone());
            }
        }
        let mut members = BTreeMap::new();
        for (position, column) in columns.iter().enumerate() {
            let property = property(column);
            if matches!(column.kind, Kind::Lookup { .. }) {
                members.insert(format!("{property}@{LOOKUP_ENTITY}"), Member::Target(position));
            }
            members.insert(property, Member::Value(position));
        }
        let fields: Vec<Field> = layout
            .iter()
            .enumerate()
            .map(|(place, &position)| {
                let column = &columns[position];
                Field::new(&column.logical_name, column.kind.arrow_type(), place != 0)
            })
            .collect();
        Ok(Self { columns, layout, members, schema: Arc::new(Schema::new(fields)) })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Property names, as they stand in `$select`.
    pub(super) fn properties(&self) -> impl Iterator<Item = String> + '_ {
        self.columns.iter().map(property)
    }
}

/// The property that holds the column's value.
pub(super) fn property(column: &Column) -> String {
    match column.kind {
        Kind::Lookup { .. } => format!("_{}_value", column.logical_name),
        _ => column.logical_name.clone(),
    }
}

/// Reads a page: its rows, and the link to the next page.
pub(super) fn decode(
    shape: &Shape,
    body: &[u8],
) -> Result<(RecordBatch, Option<String>), serde_json::Error> {
    // A row with its etag and id is longer than this.
    let rows = (body.len() / 100).min(PAGE_ROWS);
    let mut table = Table {
        shape,
        cells: shape.columns.iter().map(|column| Cells::new(column, rows)).collect(),
        order: Vec::new(),
        rows: 0,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let next = PageSeed(&mut table).deserialize(&mut deserializer)?;
    deserializer.end()?;
    let arrays: Vec<ArrayRef> = table.cells.iter_mut().map(Cells::finish).collect();
    let columns = shape.layout.iter().map(|&position| arrays[position].clone()).collect();
    let batch = RecordBatch::try_new(shape.schema(), columns).map_err(de::Error::custom)?;
    Ok((batch, next))
}

struct Table<'a> {
    shape: &'a Shape,
    cells: Vec<Cells>,
    /// The members of the last row in order: the next row has the same.
    order: Vec<(String, Member)>,
    rows: usize,
}

impl Table<'_> {
    fn member(&mut self, place: usize, name: &str) -> Member {
        if let Some((expected, member)) = self.order.get(place)
            && expected == name
        {
            return *member;
        }
        let member = self.shape.members.get(name).copied().unwrap_or(Member::Ignored);
        let entry = (name.to_owned(), member);
        match self.order.get_mut(place) {
            Some(expected) => *expected = entry,
            None => self.order.push(entry),
        }
        member
    }

    fn end_row(&mut self) -> Result<(), String> {
        for cells in &mut self.cells {
            cells.end_row(self.rows)?;
        }
        self.rows += 1;
        Ok(())
    }
}

struct PageSeed<'a, 'b>(&'a mut Table<'b>);

impl<'de> DeserializeSeed<'de> for PageSeed<'_, '_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_, '_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut next = None;
        let mut found = false;
        while let Some(key) = map.next_key::<PageKey>()? {
            match key {
                PageKey::Value => {
                    found = true;
                    map.next_value_seed(RowsSeed(self.0))?;
                }
                PageKey::NextLink => next = map.next_value()?,
                PageKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if found { Ok(next) } else { Err(de::Error::missing_field("value")) }
    }
}

#[derive(Deserialize)]
enum PageKey {
    #[serde(rename = "value")]
    Value,
    #[serde(rename = "@odata.nextLink")]
    NextLink,
    #[serde(other)]
    Other,
}

struct RowsSeed<'a, 'b>(&'a mut Table<'b>);

impl<'de> DeserializeSeed<'de> for RowsSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(RowSeed(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

struct RowSeed<'a, 'b>(&'a mut Table<'b>);

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let table = self.0;
        let mut place = 0;
        while let Some(member) = map.next_key_seed(MemberSeed { table: &mut *table, place })? {
            place += 1;
            match member {
                Member::Value(position) => map.next_value_seed(&mut table.cells[position])?,
                Member::Target(position) => {
                    let entity: Option<std::borrow::Cow<'de, str>> = map.next_value()?;
                    if let Some(entity) = entity {
                        table.cells[position].target(&entity).map_err(de::Error::custom)?;
                    }
                }
                Member::Ignored => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        table.end_row().map_err(de::Error::custom)
    }
}

struct MemberSeed<'a, 'b> {
    table: &'a mut Table<'b>,
    place: usize,
}

impl<'de> DeserializeSeed<'de> for MemberSeed<'_, '_> {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for MemberSeed<'_, '_> {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Member, E> {
        Ok(self.table.member(self.place, name))
    }
}
