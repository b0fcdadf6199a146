//! Records that the embedded emulator has before a job starts.
//!
//! Each goes in once: its id is derived from its key, and a record that is
//! there already is left alone, so that what a person changed stays changed.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow_array::{Array, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use bytes::Bytes;
use dvsync_emulator::Emulator;
use dvsync_engine::job::Seed;
use dvsync_model::id;
use dvsync_sources::Scan;
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::failure::Failure;
use crate::open::EMULATOR_URL;

/// Whose token seeds with, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planter<'a> {
    pub(crate) emulator: &'a Emulator,
    pub(crate) token: &'a str,
    /// Since the UNIX epoch.
    pub(crate) now: Duration,
}

/// What the emulator says of a table.
#[derive(Debug, Deserialize)]
struct Definition {
    #[serde(rename = "EntitySetName")]
    entity_set: String,
}

impl Planter<'_> {
    /// Puts in the rows of a seed that are not there yet.
    pub(crate) fn plant(self, seed: &Seed) -> Result<(), Failure> {
        let path =
            format!("EntityDefinitions(LogicalName='{}')?$select=EntitySetName", seed.entity);
        let (_, body) = self.ask(Method::GET, &path, None).map_err(|refusal: Refused| {
            Failure::usage(format!("cannot seed `{}`: {refusal}", seed.entity))
                .hint("name a table of the emulator or of its schema, in lower case and singular")
        })?;
        let table: Definition = serde_json::from_slice(&body)
            .map_err(|error| Failure::bug("cannot read the emulator's metadata", error))?;
        let source = dvsync_sources::open(&seed.settings)?;
        let columns = Some(seed.columns.values().cloned().collect());
        for chunk in source.scan(&Scan { columns, ..Scan::default() })? {
            let chunk = chunk?;
            let file = source.parts()[chunk.part as usize].name.clone();
            if let Some(bad) = chunk.bad.first() {
                let what = format!("{file}:{}: {}", bad.line, bad.message);
                return Err(Failure::usage(format!("cannot seed `{}`: {what}", seed.entity)));
            }
            let columns = columns_of(seed, &chunk.rows)?;
            for row in 0..chunk.rows.num_rows() {
                self.put(&table, seed, &columns, row).map_err(|why| {
                    let line = chunk.lines.at(row);
                    Failure::usage(format!("cannot seed `{}`: {file}:{line}: {why}", seed.entity))
                })?;
            }
        }
        Ok(())
    }

    fn put(
        self,
        table: &Definition,
        seed: &Seed,
        columns: &BTreeMap<&str, Column<'_>>,
        row: usize,
    ) -> Result<(), String> {
        let mut body = Map::new();
        for (target, column) in columns {
            body.insert((*target).to_owned(), column.value(row));
        }
        let key: Vec<String> =
            seed.key.iter().map(|target| columns[target.as_str()].text(row)).collect();
        let id = id::from_key(Uuid::nil(), &seed.entity, key.iter().map(String::as_str));
        let path = format!("{}({id})", table.entity_set);
        let body = Bytes::from(Value::Object(body).to_string());
        match self.ask(Method::PATCH, &path, Some(body)) {
            Ok(_) => Ok(()),
            Err(Refused { status: StatusCode::PRECONDITION_FAILED, .. }) => Ok(()),
            Err(refusal) => Err(refusal.to_string()),
        }
    }

    fn ask(
        self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<(StatusCode, Bytes), Refused> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{EMULATOR_URL}/api/data/v9.2/{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header("if-none-match", if body.is_some() { "*" } else { "null" })
            .body(body.unwrap_or_default())
            .map_err(|error| Refused {
                status: StatusCode::BAD_REQUEST,
                text: error.to_string(),
            })?;
        let response = self.emulator.handle(request, self.now).response;
        let status = response.status();
        let body = response.into_body();
        if status.is_success() {
            return Ok((status, body));
        }
        Err(Refused { status, text: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// The emulator said no.
#[derive(Debug, thiserror::Error)]
#[error("{status}: {text}")]
struct Refused {
    status: StatusCode,
    text: String,
}

/// A column of the source, read as JSON.
struct Column<'a> {
    texts: ArrayFormatter<'a>,
    array: &'a dyn Array,
}

impl Column<'_> {
    fn text(&self, row: usize) -> String {
        self.texts.value(row).to_string()
    }

    fn value(&self, row: usize) -> Value {
        if self.array.is_null(row) {
            return Value::Null;
        }
        let text = self.text(row);
        match self.array.data_type() {
            // Numbers and booleans are written alike in JSON.
            DataType::Boolean | DataType::Int64 | DataType::Float64 => {
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            }
            _ => Value::String(text),
        }
    }
}

fn columns_of<'a>(
    seed: &'a Seed,
    rows: &'a RecordBatch,
) -> Result<BTreeMap<&'a str, Column<'a>>, Failure> {
    const OPTIONS: FormatOptions<'static> = FormatOptions::new();
    let mut columns = BTreeMap::new();
    for (target, source) in &seed.columns {
        let Some(array) = rows.column_by_name(source) else {
            return Err(Failure::usage(format!(
                "cannot seed `{}`: `{}` has no column `{source}`",
                seed.entity, seed.settings.path
            )));
        };
        let texts = ArrayFormatter::try_new(array.as_ref(), &OPTIONS)
            .map_err(|error| Failure::because(format!("cannot read column `{source}`"), error))?;
        columns.insert(target.as_str(), Column { texts, array: array.as_ref() });
    }
    Ok(columns)
}
