//! Why a source cannot be opened or read on.
//!
//! A record that cannot be read is not an error but a [`crate::BadRow`].

use std::error::Error;
use std::io;

use crate::settings::SourceKind;

/// A source cannot be opened, or not be read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The path or glob leads to no file.
    #[error("no file at `{path}`")]
    NoFile {
        /// As the job says it.
        path: String,
    },
    /// The folder holds no file of the kind.
    #[error("no {kind} file in folder `{path}`")]
    NoFileOfKind {
        /// As the job says it.
        path: String,
        /// What was looked for.
        kind: SourceKind,
        /// Endings that were looked for.
        endings: &'static [&'static str],
    },
    /// A pipe, a device or a socket.
    #[error("`{path}` is not a regular file")]
    NotAFile {
        /// As the job says it.
        path: String,
    },
    /// A setting that cannot be.
    #[error("invalid `{setting}`: expected {expected}, found `{found}`")]
    Setting {
        /// Its name in the job file.
        setting: &'static str,
        /// What could stand there.
        expected: &'static str,
        /// What does.
        found: String,
    },
    /// The file system refused.
    #[error("cannot read `{file}`")]
    Read {
        /// File, as the job says it.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// Compressed data are damaged or cut short.
    #[error("cannot decompress `{file}` from line {line} on")]
    Decompress {
        /// File, as the job says it.
        file: String,
        /// Line that was reached, from 1.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// The file is of another format.
    #[error("`{file}` is not {kind} but {found}")]
    OtherFormat {
        /// File, as the job says it.
        file: String,
        /// What the job says.
        kind: SourceKind,
        /// What its first bytes say.
        found: &'static str,
        /// The kind to declare, where there is one.
        instead: Option<SourceKind>,
    },
    /// A binary file is damaged, or uses what this reader does not know.
    #[error("cannot read `{file}` as {kind}")]
    Damaged {
        /// File, as the job says it.
        file: String,
        /// What the job says.
        kind: SourceKind,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nothing tells which columns there are.
    #[error("`{file}` is empty: its columns are unknown")]
    Empty {
        /// The only or first file, as the job says it.
        file: String,
    },
    /// None of the first rows could be read.
    #[error("{file}:{line}: no row can be read: {reason}")]
    NoRow {
        /// File, as the job says it.
        file: String,
        /// First line that could not be read.
        line: u64,
        /// What is wrong with it.
        reason: String,
        /// Advice, where there is some.
        hint: Option<String>,
    },
    /// The header of a CSV file cannot be read.
    #[error("{file}:{line}: cannot read the header: {reason}")]
    Header {
        /// File, as the job says it.
        file: String,
        /// Line where the header starts.
        line: u64,
        /// What is wrong with it.
        reason: String,
        /// Advice, where there is some.
        hint: Option<String>,
    },
    /// Two columns of one file have the same name.
    #[error("{file}: columns {first} and {second} are both named `{column}`")]
    DuplicateColumn {
        /// File, as the job says it.
        file: String,
        /// The name.
        column: String,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },
    /// A later file lacks a column of the first.
    #[error("`{file}` has no column `{column}`, which `{first_file}` has")]
    ColumnMissing {
        /// File at fault, as the job says it.
        file: String,
        /// The column.
        column: String,
        /// File that was opened first.
        first_file: String,
    },
    /// A later file has a column that the first lacks.
    #[error("`{file}` has a column `{column}`, which `{first_file}` has not")]
    ColumnExtra {
        /// File at fault, as the job says it.
        file: String,
        /// The column.
        column: String,
        /// File that was opened first.
        first_file: String,
    },
    /// A later file has another type for a column.
    #[error("`{file}` has column `{column}` as {found}, `{first_file}` as {expected}")]
    ColumnType {
        /// File at fault, as the job says it.
        file: String,
        /// The column.
        column: String,
        /// File that was opened first.
        first_file: String,
        /// Type in the first file.
        expected: String,
        /// Type in this file.
        found: String,
    },
    /// Names that are values: every row of a JSON file has other keys.
    #[error("`{file}` has more than {columns_max} different keys")]
    TooManyColumns {
        /// File, as the job says it.
        file: String,
        /// Columns that a source has at most.
        columns_max: usize,
    },
    /// A type is declared for a column that does not exist.
    #[error("a type is declared for column `{column}`, which `{file}` does not have")]
    UndeclarableColumn {
        /// The name.
        column: String,
        /// File that was looked at.
        file: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// A scan asks for a column that does not exist.
    #[error("the source has no column `{column}`")]
    UnknownColumn {
        /// The name.
        column: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// A column of a binary file cannot become what is declared.
    #[error("cannot read column `{column}` of `{file}`: expected {declared}, found {found}")]
    Conversion {
        /// File, as the job says it.
        file: String,
        /// The column.
        column: String,
        /// The declared type.
        declared: String,
        /// The file's type.
        found: String,
    },
    /// A scan was asked to start where there is nothing: the file has changed.
    #[error("`{file}` ends before the position to go on from (offset {offset})")]
    Shortened {
        /// File, as the job says it.
        file: String,
        /// Bytes or rows, see [`crate::Position`].
        offset: u64,
    },
    /// A scan was asked to start in a file that there is not.
    #[error("the position to go on from is in file {part}, but the source has {parts} files")]
    NoSuchPart {
        /// Index of the file, from 0.
        part: u32,
        /// Files that there are.
        parts: usize,
    },
    /// Rows could not be put together: a bug of ours.
    #[error("cannot build a chunk of `{file}`")]
    Assemble {
        /// File, as the job says it.
        file: String,
        /// Why.
        source: arrow_schema::ArrowError,
    },
}

impl SourceError {
    /// What to do about it, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            SourceError::NoFile { .. } => {
                "a relative path starts from the folder of the job file".to_owned()
            }
            SourceError::NoFileOfKind { endings, .. } => format!(
                "files ending in {} are looked for, not in subfolders; a glob such as `**/*` takes others",
                endings.iter().map(|ending| format!("`.{ending}`")).collect::<Vec<_>>().join(", ")
            ),
            SourceError::NotAFile { .. } => "write the data to a file first".to_owned(),
            SourceError::OtherFormat { instead: Some(kind), .. } => {
                format!("set `kind = \"{kind}\"`")
            }
            SourceError::OtherFormat { kind, .. } => format!("export the data as {kind}"),
            SourceError::Empty { .. } => "declare the columns in `types`".to_owned(),
            SourceError::NoRow { hint, .. } | SourceError::Header { hint, .. } => hint.clone()?,
            SourceError::DuplicateColumn { .. } => {
                "rename one of them, or set `header = false` and remove the line".to_owned()
            }
            SourceError::ColumnMissing { .. } | SourceError::ColumnExtra { .. } => {
                "files of one source have the same columns, in any order".to_owned()
            }
            SourceError::ColumnType { column, .. } => {
                format!("declare one type for both: `{column} = \"text\"` in `types`")
            }
            SourceError::UndeclarableColumn { nearest, .. }
            | SourceError::UnknownColumn { nearest, .. } => {
                format!("did you mean `{}`?", nearest.as_ref()?)
            }
            SourceError::TooManyColumns { .. } => {
                "write keys that vary from row to row as values".to_owned()
            }
            SourceError::Conversion { .. } => "declare another type in `types`".to_owned(),
            SourceError::Shortened { .. } | SourceError::NoSuchPart { .. } => {
                "the source has changed since: start a new run".to_owned()
            }
            SourceError::Decompress { .. } => "the file may be cut short: copy it again".to_owned(),
            SourceError::Setting { .. }
            | SourceError::Read { .. }
            | SourceError::Damaged { .. }
            | SourceError::Assemble { .. } => return None,
        })
    }
}

/// The known name that a mistyped one most likely means.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let wanted = name.to_lowercase();
    known
        .map(|known| (strsim::damerau_levenshtein(&wanted, &known.to_lowercase()), known))
        .min()
        .filter(|(distance, _)| *distance <= 1.max(name.chars().count() / 3))
        .map(|(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let known = || ["account_number", "name", "City"].into_iter();
        assert_eq!(nearest("accountnumber", known()), Some("account_number".into()));
        assert_eq!(nearest("city", known()), Some("City".into()));
        assert_eq!(nearest("zzz", known()), None);
    }
}
