use serde_json::json;

use crate::harness::{Bench, guest};

const JOB: &str = "mode = \"upsert\"
[source]
path = \"rows.csv\"
key = [\"no\"]
[target]
entity = \"account\"
match = { key = [\"accountnumber\"] }
[columns.accountnumber]
from = \"no\"
[columns.name]
from = \"name\"
";

/// The job fails to begin with this text and hint, and nothing is written.
async fn check(from: &str, to: &str, message: &str, hint: &str) {
    assert!(JOB.contains(from), "{from}");
    let bench = Bench::new();
    bench.file("rows.csv", "no,name\n1,One\n");
    let job = bench.job(&JOB.replace(from, to));
    let error = bench.try_run(&job, None).await.unwrap_err();
    assert_eq!(error.to_string(), message);
    let said = error.hint().unwrap_or_default();
    assert!(said.contains(hint), "{said}");
    assert_eq!(bench.writes(), (0, 0));
    assert!(bench.rows("accounts", "$select=name").is_empty());
}

#[tokio::test]
async fn what_the_source_does_not_have_is_named() {
    check(
        "from = \"name\"",
        "from = \"nam\"",
        "[columns.name] reads `nam`, which the source does not have",
        "`name`",
    )
    .await;
    check(
        "[\"no\"]",
        "[\"nr\"]",
        "[source] key names `nr`, which the source does not have",
        "`no`",
    )
    .await;
}

#[tokio::test]
async fn what_the_target_does_not_have_is_named() {
    check(
        "[columns.name]",
        "[columns.nane]",
        "[columns.nane] sets column `nane`, which `account` does not have",
        "`name`",
    )
    .await;
    check(
        "match = { key = [\"accountnumber\"] }",
        "match = { key = [\"name\"] }",
        "`account` has no alternate key over `name`",
        "accountnumber",
    )
    .await;
    check(
        "[columns.name]",
        "[columns.createdon]",
        "column `createdon` of `account` cannot be written",
        "remove it",
    )
    .await;
}

#[tokio::test]
async fn an_entity_that_does_not_exist_is_named() {
    let bench = Bench::new();
    bench.file("rows.csv", "no,name\n1,One\n");
    let job = bench.job(&JOB.replace("\"account\"", "\"acount\""));
    let error = bench.try_run(&job, None).await.unwrap_err();
    assert!(error.to_string().contains("`acount`"), "{error}");
}

#[tokio::test]
async fn a_wrong_token_names_its_principal() {
    let bench = Bench::with(dvsync_emulator::Settings {
        principals: [("p".to_owned(), dvsync_emulator::PrincipalSettings::with_token("another"))]
            .into(),
        ..dvsync_emulator::Settings::default()
    });
    bench.file("rows.csv", "no,name\n1,One\n");
    let error = bench.try_run(&bench.job(JOB), None).await.unwrap_err();
    assert!(error.to_string().contains("principal `p` is refused"), "{error}");
    assert!(!format!("{error:?}").contains("emulator\""), "no token in errors: {error:?}");
    assert!(error.hint().unwrap().contains("token"));
}

#[tokio::test]
async fn a_server_that_is_no_dataverse_is_told_as_such() {
    let bench = Bench::new();
    bench.file("rows.csv", "no,name\n1,One\n");
    bench.fault(&json!({"effect": {"kind": "html", "status": 200}}));
    let error = bench.try_run(&bench.job(JOB), None).await.unwrap_err();
    assert!(error.to_string().contains("does not answer like a Dataverse"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_rule_is_refused_in_words() {
    let bench = Bench::new();
    bench.file("rows.csv", "no,name\n1,One\n");
    let job = bench.job(&format!("{JOB}[rules]\nplugin = \"own.wasm\"\n"));
    let error = bench.try_run(&job, Some(b"#!/bin/sh")).await.unwrap_err();
    assert!(error.to_string().contains("test rule"), "{error}");
    let mute = guest("guest-mute");
    let error = bench.try_run(&job, Some(&mute)).await.unwrap_err();
    assert!(error.to_string().contains("test rule"), "{error}");
    assert_eq!(bench.writes(), (0, 0));
}

#[tokio::test]
async fn a_rule_for_another_entity_is_refused() {
    let bench = Bench::new();
    bench.file("rows.csv", "account_number,name\n1,One\n");
    let job = "mode = \"upsert\"\n[source]\npath = \"rows.csv\"\nkey = [\"account_number\"]\n\
        [target]\nentity = \"contact\"\nmatch = \"rules\"\n[rules]\nplugin = \"account\"\n";
    let component = dvsync_cli::component("account").unwrap();
    let error = bench.try_run(&bench.job(job), Some(component)).await.unwrap_err();
    assert_eq!(error.to_string(), "rule `account` serves `account`, not `contact`");
}

#[tokio::test]
async fn a_table_that_the_job_does_not_grant_is_named() {
    let bench = Bench::schema(include_str!("../../examples/adventureworks/schema.toml"));
    bench.file("rows.csv", "account_number,name\n1,One\n");
    let job = "mode = \"upsert\"\n[source]\npath = \"rows.csv\"\nkey = [\"account_number\"]\n\
        [target]\nentity = \"account\"\nmatch = \"rules\"\n[rules]\nplugin = \"account\"\n";
    let component = dvsync_cli::component("account").unwrap();
    let error = bench.try_run(&bench.job(job), Some(component)).await.unwrap_err();
    assert!(error.to_string().contains("salespeople"), "{error}");
    assert_eq!(error.hint().unwrap(), "add `[tables.salespeople]` to the job");
}

#[tokio::test]
async fn an_empty_file_is_told_as_such() {
    let bench = Bench::new();
    bench.file("rows.csv", "");
    let error = bench.try_run(&bench.job(JOB), None).await.unwrap_err();
    assert!(error.to_string().contains("rows.csv"), "{error}");
}
