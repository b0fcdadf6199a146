//! What the columns of CSV files are: names from the headers, types from the
//! first rows.

use std::collections::HashMap;
use std::sync::Arc;

use super::Plan;
use crate::bad::shortened;
use crate::column::ColumnType;
use crate::csv::dialect::Dialect;
use crate::csv::records::{Event, Reader, Whole, field, is_null};
use crate::csv::split::{Form, unescape};
use crate::error::{SourceError, nearest};
use crate::infer::Candidates;
use crate::parts::Part;
use crate::settings::Settings;

/// What opening has found.
pub(crate) struct Heads {
    pub(crate) names: Vec<String>,
    pub(crate) types: Vec<ColumnType>,
    /// Per file; `None` for one without any record.
    pub(crate) plans: Vec<Option<Plan>>,
}

/// Reads the header of every file and the first rows of the first ones.
pub(crate) fn read(
    settings: &Settings,
    parts: &[Part],
    dialect: &Arc<Dialect>,
) -> Result<Heads, SourceError> {
    let mut first: Option<(Vec<String>, &Part)> = None;
    let mut candidates = Vec::new();
    let mut plans = Vec::with_capacity(parts.len());
    let mut rows_left = settings.infer_rows;
    for part in parts {
        let mut reader = Reader::open(part, Arc::clone(dialect), (0, 1), usize::MAX)?;
        let Some(names) = names(&mut reader, part, dialect)? else {
            plans.push(None);
            continue;
        };
        let fields = match &first {
            None => (0..names.len()).collect(),
            Some((expected, first)) => agree(part, &names, first, expected)?,
        };
        if first.is_none() {
            check_declared(settings, part, &names)?;
            candidates = vec![Candidates::new(); names.len()];
            first = Some((names, part));
        }
        let (offset, line) = (reader.window.offset(), reader.window.line());
        reader.expect(fields.len());
        look(&mut reader, dialect, &fields, &mut candidates, &mut rows_left)?;
        plans.push(Some(Plan { fields, offset, line }));
    }
    let names = match first {
        Some((names, _)) => names,
        None if settings.types.is_empty() => {
            let file = parts.first().map_or(settings.path.clone(), |part| part.name.clone());
            return Err(SourceError::Empty { file });
        }
        None => {
            candidates = vec![Candidates::new(); settings.types.len()];
            settings.types.keys().cloned().collect()
        }
    };
    let types = candidates
        .iter()
        .zip(&names)
        .map(|(candidates, name)| candidates.decide(settings.types.get(name).copied()))
        .collect();
    Ok(Heads { names, types, plans })
}

/// The columns of a file; the reader is at its first row then. `None` if the
/// file has no record.
fn names(
    reader: &mut Reader,
    part: &Part,
    dialect: &Dialect,
) -> Result<Option<Vec<String>>, SourceError> {
    if !dialect.header {
        // How many fields there are is told by the first record that is one; the
        // scan starts before it all the same.
        let mut look = Reader::open(part, Arc::clone(reader.dialect()), (0, 1), usize::MAX)?;
        return loop {
            match look.next()? {
                Event::End => break Ok(None),
                Event::Bad { .. } => {}
                Event::Record(_) => break Ok(Some((1..=look.fields.len()).map(nth).collect())),
            }
        };
    }
    let refused = |line, reason: String, hint: Option<&str>| SourceError::Header {
        file: part.name.clone(),
        line,
        reason,
        hint: hint.map(str::to_owned),
    };
    let record = match reader.next()? {
        Event::End => return Ok(None),
        Event::Bad { line, record, .. } => {
            return Err(refused(line, record.message, record.hint.as_deref()));
        }
        Event::Record(record) => record,
    };
    let line = reader.window.line();
    let mut names = Vec::with_capacity(reader.fields.len());
    let mut seen = HashMap::new();
    for position in 0..reader.fields.len() {
        let text = text(reader, dialect, record, position);
        let Ok(name) = std::str::from_utf8(&text) else {
            let encoding = reader.window.encoding();
            let reason = format!("the name of column {} is not {encoding}", position + 1);
            return Err(refused(line, reason, Some("set `encoding`, for example \"utf-16le\"")));
        };
        if let Some(control) = name.chars().find(|c| matches!(c, '\0' | '\r')) {
            let (what, hint) = if control == '\0' {
                ("a NUL character", "set `encoding`, for example \"utf-16le\"")
            } else {
                ("a carriage return", "end lines with a line feed")
            };
            let name = shortened(&name.escape_debug().to_string());
            let reason = format!("the name of column {} has {what}: `{name}`", position + 1);
            return Err(refused(line, reason, Some(hint)));
        }
        let name = match name.trim() {
            "" => nth(position + 1),
            name => name.to_owned(),
        };
        if let Some(first) = seen.insert(name.clone(), position) {
            return Err(SourceError::DuplicateColumn {
                file: part.name.clone(),
                column: name,
                first: first + 1,
                second: position + 1,
            });
        }
        names.push(name);
    }
    reader.pass(record);
    Ok(Some(names))
}

fn nth(position: usize) -> String {
    format!("column_{position}")
}

fn text(reader: &Reader, dialect: &Dialect, record: Whole, position: usize) -> Vec<u8> {
    let span = &reader.fields[position];
    let raw = field(reader.content(record), span);
    if span.form == Form::Escaped {
        let mut text = Vec::with_capacity(raw.len());
        unescape(dialect, raw, &mut text);
        text
    } else {
        raw.to_vec()
    }
}

/// Per column of the first file, its position in this one.
fn agree(
    part: &Part,
    names: &[String],
    first: &Part,
    expected: &[String],
) -> Result<Vec<usize>, SourceError> {
    let positions: HashMap<_, _> =
        names.iter().enumerate().map(|(position, name)| (name, position)).collect();
    let fields = expected
        .iter()
        .map(|column| {
            positions.get(column).copied().ok_or_else(|| SourceError::ColumnMissing {
                file: part.name.clone(),
                column: column.clone(),
                first_file: first.name.clone(),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    match names.iter().find(|name| !expected.contains(name)) {
        None => Ok(fields),
        Some(extra) => Err(SourceError::ColumnExtra {
            file: part.name.clone(),
            column: extra.clone(),
            first_file: first.name.clone(),
        }),
    }
}

fn check_declared(settings: &Settings, part: &Part, names: &[String]) -> Result<(), SourceError> {
    match settings.types.keys().find(|column| !names.contains(column)) {
        None => Ok(()),
        Some(column) => Err(SourceError::UndeclarableColumn {
            column: column.clone(),
            file: part.name.clone(),
            nearest: nearest(column, names.iter().map(String::as_str)),
        }),
    }
}

/// Looks at the rows that come next; those that cannot be read tell nothing.
fn look(
    reader: &mut Reader,
    dialect: &Dialect,
    fields: &[usize],
    candidates: &mut [Candidates],
    rows_left: &mut usize,
) -> Result<(), SourceError> {
    let mut scratch = Vec::new();
    while *rows_left > 0 {
        let record = match reader.next()? {
            Event::End => break,
            Event::Bad { .. } => continue,
            Event::Record(record) => record,
        };
        let content = reader.content(record);
        if reader.fields.len() == fields.len() && std::str::from_utf8(content).is_ok() {
            *rows_left -= 1;
            for (candidates, &position) in candidates.iter_mut().zip(fields) {
                let span = &reader.fields[position];
                let mut text = field(content, span);
                if span.form == Form::Escaped {
                    scratch.clear();
                    unescape(dialect, text, &mut scratch);
                    text = &scratch;
                }
                if !is_null(dialect, text, span.form, false) {
                    candidates.see(text, &dialect.notation);
                }
            }
        }
        reader.pass(record);
    }
    Ok(())
}
