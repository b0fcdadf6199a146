//! JSON lines, and one top-level array of objects.
//!
//! A row is an object; its keys are the columns. Nested values stay JSON text, a
//! missing key is null. A key that none of the rows looked at has is no column.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::SchemaRef;

mod columns;
mod object;
mod reader;
mod records;

use crate::error::SourceError;
use crate::json::reader::{Reader, Shape};
use crate::json::records::JsonRecords;
use crate::parts::{self, Part};
use crate::projection::Projection;
use crate::settings::Settings;
use crate::text::{self, Records, TextFormat, TextSource};

/// Files of JSON.
pub(crate) struct Json {
    /// Per file.
    shapes: Vec<Shape>,
    schema: SchemaRef,
    /// Positions in the schema by name.
    positions: Arc<HashMap<String, usize>>,
    record_bytes_max: usize,
}

/// Opens the files that the settings name.
pub(crate) fn open(settings: &Settings) -> Result<TextSource<Json>, SourceError> {
    let record_bytes_max = text::record_bytes_max(settings)?;
    let parts = parts::find(settings)?;
    let found = columns::read(settings, &parts, record_bytes_max)?;
    let schema = text::schema(found.columns.iter().map(|(name, column)| (name, column)));
    let positions = found.columns.iter().map(|(name, _)| name.clone()).zip(0..).collect();
    let format = Json {
        shapes: found.shapes,
        schema: Arc::clone(&schema),
        positions: Arc::new(positions),
        record_bytes_max,
    };
    let types = found.columns.into_iter().map(|(_, column)| column).collect();
    Ok(TextSource::new(parts, schema, types, format))
}

impl TextFormat for Json {
    fn records(
        &self,
        (part, file): (usize, &Part),
        projection: &Projection,
        offset: u64,
        line: u64,
    ) -> Result<Option<Box<dyn Records>>, SourceError> {
        let at = (offset, line.max(1));
        let reader = Reader::open(file, self.shapes[part], at, self.record_bytes_max)?;
        Ok(Some(Box::new(JsonRecords::new(
            reader,
            Arc::clone(&self.positions),
            Arc::clone(&self.schema),
            projection,
        ))))
    }
}
