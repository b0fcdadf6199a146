//! Files stay of a size one can hold in mind, and say nothing of somebody's
//! machine.

use super::tree::{files, root};

/// Lines of a Rust file; more is a file with two jobs.
const LINES_MAX: usize = 600;
/// What a generator wrote; nobody reads or edits it.
const GENERATED: &str = "plugins/sdk/src/bindings";

#[test]
fn no_source_file_outgrows_the_limit() {
    let long: Vec<_> = files()
        .into_iter()
        .filter(|file| file.extension().is_some_and(|ending| ending == "rs"))
        .filter(|file| !file.starts_with(GENERATED))
        .map(|file| (std::fs::read_to_string(root().join(&file)).unwrap().lines().count(), file))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .collect();
    assert!(long.is_empty(), "more than {LINES_MAX} lines: {long:?}");
}

#[test]
fn no_file_names_a_path_of_a_machine() {
    // Put together here, or this file would be found.
    let homes = ["/ro", "/ho", "/Us", "/wo"].into_iter().zip(["ot/", "me/", "ers/", "rk/"]);
    let homes: Vec<String> = homes.map(|(start, end)| format!("{start}{end}")).collect();
    let mut found = Vec::new();
    for file in files() {
        // Binary files hold no paths that anybody wrote.
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            // Part of a longer path is something else: `a/b/` within `x/a/b/`.
            let is_absolute = |at: usize| {
                !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-".contains(c))
            };
            if homes.iter().any(|home| line.match_indices(home).any(|(at, _)| is_absolute(at))) {
                found.push(format!("{}:{}: {line}", file.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
