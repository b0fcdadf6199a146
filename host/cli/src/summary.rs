//! A report for people and for programs.

use std::io::Write;
use std::path::{Path, PathBuf};

use dvsync_engine::Report;
use dvsync_engine::journal::RunStatus;
use dvsync_model::{Counts, Outcome};

use crate::args::Format;
use crate::failure::Failure;

/// Causes that are shown; the journal has all.
const CAUSES_SHOWN: usize = 10;

/// Prints a report on stdout.
pub(crate) fn print(report: &Report, format: Format) -> Result<(), Failure> {
    let text = match format {
        Format::Text => text(report),
        Format::Json => json(report)?,
    };
    out(&text)
}

/// Prints data on stdout. A reader that has seen enough (`| head`) is content.
pub(crate) fn out(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::because("cannot print the result", error)),
        Ok(()) => Ok(()),
    }
}

/// Keeps the report beside the journal, under the job's name, and says where.
pub(crate) fn keep(report: &Report) -> Result<PathBuf, Failure> {
    let folder = report.journal.parent().unwrap_or(Path::new("."));
    let path = folder.join(format!("{}.report.json", report.job));
    std::fs::write(&path, json(report)?).map_err(|error| {
        Failure::because(format!("cannot keep the report as `{}`", path.display()), error)
    })?;
    Ok(path)
}

fn json(report: &Report) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(report)
        .map_err(|error| Failure::bug("cannot write the report as JSON", error))?;
    text.push('\n');
    Ok(text)
}

fn text(report: &Report) -> String {
    let mut lines = vec![headline(report), counts(&report.counts)];
    lines.push(format!(
        "  {} requests, {} retried, {} throttled; {:.1} s, {:.0} rows/s",
        report.requests.sent,
        report.requests.retried,
        report.requests.throttled,
        report.seconds,
        report.records_per_second
    ));
    if report.principals.len() > 1 {
        for principal in &report.principals {
            lines.push(format!(
                "  principal {}: {} requests, {} throttled, {} records",
                principal.name, principal.sent, principal.throttled, principal.records
            ));
        }
    }
    for rule in &report.rules {
        let digest: String = rule.digest.chars().take(19).collect();
        lines.push(format!("  rule {}@{} ({digest}...)", rule.name, rule.version));
    }
    lines.extend(swaps(report));
    lines.extend(causes(report));
    if let Some(message) = &report.message {
        lines.push(format!("  stopped: {message}"));
    }
    if let Some(hint) = &report.hint {
        lines.push(format!("  hint: {hint}"));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn headline(report: &Report) -> String {
    let how = match report.status {
        RunStatus::Complete => "complete",
        RunStatus::WithDeadLetters => "complete, with dead letters",
        RunStatus::Incomplete => "incomplete; --resume goes on",
        RunStatus::Failed => "failed",
        RunStatus::Running => "running",
        RunStatus::Interrupted => "interrupted; --resume goes on",
    };
    let written = match report.counts.written() {
        0 => "nothing was written",
        _ => "",
    };
    let between = if written.is_empty() { "" } else { ", " };
    format!("{}: {how}{between}{written}", report.job)
}

/// `701 read: 701 created`; outcomes that did not happen are left out.
pub(crate) fn counts(counts: &Counts) -> String {
    let mut parts: Vec<String> = Outcome::ALL
        .into_iter()
        .filter(|outcome| counts.of(*outcome) > 0)
        .map(|outcome| format!("{} {}", counts.of(outcome), word(outcome)))
        .collect();
    if counts.departed > 0 {
        parts.push(format!("{} departed", counts.departed));
    }
    let mut line = format!("  {} read", counts.read);
    if !parts.is_empty() {
        line.push_str(": ");
        line.push_str(&parts.join(", "));
    }
    if counts.not_reached > 0 {
        line.push_str(&format!("; {} not reached", counts.not_reached));
    }
    line
}

/// An outcome as people read it.
pub(crate) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Upserted => "upserted",
        Outcome::Deactivated => "deactivated",
        Outcome::Deleted => "deleted",
        Outcome::Unchanged => "unchanged",
        Outcome::Dropped => "dropped",
        Outcome::Deferred => "deferred",
        Outcome::DeadLettered => "dead-lettered",
    }
}

/// What became of versions of the rule that came while the run went on.
fn swaps(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for swap in &report.swaps {
        let why = swap.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        lines.push(format!("  swap to {}: {}{why}", swap.name, swap.stage.replace('_', " ")));
        lines.extend(swap.notes.iter().map(|note| format!("      {note}")));
        let again = &swap.judged_again;
        if again.written > 0 {
            lines.push(format!(
                "      {} records that it wrote were judged again, for example `{}`",
                again.written,
                again.keys.first().map_or("", String::as_str)
            ));
        }
        if again.left > 0 {
            lines.push(format!(
                "      {} records that it wrote are left behind: look at them",
                again.left
            ));
        }
    }
    lines
}

/// Why rows were not written: one line a cause and an example.
fn causes(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for cause in report.causes.iter().take(CAUSES_SHOWN) {
        lines.push(format!(
            "  {} {}: {}, for example {}",
            cause.count,
            word(cause.outcome),
            at_fault(&cause.code, cause.column.as_deref()),
            cause.first
        ));
        lines.push(format!("      {}", cause.message));
        if let Some(hint) = &cause.hint {
            lines.push(format!("      hint: {hint}"));
        }
    }
    let more = report.causes.len().saturating_sub(CAUSES_SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more causes: dvsync runs show {}", report.run_id));
    }
    lines
}

/// `bad-phone in phone`
pub(crate) fn at_fault(code: &str, column: Option<&str>) -> String {
    match column {
        Some(column) => format!("{code} in `{column}`"),
        None => code.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_that_did_not_happen_are_left_out() {
        let mut some = Counts::default();
        assert_eq!(counts(&some), "  0 read");
        some.settle(Outcome::Created);
        some.settle(Outcome::Created);
        some.settle(Outcome::DeadLettered);
        some.not_reached = 4;
        assert_eq!(counts(&some), "  3 read: 2 created, 1 dead-lettered; 4 not reached");
    }
}
