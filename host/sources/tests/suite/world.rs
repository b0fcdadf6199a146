use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use arrow_select::concat::concat_batches;
use dvsync_sources::{Chunk, Position, Scan, Settings, Source, SourceKind, open};
use tempfile::TempDir;

/// A folder with files of one kind, and settings that point to it.
pub(crate) struct World {
    /// Removed with the world.
    _folder: TempDir,
    pub(crate) settings: Settings,
}

impl World {
    pub(crate) fn new(kind: SourceKind, files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let path = if let [(name, _)] = files { *name } else { "." };
        let settings = Settings::new(kind, path, folder.path());
        Self { _folder: folder, settings }
    }

    pub(crate) fn declare(&mut self, types: &[(&str, &str)]) {
        for (column, declared) in types {
            self.settings.types.insert((*column).to_owned(), declared.parse().unwrap());
        }
    }

    pub(crate) fn open(&self) -> Box<dyn Source> {
        open(&self.settings).unwrap()
    }
}

pub(crate) fn read(source: &dyn Source, scan: &Scan) -> Vec<Chunk> {
    source.scan(scan).unwrap().collect::<Result<_, _>>().unwrap()
}

pub(crate) fn from(position: Position, chunk_rows: usize) -> Scan {
    Scan { columns: None, from: position, chunk_rows }
}

pub(crate) fn rows(source: &dyn Source, chunks: &[Chunk]) -> RecordBatch {
    concat_batches(&source.schema(), chunks.iter().map(|chunk| &chunk.rows)).unwrap()
}

/// Every row, good and bad, one line each, in the order of the source.
pub(crate) fn told(chunks: &[Chunk]) -> Vec<String> {
    let mut told = Vec::new();
    for chunk in chunks {
        let options = FormatOptions::default();
        let columns: Vec<_> = chunk
            .rows
            .columns()
            .iter()
            .map(|column| match column.data_type() {
                // Arrow shows no named zones.
                DataType::Timestamp(unit, Some(_)) => {
                    cast(column, &DataType::Timestamp(*unit, Some("+00:00".into()))).unwrap()
                }
                _ => Arc::clone(column),
            })
            .collect();
        let columns: Vec<_> = columns
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
            .collect();
        for row in 0..chunk.rows.num_rows() {
            let mut line = format!("{}:{}", chunk.part, chunk.lines.at(row));
            for (column, array) in columns.iter().zip(chunk.rows.columns()) {
                if array.is_null(row) {
                    line.push_str(" | -");
                } else {
                    write!(line, " | {}", column.value(row).to_string().escape_debug()).unwrap();
                }
            }
            told.push((chunk.ordinals.at(row), line));
        }
        for bad in &chunk.bad {
            let mut line = format!("{}:{} {}", chunk.part, bad.line, bad.code);
            if let Some(column) = &bad.column {
                write!(line, " [{column}]").unwrap();
            }
            write!(line, ": {}", bad.message).unwrap();
            if let Some(hint) = &bad.hint {
                write!(line, "; hint: {hint}").unwrap();
            }
            if let Some(text) = &bad.text {
                write!(line, "; text: {}", text.escape_debug()).unwrap();
            }
            told.push((bad.ordinal, line));
        }
    }
    told.sort();
    for (expected, (ordinal, _)) in (told.first().map_or(0, |first| first.0)..).zip(&told) {
        assert_eq!(*ordinal, expected, "ordinals are dense");
    }
    told.into_iter().map(|(ordinal, line)| format!("#{ordinal} {line}")).collect()
}

/// Columns, then every row; what `check` functions compare.
pub(crate) fn story(settings: &Settings) -> String {
    let source = match open(settings) {
        Ok(source) => source,
        Err(error) => return failure(&error),
    };
    let fields: Vec<_> = source
        .schema()
        .fields()
        .iter()
        .map(|field| format!("{} {}", field.name(), field.data_type()))
        .collect();
    let mut story = fields.join(", ");
    let mut chunks = Vec::new();
    let mut end = String::new();
    for chunk in source.scan(&Scan::default()).unwrap() {
        match chunk {
            Ok(chunk) => chunks.push(chunk),
            Err(error) => end = failure(&error),
        }
    }
    for line in told(&chunks).into_iter().chain((!end.is_empty()).then_some(end)) {
        story.push('\n');
        story.push_str(&line);
    }
    story
}

pub(crate) fn failure(error: &dvsync_sources::SourceError) -> String {
    let mut text = format!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        write!(text, "; because: {error}").unwrap();
        cause = error.source();
    }
    if let Some(hint) = error.hint() {
        write!(text, "; hint: {hint}").unwrap();
    }
    text
}
