//! JSON lines, and one top-level array of objects.
//!
//! A row is an object; its keys are the columns. Nested values stay JSON text, a
//! missing key is null. A key that none of the rows looked at has is no column.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};

mod columns;
mod object;
mod reader;
mod records;

use crate::column::{Column, ColumnType};
use crate::error::SourceError;
use crate::json::reader::Shape;
use crate::json::records::JsonRecords;
use crate::parts::{self, Part};
use crate::projection::Projection;
use crate::settings::Settings;
use crate::source::{Chunks, Scan, Source};
use crate::text::{self, Records, TextParts};

/// Files of JSON.
pub(crate) struct JsonSource {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Vec<Part>,
    shapes: Vec<Shape>,
    schema: SchemaRef,
    types: Vec<ColumnType>,
    /// Positions in the schema by name.
    positions: Arc<HashMap<String, usize>>,
    record_bytes_max: usize,
}

impl JsonSource {
    pub(crate) fn open(settings: &Settings) -> Result<Self, SourceError> {
        let record_bytes_max = text::record_bytes_max(settings)?;
        let parts = parts::find(settings)?;
        let found = columns::read(settings, &parts, record_bytes_max)?;
        let fields: Vec<_> =
            found.columns.iter().map(|(name, column)| column.field(name)).collect();
        let positions = found.columns.iter().map(|(name, _)| name.clone());
        Ok(Self {
            inner: Arc::new(Inner {
                parts,
                shapes: found.shapes,
                schema: Arc::new(Schema::new(fields)),
                positions: Arc::new(positions.zip(0..).collect()),
                types: found.columns.into_iter().map(|(_, column)| column).collect(),
                record_bytes_max,
            }),
        })
    }
}

impl Source for JsonSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.inner.schema)
    }

    fn parts(&self) -> &[Part] {
        &self.inner.parts
    }

    fn rows_hint(&self) -> Option<u64> {
        None
    }

    fn scan(&self, scan: &Scan) -> Result<Chunks, SourceError> {
        let projection = Projection::new(&self.inner.schema, scan.columns.as_deref())?;
        text::start(Arc::clone(&self.inner), projection, scan)
    }
}

impl TextParts for Inner {
    fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn columns(&self, projection: &Projection) -> Vec<Column> {
        projection.positions.iter().map(|&position| Column::new(self.types[position])).collect()
    }

    fn records(
        &self,
        part: usize,
        projection: &Projection,
        offset: u64,
        line: u64,
    ) -> Result<Option<Box<dyn Records>>, SourceError> {
        let reader = reader::Reader::open(
            &self.parts[part],
            self.shapes[part],
            (offset, line.max(1)),
            self.record_bytes_max,
        )?;
        Ok(Some(Box::new(JsonRecords::new(
            reader,
            Arc::clone(&self.positions),
            Arc::clone(&self.schema),
            projection,
        ))))
    }
}
