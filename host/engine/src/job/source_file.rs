//! Sections that say where rows come from: the source, granted tables, seeds.

use std::collections::BTreeMap;

use dvsync_sources::{CsvSettings, DeclaredType, SourceKind};
use schemars::JsonSchema;
use serde::Deserialize;

use super::units::Size;
use super::words::Keep;

/// Where rows come from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct SourceSection {
    /// By the file's ending if absent.
    pub kind: Option<SourceKind>,
    /// File, folder or glob; relative to the job file.
    pub path: String,
    /// Columns that identify a row.
    pub key: Vec<String>,
    /// When several rows have one key.
    pub duplicates: Option<DuplicatesSection>,
    /// How text files are written.
    pub csv: Option<CsvSettings>,
    /// Types of columns, instead of inferred ones.
    #[serde(default)]
    pub types: BTreeMap<String, DeclaredType>,
    /// Rows looked at to infer types; 10000 if absent.
    pub infer_rows: Option<usize>,
    /// A longer row is unreadable; `1MiB` if absent.
    pub record_max: Option<Size>,
}

/// When several source rows have one key.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct DuplicatesSection {
    /// Which one wins; `last` where `by` is given, else `reject`.
    pub keep: Option<Keep>,
    /// Source column that orders them; the order of the source if absent.
    pub by: Option<String>,
}

/// A table that the rule may look up: a file (`path`) or records of the target
/// (`entity`).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct GrantSection {
    /// By the file's ending if absent.
    pub kind: Option<SourceKind>,
    /// File, folder or glob; relative to the job file.
    pub path: Option<String>,
    /// How text files are written.
    pub csv: Option<CsvSettings>,
    /// Types of columns, instead of inferred ones.
    pub types: BTreeMap<String, DeclaredType>,
    /// Table of the target.
    pub entity: Option<String>,
    /// Its columns.
    pub select: Vec<String>,
    /// OData filter.
    pub filter: Option<String>,
}

/// Records that the embedded emulator has before the job starts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct SeedSection {
    /// Logical name of the table.
    pub entity: String,
    /// By the file's ending if absent.
    pub kind: Option<SourceKind>,
    /// File, folder or glob; relative to the job file.
    pub path: String,
    /// How text files are written.
    pub csv: Option<CsvSettings>,
    /// Types of columns, instead of inferred ones.
    #[serde(default)]
    pub types: BTreeMap<String, DeclaredType>,
    /// Target column to source column.
    pub columns: BTreeMap<String, String>,
    /// Target columns that identify a record; all of them if absent.
    #[serde(default)]
    pub key: Vec<String>,
}
