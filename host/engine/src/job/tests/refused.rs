//! Each fault: file, line, column, what is wrong, what to do.

use super::*;

fn check_as(file: &str, text: &str, set: &[(&str, &str)], expected: Expect) {
    let error = load(file, text, set).unwrap_err();
    let mut shown = error.to_string();
    if let Some(hint) = error.hint() {
        shown.push_str("\nhint: ");
        shown.push_str(hint);
    }
    assert!(!shown.contains("hunter2"), "a secret is shown: {shown}");
    expected.assert_eq(&shown);
}

fn check(text: &str, expected: Expect) {
    check_as("a.toml", text, &[], expected);
}

/// Replaces one line of the smallest job.
fn with(line: &str, by: &str) -> String {
    assert!(SMALL.contains(line), "the smallest job has no `{line}`");
    SMALL.replacen(line, by, 1)
}

/// Adds lines behind the smallest job.
fn and(lines: &str) -> String {
    format!("{SMALL}{lines}\n")
}

#[test]
fn unknown_keys_name_the_nearest_known_one() {
    check(
        &with("entity =", "entiy ="),
        expect![[r#"
        a.toml:8:1: unknown key `entiy`
        hint: did you mean `entity`?"#]],
    );
    check(
        &and("[souce]\npath = \"x\""),
        expect![[r#"
        a.toml:12:2: unknown key `souce`
        hint: did you mean `source`?"#]],
    );
    check(
        &and("sanitise = [\"trim\"]"),
        expect![[r#"
        a.toml:12:1: unknown key `sanitise`
        hint: did you mean `sanitize`?"#]],
    );
    check(
        &and("zzz = 1"),
        expect![[r#"
        a.toml:12:1: unknown key `zzz`
        hint: known here: `from`, `value`, `lookup`, `sanitize`, `too_long`, `options`, `format`, `when_null` or `mask`"#]],
    );
    check(
        &and("[retry]\natempts = 3"),
        expect![[r#"
        a.toml:13:1: unknown key `atempts`
        hint: did you mean `attempts`?"#]],
    );
    check(
        &with("match = { key", "match = { keys"),
        expect![[r#"
        a.toml:9:11: unknown value `keys`
        hint: did you mean `key`?"#]],
    );
    check(
        &with("path =", "csv = { delimeter = \";\" }\npath ="),
        expect![[r#"
        a.toml:4:9: unknown key `delimeter`
        hint: did you mean `delimiter`?"#]],
    );
}

#[test]
fn unknown_words_name_the_nearest_known_one() {
    check(
        &with("\"upsert\"", "\"upset\""),
        expect![[r#"
        a.toml:2:8: unknown value `upset`
        hint: did you mean `upsert`?"#]],
    );
    check(
        &and("sanitize = [\"trim\", \"colapse_spaces\"]"),
        expect![[r#"
        a.toml:12:21: unknown value `colapse_spaces`
        hint: did you mean `collapse_spaces`?"#]],
    );
    check(
        &and("too_long = 5"),
        expect!["a.toml:12:12: expected `reject` or `truncate`, found `5`"],
    );
    check(
        &with("match = { key = [\"accountnumber\"] }", "match = \"key\""),
        expect![[r#"
        a.toml:9:9: `key` needs a value
        hint: write { key = ... }"#]],
    );
    check(
        &with("match = { key = [\"accountnumber\"] }", "match = { key = [], id = \"x\" }"),
        expect![
            "a.toml:9:1: expected a table with exactly one of `id`, `key`, `columns` or `rules`"
        ],
    );
}

#[test]
fn a_missing_key_is_told_at_its_section() {
    check(&with("entity = \"account\"\n", ""), expect!["a.toml:6:2: key `entity` is missing"]);
    check("", expect!["a.toml: key `name` is missing"]);
    check(&with("key = [\"number\"]\n", ""), expect!["a.toml:3:2: key `key` is missing"]);
}

#[test]
fn amounts_need_their_unit() {
    check(
        &and("[limits]\nwait_max = 600"),
        expect![[
            r#"a.toml:13:12: expected a duration with its unit, such as "30s", "10m" or "2h", found `600`"#
        ]],
    );
    check(
        &and("[limits]\nwait_max = \"ten minutes\""),
        expect![[
            r#"a.toml:13:12: expected a duration with its unit, such as "30s", "10m" or "2h", found `ten minutes`"#
        ]],
    );
    check(
        &and("[limits]\nmemory = \"64\""),
        expect![[
            r#"a.toml:13:10: expected a size with its unit, such as "64MiB" or "500kB", found `64`"#
        ]],
    );
    check(
        &and("[limits]\ndead_letters_max_percent = 101"),
        expect!["a.toml:13:28: expected 0 to 100, found `101`"],
    );
    check(
        &and("[limits]\nrequests_per_second = 0"),
        expect!["a.toml:13:23: expected 0.001 to 1000, found `0`"],
    );
    check(
        &and("[limits]\nrecords_per_day = 0"),
        expect![[r#"
            a.toml:13:19: expected at least 1, found `0`
            hint: remove the key for no limit"#]],
    );
    check(
        &and("[batch]\nrecords = 5000"),
        expect!["a.toml:13:11: expected 1 to 1000, found `5000`"],
    );
    check(
        &and("[batch]\nrecords = -5"),
        expect!["a.toml:13:11: expected a number of records, found `-5`"],
    );
    check(
        &and("[batch]\nrecords = \"auto\""),
        expect![[r#"
        a.toml:13:11: batches that learn their size are not there yet
        hint: give a number; 200 is a good start"#]],
    );
    check(
        &and("[retry]\nbase = \"10s\"\nmax = \"1s\""),
        expect![[r#"
        a.toml:14:7: the longest wait is shorter than the first
        hint: raise `retry.max` or lower `retry.base`"#]],
    );
    check(
        &with("entity =", "timeout = \"1ms\"\nentity ="),
        expect!["a.toml:8:11: expected 1s to 3600s, found 1ms"],
    );
}

#[test]
fn a_type_that_does_not_fit_is_shown() {
    check(
        &with("[\"number\"]", "\"number\""),
        expect!["a.toml:5:7: expected a list, found `number`"],
    );
    check(&with("[\"number\"]", "[5]"), expect!["a.toml:5:8: expected text, found `5`"]);
    check(
        &with("name = \"accounts\"", "name = 2025"),
        expect!["a.toml:1:8: expected text, found `2025`"],
    );
    check(
        &with("[source]", "[[source]]"),
        expect![
            "a.toml:3:1: expected a table with exactly one of `csv`, `json`, `parquet` or `arrow`"
        ],
    );
    check(
        &and("types = 5"),
        expect![[r#"
        a.toml:12:1: unknown key `types`
        hint: known here: `from`, `value`, `lookup`, `sanitize`, `too_long`, `options`, `format`, `when_null` or `mask`"#]],
    );
}

#[test]
fn secrets_in_clear_are_refused_and_not_shown() {
    let principal =
        |lines: &str| and(&format!("[[target.principals]]\nname = \"loader\"\n{lines}"));
    check(
        &principal("client_secret = \"hunter2\""),
        expect![[r#"
        a.toml:14:17: a secret must not stand in the job file
        hint: refer to it: { env = "NAME" } or { file = "path" }"#]],
    );
    check(
        &principal("token = \"hunter2\""),
        expect![[r#"
        a.toml:14:9: a secret must not stand in the job file
        hint: refer to it: { env = "NAME" } or { file = "path" }"#]],
    );
    check(
        &principal("token = { env = \"NOT_SET\" }"),
        expect![[r#"
        a.toml:14:1: environment variable `NOT_SET` is not set
        hint: set it before the run: export NOT_SET=..."#]],
    );
    check(&principal("token = { env = \"EMPTY\" }"), expect!["a.toml:14:1: the secret is empty"]);
    check(
        &principal("token = { keyvault = \"x\" }"),
        expect![[r#"
        a.toml:14:11: unknown key `keyvault`
        hint: known here: `env` or `file`"#]],
    );
    check(
        &principal("token = { env = \"A\", file = \"b\" }"),
        expect!["a.toml:14:1: a secret has one reference, `env` or `file`"],
    );
    check(
        &principal("token = { file = \"missing\" }"),
        expect![
            "a.toml:14:1: cannot read secret file `missing`: No such file or directory (os error 2)"
        ],
    );
    check(
        &principal("client_secret = { env = \"LOADER_SECRET\" }"),
        expect![[r#"
        a.toml:12:1: key `tenant_id` is missing
        hint: `client_secret` needs it"#]],
    );
    check(
        &principal("client_secret = { env = \"LOADER_SECRET\" }\nazure_cli = true"),
        expect![[r#"
            a.toml:12:1: one way to sign in is enough, found `client_secret` or `azure_cli`
            hint: give one of `token`, `client_secret`, `managed_identity`, `workload_identity` or `azure_cli`"#]],
    );
    check(
        &principal("tenant_id = \"x\""),
        expect![[r#"
        a.toml:12:1: nothing says how this principal signs in
        hint: give one of `token`, `client_secret`, `managed_identity`, `workload_identity` or `azure_cli`"#]],
    );
}

#[test]
fn what_contradicts_itself_is_refused() {
    check(
        &with("\"upsert\"", "\"mirror\""),
        expect![[r#"
        a.toml:2:8: mode `mirror` is not there yet
        hint: use `upsert`; what left the source stays as it is"#]],
    );
    check(
        &with("name = \"accounts\"", "name = \"../accounts\""),
        expect![[r#"
        a.toml:1:8: `../accounts` cannot name a job
        hint: use letters, digits, `-`, `_` and `.`, at most 100"#]],
    );
    check(
        &with("\"emulator\"", "\"http://contoso.crm.dynamics.com\""),
        expect![[r#"
        a.toml:7:7: `http://contoso.crm.dynamics.com` would send tokens in clear
        hint: use https://"#]],
    );
    check(
        &with("\"emulator\"", "\"contoso\""),
        expect![[r#"
        a.toml:7:7: `contoso` is no address of an environment
        hint: write "https://<name>.crm.dynamics.com", or "emulator""#]],
    );
    check(
        &with("\"emulator\"", "\"https://contoso.crm.dynamics.com/api/data\""),
        expect![[r#"
        a.toml:7:7: `https://contoso.crm.dynamics.com/api/data` is no address of an environment
        hint: scheme and host alone: the path is added by dvsync"#]],
    );
    check(
        &with("\"emulator\"", "\"https://contoso.crm.dynamics.com\""),
        expect![[r#"
        a.toml:6:2: there is no principal to sign in with
        hint: add a [[target.principals]] section"#]],
    );
    check(
        &with("\"account\"\n", "\"Accounts\"\n"),
        expect![[r#"
        a.toml:8:10: `Accounts` is no logical name of a table
        hint: logical names are lower case and singular: `account`"#]],
    );
    check(
        &with("match = { key = [\"accountnumber\"] }", "match = \"rules\""),
        expect![[r#"
        a.toml:9:9: there is no rule to derive keys
        hint: add [rules], or match by { key = [...] }"#]],
    );
    check(
        &with("match = { key = [\"accountnumber\"] }", "match = { key = [] }"),
        expect!["a.toml:9:17: names no column"],
    );
    check(
        &with("entity =", "lookup = \"none\"\nfilter = \"statecode eq 0\"\nentity ="),
        expect![[r#"
            a.toml:9:10: nothing is read that could be filtered
            hint: remove `filter`, or set lookup = "keys""#]],
    );
    check(
        &with("\"accounts.csv\"", "\"accounts.xlsx\""),
        expect![[r#"
        a.toml:4:8: cannot tell the kind of `accounts.xlsx` by its ending
        hint: say it: kind = "csv", "json", "parquet" or "arrow""#]],
    );
    check(
        &with("\"accounts.csv\"", "\"s3://bucket/accounts.csv\""),
        expect![[r#"
        a.toml:4:8: sources at `s3://` are not there yet
        hint: copy the files to a local folder"#]],
    );
    check(
        &with("[\"number\"]", "[\"number\", \"number\"]"),
        expect!["a.toml:5:18: `number` is there twice"],
    );
    check(
        &with("[\"number\"]\n", "[\"number\"]\nduplicates = { keep = \"reject\", by = \"x\" }\n"),
        expect![[r#"
            a.toml:6:38: nothing is ordered where all are rejected
            hint: remove `by`, or keep "first" or "last""#]],
    );
    check(
        &and("value = 5"),
        expect!["a.toml:10:10: a column is filled by one of `from`, `value` and `lookup`"],
    );
    check(
        &and("[columns.name]\nsanitize = [\"trim\"]"),
        expect![[r#"
        a.toml:12:10: nothing fills this column
        hint: say where its value comes from: from = "column""#]],
    );
    check(
        &and("[tables.salespeople]\npath = \"s.csv\""),
        expect![[r#"
        a.toml:12:2: table `salespeople` is granted, but there is no rule to use it
        hint: add [rules], or remove [tables]"#]],
    );
    check(
        &and("[rules]\nplugin = \"oci://registry/account\""),
        expect![[r#"
        a.toml:13:10: a run fetches no rule from `oci://`
        hint: fetch it once, dvsync rules pull, and name it: "account@1.2.0""#]],
    );
    check(
        &and("[rules]\nplugin = \"account@\""),
        expect![[r#"
        a.toml:13:10: `account@` names no rule
        hint: write "account", "account@1", "account@0.1.0", "account@sha256:..." or a path that ends in .wasm"#]],
    );
    check(
        &and("[rules]\nplugin = \"account\"\ntrust = { require = true }"),
        expect![[r#"
            a.toml:14:1: a signature is required, and no key is named
            hint: name one: keys = ["ed25519:..."], or { file = "team.pub" }"#]],
    );
    check(
        &and("[rules]\nplugin = \"account\"\ntrust = { keys = [\"hunter2\"] }"),
        expect![[r#"
            a.toml:14:19: `...` is no public key
            hint: write `ed25519:...` as `dvsync rules keygen` prints it"#]],
    );
    check(
        &and("[rules]\nplugin = \"account\"\ntrust = { keys = [{ file = \"no.pub\" }] }"),
        expect![[r#"
            a.toml:14:19: cannot use the key file `no.pub`: No such file or directory (os error 2)"#]],
    );
    check(
        &and("[rules]\nplugin = \"account\"\ntrust = { keys = [7] }"),
        expect![[r#"
            a.toml:14:19: expected a public key, "ed25519:..." or { file = "team.pub" }, found `7`"#]],
    );
}

#[test]
fn variables_must_be_known() {
    let text = format!("{}[variables]\ndata = \"data\"\n", with("accounts.csv", "${dta}/a.csv"));
    check(
        &text,
        expect![[r#"
        a.toml:4:8: unknown variable `dta`
        hint: did you mean `${data}`?"#]],
    );
    let text = and("[variables]\ndata = \"data\"");
    check_as(
        "a.toml",
        &text,
        &[("dat", "x")],
        expect![[r#"
        a.toml: variable `dat` is not declared
        hint: did you mean `data`?"#]],
    );
    check_as(
        "a.toml",
        SMALL,
        &[("data", "x")],
        expect![[r#"
        a.toml: variable `data` is not declared
        hint: declare it with a default: `[variables] data = "..."`"#]],
    );
}

#[test]
fn syntax_faults_have_a_place() {
    check("name = \"a\nmode = 1", expect![[r#"a.toml:1:10: invalid basic string, expected `"`"#]]);
    check(&and("[target]\nurl = \"x\""), expect!["a.toml:12:2: duplicate key"]);
    check_as(
        "a.yaml",
        "name: a\nmode: [",
        &[],
        expect!["a.yaml:3:1: did not find expected node content"],
    );
    check_as("a.yaml", "name: a\nname: b\n", &[], expect!["a.yaml:1:1: key `name` is there twice"]);
    check_as("a.json", "{\"name\": \"a\",\n}", &[], expect!["a.json:2:1: trailing comma"]);
    check_as(
        "a.ini",
        "",
        &[],
        expect![[r#"
        a.ini: cannot tell the format of the job file by its ending
        hint: name it .toml, .yaml or .json"#]],
    );
}

#[test]
fn yaml_and_json_have_places_too() {
    let yaml = "name: accounts\nmode: upsert\nsource:\n  path: a.csv\n  key: [number]\ntarget:\n  url: emulator\n  entiy: account\n";
    check_as(
        "a.yaml",
        yaml,
        &[],
        expect![[r#"
        a.yaml:8:3: unknown key `entiy`
        hint: did you mean `entity`?"#]],
    );
    let yaml = yaml.replace("entiy", "entity").replace("[number]", "[number, 5]");
    check_as("a.yaml", &yaml, &[], expect!["a.yaml:5:17: expected text, found `5`"]);
    let json = "{\"name\": \"accounts\", \"mode\": \"upsert\",\n \"source\": {\"path\": \"a.csv\",\n   \"kee\": [\"number\"]}}";
    check_as(
        "a.json",
        json,
        &[],
        expect![[r#"
        a.json:3:4: unknown key `kee`
        hint: did you mean `key`?"#]],
    );
    let json = json.replace("kee", "key").replace("upsert", "mirror");
    check_as("a.json", &json, &[], expect!["a.json: key `target` is missing"]);
}
