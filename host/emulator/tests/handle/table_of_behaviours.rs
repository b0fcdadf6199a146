//! The table of behaviours names tests and switches that exist, and all switches.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Rows of the tables, as their cells.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let lines = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    lines
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells.first() != Some(&"behaviour"))
        .collect()
}

/// Texts between backticks.
fn spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_row_has_a_test_that_exists() {
    let page = read("../../docs/emulator-behaviours.md");
    let rows = rows(&page);
    assert!(rows.len() > 100, "{} rows", rows.len());
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
    let page = read("../../docs/emulator-behaviours.md");
    let binary = read("tests/handle.rs");
    let files: BTreeSet<PathBuf> = rows(&page)
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
    let page = read("../../docs/emulator-behaviours.md");
    let source = read("src/settings.rs");
    let (_, behavior) = source.split_once("pub struct Behavior {").unwrap();
    let (behavior, _) = behavior.split_once("\n}").unwrap();
    let switches: BTreeSet<&str> = behavior
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'))
        .map(|(name, _)| name)
        .collect();
    let named: BTreeSet<&str> = rows(&page)
        .iter()
        .flat_map(|cells| spans(cells[1]))
        .filter_map(|span| span.split_once(" = ").map(|(name, _)| name))
        .collect();
    assert_eq!(named, switches);
}
