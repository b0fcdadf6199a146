//! Rows of letters as a file that a job can read.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use dvsync_engine::journal::{LetterFilter, LetterRecord, Reader};
use serde_json::{Map, Value};

use crate::args::RowFormat;
use crate::failure::Failure;
use crate::talk::Talk;

/// Columns beside those of the row: why it is here.
const WHY: [&str; 3] = ["dvsync_letter", "dvsync_code", "dvsync_message"];

/// Writes the rows of the letters that are meant.
pub(super) fn export(
    reader: &Reader,
    filter: &LetterFilter,
    format: RowFormat,
    to: Option<PathBuf>,
    talk: Talk,
) -> Result<(), Failure> {
    let mut columns = BTreeSet::new();
    let (mut rows, mut unreadable) = (0_u64, 0_u64);
    for record in reader.meant(filter) {
        match row(&record?) {
            Some(row) => {
                rows += 1;
                columns.extend(row.keys().cloned());
            }
            None => unreadable += 1,
        }
    }
    let shown = to.as_ref().map_or("stdout".to_owned(), |path| path.display().to_string());
    let failed = |error| Failure::because(format!("cannot write the rows to `{shown}`"), error);
    let sink: Box<dyn Write> = match &to {
        Some(path) => Box::new(std::fs::File::create(path).map_err(failed)?),
        None => Box::new(std::io::stdout().lock()),
    };
    let mut sink = std::io::BufWriter::new(sink);
    let written = write(reader, filter, format, &columns, &mut sink)?;
    match written.and_then(|()| sink.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(failed(error)),
        _ => {}
    }
    talk.say(format!("{rows} rows to {shown}"));
    if unreadable > 0 {
        talk.say(format!("{unreadable} letters have no readable row and are left out"));
    }
    Ok(())
}

fn write(
    reader: &Reader,
    filter: &LetterFilter,
    format: RowFormat,
    columns: &BTreeSet<String>,
    sink: &mut impl Write,
) -> Result<std::io::Result<()>, Failure> {
    if format == RowFormat::Csv {
        let names: Vec<String> =
            columns.iter().map(String::as_str).chain(WHY).map(quoted).collect();
        if let Err(error) = writeln!(sink, "{}", names.join(",")) {
            return Ok(Err(error));
        }
    }
    for record in reader.meant(filter) {
        let record = record?;
        let Some(mut row) = row(&record) else { continue };
        let why = [
            Value::from(record.number),
            Value::from(record.letter.code.as_str()),
            Value::from(record.letter.message.as_str()),
        ];
        let line = match format {
            RowFormat::Jsonl => {
                row.extend(WHY.map(str::to_owned).into_iter().zip(why));
                Value::Object(row).to_string()
            }
            RowFormat::Csv => {
                let cells = columns.iter().map(|column| row.get(column).unwrap_or(&Value::Null));
                cells.chain(&why).map(cell).collect::<Vec<_>>().join(",")
            }
        };
        if let Err(error) = writeln!(sink, "{line}") {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

fn row(record: &LetterRecord) -> Option<Map<String, Value>> {
    serde_json::from_str(record.letter.row.as_deref()?).ok()
}

/// Null is nothing between commas, an empty text is quoted.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    }
}

fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && !text.contains([',', '"', '\n', '\r']) && text.trim() == text;
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        for (value, expect) in [
            (json!(null), ""),
            (json!(""), "\"\""),
            (json!("a"), "a"),
            (json!("a,b"), "\"a,b\""),
            (json!("a \"b\"\n"), "\"a \"\"b\"\"\n\""),
            (json!(" a"), "\" a\""),
            (json!(7.5), "7.5"),
            (json!(true), "true"),
        ] {
            assert_eq!(cell(&value), expect);
        }
    }
}
