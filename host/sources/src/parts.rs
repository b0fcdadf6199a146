//! The files of a source: which ones, in which order.
//!
//! Reads the file system, never a file.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use crate::error::SourceError;
use crate::settings::{Settings, SourceKind};

/// One file of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// As the job would say it: relative to the job's folder where the job's
    /// path is.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Size on disk when the source was opened.
    pub bytes: u64,
    /// Last change when the source was opened, where the file system tells.
    pub modified: Option<jiff::Timestamp>,
}

/// Endings by which files of a kind are known in a folder; text files may have
/// one of [`COMPRESSED`] after it.
fn endings(kind: SourceKind) -> &'static [&'static str] {
    match kind {
        SourceKind::Csv => &["csv", "tsv", "txt"],
        SourceKind::Json => &["jsonl", "ndjson", "json"],
        SourceKind::Parquet => &["parquet", "parq"],
        SourceKind::Arrow => &["arrow", "arrows", "ipc", "feather"],
    }
}

const COMPRESSED: [&str; 4] = ["gz", "gzip", "zst", "zstd"];

/// Finds the files of a source, sorted by name.
pub(crate) fn find(settings: &Settings) -> Result<Vec<Part>, SourceError> {
    let path = settings.root.join(&settings.path);
    let relative_to = Path::new(&settings.path).is_relative().then_some(settings.root.as_path());
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => in_folder(settings, &path, relative_to),
        Ok(metadata) => {
            let part = part(&path, relative_to, &metadata);
            if metadata.is_file() {
                Ok(vec![part])
            } else {
                Err(SourceError::NotAFile { path: part.name })
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound || is_glob(&settings.path) => {
            matching(settings, relative_to)
        }
        Err(source) => Err(SourceError::Read { file: settings.path.clone(), source }),
    }
}

fn in_folder(
    settings: &Settings,
    folder: &Path,
    relative_to: Option<&Path>,
) -> Result<Vec<Part>, SourceError> {
    let refused = |source| SourceError::Read { file: settings.path.clone(), source };
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        if set_aside(&path) || !is_of_kind(&path, settings.kind) {
            continue;
        }
        let metadata = fs::metadata(&path).map_err(refused)?;
        if metadata.is_file() {
            parts.push(part(&path, relative_to, &metadata));
        }
    }
    if parts.is_empty() {
        return Err(SourceError::NoFileOfKind {
            path: settings.path.clone(),
            kind: settings.kind,
            endings: endings(settings.kind),
        });
    }
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(parts)
}

fn matching(settings: &Settings, relative_to: Option<&Path>) -> Result<Vec<Part>, SourceError> {
    let none = || SourceError::NoFile { path: settings.path.clone() };
    if !is_glob(&settings.path) {
        return Err(none());
    }
    // The job's folder is a name, whatever characters are in it.
    let pattern = match relative_to {
        Some(root) => {
            let root = Pattern::escape(&root.to_string_lossy());
            Path::new(&root).join(&settings.path).to_string_lossy().into_owned()
        }
        None => settings.path.clone(),
    };
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let last = settings.path.rsplit('/').next().unwrap_or_default();
    let paths = glob::glob_with(&pattern, options).map_err(|_| SourceError::Setting {
        setting: "path",
        expected: "a file, a folder or a glob",
        found: settings.path.clone(),
    })?;
    let mut parts = Vec::new();
    for path in paths {
        let path = path.map_err(|error| SourceError::Read {
            file: error.path().to_string_lossy().into_owned(),
            source: error.into(),
        })?;
        if set_aside(&path) && !last.starts_with(['_', '.']) {
            continue;
        }
        let metadata = fs::metadata(&path).map_err(|source| SourceError::Read {
            file: path.to_string_lossy().into_owned(),
            source,
        })?;
        if metadata.is_file() {
            parts.push(part(&path, relative_to, &metadata));
        }
    }
    if parts.is_empty() {
        return Err(none());
    }
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(parts)
}

fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Hidden files, and those that Spark and others write beside the data
/// (`_SUCCESS`).
fn set_aside(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']))
}

fn is_of_kind(path: &Path, kind: SourceKind) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let mut stem = name.as_str();
    if matches!(kind, SourceKind::Csv | SourceKind::Json)
        && let Some((before, ending)) = stem.rsplit_once('.')
        && COMPRESSED.contains(&ending)
    {
        stem = before;
    }
    stem.rsplit_once('.').is_some_and(|(_, ending)| endings(kind).contains(&ending))
}

fn part(path: &Path, relative_to: Option<&Path>, metadata: &Metadata) -> Part {
    let name = relative_to.and_then(|root| path.strip_prefix(root).ok()).unwrap_or(path);
    Part {
        name: name.to_string_lossy().into_owned(),
        path: path.to_owned(),
        bytes: metadata.len(),
        modified: metadata.modified().ok().and_then(|time| time.try_into().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path, path: &str) -> Result<Vec<String>, String> {
        find(&Settings::new(SourceKind::Csv, path, root))
            .map(|parts| parts.into_iter().map(|part| part.name).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn files_are_found_by_name_folder_and_glob_in_order() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("in[1]");
        fs::create_dir(&folder).unwrap();
        fs::create_dir(folder.join("deep.csv")).unwrap();
        for name in ["b.csv", "a.CSV.gz", "_SUCCESS", "_c.csv", ".d.csv", "e.json", "x[1].csv"] {
            fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(names(&folder, "b.csv").unwrap(), ["b.csv"]);
        assert_eq!(names(&folder, ".").unwrap(), ["a.CSV.gz", "b.csv", "x[1].csv"]);
        assert_eq!(
            names(root.path(), "in[1]").unwrap(),
            ["in[1]/a.CSV.gz", "in[1]/b.csv", "in[1]/x[1].csv"]
        );
        assert_eq!(names(&folder, "*.csv").unwrap(), ["b.csv", "x[1].csv"]);
        assert_eq!(names(&folder, "_*").unwrap(), ["_SUCCESS", "_c.csv"]);
        assert_eq!(names(&folder, "x[1].csv").unwrap(), ["x[1].csv"]);
        let absolute = folder.join("b.csv").to_string_lossy().into_owned();
        assert_eq!(names(root.path(), &absolute).unwrap(), [absolute]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(names(root.path(), "x.csv").unwrap_err(), "no file at `x.csv`");
        assert_eq!(names(root.path(), "*.csv").unwrap_err(), "no file at `*.csv`");
        fs::create_dir(root.path().join("empty")).unwrap();
        assert_eq!(names(root.path(), "empty").unwrap_err(), "no csv file in folder `empty`");
        assert_eq!(
            names(root.path(), "a***.csv").unwrap_err(),
            "invalid `path`: expected a file, a folder or a glob, found `a***.csv`"
        );
    }
}
