//! What the columns of JSON files are: the keys of the first rows, and what is
//! declared.

use std::collections::{HashMap, HashSet};

use crate::bad::BadRecord;
use crate::column::ColumnType;
use crate::error::{SourceError, nearest};
use crate::infer::Candidates;
use crate::json::object::{self, Cell, Cells};
use crate::json::reader::{self, Event, Reader, Shape};
use crate::json::records::{text, twice};
use crate::parts::Part;
use crate::settings::Settings;
use crate::value::Notation;

/// Keys that become columns at most; more are names that should be values.
const COLUMNS_MAX: usize = 4096;

/// What opening has found.
pub(crate) struct Found {
    /// Names and types: keys in the order in which they were first met, then
    /// columns that are only declared.
    pub(crate) columns: Vec<(String, ColumnType)>,
    /// Per file.
    pub(crate) shapes: Vec<Shape>,
}

/// Looks at the first character of every file and the first rows of the first
/// ones.
pub(crate) fn read(
    settings: &Settings,
    parts: &[Part],
    record_bytes_max: usize,
) -> Result<Found, SourceError> {
    let mut keys = Keys::default();
    let mut shapes = Vec::with_capacity(parts.len());
    let mut first_bad = None;
    let mut rows_left = settings.infer_rows.max(usize::from(settings.types.is_empty()));
    for part in parts {
        let shape = reader::shape(part)?;
        shapes.push(shape);
        if rows_left > 0 {
            let mut reader = Reader::open(part, shape, (0, 1), record_bytes_max)?;
            look(&mut reader, part, &mut keys, &mut rows_left, &mut first_bad)?;
        }
    }
    if keys.names.is_empty() && settings.types.is_empty() {
        return Err(match first_bad {
            Some(error) => error,
            None => SourceError::Empty {
                file: parts.first().map_or(settings.path.clone(), |part| part.name.clone()),
            },
        });
    }
    let file = parts.first().map_or("", |part| part.name.as_str());
    let mut columns: Vec<_> = keys
        .names
        .iter()
        .zip(&keys.candidates)
        .map(|(name, seen)| (name.clone(), seen.decide(settings.types.get(name).copied())))
        .collect();
    for (column, &declared) in &settings.types {
        if keys.positions.contains_key(column) {
            continue;
        }
        // A key that no row happens to have is null; one that is nearly there is
        // a slip of the pen.
        let others = keys.names.iter().filter(|name| !settings.types.contains_key(*name));
        if let Some(nearest) = nearest(column, others.map(String::as_str)) {
            return Err(SourceError::UndeclarableColumn {
                column: column.clone(),
                file: file.to_owned(),
                nearest: Some(nearest),
            });
        }
        columns.push((column.clone(), Candidates::new().decide(Some(declared))));
    }
    Ok(Found { columns, shapes })
}

/// Looks at the rows of a file; those that cannot be read tell nothing.
fn look(
    reader: &mut Reader,
    part: &Part,
    keys: &mut Keys,
    rows_left: &mut usize,
    first_bad: &mut Option<SourceError>,
) -> Result<(), SourceError> {
    while *rows_left > 0 {
        let mut unreadable = |line, bad: BadRecord| {
            first_bad.get_or_insert(SourceError::NoRow {
                file: part.name.clone(),
                line,
                reason: bad.message,
                hint: bad.hint,
            });
        };
        match reader.next()? {
            Event::End => break,
            Event::Bad { line, record, .. } => unreadable(line, record),
            Event::Object(object) => {
                let line = reader.window.line();
                match text(reader.content(object)).and_then(|text| keys.see(text)) {
                    Ok(()) => *rows_left -= 1,
                    Err(bad) => unreadable(line, bad),
                }
                reader.pass(object);
            }
        }
        if keys.names.len() > COLUMNS_MAX {
            return Err(SourceError::TooManyColumns {
                file: part.name.clone(),
                columns_max: COLUMNS_MAX,
            });
        }
    }
    Ok(())
}

/// Keys that were met, and what their values can be.
#[derive(Default)]
struct Keys {
    names: Vec<String>,
    candidates: Vec<Candidates>,
    positions: HashMap<String, usize>,
    notation: Notation,
}

impl Keys {
    fn see(&mut self, text: &str) -> Result<(), BadRecord> {
        // Twice, so that half a row leaves no trace.
        object::walk(text, &mut Rehearsal::default())?;
        object::walk(text, self)
    }
}

impl Cells for Keys {
    fn column(&mut self, key: &str) -> Result<Option<usize>, BadRecord> {
        if let Some(&position) = self.positions.get(key) {
            return Ok(Some(position));
        }
        self.positions.insert(key.to_owned(), self.names.len());
        self.names.push(key.to_owned());
        self.candidates.push(Candidates::new());
        Ok(Some(self.names.len() - 1))
    }

    fn cell(&mut self, column: usize, cell: Cell<'_>) -> Result<(), BadRecord> {
        let candidates = &mut self.candidates[column];
        match cell {
            Cell::Null => {}
            Cell::String(text) => candidates.see_string(text.as_bytes(), &self.notation),
            Cell::Number(text) => candidates.see_number(text.as_bytes(), &self.notation),
            Cell::Boolean(_) => candidates.see_boolean(),
            Cell::Nested(_) => candidates.see_other(),
        }
        Ok(())
    }
}

/// Is an object fit to be looked at?
#[derive(Default)]
struct Rehearsal {
    keys: HashSet<String>,
}

impl Cells for Rehearsal {
    fn column(&mut self, key: &str) -> Result<Option<usize>, BadRecord> {
        if self.keys.insert(key.to_owned()) { Ok(Some(0)) } else { Err(twice(key)) }
    }

    fn cell(&mut self, _: usize, _: Cell<'_>) -> Result<(), BadRecord> {
        Ok(())
    }
}
