//! Letters as a source: rows that earlier runs could not write, read again.
//!
//! The rows go through a private file of JSON lines, so that a replay is a run
//! like any other: the same rule, mapping and limits, as they are now. Does IO.
//! Left alone: letters without a row that can be read, with masked columns
//! (their values are in the source only), and with other columns than the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_schema::{DataType, SchemaRef};
use dvsync_model::Origin;
use dvsync_sources::{DeclaredType, Settings, SourceKind};
use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::error::RunError;
use crate::job::{Duplicates, Job, Keep};
use crate::journal::{LetterFilter, LetterRecord, LetterState, Reader};
use crate::plan::masked;

/// Letters of one replay: some 30 MiB of places. The rest follow with the next.
const LETTERS_MAX: usize = 250_000;
/// Longest row.
const ROW_BYTES_MAX: usize = 64 << 20;
const FILE: &str = "letters.jsonl";

/// A letter whose row is replayed.
#[derive(Debug, Clone)]
pub(crate) struct ReplayedLetter {
    /// Its number in the journal.
    pub(crate) number: u64,
    pub(crate) origin: Origin,
    pub(crate) landed_partially: bool,
}

/// The letters of a replay, by the ordinal of their row in its source.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    letters: Vec<ReplayedLetter>,
}

impl Replayed {
    /// The letter that a row was.
    pub(crate) fn of(&self, ordinal: u64) -> Option<&ReplayedLetter> {
        self.letters.get(usize::try_from(ordinal).ok()?)
    }
}

/// Letters that are meant and cannot be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct LeftAlone {
    /// Their row could not be read in the first place.
    pub unreadable: u64,
    /// Their row has values that the job masks.
    pub masked: u64,
    /// Their row has other columns than the first one's.
    pub other_columns: u64,
    /// Beyond what one replay takes.
    pub beyond: u64,
}

/// Rows of letters, ready to be read.
pub(crate) struct Collected {
    pub(crate) replayed: Replayed,
    pub(crate) left: LeftAlone,
    /// Gone when it is dropped.
    folder: TempDir,
    columns: BTreeSet<String>,
}

/// Writes the rows of the open letters that are meant to a private file.
pub(crate) fn collect(
    job: &Job,
    reader: &Reader,
    filter: &LetterFilter,
    beside: &Path,
) -> Result<Collected, RunError> {
    let filter = LetterFilter { state: Some(LetterState::Open), ..filter.clone() };
    let folder = tempfile::Builder::new().prefix("replay").tempdir_in(beside).map_err(cannot)?;
    let file = std::fs::File::create(folder.path().join(FILE)).map_err(cannot)?;
    let mut file = std::io::BufWriter::new(file);
    let hidden = masked(job);
    let (mut replayed, mut left) = (Replayed::default(), LeftAlone::default());
    let mut columns = BTreeSet::new();
    for record in reader.meant(&filter) {
        let LetterRecord { number, letter, .. } = record?;
        let row = letter.row.as_deref().and_then(object);
        let (Some(text), Some(row)) = (&letter.row, row) else {
            left.unreadable += 1;
            continue;
        };
        if hidden.iter().any(|name| row.get(name).is_some_and(|value| !value.is_null())) {
            left.masked += 1;
        } else if !columns.is_empty() && !columns.iter().eq(row.keys()) {
            left.other_columns += 1;
        } else if replayed.letters.len() == LETTERS_MAX {
            left.beyond += 1;
        } else {
            if columns.is_empty() {
                columns = row.keys().cloned().collect();
            }
            writeln!(file, "{text}").map_err(cannot)?;
            let landed_partially = letter.landed_partially;
            let origin = letter.origin;
            replayed.letters.push(ReplayedLetter { number, origin, landed_partially });
        }
    }
    file.flush().map_err(cannot)?;
    if replayed.letters.is_empty() {
        return Err(nothing(left));
    }
    Ok(Collected { replayed, left, folder, columns })
}

impl Collected {
    /// The job, with these rows for its source.
    pub(crate) fn job(&self, job: &Job) -> Job {
        let mut job = job.clone();
        // The types of the source, if it is still there: a letter keeps text.
        let mut types: BTreeMap<String, DeclaredType> = dvsync_sources::open(&job.source.settings)
            .map(|source| declared(&source.schema()))
            .unwrap_or_default();
        types.extend(job.source.settings.types.clone());
        types.retain(|name, _| self.columns.contains(name));
        job.source.settings = Settings {
            types,
            record_bytes_max: ROW_BYTES_MAX,
            ..Settings::new(SourceKind::Json, FILE, self.folder.path())
        };
        job.source.duplicates = Duplicates { keep: Keep::Reject, by: None };
        job
    }
}

/// A row as its letter keeps it, keys in order.
fn object(text: &str) -> Option<Map<String, Value>> {
    // Sorted by name: the map is a tree.
    serde_json::from_str(text).ok()
}

/// The types of a source's columns, where a job could declare them.
fn declared(schema: &SchemaRef) -> BTreeMap<String, DeclaredType> {
    let of = |data_type: &DataType| {
        Some(match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DeclaredType::Text,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
                DeclaredType::Int64
            }
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => DeclaredType::Int64,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => DeclaredType::Float64,
            DataType::Decimal128(precision, scale) => {
                DeclaredType::Decimal { precision: *precision, scale: u8::try_from(*scale).ok()? }
            }
            DataType::Boolean => DeclaredType::Boolean,
            DataType::Date32 | DataType::Date64 => DeclaredType::Date,
            DataType::Timestamp(_, _) => DeclaredType::Timestamp,
            _ => return None,
        })
    };
    let fields = schema.fields().iter();
    fields.filter_map(|field| Some((field.name().clone(), of(field.data_type())?))).collect()
}

fn nothing(left: LeftAlone) -> RunError {
    let LeftAlone { unreadable, masked, .. } = left;
    if unreadable + masked == 0 {
        return RunError::job_hint(
            "no open letter is meant",
            "dvsync letters list JOB shows those that there are",
        );
    }
    RunError::job_hint(
        format!(
            "none of the letters that are meant can be replayed: {unreadable} have no readable \
             row, {masked} have masked columns"
        ),
        "mend the rows in the source and run the job: the letters close by themselves",
    )
}

fn cannot(source: std::io::Error) -> RunError {
    RunError::Scratch(Arc::new(source))
}
