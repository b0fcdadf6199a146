//! Small data files read whole: fixtures, granted tables, columns of a sample.

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use dvsync_engine::job::kind_of;
use dvsync_sources::{Scan, Settings, open};

use crate::failure::Failure;

/// Rows of a fixture or a granted table.
const ROWS_MAX: usize = 2_000_000;

/// How a file is read whose ending says what it is.
pub(super) fn settings(path: &Path) -> Result<Settings, Failure> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(kind) = kind_of(name) else {
        return Err(Failure::usage(format!(
            "cannot tell the format of `{}` by its ending",
            path.display()
        ))
        .hint("name it .csv, .json, .parquet or .arrow"));
    };
    Ok(Settings::new(kind, name, path.parent().unwrap_or(Path::new(""))))
}

/// Columns of a data file.
pub(super) fn columns(path: &Path) -> Result<SchemaRef, Failure> {
    Ok(open(&settings(path)?)?.schema())
}

/// All rows; one that cannot be read is an error.
pub(super) fn rows(settings: &Settings) -> Result<RecordBatch, Failure> {
    let source = open(settings)?;
    let mut batches = Vec::new();
    let mut count = 0;
    for chunk in source.scan(&Scan::default())? {
        let chunk = chunk?;
        if let Some(bad) = chunk.bad.first() {
            let failure = Failure::usage(format!(
                "cannot read line {} of `{}`: {}",
                bad.line, settings.path, bad.message
            ));
            return Err(match &bad.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            });
        }
        count += chunk.rows.num_rows();
        if count > ROWS_MAX {
            return Err(Failure::usage(format!(
                "`{}` has more than {ROWS_MAX} rows",
                settings.path
            )));
        }
        batches.push(chunk.rows);
    }
    concat_batches(&source.schema(), &batches)
        .map_err(|error| Failure::bug("cannot join the rows of a file", error))
}
