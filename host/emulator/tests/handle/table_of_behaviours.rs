//! The pages name tests, switches and refusals that exist, all of them, and how they
//! are by default; no guess is without a switch.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dvsync_emulator::Codes;
use serde_json::Value;

use crate::desk::Desk;

const PAGE: &str = "../../docs/emulator-behaviours.md";
const GUIDE: &str = "../../docs/emulator.md";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Rows of the tables whose first column is called `first`, as their cells.
fn rows<'p>(page: &'p str, first: &str) -> Vec<Vec<&'p str>> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in page.lines() {
        if !line.starts_with("| ") {
            inside = false;
            continue;
        }
        let line = line.strip_prefix("| ").unwrap().strip_suffix(" |").unwrap_or(line);
        let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
        match cells[0] {
            name if name == first => inside = true,
            "---" => {}
            _ if inside => found.push(cells),
            _ => {}
        }
    }
    found
}

/// Texts between backticks.
fn spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The switches and their defaults, as TOML spells them.
fn switches() -> BTreeMap<String, String> {
    let all = Desk::new().send("GET /emulator/behavior").json();
    let Value::Object(mut all) = all else { panic!("{all}") };
    assert!(all.remove("codes").is_some());
    all.into_iter().map(|(name, value)| (name, value.to_string())).collect()
}

#[test]
fn every_row_has_a_test_that_exists() {
    let page = read(PAGE);
    let rows = rows(&page, "behaviour");
    assert!(rows.len() > 130, "{} rows", rows.len());
    for cells in rows {
        assert_eq!(cells.len(), 3, "{cells:?}");
        assert!(!cells[0].is_empty() && !cells[1].is_empty(), "{cells:?}");
        let tests: Vec<&str> = spans(cells[2]);
        assert!(!tests.is_empty(), "no test: {cells:?}");
        for test in tests {
            let (file, name) = test.split_once("::").unwrap();
            let source = read(file);
            let signature = format!("fn {name}(");
            let at = source.find(&signature).unwrap_or_else(|| panic!("{test} does not exist"));
            assert!(source[..at].trim_end().ends_with("#[test]"), "{test} is no test");
        }
    }
}

#[test]
fn every_file_of_tests_that_is_named_is_part_of_the_binary() {
    let page = read(PAGE);
    let binary = read("tests/handle.rs");
    let files: BTreeSet<PathBuf> = rows(&page, "behaviour")
        .iter()
        .flat_map(|cells| spans(cells[2]))
        .map(|test| PathBuf::from(test.split("::").next().unwrap()))
        .collect();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(binary.contains(&format!("handle/{name}")), "{name}");
    }
}

#[test]
fn switches_and_the_page_name_each_other() {
    let page = read(PAGE);
    let named: BTreeMap<String, String> = rows(&page, "behaviour")
        .iter()
        .flat_map(|cells| spans(cells[1]))
        .filter_map(|span| span.split_once(" = "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(named, switches());
}

#[test]
fn the_guide_lists_all_switches_with_their_defaults() {
    let guide = read(GUIDE);
    let listed: BTreeMap<String, String> = rows(&guide, "key")
        .iter()
        .map(|cells| (spans(cells[0])[0].to_owned(), spans(cells[1])[0].to_owned()))
        .collect();
    assert_eq!(listed, switches());
}

#[test]
fn no_guess_is_without_a_switch() {
    let page = read(PAGE);
    let switches = switches();
    let codes: BTreeSet<&str> = Codes::names().map(|(name, ..)| name).collect();
    let mut guesses = 0;
    for cells in rows(&page, "behaviour") {
        let mut turned = 0;
        for span in spans(cells[1]) {
            if let Some(name) = span.strip_prefix("codes.") {
                assert!(codes.contains(name), "no refusal `{name}`: {cells:?}");
                turned += 1;
            } else if let Some((name, _)) = span.split_once(" = ") {
                assert!(switches.contains_key(name), "no switch `{name}`: {cells:?}");
                turned += 1;
            }
        }
        if cells.iter().any(|cell| cell.contains("UNCONFIRMED")) {
            guesses += 1;
            assert!(turned > 0, "a guess without a switch: {cells:?}");
        }
    }
    assert!(guesses >= 37, "{guesses} guesses");
}

#[test]
fn the_page_lists_all_refusals_as_they_are() {
    let page = read(PAGE);
    let listed: Vec<(String, String, String)> = rows(&page, "name")
        .iter()
        .map(|cells| {
            assert!(!cells[3].is_empty(), "{cells:?}");
            let code = spans(cells[2]).first().copied().unwrap_or_default();
            (spans(cells[0])[0].to_owned(), cells[1].to_owned(), code.to_owned())
        })
        .collect();
    let known: Vec<(String, String, String)> = Codes::names()
        .map(|(name, status, code)| (name.to_owned(), status.to_string(), code.to_owned()))
        .collect();
    assert_eq!(listed, known);
}

#[test]
fn what_is_not_done_is_refused_with_the_status_that_is_listed() {
    let page = read(PAGE);
    let desk = Desk::with("[tables.account.columns]\nnew_scan = { type = \"file\" }");
    let rows = rows(&page, "what");
    assert!(rows.len() > 10, "{} rows", rows.len());
    for cells in rows {
        let example = spans(cells[1]);
        let body = example.get(1).copied().unwrap_or_default();
        let answer = desk.send(&format!("{}\n\n{body}", example[0]));
        assert_eq!(answer.status().to_string(), cells[2], "{}: {}", example[0], answer.text());
    }
}
