//! What a job says about its source.
//!
//! Pure values. They are checked when the source is opened, not here.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::declared::DeclaredType;

/// Rows that are looked at for inference unless the job says otherwise.
pub const INFER_ROWS_DEFAULT: usize = 10_000;

/// Longest record of a text source, in bytes, unless the job says otherwise.
pub const RECORD_BYTES_MAX_DEFAULT: usize = 1 << 20;

/// Where rows come from and how to read them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Format of the files.
    pub kind: SourceKind,
    /// A file, a folder (all files of the kind in it) or a glob.
    pub path: String,
    /// Folder that a relative `path` starts from: the job file's.
    pub root: PathBuf,
    /// How CSV is written.
    pub csv: CsvSettings,
    /// Types by column name; they override inference and the file's own types.
    pub types: BTreeMap<String, DeclaredType>,
    /// Rows of the first files that inference looks at; 0 makes every column
    /// that is not declared text (CSV) or absent (JSON).
    pub infer_rows: usize,
    /// Longest record of CSV and JSON in bytes of UTF-8; a longer one is a bad
    /// row. It is also what an unclosed quote can cost in memory. At most 256 MiB.
    pub record_bytes_max: usize,
}

impl Settings {
    /// A source with every default.
    pub fn new(kind: SourceKind, path: impl Into<String>, root: impl Into<PathBuf>) -> Self {
        Self {
            kind,
            path: path.into(),
            root: root.into(),
            csv: CsvSettings::default(),
            types: BTreeMap::new(),
            infer_rows: INFER_ROWS_DEFAULT,
            record_bytes_max: RECORD_BYTES_MAX_DEFAULT,
        }
    }
}

/// Format of a source's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Delimited text.
    Csv,
    /// One JSON object per line, or one array of objects.
    Json,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC, file or stream.
    Arrow,
}

impl SourceKind {
    /// The word for it in a job file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SourceKind::Csv => "csv",
            SourceKind::Json => "json",
            SourceKind::Parquet => "parquet",
            SourceKind::Arrow => "arrow",
        }
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a CSV file is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsvSettings {
    /// Between fields: one ASCII character.
    pub delimiter: char,
    /// Around fields that hold a delimiter, a quote or a line end: one ASCII
    /// character, doubled inside the field. Empty: quotes mean nothing.
    pub quote: String,
    /// Inside quotes, makes the next character a plain one: one ASCII character.
    pub escape: Option<char>,
    /// A WHATWG label: `utf-8`, `utf-16le`, `windows-1252`, ... A byte order mark
    /// in the file goes before it. Absent: by byte order mark, else UTF-8.
    pub encoding: Option<String>,
    /// Decimal separator of numbers: `.` or `,`.
    pub decimal: char,
    /// Separator of groups of three digits: `.`, `,`, `'`, `_` or a blank.
    pub thousands: Option<char>,
    /// Fields that mean null. A quoted field of a text column is never null.
    pub null: Vec<String>,
    /// The first record names the columns; else they are `column_1`, ...
    pub header: bool,
    /// Words for true, whatever their case.
    #[serde(rename = "true")]
    pub true_words: Vec<String>,
    /// Words for false, whatever their case.
    #[serde(rename = "false")]
    pub false_words: Vec<String>,
    /// Form of dates (`%d.%m.%Y`); absent: `YYYY-MM-DD`.
    pub date_format: Option<String>,
    /// Form of timestamps (`%d.%m.%Y %H:%M:%S`); absent: ISO 8601.
    pub timestamp_format: Option<String>,
}

impl Default for CsvSettings {
    fn default() -> Self {
        Self {
            delimiter: ',',
            quote: "\"".to_owned(),
            escape: None,
            encoding: None,
            decimal: '.',
            thousands: None,
            null: vec![String::new()],
            header: true,
            true_words: vec!["true".to_owned()],
            false_words: vec!["false".to_owned()],
            date_format: None,
            timestamp_format: None,
        }
    }
}
