//! What Parquet and Arrow files have in common: rows that are columns already.
//!
//! A format says what a file holds and hands out its batches from a row on;
//! agreement of several files, conversion, bounds and numbering are here. What
//! a damaged file makes a reader do ends here as an error, panics included.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema, SchemaRef};

mod scan;

use crate::convert::{self, Convert};
use crate::declared::{DeclaredType, type_name};
use crate::error::{SourceError, nearest};
use crate::parts::{self, Part};
use crate::projection::Projection;
use crate::settings::{Settings, SourceKind};
use crate::source::{CHUNK_BYTES, Chunks, Scan, Source};

/// What a reader of a format says when it fails.
pub(crate) type Fault = Box<dyn Error + Send + Sync>;

/// Batches of a file, in order.
pub(crate) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, Fault>> + Send>;

/// A binary format.
pub(crate) trait Format: Send + Sync + 'static {
    /// The kind in the job file.
    const KIND: SourceKind;

    /// Columns of a file, and its rows where that is cheap to know.
    fn describe(part: &Part) -> Result<(SchemaRef, Option<u64>), Fault>;

    /// Batches from row `from` on, of at most about `rows` rows, with the
    /// columns at `columns` (ascending positions in the file) in that order.
    fn batches(part: &Part, columns: &[usize], from: u64, rows: usize) -> Result<Batches, Fault>;
}

/// Files of a binary format.
pub(crate) struct BinarySource<F> {
    inner: Arc<Inner>,
    format: std::marker::PhantomData<F>,
}

struct Inner {
    parts: Vec<Part>,
    schema: SchemaRef,
    plans: Vec<Plan>,
    rows: Option<u64>,
}

/// How a file becomes rows of the source's schema.
struct Plan {
    /// Per column of the schema: its position in the file, and what to do.
    columns: Vec<(usize, Convert)>,
    rows: Option<u64>,
}

impl<F: Format> BinarySource<F> {
    pub(crate) fn open(settings: &Settings) -> Result<Self, SourceError> {
        let parts = parts::find(settings)?;
        let mut schema: Option<(SchemaRef, String)> = None;
        let mut plans = Vec::with_capacity(parts.len());
        for part in &parts {
            let (found, rows) = guarded::<F, _>(part, || F::describe(part))?;
            unique(part, &found)?;
            let (first, first_file) = match &schema {
                Some(first) => first,
                None => {
                    let first = declared_schema(part, &found, &settings.types)?;
                    schema.insert((first, part.name.clone()))
                }
            };
            let columns = agree(part, &found, first, first_file, &settings.types)?;
            plans.push(Plan { columns, rows });
        }
        let Some((schema, _)) = schema else {
            return Err(SourceError::NoFile { path: settings.path.clone() });
        };
        let rows = plans.iter().map(|plan| plan.rows).sum();
        let inner = Arc::new(Inner { parts, schema, plans, rows });
        Ok(Self { inner, format: std::marker::PhantomData })
    }
}

impl<F: Format> Source for BinarySource<F> {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.inner.schema)
    }

    fn parts(&self) -> &[Part] {
        &self.inner.parts
    }

    fn rows_hint(&self) -> Option<u64> {
        self.inner.rows
    }

    fn scan(&self, scan: &Scan) -> Result<Chunks, SourceError> {
        let projection = Projection::new(&self.inner.schema, scan.columns.as_deref())?;
        scan::start::<F>(Arc::clone(&self.inner), projection, scan)
    }
}

/// Rows of which one chunk's bytes make sense.
pub(crate) fn rows_within(chunk_rows: usize, bytes: u64, rows: u64) -> usize {
    let bytes_per_row = (bytes / rows.max(1)).max(1);
    let fitting = usize::try_from(CHUNK_BYTES as u64 / bytes_per_row).unwrap_or(usize::MAX);
    fitting.clamp(1, chunk_rows.max(1))
}

/// Runs a reader over a file that may be damaged: readers promise errors, but
/// not all of their assertions keep the promise.
fn guarded<F: Format, T>(
    part: &Part,
    read: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, SourceError> {
    let damaged = |source| SourceError::Damaged { file: part.name.clone(), kind: F::KIND, source };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(damaged),
        Err(panic) => {
            let reason = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("the reader gave up");
            Err(damaged(format!("damaged data: {reason}").into()))
        }
    }
}

fn unique(part: &Part, schema: &Schema) -> Result<(), SourceError> {
    let mut seen = HashMap::new();
    for (position, field) in schema.fields().iter().enumerate() {
        if let Some(first) = seen.insert(field.name(), position) {
            return Err(SourceError::DuplicateColumn {
                file: part.name.clone(),
                column: field.name().clone(),
                first: first + 1,
                second: position + 1,
            });
        }
    }
    Ok(())
}

fn declared_schema(
    part: &Part,
    found: &Schema,
    types: &BTreeMap<String, DeclaredType>,
) -> Result<SchemaRef, SourceError> {
    for column in types.keys() {
        if found.index_of(column).is_err() {
            let known = found.fields().iter().map(|field| field.name().as_str());
            return Err(SourceError::UndeclarableColumn {
                column: column.clone(),
                file: part.name.clone(),
                nearest: nearest(column, known),
            });
        }
    }
    let mut fields = Vec::with_capacity(found.fields().len());
    for field in found.fields() {
        let (_, data_type) = plan(part, field, types)?;
        fields.push(Field::new(field.name(), data_type, true));
    }
    Ok(Arc::new(Schema::new(fields)))
}

fn plan(
    part: &Part,
    field: &Field,
    types: &BTreeMap<String, DeclaredType>,
) -> Result<(Convert, arrow_schema::DataType), SourceError> {
    let declared = types.get(field.name()).copied();
    convert::plan(field.data_type(), declared).ok_or_else(|| SourceError::Conversion {
        file: part.name.clone(),
        column: field.name().clone(),
        declared: declared.map(|declared| declared.to_string()).unwrap_or_default(),
        found: type_name(field.data_type()).into_owned(),
    })
}

/// Where each column of the schema is in this file; the same set is needed, in
/// any order.
fn agree(
    part: &Part,
    found: &Schema,
    schema: &Schema,
    first_file: &str,
    types: &BTreeMap<String, DeclaredType>,
) -> Result<Vec<(usize, Convert)>, SourceError> {
    if let Some(extra) = found.fields().iter().find(|f| schema.index_of(f.name()).is_err()) {
        return Err(SourceError::ColumnExtra {
            file: part.name.clone(),
            column: extra.name().clone(),
            first_file: first_file.to_owned(),
        });
    }
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let Ok(position) = found.index_of(field.name()) else {
            return Err(SourceError::ColumnMissing {
                file: part.name.clone(),
                column: field.name().clone(),
                first_file: first_file.to_owned(),
            });
        };
        let (convert, data_type) = plan(part, found.field(position), types)?;
        if data_type != *field.data_type() {
            return Err(SourceError::ColumnType {
                file: part.name.clone(),
                column: field.name().clone(),
                first_file: first_file.to_owned(),
                expected: type_name(field.data_type()).into_owned(),
                found: type_name(&data_type).into_owned(),
            });
        }
        columns.push((position, convert));
    }
    Ok(columns)
}
