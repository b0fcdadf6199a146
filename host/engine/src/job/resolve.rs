//! From the job as typed to the job as needed.
//!
//! Pure but for secret files. Each fault carries the path of the key that has
//! to change.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::Lookups;
use super::fault::Fault;
use super::file::{
    BatchSection, ColumnSection, JobFile, JournalSection, LimitsSection, RecordsTyped,
    RetrySection, RulesSection,
};
use super::needed::{
    Batch, ColumnMapping, ColumnSource, Job, Journal, Limits, LookupBy, Plugin, Retry, RuleLimits,
    Rules,
};
use super::resolve_source::{grant, source};
use super::resolve_target::target;
use super::units::{Size, Span};
use super::words::{Isolation, Mode, ModeWord, OnFailure, OnMissing, TooLong, WhenNull};

pub(super) fn job(file: JobFile, path: &Path, lookups: &Lookups<'_>) -> Result<Job, Fault> {
    let name = name(file.name)?;
    let mode = mode(file.mode)?;
    let rules = file.rules.map(|section| rules(section, lookups)).transpose()?;
    let source = source(file.source, lookups)?;
    let target = target(file.target, mode, rules.is_some(), lookups)?;
    let tables = file
        .tables
        .into_iter()
        .map(|(name, section)| {
            let at = format!("tables.{name}");
            grant(section, &at, lookups).map(|grant| (name, grant))
        })
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    if rules.is_none() {
        if let Some(table) = tables.keys().next() {
            let message = format!("table `{table}` is granted, but there is no rule to use it");
            return Err(Fault::at("tables", message).hint("add [rules], or remove [tables]"));
        }
        if file.columns.is_empty() {
            return Err(Fault::at("", "the job fills no column")
                .hint("add [columns.<name>] sections, or a rule by [rules]"));
        }
    }
    let columns = file
        .columns
        .into_iter()
        .map(|(name, section)| {
            let at = format!("columns.{name}");
            column(section, &at, rules.is_some()).map(|mapping| (name, mapping))
        })
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    let journal = journal(file.journal, &name, lookups)?;
    Ok(Job {
        name,
        file: path.to_owned(),
        mode,
        source,
        target,
        rules,
        tables,
        columns,
        batch: batch(file.batch)?,
        retry: retry(file.retry)?,
        limits: limits(file.limits)?,
        journal,
    })
}

fn name(name: String) -> Result<String, Fault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(plain) {
        return Err(Fault::at("name", format!("`{name}` cannot name a job"))
            .hint("use letters, digits, `-`, `_` and `.`, at most 100"));
    }
    Ok(name)
}

fn mode(mode: ModeWord) -> Result<Mode, Fault> {
    let (word, hint) = match mode {
        ModeWord::Insert => return Ok(Mode::Insert),
        ModeWord::Update => return Ok(Mode::Update),
        ModeWord::Upsert => return Ok(Mode::Upsert),
        ModeWord::Append => ("append", "use `insert`, which needs a key"),
        ModeWord::Delete => ("delete", "let a rule set `statecode` in mode `update`"),
        ModeWord::Mirror => ("mirror", "use `upsert`; what left the source stays as it is"),
    };
    Err(Fault::at("mode", format!("mode `{word}` is not there yet")).hint(hint))
}

fn rules(section: RulesSection, lookups: &Lookups<'_>) -> Result<Rules, Fault> {
    if section.wasi {
        return Err(Fault::at("rules.wasi", "rules that import WASI are not admitted yet")
            .hint("build the rule without WASI: for `wasm32-unknown-unknown`"));
    }
    let limits = section.limits;
    let settings = section.settings.unwrap_or_default().into_iter().collect();
    Ok(Rules {
        plugin: plugin(&section.plugin, lookups)?,
        settings: serde_json::Value::Object(settings),
        isolation: section.isolation.unwrap_or(Isolation::Warm),
        on_failure: section.on_failure.unwrap_or(OnFailure::DeadLetter),
        limits: RuleLimits {
            memory: limits
                .memory
                .map(|memory| bytes(Some(memory), 0, 1 << 20..=4 << 30, "rules.limits.memory"))
                .transpose()?,
            time_per_call: limits
                .time_per_call
                .map(|time| span(Some(time), 0, 10..=600_000, "rules.limits.time_per_call"))
                .transpose()?,
            output: bytes(limits.output, 128 << 20, 1 << 10..=1 << 30, "rules.limits.output")?,
            log_lines: limits.log_lines.unwrap_or(100),
            narrowing_calls: limits.narrowing_calls.unwrap_or(1000),
        },
    })
}

fn plugin(text: &str, lookups: &Lookups<'_>) -> Result<Plugin, Fault> {
    let at = "rules.plugin";
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(Fault::at(at, format!("rules from `{scheme}://` are not there yet"))
            .hint("name a shipped rule or a file"));
    }
    let is_path = text.contains(['/', '\\']) || text.ends_with(".wasm");
    if is_path {
        return Ok(Plugin::File(lookups.absolute(Path::new(text))));
    }
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version.to_owned())),
        None => (text, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(plain) || version.as_deref() == Some("") {
        return Err(Fault::at(at, format!("`{text}` names no rule"))
            .hint("write \"account\", \"account@0.1.0\" or a path that ends in .wasm"));
    }
    Ok(Plugin::Shipped { name: name.to_owned(), version })
}

fn column(section: ColumnSection, at: &str, has_rule: bool) -> Result<ColumnMapping, Fault> {
    let given = [section.from.is_some(), section.value.is_some(), section.lookup.is_some()];
    if given.iter().filter(|given| **given).count() > 1 {
        return Err(Fault::at(at, "a column is filled by one of `from`, `value` and `lookup`"));
    }
    let source = if let Some(from) = section.from {
        ColumnSource::From(not_empty(from, &format!("{at}.from"))?)
    } else if let Some(value) = section.value {
        if value.is_array() || value.is_object() {
            let message = format!("expected text, a number or a boolean, found `{value}`");
            return Err(Fault::at(&format!("{at}.value"), message));
        }
        ColumnSource::Constant(value)
    } else if let Some(lookup) = section.lookup {
        let at = format!("{at}.lookup");
        ColumnSource::Lookup(LookupBy {
            entity: not_empty(lookup.entity, &format!("{at}.entity"))?,
            by: not_empty(lookup.by, &format!("{at}.by"))?,
            from: not_empty(lookup.from, &format!("{at}.from"))?,
            on_missing: lookup.on_missing.unwrap_or(OnMissing::Reject),
        })
    } else if has_rule {
        ColumnSource::Rule
    } else {
        return Err(Fault::at(at, "nothing fills this column")
            .hint("say where its value comes from: from = \"column\""));
    };
    Ok(ColumnMapping {
        source,
        sanitize: section.sanitize,
        too_long: section.too_long.unwrap_or(TooLong::Reject),
        options: section.options,
        format: section.format,
        when_null: section.when_null.unwrap_or(WhenNull::Clear),
        mask: section.mask,
    })
}

fn batch(section: BatchSection) -> Result<Batch, Fault> {
    let at = "batch.records";
    let records = match section.records {
        None => 200,
        Some(RecordsTyped::Number(number)) => match usize::try_from(number) {
            Ok(number @ 1..=1000) => number,
            _ => return Err(Fault::at(at, format!("expected 1 to 1000, found `{number}`"))),
        },
        Some(RecordsTyped::Word(word)) if word == "auto" => {
            return Err(Fault::at(at, "batches that learn their size are not there yet")
                .hint("give a number; 200 is a good start"));
        }
        Some(RecordsTyped::Word(word)) => {
            return Err(Fault::at(at, format!("expected a number of records, found `{word}`")));
        }
    };
    let bytes_max = bytes(section.bytes_max, 8 << 20, 64 << 10..=100 << 20, "batch.bytes_max")?;
    Ok(Batch { records, bytes_max })
}

fn retry(section: RetrySection) -> Result<Retry, Fault> {
    let attempts = section.attempts.unwrap_or(6);
    if !(1..=20).contains(&attempts) {
        let message = format!("expected 1 to 20, found `{attempts}`");
        return Err(Fault::at("retry.attempts", message));
    }
    let base = span(section.base, 500, 1..=600_000, "retry.base")?;
    let max = span(section.max, 30_000, 1..=3_600_000, "retry.max")?;
    if max < base {
        return Err(Fault::at("retry.max", "the longest wait is shorter than the first")
            .hint("raise `retry.max` or lower `retry.base`"));
    }
    let deferred_backoff =
        span(section.deferred_backoff, 30_000, 1..=DAY, "retry.deferred_backoff")?;
    let deferred_deadline =
        span(section.deferred_deadline, 600_000, 0..=7 * DAY, "retry.deferred_deadline")?;
    Ok(Retry { attempts, base, max, deferred_backoff, deferred_deadline })
}

fn limits(section: LimitsSection) -> Result<Limits, Fault> {
    if let Some(percent) = section.dead_letters_max_percent
        && !(0.0..=100.0).contains(&percent)
    {
        let message = format!("expected 0 to 100, found `{percent}`");
        return Err(Fault::at("limits.dead_letters_max_percent", message));
    }
    if let Some(requests) = section.requests_per_second
        && !(0.001..=1000.0).contains(&requests)
    {
        let message = format!("expected 0.001 to 1000, found `{requests}`");
        return Err(Fault::at("limits.requests_per_second", message));
    }
    if section.records_per_day == Some(0) {
        return Err(Fault::at("limits.records_per_day", "expected at least 1, found `0`")
            .hint("remove the key for no limit"));
    }
    Ok(Limits {
        wait_max: span(section.wait_max, 600_000, 0..=7 * DAY, "limits.wait_max")?,
        commit_within: span(section.commit_within, 150_000, 0..=DAY, "limits.commit_within")?,
        bad_lines_max: section.bad_lines_max.unwrap_or(1000),
        requests_per_second: section.requests_per_second,
        records_per_day: section.records_per_day,
        dead_letters_max_percent: section.dead_letters_max_percent,
        memory: bytes(section.memory, 64 << 20, 1 << 20..=64 << 30, "limits.memory")?,
    })
}

fn journal(section: JournalSection, name: &str, lookups: &Lookups<'_>) -> Result<Journal, Fault> {
    let path = section.path.unwrap_or_else(|| Path::new(".dvsync").join(format!("{name}.db")));
    Ok(Journal {
        path: lookups.absolute(&path),
        durability: section.durability.unwrap_or_default(),
        retention: span(section.retention, 90 * DAY, 0..=36_500 * DAY, "journal.retention")?,
    })
}

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

pub(super) fn not_empty(text: String, at: &str) -> Result<String, Fault> {
    if text.trim().is_empty() { Err(Fault::at(at, "is empty")) } else { Ok(text) }
}

/// A duration, or its default; bounds are in milliseconds.
pub(super) fn span(
    typed: Option<Span>,
    default: u64,
    bounds: std::ops::RangeInclusive<u64>,
    at: &str,
) -> Result<Duration, Fault> {
    let Some(Span(duration)) = typed else { return Ok(Duration::from_millis(default)) };
    let (low, high) =
        (Duration::from_millis(*bounds.start()), Duration::from_millis(*bounds.end()));
    if duration < low || duration > high {
        let message = format!("expected {low:?} to {high:?}, found {duration:?}");
        return Err(Fault::at(at, message));
    }
    Ok(duration)
}

/// A size, or its default.
pub(super) fn bytes(
    typed: Option<Size>,
    default: usize,
    bounds: std::ops::RangeInclusive<u64>,
    at: &str,
) -> Result<usize, Fault> {
    let Some(Size(size)) = typed else { return Ok(default) };
    match usize::try_from(size) {
        Ok(fitting) if bounds.contains(&size) => Ok(fitting),
        _ => {
            let (low, high) = (bounds.start(), bounds.end());
            let message = format!("expected {low} to {high} bytes, found {size}");
            Err(Fault::at(at, message))
        }
    }
}
