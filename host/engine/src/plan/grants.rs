//! Tables that the job grants to the rule, read once, whole.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use dvsync_dataverse::{Client, Select};
use dvsync_sources::Scan;
use futures::TryStreamExt;

use crate::blocking::unblock;
use crate::error::RunError;
use crate::job::{Grant, Job};
use crate::table::schema_of;

/// A granted table lives in memory, and once more for each column that the rule
/// looks it up by.
const ROWS_MAX: usize = 2_000_000;

/// Reads all granted tables.
///
/// # Errors
/// A table that cannot be read, has an unreadable row, or is too large: a rule
/// must not judge by half a table.
pub(super) async fn read(
    job: &Job,
    client: &Client,
) -> Result<BTreeMap<String, RecordBatch>, RunError> {
    let mut tables = BTreeMap::new();
    for (name, grant) in &job.tables {
        let table = match grant {
            Grant::Source(settings) => {
                let (name, settings) = (name.clone(), settings.clone());
                unblock(move || from_source(&name, &settings)).await??
            }
            Grant::Entity { entity, select, filter } => {
                let entity = client.entity(entity).await?;
                let schema = schema_of(&entity, select);
                let select = Select { entity, columns: select.clone(), filter: filter.clone() };
                let mut pages = client.pages(&select);
                let mut batches = Vec::new();
                let mut rows = 0;
                while let Some(page) = pages.try_next().await? {
                    rows += page.num_rows();
                    small_enough(name, rows)?;
                    batches.push(page);
                }
                concat_batches(&schema, &batches)?
            }
        };
        tables.insert(name.clone(), table);
    }
    Ok(tables)
}

fn from_source(name: &str, settings: &dvsync_sources::Settings) -> Result<RecordBatch, RunError> {
    let source = dvsync_sources::open(settings)?;
    let mut batches = Vec::new();
    let mut rows = 0;
    for chunk in source.scan(&Scan::default())? {
        let chunk = chunk?;
        if let Some(bad) = chunk.bad.first() {
            let part = usize::try_from(chunk.part).unwrap_or(usize::MAX);
            let file = source.parts().get(part).map_or("?", |part| part.name.as_ref());
            return Err(RunError::Job {
                message: format!(
                    "[tables.{name}] cannot read row at {file}:{}: {}",
                    bad.line, bad.message
                ),
                hint: bad.hint.clone().or_else(|| {
                    Some("mend the row; a rule must not judge by half a table".to_owned())
                }),
            });
        }
        rows += chunk.rows.num_rows();
        small_enough(name, rows)?;
        batches.push(chunk.rows);
    }
    Ok(concat_batches(&source.schema(), &batches)?)
}

fn small_enough(name: &str, rows: usize) -> Result<(), RunError> {
    if rows <= ROWS_MAX {
        return Ok(());
    }
    Err(RunError::job_hint(
        format!("[tables.{name}] has more than {ROWS_MAX} rows"),
        "join large tables in the source; granted tables are held in memory",
    ))
}
