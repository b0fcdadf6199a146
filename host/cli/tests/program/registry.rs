//! Rules in a store: pushed, signed, named by jobs, kept for runs.

use std::process::Stdio;

use crate::harness::{Ended, Place};

/// Accounts by the rule of that name.
pub(crate) const JOB: &str = r#"name = "accounts"
mode = "upsert"
[source]
path = "stores.csv"
key = ["account_number"]
types = { account_number = "text" }
[target]
url = "emulator"
entity = "account"
match = { key = ["accountnumber"] }
[tables.salespeople]
path = "people.csv"
[rules]
plugin = "account@0"
"#;

/// A folder with that job, and files of the account rule under several versions.
fn place() -> Place {
    let place = Place::new(0);
    place.write("job.toml", JOB);
    place.write("stores.csv", "account_number,name\nA1,One\nA2,Two\nA3,Three\n");
    place.write("people.csv", "sales_person_id,email\n7,ann@example.com\n");
    place
}

/// The shipped rule as if it were another version of itself.
pub(crate) fn version(place: &Place, version: &str) -> String {
    let mut bytes = dvsync_cli::component("account").unwrap().to_vec();
    let from = b"0.1.0";
    assert_eq!(version.len(), from.len());
    let mut changed = 0;
    for at in 1..bytes.len() - from.len() {
        // Those behind an `@` are of the contract.
        if &bytes[at..at + from.len()] == from && bytes[at - 1] != b'@' {
            bytes[at..at + from.len()].copy_from_slice(version.as_bytes());
            changed += 1;
        }
    }
    assert!(changed > 0, "the component does not say its version");
    let name = format!("account-{version}.wasm");
    std::fs::write(place.path(&name), bytes).unwrap();
    name
}

/// The same component, but for a custom section that nobody reads.
fn other_bytes(place: &Place, file: &str) -> String {
    let mut bytes = std::fs::read(place.path(file)).unwrap();
    bytes.extend([0, 3, 2, b'h', b'i']);
    let name = format!("other-{file}");
    std::fs::write(place.path(&name), bytes).unwrap();
    name
}

fn good(ended: Ended) -> Ended {
    assert_eq!(ended.exit, Some(0), "{ended:?}");
    ended
}

fn refused(ended: &Ended, said: &str) {
    assert_eq!(ended.exit, Some(64), "{ended:?}");
    assert!(ended.stderr.contains(said), "`{said}` in {ended:?}");
}

#[test]
fn a_rule_is_pushed_listed_pulled_and_removed() {
    let place = place();
    let pushed = good(place.run(&["rules", "push", "account"]));
    assert!(pushed.stdout.starts_with("account@0.1.0\n  sha256:"), "{pushed:?}");
    assert!(pushed.stderr.contains("is there now: store `.dvsync/rules`"), "{pushed:?}");
    let again = good(place.run(&["rules", "push", "account"]));
    assert!(again.stderr.contains("was there already"), "{again:?}");
    let newer = version(&place, "0.2.0");
    good(place.run(&["rules", "push", &newer]));
    let other = other_bytes(&place, &newer);
    let taken = place.run(&["rules", "push", &other]);
    refused(&taken, "error: `account@0.2.0` is `sha256:");
    refused(&taken, "hint: give what you have changed a new version");

    let listed = place.json(&["rules", "list", "--report", "json"], 0);
    let versions: Vec<&str> =
        listed.as_array().unwrap().iter().map(|one| one["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["0.1.0", "0.2.0"]);
    let text = good(place.run(&["rules", "list", "account"])).stdout;
    assert!(text.starts_with("account@0.1.0  sha256:"), "{text}");
    refused(&place.run(&["rules", "list", "acount"]), "did you mean `account`?");

    let pulled = good(place.run(&["rules", "pull", "account@0"]));
    assert!(pulled.stdout.starts_with("account-0.2.0.wasm\n  account@0.2.0\n"), "{pulled:?}");
    let file = place.path("old.wasm");
    good(place.run(&["rules", "pull", "account@0.1.0", "--to", "old.wasm"]));
    assert_eq!(std::fs::read(file).unwrap(), dvsync_cli::component("account").unwrap());
    let another = place.run(&["rules", "pull", "account@0.2.0", "--to", "old.wasm"]);
    refused(&another, "`old.wasm` is there already, and is another");

    let inspected = good(place.run(&["rules", "inspect", "account@0.2"])).stdout;
    assert!(inspected.starts_with("account@0.2.0\n  from      account@0.2.0\n"), "{inspected}");
    refused(&place.run(&["rules", "remove", "account@0"]), "may stand for several versions");
    good(place.run(&["rules", "remove", "account@0.2.0"]));
    refused(&place.run(&["rules", "pull", "account@0.2.0"]), "has no `account@0.2.0`");
    refused(
        &place.run(&["rules", "list", "--store", "nowhere"]),
        "there is no store of rules `nowhere`",
    );
}

#[test]
fn a_job_takes_the_newest_version_that_fits_and_says_which() {
    let place = place();
    // Without a store the shipped one will do.
    let shipped = place.json(&["run", "job.toml", "--report", "json"], 0);
    assert_eq!(shipped["rules"][0]["version"], "0.1.0");
    for number in ["0.2.0", "0.3.0", "1.0.0"] {
        good(place.run(&["rules", "push", &version(&place, number)]));
    }
    let run = good(place.run(&["run", "job.toml", "--report", "json"]));
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["rules"][0]["version"], "0.3.0");
    let digest = report["rules"][0]["digest"].as_str().unwrap();
    let said = format!("rule: account@0.3.0 ({}...), the store `", &digest[..19]);
    assert!(run.stderr.contains(&said), "{run:?}");
    let checked = good(place.run(&["check", "job.toml"]));
    assert!(checked.stdout.contains("ok     rule: account@0.3.0 (the store `"), "{checked:?}");

    let quarantine = ["rules", "quarantine", "account@0.3.0", "--reason", "it traps"];
    good(place.run(&quarantine));
    let next = place.json(&["run", "job.toml", "--report", "json"], 0);
    assert_eq!(next["rules"][0]["version"], "0.2.0");
    let exact = place.run(&["run", "job.toml", "--rules", "account@0.3.0"]);
    refused(&exact, "`account@0.3.0` is in quarantine: it traps");
    good(place.run(&["rules", "release", "account@0.3.0"]));
    let by_digest = format!("account@{digest}");
    let named = place.json(&["run", "job.toml", "--rules", &by_digest, "--report", "json"], 0);
    assert_eq!(named["rules"][0]["version"], "0.3.0");
    let file = "account-1.0.0.wasm";
    let named = place.json(&["run", "job.toml", "--rules", file, "--report", "json"], 0);
    assert_eq!(named["rules"][0]["version"], "1.0.0");

    let missing = place.run(&["run", "job.toml", "--rules", "account@7"]);
    refused(&missing, "the job wants rule `account@7`, this program ships `account@0.1.0`");
    refused(&missing, "hint: the store has `0.2.0`, `0.3.0`, `1.0.0`");
    let latest = place.run(&["run", "job.toml", "--rules", "latest"]);
    refused(&latest, "`--rules same` and `--rules latest` go with --resume");
    let wrong = place.run(&["run", "job.toml", "--rules", "Account"]);
    refused(&wrong, "`Account` is no name of a rule");
}

#[test]
fn a_run_that_is_not_finished_goes_on_under_the_version_that_it_began_with() {
    let place = place();
    good(place.run(&["rules", "push", &version(&place, "0.2.0")]));
    let limits = "[limits]\nrecords_per_day = 1\n[batch]\nrecords = 1\n";
    place.write("job.toml", &format!("{JOB}{limits}"));
    let run = place.run(&["run", "job.toml"]);
    assert_eq!(run.exit, Some(2), "{run:?}");
    // It stays, though a newer one has come.
    good(place.run(&["rules", "push", &version(&place, "0.3.0")]));
    let needed = place.run(&["rules", "remove", "account@0.2.0"]);
    refused(&needed, "`account@0.2.0` is needed by run ");
    let listed = place.json(&["rules", "list", "--report", "json"], 0);
    assert_eq!(listed[0]["needed_by"].as_array().unwrap().len(), 1);
    assert_eq!(listed[1]["needed_by"].as_array().unwrap().len(), 0);

    let resume = ["run", "job.toml", "--resume", "--report", "json"];
    let on = place.json(&resume, 2);
    assert_eq!(on["rules"][0]["version"], "0.2.0");
    // One that asks for the newest gets it, and that is what is kept then.
    let latest = place.json(&[&resume[..], &["--rules", "latest"]].concat(), 2);
    assert_eq!(latest["rules"][0]["version"], "0.3.0");
    good(place.run(&["rules", "remove", "account@0.2.0"]));
    refused(&place.run(&["rules", "remove", "account@0.3.0"]), "is needed by run ");
    // A run that is finished needs nothing, and lets earlier ones go.
    place.write("job.toml", JOB);
    good(place.run(&["run", "job.toml"]));
    good(place.run(&["rules", "remove", "account@0.3.0"]));
}

#[test]
fn a_rule_that_nobody_trusted_has_signed_is_refused_before_it_is_compiled() {
    let place = place();
    let public = good(place.run(&["rules", "keygen", "team.key"])).stdout;
    let public = public.trim_end();
    assert!(public.starts_with("ed25519:"), "{public}");
    refused(&place.run(&["rules", "keygen", "team.key"]), "cannot use the key file `team.key`");
    let job = |plugin: &str| {
        let rules = format!("plugin = \"{plugin}\"\ntrust = {{ keys = [\"{public}\"] }}\n");
        place.write("job.toml", &JOB.replace("plugin = \"account@0\"\n", &rules));
    };
    // What is no component at all is not even looked into.
    place.write("wrong.wasm", "not wasm");
    job("wrong.wasm");
    let unsigned = place.run(&["run", "job.toml"]);
    refused(&unsigned, "is not trusted by the job: it has no signature");
    refused(&unsigned, "hint: sign it (dvsync rules sign RULE --key FILE), or trust its key");

    let file = version(&place, "0.2.0");
    job(&file);
    let checked = place.run(&["check", "job.toml"]);
    assert!(checked.stdout.contains("failed rule: the rule `"), "{checked:?}");
    let signed = good(place.run(&["rules", "sign", &file, "--key", "team.key"]));
    assert!(signed.stdout.starts_with("account@0.2.0 sha256:"), "{signed:?}");
    good(place.run(&["run", "job.toml"]));
    let inspected = good(place.run(&["rules", "inspect", &file])).stdout;
    assert!(!inspected.contains("  signed    none"), "{inspected}");
    good(place.run(&["rules", "verify", &file, "--trust", "team.key.pub"]));

    // Other bytes under the same signature.
    let other = other_bytes(&place, &file);
    std::fs::rename(place.path(&other), place.path(&file)).unwrap();
    let changed = place.run(&["run", "job.toml"]);
    refused(&changed, "is of something else: component, name, version or contract have changed");
    let verified = place.run(&["rules", "verify", &file, "--trust", "team.key.pub"]);
    assert_eq!(verified.exit, Some(64), "{verified:?}");

    // Somebody else's signature, in a store this time.
    good(place.run(&["rules", "keygen", "other.key"]));
    good(place.run(&["rules", "push", &file, "--key", "other.key"]));
    job("account@0.2.0");
    refused(&place.run(&["run", "job.toml"]), "whom nobody here trusts");
    let key = place.read("team.key");
    let mut sign = place.program(&["rules", "sign", "account@0.2.0", "--key-env", "TEAM_KEY"]);
    good(Ended::of(&sign.env("TEAM_KEY", &key).output().unwrap()));
    let run = good(place.run(&["run", "job.toml"]));
    assert!(run.stderr.contains(", signed by `"), "{run:?}");
    for ended in [&signed, &run] {
        let said = format!("{}{}", ended.stdout, ended.stderr);
        let secret = key.lines().nth(1).unwrap();
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn the_policy_of_a_store_holds_whatever_a_job_says() {
    let place = place();
    let public = good(place.run(&["rules", "keygen", "team.key"])).stdout;
    let file = version(&place, "0.2.0");
    let pushed = good(place.run(&["rules", "push", &file]));
    assert!(!pushed.stderr.contains("no job may use it yet"), "{pushed:?}");
    place.write(
        ".dvsync/rules/policy.toml",
        &format!("require = true\nkeys = [\"{}\"]\n", public.trim_end()),
    );
    let job = JOB.replace("[rules]", "[rules]\ntrust = { require = false }");
    place.write("job.toml", &job);
    let said = "is not trusted by the store's policy: it has no signature";
    refused(&place.run(&["run", "job.toml"]), said);
    refused(&place.run(&["rules", "pull", "account@0.2.0", "--to", "x.wasm"]), said);
    // A file is no way around it.
    refused(&place.run(&["run", "job.toml", "--rules", &format!("./{file}")]), said);
    let verified = place.run(&["rules", "verify"]);
    assert_eq!(verified.exit, Some(64), "{verified:?}");
    good(place.run(&["rules", "sign", "account@0.2.0", "--key", "team.key"]));
    good(place.run(&["run", "job.toml"]));
    let verified = good(place.run(&["rules", "verify"]));
    assert!(verified.stdout.contains(" (trusted)\n"), "{verified:?}");
    // A policy that cannot be understood is not taken for none.
    place.write(".dvsync/rules/policy.toml", "requires = true\n");
    refused(&place.run(&["run", "job.toml"]), "policy.toml` is damaged");
}

#[test]
fn two_programs_that_push_one_version_at_once_cannot_both_have_it() {
    let place = place();
    let first = version(&place, "0.2.0");
    let files = [first.clone(), other_bytes(&place, &first)];
    let started: Vec<_> = (0..4)
        .map(|number| {
            let mut program = place.program(&["rules", "push", &files[number % 2]]);
            program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let ended: Vec<Ended> = started
        .into_iter()
        .map(|program| Ended::of(&program.wait_with_output().unwrap()))
        .collect();
    let exits: Vec<i32> = ended.iter().map(|ended| ended.exit.unwrap()).collect();
    assert!(exits == [0, 64, 0, 64] || exits == [64, 0, 64, 0], "{ended:?}");
    good(place.run(&["rules", "verify"]));
}

#[test]
fn settings_that_do_not_fit_are_told_at_their_line_before_the_target_is_asked() {
    let place = place();
    for (settings, said) in [
        (
            "defualt_country = \"US\"",
            "error: job.toml:16:1: unknown key `defualt_country` (settings of the rule \
             `account@0.1.0`)\nhint: did you mean `default_country`?\n",
        ),
        (
            "skip = [\"name\", 7]",
            "error: job.toml:16:17: expected text, found `7` (settings of the rule `account@0.1.0`)\n",
        ),
        (
            "bad_phone = \"ignore\"",
            "error: job.toml:16:13: expected `keep`, `clear` or `reject`, found `ignore` (settings \
             of the rule `account@0.1.0`)\n",
        ),
    ] {
        place.write("job.toml", &format!("{JOB}[rules.settings]\n{settings}\n"));
        let run = place.run(&["run", "job.toml"]);
        assert_eq!((run.exit, run.stderr.as_str()), (Some(64), said));
        assert!(!place.path(".dvsync").exists(), "nothing has begun");
        let check = place.run(&["rules", "check", "account", "--job", "job.toml"]);
        let told = said.lines().next().unwrap().replace("error: ", "failed binding: ");
        assert!(check.stdout.contains(&told), "{check:?}");
    }
    let schema = place.json(&["schema", "--rule", "account"], 0);
    let settings = &schema["$defs"]["RulesSection"]["properties"]["settings"];
    assert_eq!(settings["properties"]["skip"]["type"], "array");
}

#[cfg(not(feature = "oci"))]
#[test]
fn a_program_without_oci_says_so() {
    let place = place();
    let address = "oci://127.0.0.1:1/rules/account:0.1.0";
    for command in [&["rules", "pull", address][..], &["rules", "push", "account", "--to", address]]
    {
        let ended = place.run(command);
        refused(&ended, "this program was built without OCI registries");
        refused(&ended, "hint: cargo install --path host/cli --features oci");
    }
}
