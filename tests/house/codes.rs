//! Each code and status that a user can meet has a row in Troubleshooting.

use std::collections::BTreeSet;

use dvsync_engine::journal::{LetterState, RunStatus};

use super::tree::{files, root};

/// Crates that give codes to rows, and what is told of waits.
const PLACES: [&str; 4] =
    ["host/engine/src", "host/sources/src", "host/rules/src", "host/dataverse/src/session"];

/// What stands right before a code.
const MARKS: [&str; 6] =
    ["Fate::dead(", "Fate::deferred(", "Fate::dropped(", "code: ", "Err((", ": &str = "];

/// The text of a literal that looks like a code: `two_words`, or more.
fn code(rest: &str) -> Option<&str> {
    let (text, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    let looks = text.contains('_') || ["held", "appeared", "vanished", "filtered"].contains(&text);
    (looks && text.chars().all(plain)).then_some(text)
}

/// Codes in a source, without its tests.
fn codes(text: &str) -> BTreeSet<&str> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let after = |mark: &'static str| {
        text.match_indices(mark).filter_map(move |(at, _)| code(&text[at + mark.len()..]))
    };
    MARKS.into_iter().flat_map(after).collect()
}

#[test]
fn each_code_and_status_has_a_row_in_troubleshooting() {
    let page = std::fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let has_row = |word: &str| {
        let first = |row: &&str| row.split('|').nth(1).unwrap_or_default().to_owned();
        rows.iter().any(|row| first(row).contains(&format!("`{word}`")))
    };
    let mut found = BTreeSet::new();
    for file in files() {
        let path = file.to_str().unwrap_or_default();
        let is_code = PLACES.iter().any(|place| path.starts_with(place));
        if is_code && path.ends_with(".rs") && !path.contains("/tests") {
            let text = std::fs::read_to_string(root().join(&file)).unwrap();
            found.extend(codes(&text).into_iter().map(str::to_owned));
        }
    }
    // A change of how codes are written would leave nothing to check.
    assert!(found.len() > 30, "{found:?}");
    for known in ["key_missing", "text_too_long", "held", "rule_trap", "lookup_missing"] {
        assert!(found.contains(known), "{known} is not among {found:?}");
    }
    let statuses = RunStatus::ALL.map(RunStatus::as_str);
    let states = LetterState::ALL.map(LetterState::as_str);
    let all = found.iter().map(String::as_str).chain(statuses).chain(states);
    let missing: Vec<_> = all.filter(|word| !has_row(word)).collect();
    assert!(missing.is_empty(), "docs/troubleshooting.md has no row for {missing:?}");
}

#[test]
fn a_code_is_told_from_other_text() {
    let text = "Fate::dead(\n    \"key_missing\", \"a text\") code: \"x_y\".into() code: \"Some\"";
    assert_eq!(codes(text).into_iter().collect::<Vec<_>>(), ["key_missing", "x_y"]);
    assert!(codes("#[cfg(test)] code: \"a_b\"").is_empty());
}
