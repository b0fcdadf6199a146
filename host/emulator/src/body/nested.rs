//! Records within a record: deep insert, and binds of collections (*Create a
//! table row using the Web API*).

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{Draft, Reader};
use crate::call::Address;
use crate::refusal::Refusal;
use crate::schema::{Collection, Kind, Table};

/// Nesting that no real body reaches.
const DEPTH_MAX: u8 = 20;

/// Related records of a new record.
#[derive(Debug)]
pub(crate) enum Nested<'b> {
    /// A new record that a lookup is to name, as this of its targets.
    One(usize, u8, Box<Draft<'b>>),
    /// New records of a collection.
    Many(Collection, Vec<Draft<'b>>),
    /// Records that are there, for a collection.
    Bound(Collection, Vec<Address>),
}

impl Reader<'_> {
    /// The object behind a single-valued navigation property.
    pub(super) fn nested_one<'b>(
        self,
        column: usize,
        targets: &[u8],
        raw: &'b str,
    ) -> Result<Nested<'b>, Refusal> {
        let Kind::Lookup { targets: all, .. } = &self.table.columns[column].kind else {
            return Err(Refusal::lookup_as_value());
        };
        let (&[target], true) = (targets, raw.starts_with('{')) else {
            return Err(Refusal::payload(format!(
                "A record cannot be created through the lookup '{}'.",
                self.table.columns[column].name
            )));
        };
        let other = all.get(usize::from(target)).map(|target| target.table);
        let other = other.ok_or_else(Refusal::lookup_as_value)?;
        let draft = self.inner(&self.schema.tables[other], raw)?;
        Ok(Nested::One(column, target, Box::new(draft)))
    }

    /// The list behind a collection-valued navigation property.
    pub(super) fn nested_many<'b>(
        self,
        collection: Collection,
        raw: &'b str,
    ) -> Result<Nested<'b>, Refusal> {
        let other = &self.schema.tables[collection.table()];
        let items: Vec<&'b RawValue> =
            serde_json::from_str(raw).map_err(|error| Refusal::malformed(&error))?;
        let drafts = items.into_iter().map(|item| self.inner(other, item.get()));
        Ok(Nested::Many(collection, drafts.collect::<Result<_, _>>()?))
    }

    /// The list behind `<collection>@odata.bind`.
    pub(super) fn bound<'b>(
        self,
        collection: Collection,
        raw: &'b str,
    ) -> Result<Nested<'b>, Refusal> {
        let items: Vec<Cow<'_, str>> =
            serde_json::from_str(raw).map_err(|error| Refusal::malformed(&error))?;
        let addresses = items.iter().map(|text| self.member(collection, text));
        Ok(Nested::Bound(collection, addresses.collect::<Result<_, _>>()?))
    }

    /// A reference's text, as a member of that collection.
    pub(crate) fn member(self, collection: Collection, text: &str) -> Result<Address, Refusal> {
        let address = Address::reference(self.schema, text)?;
        if address.table == collection.table() {
            return Ok(address);
        }
        Err(Refusal::payload(format!(
            "'{text}' is not a record of '{}'.",
            self.schema.tables[collection.table()].set
        )))
    }

    fn inner<'b>(self, other: &Table, raw: &'b str) -> Result<Draft<'b>, Refusal> {
        if self.depth == DEPTH_MAX {
            return Err(Refusal::payload("Records are nested too deeply."));
        }
        if other.sealed() {
            return Err(Refusal::method("POST"));
        }
        Reader { table: other, depth: self.depth + 1, ..self }.record(raw.as_bytes())
    }
}
