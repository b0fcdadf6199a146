//! Tables of text as CSV: what is expected of a case, read and written.

use std::path::Path;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use dvsync_sources::{Settings, SourceKind};

use super::tables;
use crate::failure::Failure;

/// Names, and cells by row; a blank cell is an empty text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn read(folder: &Path, name: &str) -> Result<Self, Failure> {
        let settings = Settings { infer_rows: 0, ..Settings::new(SourceKind::Csv, name, folder) };
        let read = tables::rows(&settings)?;
        let columns = read.schema().fields().iter().map(|field| field.name().clone()).collect();
        let cells: Vec<_> =
            read.columns().iter().filter_map(|column| column.as_string_opt::<i32>()).collect();
        let row = |row: usize| {
            let text = |column: &&arrow_array::StringArray| match column.is_valid(row) {
                true => column.value(row).to_owned(),
                false => String::new(),
            };
            cells.iter().map(text).collect()
        };
        Ok(Self { columns, rows: (0..read.num_rows()).map(row).collect() })
    }

    pub(super) fn write(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            // A line of nothing at all would be no row.
            match cells.join(",") {
                line if line.is_empty() => "\"\"\n".to_owned(),
                line => line + "\n",
            }
        };
        let rows = self.rows.iter().map(|row| line(row));
        std::iter::once(line(&self.columns)).chain(rows).collect()
    }

    pub(super) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }
}

fn quoted(text: &str) -> String {
    let plain = !text.contains([',', '"', '\n', '\r']) && text.trim() == text;
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let texts = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let table = Table {
            columns: texts(&["a", "b,c"]),
            rows: [["1", ""], ["", ""], [" x ", "\"y\""], ["two\nlines", "ä"]]
                .iter()
                .map(|row| texts(row))
                .collect(),
        };
        let one = Table { columns: texts(&["a"]), rows: vec![texts(&[""]), texts(&["x"])] };
        let place = tempfile::tempdir().expect("a folder");
        for table in [table, one] {
            std::fs::write(place.path().join("t.csv"), table.write()).expect("written");
            let read = Table::read(place.path(), "t.csv").map_err(|failure| failure.lines());
            assert_eq!(read, Ok(table));
        }
    }
}
