//! How serde hands values to a column.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, Visitor};
use serde_json::value::RawValue;

use super::{Builder, Cells};

/// Reads one value into the column.
impl<'de> DeserializeSeed<'de> for &mut Cells {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if matches!(self.builder, Builder::Decimal(..) | Builder::Double(_) | Builder::Raw(_)) {
            let raw = <&RawValue>::deserialize(deserializer)?;
            return self.raw(raw.get()).map_err(de::Error::custom);
        }
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for &mut Cells {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of column `{}`", self.name)
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.null();
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        if let Builder::Boolean(b) = &mut self.builder {
            b.append_value(value);
            return Ok(());
        }
        Err(E::custom(self.bad(&value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.integer(value).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.integer(value).map_err(E::custom),
            Err(_) => Err(E::custom(self.bad(&value))),
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.float(value).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.text(text).map_err(E::custom)
    }
}
