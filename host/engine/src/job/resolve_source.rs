//! The source, granted tables and seeds, as needed.

use std::collections::{BTreeMap, BTreeSet};

use super::Lookups;
use super::error::nearest;
use super::fault::Fault;
use super::needed::{Duplicates, Grant, Seed, Source};
use super::resolve::{bytes, not_empty};
use super::source_file::{DuplicatesSection, GrantSection, SeedSection, SourceSection};
use super::words::Keep;
use dvsync_sources::{CsvSettings, DeclaredType, Settings, SourceKind};

pub(super) fn source(section: SourceSection, lookups: &Lookups<'_>) -> Result<Source, Fault> {
    let mut settings =
        file(section.kind, section.path, section.csv, section.types, "source", lookups)?;
    if let Some(rows) = section.infer_rows {
        settings.infer_rows = rows;
    }
    let range = 1 << 10..=256 << 20;
    settings.record_bytes_max =
        bytes(section.record_max, settings.record_bytes_max, range, "source.record_max")?;
    let key = distinct(section.key, "source.key")?;
    if key.is_empty() {
        return Err(
            Fault::at("source.key", "names no column").hint("name the columns that identify a row")
        );
    }
    let duplicates = duplicates(section.duplicates.unwrap_or_default())?;
    Ok(Source { settings, key, duplicates })
}

fn duplicates(section: DuplicatesSection) -> Result<Duplicates, Fault> {
    let keep = match (section.keep, &section.by) {
        (Some(Keep::Reject), Some(_)) => {
            return Err(Fault::at(
                "source.duplicates.by",
                "nothing is ordered where all are rejected",
            )
            .hint("remove `by`, or keep \"first\" or \"last\""));
        }
        (Some(keep), _) => keep,
        (None, Some(_)) => Keep::Last,
        (None, None) => Keep::Reject,
    };
    Ok(Duplicates { keep, by: section.by })
}

pub(super) fn grant(
    section: GrantSection,
    at: &str,
    lookups: &Lookups<'_>,
) -> Result<Grant, Fault> {
    match (section.path, section.entity) {
        (Some(path), None) => {
            file(section.kind, path, section.csv, section.types, at, lookups).map(Grant::Source)
        }
        (None, Some(entity)) => {
            let select = distinct(section.select, &format!("{at}.select"))?;
            if select.is_empty() {
                return Err(Fault::at(at, format!("no columns of `{entity}` are selected"))
                    .hint("name them: select = [\"...\"]"));
            }
            let entity = not_empty(entity, &format!("{at}.entity"))?;
            Ok(Grant::Entity { entity, select, filter: section.filter })
        }
        _ => Err(Fault::at(at, "a table comes from `path` or from `entity`, one of them")),
    }
}

pub(super) fn seed(section: SeedSection, at: &str, lookups: &Lookups<'_>) -> Result<Seed, Fault> {
    let settings = file(section.kind, section.path, section.csv, section.types, at, lookups)?;
    if section.columns.is_empty() {
        return Err(Fault::at(&format!("{at}.columns"), "names no column"));
    }
    let mut key = distinct(section.key, &format!("{at}.key"))?;
    if let Some(stranger) = key.iter().find(|column| !section.columns.contains_key(*column)) {
        let known = section.columns.keys().map(String::as_str);
        let message = format!("`{stranger}` is not among the columns");
        let mut fault = Fault::at(&format!("{at}.key"), message);
        fault.hint = nearest(stranger, known).map(|known| format!("did you mean `{known}`?"));
        return Err(fault);
    }
    if key.is_empty() {
        key = section.columns.keys().cloned().collect();
    }
    let entity = not_empty(section.entity, &format!("{at}.entity"))?;
    Ok(Seed { entity, settings, columns: section.columns, key })
}

fn file(
    kind: Option<SourceKind>,
    path: String,
    csv: Option<CsvSettings>,
    types: BTreeMap<String, DeclaredType>,
    at: &str,
    lookups: &Lookups<'_>,
) -> Result<Settings, Fault> {
    let path_at = format!("{at}.path");
    let path = not_empty(path, &path_at)?;
    if let Some((scheme, _)) = path.split_once("://") {
        return Err(Fault::at(&path_at, format!("sources at `{scheme}://` are not there yet"))
            .hint("copy the files to a local folder"));
    }
    let kind = match kind.or_else(|| kind_of(&path)) {
        Some(kind) => kind,
        None => {
            return Err(Fault::at(
                &path_at,
                format!("cannot tell the kind of `{path}` by its ending"),
            )
            .hint("say it: kind = \"csv\", \"json\", \"parquet\" or \"arrow\""));
        }
    };
    if csv.is_some() && kind != SourceKind::Csv {
        return Err(Fault::at(
            &format!("{at}.csv"),
            "these are settings of another kind of source",
        )
        .hint("remove them, or say kind = \"csv\""));
    }
    let mut settings = Settings::new(kind, path, lookups.root);
    settings.csv = csv.unwrap_or_default();
    settings.types = types;
    Ok(settings)
}

/// The kind that a file's ending tells; compression is looked through.
#[must_use]
pub fn kind_of(path: &str) -> Option<SourceKind> {
    let lower = path.to_ascii_lowercase();
    let plain =
        [".gz", ".gzip", ".zst", ".zstd"].iter().find_map(|ending| lower.strip_suffix(ending));
    let (_, ending) = plain.unwrap_or(&lower).rsplit_once('.')?;
    match ending {
        "csv" | "tsv" | "txt" => Some(SourceKind::Csv),
        "json" | "jsonl" | "ndjson" => Some(SourceKind::Json),
        "parquet" | "parq" => Some(SourceKind::Parquet),
        "arrow" | "arrows" | "ipc" | "feather" => Some(SourceKind::Arrow),
        _ => None,
    }
}

/// Names, none empty and none twice.
pub(super) fn distinct(names: Vec<String>, at: &str) -> Result<Vec<String>, Fault> {
    let mut seen = BTreeSet::new();
    for (position, name) in names.iter().enumerate() {
        let at = format!("{at}.{position}");
        if name.trim().is_empty() {
            return Err(Fault::at(&at, "is empty"));
        }
        if !seen.insert(name) {
            return Err(Fault::at(&at, format!("`{name}` is there twice")));
        }
    }
    Ok(names)
}
