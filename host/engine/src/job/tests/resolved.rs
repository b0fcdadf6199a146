//! What a run gets of a job file.

use std::time::Duration;

use dvsync_dataverse::{Credential, DopHintScope};

use super::*;

#[test]
fn a_small_job_has_every_default() {
    let job = job(SMALL);
    assert_eq!(job.mode, Mode::Upsert);
    assert_eq!(job.source.settings.root, Path::new("jobs"));
    assert_eq!(job.source.duplicates, Duplicates { keep: Keep::Reject, by: None });
    assert_eq!(job.target.matching, Match::Key(vec!["accountnumber".to_owned()]));
    assert_eq!(job.target.lookup, LookupWord::Columns);
    assert!(job.target.headers.suppress_duplicate_detection);
    assert_eq!(job.target.timeout, Duration::from_secs(150));
    assert_eq!(job.batch.records, 200);
    assert_eq!(job.limits.dead_letters_max_percent, None);
    assert_eq!((job.limits.requests_per_second, job.limits.records_per_day), (None, None));
    assert_eq!(job.target.dop_hint_scope, DopHintScope::Environment);
    assert_eq!(job.journal.path, Path::new("jobs/.dvsync/accounts.db"));
    let TargetUrl::Emulator(emulator) = job.target.url else { panic!("not the emulator") };
    assert_eq!(emulator.state, Path::new("jobs/.dvsync/emulator"));
    assert!(matches!(job.target.principals[0].credential, Credential::Token(_)));
}

#[test]
fn what_the_job_wants_to_spend_reaches_the_client() {
    let text = SMALL.replace("entity =", "dop_hint_scope = \"principal\"\nentity =");
    let text = format!("{text}[limits]\nrequests_per_second = 2.5\nrecords_per_day = 100\n");
    let settings = crate::client_settings(&job(&text), "https://contoso.crm4.dynamics.com");
    assert_eq!(settings.dop_hint_scope, DopHintScope::Principal);
    assert_eq!(settings.pace.requests_per_second, Some(2.5));
    assert_eq!(settings.pace.records_per_day, Some(100));
}

#[test]
fn duplicates_keep_the_last_where_an_order_is_named() {
    let text = SMALL.replace("[target]", "duplicates = { by = \"modified\" }\n[target]");
    let duplicates = job(&text).source.duplicates;
    assert_eq!(duplicates, Duplicates { keep: Keep::Last, by: Some("modified".to_owned()) });
}

#[test]
fn a_given_variable_replaces_its_default() {
    let text = SMALL.replace("accounts.csv", "${data}/accounts.csv");
    let text = format!("{text}[variables]\ndata = \"data\"\n");
    let path = |set| load("a.toml", &text, set).unwrap().source.settings.path;
    assert_eq!(path(&[]), "data/accounts.csv");
    assert_eq!(path(&[("data", "/mnt/x")]), "/mnt/x/accounts.csv");
}

#[test]
fn secrets_come_from_the_environment_and_from_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "from-file\r\n").unwrap();
    let text = format!(
        "{}{}",
        SMALL.replace("\"emulator\"", "\"https://contoso.crm4.dynamics.com/\""),
        r#"[[target.principals]]
client_secret = { env = "LOADER_SECRET" }
tenant_id = "t"
client_id = "c"
[[target.principals]]
name = "second"
token = { file = "token" }
"#
    );
    let file = folder.path().join("job.toml");
    let job = load(file.to_str().unwrap(), &text, &[]).unwrap();
    assert!(
        matches!(&job.target.url, TargetUrl::Service(url) if url == "https://contoso.crm4.dynamics.com")
    );
    let shown = format!("{job:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("from-file"), "{shown}");
    let [first, second] = job.target.principals.as_slice() else { panic!("not two principals") };
    assert_eq!(first.name, "principal-1");
    let Credential::ClientSecret { secret, .. } = &first.credential else { panic!("{first:?}") };
    assert_eq!(secret.expose(), "hunter2");
    let Credential::Token(token) = &second.credential else { panic!("{second:?}") };
    assert_eq!(token.expose(), "from-file");
}

#[test]
fn toml_yaml_and_json_say_the_same() {
    let yaml = "name: accounts\nmode: upsert\nsource: {path: accounts.csv, key: [number]}\n\
        target: {url: emulator, entity: account, match: {key: [accountnumber]}}\n\
        columns: {accountnumber: {from: number}}\n";
    let json = r#"{"name": "accounts", "mode": "upsert",
        "source": {"path": "accounts.csv", "key": ["number"]},
        "target": {"url": "emulator", "entity": "account", "match": {"key": ["accountnumber"]}},
        "columns": {"accountnumber": {"from": "number"}}}"#;
    let shown = |file, text| {
        let mut job = load(file, text, &[]).unwrap();
        job.file = PathBuf::new();
        format!("{job:?}")
    };
    let toml = shown("a.toml", SMALL);
    assert_eq!(shown("a.yml", yaml), toml);
    assert_eq!(shown("a.json", json), toml);
}

#[test]
fn a_rule_with_tables_and_seeds_is_understood() {
    let text = format!(
        "{SMALL}{}",
        r#"[columns.name]
sanitize = ["trim", "collapse_spaces"]
too_long = "truncate"
[columns.parentaccountid]
lookup = { entity = "account", by = "accountnumber", from = "parent", on_missing = "defer" }
[rules]
plugin = "account@0.1.0"
settings = { default_country = "US", nested = { list = [1, 2.5, true] } }
limits = { memory = "32MiB", time_per_call = "2s" }
[tables.salespeople]
path = "salespeople.csv"
[tables.users]
entity = "systemuser"
select = ["internalemailaddress"]
[[target.emulator.seed]]
entity = "systemuser"
path = "salespeople.csv"
columns = { internalemailaddress = "email", title = "job_title" }
key = ["internalemailaddress"]
"#
    );
    let job = job(&text);
    let rules = job.rules.unwrap();
    assert_eq!(rules.plugin, Plugin::Named("account@0.1.0".parse().unwrap()));
    assert_eq!(rules.trust, dvsync_registry::Trust::default());
    assert_eq!(job.registry.path, Path::new("jobs/.dvsync/rules"));
    assert_eq!(rules.settings["nested"]["list"], serde_json::json!([1, 2.5, true]));
    assert_eq!(rules.limits.memory, Some(32 << 20));
    assert_eq!(job.columns["name"].source, ColumnSource::Rule);
    assert!(matches!(&job.columns["parentaccountid"].source, ColumnSource::Lookup(lookup)
        if lookup.on_missing == OnMissing::Defer));
    assert!(matches!(job.tables["salespeople"], Grant::Source(_)));
    assert!(matches!(&job.tables["users"], Grant::Entity { select, .. } if select.len() == 1));
    let TargetUrl::Emulator(emulator) = job.target.url else { panic!("not the emulator") };
    assert_eq!(emulator.seed[0].key, ["internalemailaddress"]);
}

#[test]
fn another_rule_than_the_jobs_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job.toml");
    std::fs::write(&file, SMALL).unwrap();
    let none = BTreeMap::new();
    let job = Job::load_with_rule(&file, &none, &env, Some("account@1.2")).unwrap();
    let rules = job.rules.unwrap();
    assert_eq!(rules.plugin, Plugin::Named("account@1.2".parse().unwrap()));
    assert_eq!(rules.settings, serde_json::json!({}));
    assert!(Job::load_with_rule(&file, &none, &env, None).unwrap().rules.is_none());
}

#[test]
fn keys_of_whom_a_job_trusts_are_named_or_lie_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let (public, path) = dvsync_registry::write_new_key(&folder.path().join("team.key")).unwrap();
    let text = format!(
        "{SMALL}[rules]\nplugin = \"account\"\ntrust = {{ keys = [\"{public}\", {{ file = '{}' }}] }}\n\
         [registry]\npath = \"../rules\"\n",
        path.display()
    );
    let job = job(&text);
    let trust = job.rules.unwrap().trust;
    assert_eq!(trust, dvsync_registry::Trust { keys: vec![public, public], require: true });
    assert_eq!(job.registry.path, Path::new("jobs/../rules"));
}

#[test]
fn a_fault_of_the_settings_is_told_at_its_place() {
    use dvsync_rules::{PathStep, SettingsFault};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job.toml");
    let rules =
        "[rules]\nplugin = \"account\"\n[rules.settings]\nskip = [\"a\", 7]\ncuntry = \"US\"\n";
    std::fs::write(&file, format!("{SMALL}{rules}")).unwrap();
    let job = Job::load(&file, &BTreeMap::new(), &env).unwrap();
    let key = |name: &str| PathStep::Key(name.to_owned());
    for (path, at_key, position) in [
        (vec![key("skip"), PathStep::Item(1)], false, Some((15, 14))),
        (vec![key("cuntry")], true, Some((16, 1))),
        (vec![], false, Some((14, 8))),
    ] {
        let fault = SettingsFault { path, at_key, message: "wrong".to_owned(), hint: None };
        let JobError::Wrong { place, message, .. } = job.settings_error("account@1.0.0", &fault)
        else {
            panic!("not a fault of the file")
        };
        assert_eq!(place.position, position);
        assert_eq!(message, "wrong (settings of the rule `account@1.0.0`)");
    }
}
