//! JSON bodies straight into typed cells, with every check that needs no row.
//!
//! Pure. Text borrows from the body; no generic JSON value is made. The first
//! refusal wins, as it does at the service.

mod cells;
mod names;
mod nested;
mod targets;

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::call::{Address, Key};
use crate::cell::Cell;
use crate::refusal::Refusal;
use crate::schema::{Kind, Property, ReadOnlyWrites, Schema, Table};
pub(crate) use cells::ValueRules;
use names::{Name, NameSeed};
pub(crate) use nested::Nested;
use targets::TargetsSeed;

/// A record as a body gives it.
#[derive(Debug, Default)]
pub(crate) struct Draft<'b> {
    /// `@odata.type` stood there.
    pub(crate) typed: bool,
    /// The primary id, where the body has it.
    pub(crate) id: Option<Uuid>,
    /// `@odata.id`.
    pub(crate) address: Option<Address>,
    /// Values by column; a later one counts.
    pub(crate) cells: Vec<(usize, Cell<'b>)>,
    /// Lookups by column.
    pub(crate) links: Vec<(usize, Link)>,
    /// Records within the record.
    pub(crate) nested: Vec<Nested<'b>>,
}

/// What a lookup is set to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Link {
    /// Nothing; of a polymorphic lookup only these targets are cleared.
    Null(Vec<u8>),
    /// A record: position in the column's targets, and which.
    Record(u8, Key),
    /// A Content-ID of the same changeset, and the targets that fit.
    Content(String, Vec<u8>),
}

/// What a reader needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) table: &'s Table,
    pub(crate) read_only: ReadOnlyWrites,
    /// Keys in `@odata.id` refuse the characters that URLs refuse.
    pub(crate) strict_ids: bool,
    /// An empty text is not null.
    pub(crate) keep_empty: bool,
    pub(crate) values: ValueRules,
    /// How many records the record stands in.
    pub(crate) depth: u8,
}

struct Reading<'s> {
    reader: Reader<'s>,
    refusal: RefCell<Option<Refusal>>,
    /// Cells of the record before: the capacity that the next one needs.
    cells: std::cell::Cell<usize>,
}

impl<'s> Reader<'s> {
    /// One record.
    pub(crate) fn record<'b>(self, body: &'b [u8]) -> Result<Draft<'b>, Refusal> {
        self.run(body, |reading, deserializer| RecordSeed(reading).deserialize(deserializer))
    }

    /// `{"Targets":[...]}`.
    pub(crate) fn targets<'b>(self, body: &'b [u8]) -> Result<Vec<Draft<'b>>, Refusal> {
        self.run(body, |reading, deserializer| TargetsSeed(reading).deserialize(deserializer))
    }

    /// `{"value":...}` for one column.
    pub(crate) fn value<'b>(self, body: &'b [u8], column: usize) -> Result<Cell<'b>, Refusal> {
        #[derive(serde::Deserialize)]
        struct Value<'b> {
            #[serde(borrow)]
            value: &'b RawValue,
        }
        let text = text(body)?;
        let value: Value<'_> =
            serde_json::from_str(text).map_err(|error| Refusal::malformed(&error))?;
        cells::raw(self.table, column, value.value.get(), self.values)
    }

    /// A reference's text, as a link of that lookup.
    pub(crate) fn link(self, column: usize, targets: &[u8], text: &str) -> Result<Link, Refusal> {
        if let Some(id) = text.strip_prefix('$') {
            return Ok(Link::Content(id.to_owned(), targets.to_vec()));
        }
        let address = Address::reference(self.schema, text)?;
        let Kind::Lookup { targets: all, .. } = &self.table.columns[column].kind else {
            return Err(Refusal::lookup_as_value());
        };
        let target = targets.iter().find(|&&index| {
            all.get(usize::from(index)).is_some_and(|target| target.table == address.table)
        });
        match target {
            Some(&target) => Ok(Link::Record(target, address.key)),
            None => Err(Refusal::payload(format!(
                "The entity set of '{text}' is not a target of the lookup '{}'.",
                self.table.columns[column].name
            ))),
        }
    }

    fn run<'b, T>(
        self,
        body: &'b [u8],
        read: impl FnOnce(
            &Reading<'s>,
            &mut serde_json::Deserializer<serde_json::de::StrRead<'b>>,
        ) -> Result<T, serde_json::Error>,
    ) -> Result<T, Refusal> {
        let text = text(body)?;
        let reading =
            Reading { reader: self, refusal: RefCell::new(None), cells: std::cell::Cell::new(0) };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read =
            read(&reading, &mut deserializer).and_then(|value| deserializer.end().map(|()| value));
        read.map_err(|error| reading.refusal.take().unwrap_or_else(|| Refusal::malformed(&error)))
    }
}

fn text(body: &[u8]) -> Result<&str, Refusal> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if body.is_empty() {
        return Err(Refusal::not_json("The body of the request is empty."));
    }
    std::str::from_utf8(body).map_err(|_| Refusal::not_json("The body is not UTF-8."))
}

impl<'s> Reading<'s> {
    fn refuse<E: Error>(&self, refusal: Refusal) -> E {
        self.refusal.replace(Some(refusal));
        E::custom("refused")
    }
}

struct RecordSeed<'r, 's>(&'r Reading<'s>);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, '_> {
    type Value = Draft<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_, '_> {
    type Value = Draft<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let reading = self.0;
        let table = reading.reader.table;
        let mut draft =
            Draft { cells: Vec::with_capacity(reading.cells.get()), ..Draft::default() };
        while let Some(name) = map.next_key_seed(NameSeed(table))? {
            match name {
                Name::Known(_, Property::Value(column)) => {
                    if let Some(cell) = value(reading, &mut map, *column)? {
                        if *column == table.primary_id {
                            draft.id = cell.id();
                        } else {
                            draft.cells.push((*column, cell));
                        }
                    }
                }
                Name::Known(name, Property::Bind(column, targets)) => {
                    let link = match map.next_value::<Option<&RawValue>>()? {
                        None => Link::Null(targets.clone()),
                        Some(raw) => match cells::json_text(raw.get()) {
                            Some(text) => reading
                                .reader
                                .link(*column, targets, &text)
                                .map_err(|refusal| reading.refuse(refusal))?,
                            None => {
                                return Err(reading.refuse(Refusal::undeclared_bind(name)));
                            }
                        },
                    };
                    draft.links.push((*column, link));
                }
                Name::Known(_, Property::Navigation(column, targets)) => {
                    match map.next_value::<Option<&RawValue>>()? {
                        None => draft.links.push((*column, Link::Null(targets.clone()))),
                        Some(raw) if raw.get().starts_with(['{', '[']) => {
                            let nested = reading.reader.nested_one(*column, targets, raw.get());
                            draft.nested.push(nested.map_err(|refusal| reading.refuse(refusal))?);
                        }
                        Some(_) => return Err(reading.refuse(Refusal::lookup_as_value())),
                    }
                }
                Name::Known(_, Property::LookupValue(_)) => {
                    return Err(reading.refuse(Refusal::lookup_as_value()));
                }
                Name::Collection(collection) => {
                    let raw = map.next_value::<&RawValue>()?.get();
                    let nested = reading.reader.nested_many(collection, raw);
                    draft.nested.push(nested.map_err(|refusal| reading.refuse(refusal))?);
                }
                Name::Members(collection) => {
                    let raw = map.next_value::<&RawValue>()?.get();
                    let nested = reading.reader.bound(collection, raw);
                    draft.nested.push(nested.map_err(|refusal| reading.refuse(refusal))?);
                }
                Name::Type => {
                    let kind = map.next_value::<Cow<'_, str>>()?;
                    let short = kind.trim_start_matches('#');
                    if short.strip_prefix("Microsoft.Dynamics.CRM.") != Some(table.name.as_str()) {
                        return Err(reading.refuse(Refusal::payload(format!(
                            "A type named '{kind}' could not be resolved by the model, or is not \
                             assignable to the expected type '{}'.",
                            table.type_name()
                        ))));
                    }
                    draft.typed = true;
                }
                Name::Id => {
                    let text = map.next_value::<Cow<'_, str>>()?;
                    let reader = reading.reader;
                    let address = Address::read(reader.schema, &text, reader.strict_ids)
                        .map_err(|refusal| reading.refuse(refusal))?;
                    if address.table != table.position {
                        return Err(reading.refuse(Refusal::payload(format!(
                            "'{text}' does not name a record of '{}'.",
                            table.set
                        ))));
                    }
                    draft.address = Some(address);
                }
                Name::Annotation => {
                    map.next_value::<IgnoredAny>()?;
                }
                Name::Unknown(name) if name.ends_with("@odata.bind") => {
                    let property = name.trim_end_matches("@odata.bind");
                    return Err(reading.refuse(Refusal::undeclared_bind(property)));
                }
                Name::Unknown(name) => {
                    return Err(reading.refuse(Refusal::unknown_property(table, &name)));
                }
            }
        }
        reading.cells.set(draft.cells.len());
        Ok(draft)
    }
}

/// A column's value; `None` where the column is read-only and writes of it are
/// ignored.
fn value<'de, A: MapAccess<'de>>(
    reading: &Reading<'_>,
    map: &mut A,
    position: usize,
) -> Result<Option<Cell<'de>>, A::Error> {
    let table = reading.reader.table;
    let column = &table.columns[position];
    if !column.create && !column.update {
        let writes = column.read_only_writes.unwrap_or(reading.reader.read_only);
        map.next_value::<IgnoredAny>()?;
        return match writes {
            ReadOnlyWrites::Ignore => Ok(None),
            ReadOnlyWrites::Refuse => Err(reading.refuse(Refusal::read_only(table, column))),
        };
    }
    let rules = reading.reader.values;
    let cell = match column.kind {
        Kind::Text { .. } | Kind::Memo { .. } => map
            .next_value_seed(cells::TextSeed)?
            .map_err(|found| Refusal::literal(column, &found))
            .and_then(|text| match text {
                None => Ok(Cell::Null),
                Some(text) if text.is_empty() && reading.reader.keep_empty => Ok(Cell::Text(text)),
                Some(text) => cells::text(table, position, text, rules),
            }),
        _ => cells::raw(table, position, map.next_value::<&RawValue>()?.get(), rules),
    };
    cell.map(Some).map_err(|refusal| reading.refuse(refusal))
}
