//! CSV files.
//!
//! Opening reads every header and the first rows of the first files; scanning
//! streams. A record is split once into spans of the window, never copied; a
//! cell is copied once, into its column.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};

mod dialect;
mod header;
mod records;
mod split;

use crate::column::{Column, ColumnType};
use crate::csv::dialect::Dialect;
use crate::csv::header::Heads;
use crate::csv::records::CsvRecords;
use crate::error::SourceError;
use crate::parts::{self, Part};
use crate::projection::Projection;
use crate::settings::Settings;
use crate::source::{Chunks, Scan, Source};
use crate::text::{self, Records, TextParts};

/// Files of CSV.
pub(crate) struct CsvSource {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Vec<Part>,
    dialect: Arc<Dialect>,
    schema: SchemaRef,
    types: Vec<ColumnType>,
    plans: Vec<Option<Plan>>,
}

/// How a file's fields become the source's columns.
#[derive(Debug, Clone)]
struct Plan {
    /// Per column of the schema, the position of its field.
    fields: Vec<usize>,
    /// Where the first record after the header is.
    offset: u64,
    line: u64,
}

impl CsvSource {
    pub(crate) fn open(settings: &Settings) -> Result<Self, SourceError> {
        let dialect = Arc::new(Dialect::new(settings)?);
        let parts = parts::find(settings)?;
        let Heads { names, types, plans } = header::read(settings, &parts, &dialect)?;
        let fields: Vec<_> =
            names.iter().zip(&types).map(|(name, column)| column.field(name)).collect();
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { inner: Arc::new(Inner { parts, dialect, schema, types, plans }) })
    }
}

impl Source for CsvSource {
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
        let Some(plan) = &self.plans[part] else { return Ok(None) };
        let (offset, line) = if offset == 0 { (plan.offset, plan.line) } else { (offset, line) };
        let names = &projection.schema;
        let fields = projection.positions.iter().map(|&position| plan.fields[position]).collect();
        let records = CsvRecords::open(
            &self.parts[part],
            Arc::clone(&self.dialect),
            (offset, line),
            Arc::clone(names),
            fields,
            plan.fields.len(),
        )?;
        Ok(Some(Box::new(records)))
    }
}
