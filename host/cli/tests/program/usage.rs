//! What is typed wrong is told with place and hint, and ends with 64.

use crate::harness::{JOB, Place};

#[test]
fn an_unknown_command_ends_with_64_and_says_so_on_stderr() {
    let ended = Place::new(0).run(&["rum", "job.toml"]);
    assert_eq!(ended.exit, Some(64));
    assert!(ended.stdout.is_empty());
    assert!(ended.stderr.contains("unrecognized subcommand 'rum'"), "{}", ended.stderr);
}

#[test]
fn help_and_version_are_answers() {
    let place = Place::new(0);
    let help = place.run(&["--help"]);
    assert_eq!(help.exit, Some(0));
    assert!(help.stdout.contains("Exit codes: 0 complete"), "{}", help.stdout);
    assert_eq!(
        place.run(&["--version"]).stdout,
        concat!("dvsync ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn a_wrong_job_file_is_told_with_its_place_and_a_hint() {
    let place = Place::new(0);
    place.write("job.toml", &JOB.replace("entity =", "entiy ="));
    let ended = place.run(&["run", "job.toml"]);
    assert_eq!(ended.exit, Some(64));
    assert_eq!(
        ended.stderr,
        "error: job.toml:9:1: unknown key `entiy`\nhint: did you mean `entity`?\n"
    );
    assert!(ended.stdout.is_empty());
}

#[test]
fn a_missing_job_file_says_why() {
    let ended = Place::new(0).run(&["run", "other.toml"]);
    assert_eq!(ended.exit, Some(64));
    assert!(ended.stderr.starts_with("error: cannot read job file `other.toml`\n  because: "));
}

#[test]
fn a_secret_in_the_job_file_is_refused_and_not_shown() {
    let place = Place::new(0);
    place.write("job.toml", &format!("{JOB}[[target.principals]]\ntoken = \"hunter2\"\n"));
    for command in ["run", "check"] {
        let ended = place.run(&[command, "job.toml"]);
        assert_eq!(ended.exit, Some(64));
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("a secret must not stand in the job file"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_rule_that_is_not_shipped_is_told_with_those_that_are() {
    let place = Place::new(1);
    place.write("job.toml", &format!("{JOB}[rules]\nplugin = \"acount\"\n"));
    let ended = place.run(&["run", "job.toml"]);
    assert_eq!(ended.exit, Some(64));
    assert!(ended.stderr.contains("no rule `acount` is shipped"), "{}", ended.stderr);
    assert!(ended.stderr.contains("`account` and `contact`"), "{}", ended.stderr);
}

#[test]
fn another_version_of_a_shipped_rule_is_refused() {
    let place = Place::new(1);
    place.write("job.toml", &format!("{JOB}[rules]\nplugin = \"account@9.9.9\"\n"));
    let ended = place.run(&["run", "job.toml"]);
    assert_eq!(ended.exit, Some(64));
    assert!(ended.stderr.contains("the job wants rule `account@9.9.9`"), "{}", ended.stderr);
}

#[test]
fn the_schema_is_json() {
    let schema = Place::new(0).json(&["schema"], 0);
    assert_eq!(schema["title"], "JobFile");
}
