//! Secrets by reference.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use dvsync_model::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::Lookups;
use super::fault::Fault;

/// Where a secret lies: `{ env = "NAME" }` or `{ file = "path" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file; a line break at its end is not part of the secret.
    File(PathBuf),
    /// Typed in clear, which is refused; the text is not kept.
    InClear,
}

impl SecretRef {
    /// Fetches the secret; `path` is where it stands in the job file.
    pub(super) fn resolve(&self, lookups: &Lookups<'_>, path: &str) -> Result<Secret, Fault> {
        let text = match self {
            SecretRef::Env(name) => (lookups.env)(name).ok_or_else(|| {
                Fault::at(path, format!("environment variable `{name}` is not set"))
                    .hint(format!("set it before the run: export {name}=..."))
            })?,
            SecretRef::File(file) => {
                let file = lookups.absolute(file);
                let text = std::fs::read_to_string(&file).map_err(|error| {
                    Fault::at(
                        path,
                        format!("cannot read secret file `{}`: {error}", file.display()),
                    )
                })?;
                text.trim_end_matches(['\r', '\n']).to_owned()
            }
            SecretRef::InClear => {
                return Err(Fault::at(path, "a secret must not stand in the job file")
                    .hint("refer to it: { env = \"NAME\" } or { file = \"path\" }"));
            }
        };
        if text.is_empty() {
            return Err(Fault::at(path, "the secret is empty"));
        }
        Ok(Secret::new(text))
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = SecretRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference to a secret, { env = \"NAME\" } or { file = \"path\" }")
    }

    fn visit_str<E>(self, _: &str) -> Result<SecretRef, E> {
        Ok(SecretRef::InClear)
    }

    fn visit_u64<E>(self, _: u64) -> Result<SecretRef, E> {
        Ok(SecretRef::InClear)
    }

    fn visit_i64<E>(self, _: i64) -> Result<SecretRef, E> {
        Ok(SecretRef::InClear)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<SecretRef, A::Error> {
        let Some(kind) = entries.next_key::<Kind>()? else {
            return Err(A::Error::custom("the reference to a secret is empty"));
        };
        let reference = match kind {
            Kind::Env => SecretRef::Env(entries.next_value()?),
            Kind::File => SecretRef::File(entries.next_value()?),
        };
        if entries.next_key::<Kind>()?.is_some() {
            return Err(A::Error::custom("a secret has one reference, `env` or `file`"));
        }
        Ok(reference)
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Kind {
    Env,
    File,
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "SecretRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "where a secret lies; never the secret itself",
            "oneOf": [
                { "type": "object", "properties": { "env": { "type": "string" } },
                  "required": ["env"], "additionalProperties": false },
                { "type": "object", "properties": { "file": { "type": "string" } },
                  "required": ["file"], "additionalProperties": false }
            ]
        })
    }
}
