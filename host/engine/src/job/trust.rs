//! `[rules] trust` as typed: public keys, in clear or in files.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

/// Whose signatures a rule needs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct TrustSection {
    /// Public keys whose signatures count.
    pub keys: Vec<KeyRef>,
    /// Whether a rule without such a signature is refused; `true` if absent. What
    /// a trusted key has signed must fit either way.
    pub require: Option<bool>,
}

/// A public key: `"ed25519:..."`, or `{ file = "team.pub" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRef {
    /// The key itself.
    Text(String),
    /// A file that `dvsync rules keygen` made.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for KeyRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = KeyRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a public key, \"ed25519:...\" or { file = \"team.pub\" }")
    }

    fn visit_str<E>(self, text: &str) -> Result<KeyRef, E> {
        Ok(KeyRef::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<KeyRef, A::Error> {
        let Some(Kind::File) = entries.next_key()? else {
            return Err(A::Error::custom("the reference to a key is empty"));
        };
        let reference = KeyRef::File(entries.next_value()?);
        match entries.next_key::<Kind>()? {
            Some(Kind::File) => Err(A::Error::custom("a key has one file")),
            None => Ok(reference),
        }
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Kind {
    File,
}

impl JsonSchema for KeyRef {
    fn schema_name() -> Cow<'static, str> {
        "KeyRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a public key, or the file that holds it",
            "oneOf": [
                { "type": "string", "pattern": "^ed25519:" },
                { "type": "object", "properties": { "file": { "type": "string" } },
                  "required": ["file"], "additionalProperties": false }
            ]
        })
    }
}
