//! Names in a body, looked up while they are read.

use std::fmt;

use serde::de::{DeserializeSeed, Error, Visitor};

use crate::schema::{Property, Table};

/// What a name is.
pub(super) enum Name<'t> {
    Known(&'t str, &'t Property),
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
        Ok(match name {
            "@odata.type" => Name::Type,
            "@odata.id" => Name::Id,
            _ if name.contains('@') && !name.ends_with("@odata.bind") => Name::Annotation,
            _ => Name::Unknown(name.to_owned()),
        })
    }
}
