//! A source of text files, whatever their format.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};

use crate::column::ColumnType;
use crate::error::SourceError;
use crate::parts::Part;
use crate::projection::Projection;
use crate::source::{Chunks, Scan, Source};
use crate::text::scan::{self, Records};

/// How the records of a file are found.
pub(crate) trait TextFormat: Send + Sync + 'static {
    /// The records of a file, given with its number, from an offset on (0: its
    /// first record); `None` for a file without any.
    fn records(
        &self,
        file: (usize, &Part),
        projection: &Projection,
        offset: u64,
        line: u64,
    ) -> Result<Option<Box<dyn Records>>, SourceError>;
}

/// Text files of one format.
pub(crate) struct TextSource<F> {
    inner: Arc<Inner<F>>,
}

pub(super) struct Inner<F> {
    pub(super) parts: Vec<Part>,
    pub(super) schema: SchemaRef,
    /// One per column of the schema.
    pub(super) types: Vec<ColumnType>,
    pub(super) format: F,
}

impl<F> TextSource<F> {
    pub(crate) fn new(
        parts: Vec<Part>,
        schema: SchemaRef,
        types: Vec<ColumnType>,
        format: F,
    ) -> Self {
        Self { inner: Arc::new(Inner { parts, schema, types, format }) }
    }
}

/// The schema of columns.
pub(crate) fn schema<'a>(
    columns: impl IntoIterator<Item = (&'a String, &'a ColumnType)>,
) -> SchemaRef {
    let fields = columns.into_iter().map(|(name, column)| column.field(name));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

impl<F: TextFormat> Source for TextSource<F> {
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
        scan::start(Arc::clone(&self.inner), projection, scan)
    }
}
