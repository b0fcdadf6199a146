//! Job files in, jobs or exact faults out.

use expect_test::{Expect, expect, expect_file};

use super::*;

mod refused;
mod resolved;

/// The smallest job; tests put their lines before or behind it.
const SMALL: &str = r#"name = "accounts"
mode = "upsert"
[source]
path = "accounts.csv"
key = ["number"]
[target]
url = "emulator"
entity = "account"
match = { key = ["accountnumber"] }
[columns.accountnumber]
from = "number"
"#;

fn env(name: &str) -> Option<String> {
    match name {
        "LOADER_SECRET" => Some("hunter2".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn load(file: &str, text: &str, set: &[(&str, &str)]) -> Result<Job, JobError> {
    let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Job::parse(Path::new(file), text, &set, &env)
}

fn job(text: &str) -> Job {
    load("jobs/a.toml", text, &[]).unwrap()
}

#[test]
fn the_schema_is_the_published_one() {
    let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    expect_file!["../../../../docs/job-file.schema.json"].assert_eq(&schema);
}

#[test]
fn each_key_of_the_job_file_is_documented() {
    let page = include_str!("../../../../docs/job-file.md");
    let schema = schema();
    let sections = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    let keys: Vec<&String> = sections
        .filter_map(|section| section["properties"].as_object())
        // What sources say of themselves stands in docs/sources.md.
        .filter(|properties| !properties.contains_key("delimiter"))
        .flat_map(|properties| properties.keys())
        .collect();
    assert!(keys.len() > 70, "only {} keys were found", keys.len());
    let named = |key: &str| {
        [format!("`{key}`"), format!("`[{key}"), format!("`[[{key}")]
            .iter()
            .any(|form| page.contains(form.as_str()))
    };
    let missing: Vec<_> = keys.into_iter().filter(|key| !named(key)).collect();
    assert!(missing.is_empty(), "docs/job-file.md does not name {missing:?}");
}
