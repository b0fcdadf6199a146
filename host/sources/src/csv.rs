//! CSV files.
//!
//! Opening reads every header and the first rows of the first files; scanning
//! streams. A record is split once into spans of the window, never copied; a
//! cell is copied once, into its column.

use std::sync::Arc;

mod dialect;
mod header;
mod records;
mod split;

use crate::csv::dialect::Dialect;
use crate::csv::header::Heads;
use crate::csv::records::CsvRecords;
use crate::error::SourceError;
use crate::parts::{self, Part};
use crate::projection::Projection;
use crate::settings::Settings;
use crate::text::{self, Records, TextFormat, TextSource};

/// Files of CSV.
pub(crate) struct Csv {
    dialect: Arc<Dialect>,
    /// Per file; none where it has no header.
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

/// Opens the files that the settings name.
pub(crate) fn open(settings: &Settings) -> Result<TextSource<Csv>, SourceError> {
    let dialect = Arc::new(Dialect::new(settings)?);
    let parts = parts::find(settings)?;
    let Heads { names, types, plans } = header::read(settings, &parts, &dialect)?;
    let schema = text::schema(names.iter().zip(&types));
    Ok(TextSource::new(parts, schema, types, Csv { dialect, plans }))
}

impl TextFormat for Csv {
    fn records(
        &self,
        (part, file): (usize, &Part),
        projection: &Projection,
        offset: u64,
        line: u64,
    ) -> Result<Option<Box<dyn Records>>, SourceError> {
        let Some(plan) = &self.plans[part] else { return Ok(None) };
        let (offset, line) = if offset == 0 { (plan.offset, plan.line) } else { (offset, line) };
        let names = &projection.schema;
        let fields = projection.positions.iter().map(|&position| plan.fields[position]).collect();
        let records = CsvRecords::open(
            file,
            Arc::clone(&self.dialect),
            (offset, line),
            Arc::clone(names),
            fields,
            plan.fields.len(),
        )?;
        Ok(Some(Box::new(records)))
    }
}
