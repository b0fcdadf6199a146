//! Names in a body, looked up while they are read.

use std::fmt;

use serde::de::{DeserializeSeed, Error, Visitor};

use crate::schema::{Collection, Property, Table};

/// What a name is.
pub(super) enum Name<'t> {
    Known(&'t str, &'t Property),
    /// New records of a collection.
    Collection(Collection),
    /// `<collection>@odata.bind`.
    Members(Collection),
    /// `@odata.type`.
    Type,
    /// `@odata.id`.
    Id,
    /// Any other annotation: read over.
    Annotation,
    Unknown(String),
}

pub(super) struct NameSeed<'t>(pub(super) &'t Table);

impl<'de, 't> DeserializeSeed<'de> for NameSeed<'t> {
    type Value = Name<'t>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'t> Visitor<'_> for NameSeed<'t> {
    type Value = Name<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name<'t>, E> {
        if let Some((name, property)) = self.0.properties.get_key_value(name) {
            return Ok(Name::Known(name, property));
        }
        if let Some(&collection) = self.0.collections.get(name) {
            return Ok(Name::Collection(collection));
        }
        let bound = name.strip_suffix("@odata.bind");
        if let Some(&collection) = bound.and_then(|name| self.0.collections.get(name)) {
            return Ok(Name::Members(collection));
        }
        Ok(match name {
            "@odata.type" => Name::Type,
            "@odata.id" => Name::Id,
            _ if name.contains('@') && !name.ends_with("@odata.bind") => Name::Annotation,
            _ => Name::Unknown(name.to_owned()),
        })
    }
}
