//! Documents that drift are worse than none.

use std::path::{Path, PathBuf};

use super::tree::{files, root};

/// Texts between backticks, outside of fenced blocks.
fn code_spans(text: &str) -> Vec<&str> {
    let mut spans = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            spans.extend(line.split('`').skip(1).step_by(2));
        }
    }
    spans
}

/// Targets of `[text](target)`, without those of the web and of the page.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .collect()
}

/// A code span that means a path of this tree.
fn as_path(span: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-@".contains(c);
    let looks = span.contains('/') || span.ends_with(".md") || span.ends_with(".toml");
    (looks && span.chars().all(plain) && !span.starts_with('/')).then_some(span)
}

#[test]
fn paths_named_in_the_architecture_exist() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let paths: Vec<&str> = code_spans(&text).into_iter().filter_map(as_path).collect();
    assert!(paths.len() > 20, "the page names {} paths only", paths.len());
    let missing: Vec<_> = paths.iter().filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names what does not exist: {missing:?}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut missing = Vec::new();
    for page in files().into_iter().filter(|file| file.extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(root().join(&page)).unwrap();
        let folder = page.parent().map_or_else(PathBuf::new, Path::to_owned);
        for link in links(&text) {
            if !root().join(&folder).join(link).exists() {
                missing.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(missing.is_empty(), "links that lead nowhere:\n{}", missing.join("\n"));
}

#[test]
fn a_path_is_told_from_other_code() {
    assert_eq!(as_path("host/engine/src/job.rs"), Some("host/engine/src/job.rs"));
    assert_eq!(as_path("deny.toml"), Some("deny.toml"));
    assert_eq!(as_path("cargo run"), None);
    assert_eq!(as_path("Job::load"), None);
    let text = "a `b/c` and\n```\n`d/e`\n```\n[f](g.md#h) [i](https://j)";
    assert_eq!(code_spans(text), ["b/c"]);
    assert_eq!(links(text), ["g.md"]);
}
