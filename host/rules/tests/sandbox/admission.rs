//! What is admitted, and what is refused in which words.

use dvsync_rules::{Hooks, Refusal, RuleError, Sandbox, SandboxSettings};

use crate::guests::{honest, patched, sandbox, wasm};

fn refusal(wasm: &[u8]) -> (String, Option<String>) {
    let error = match sandbox().admit(wasm, "x.wasm") {
        Ok(_) => panic!("it was admitted"),
        Err(error) => error,
    };
    assert!(matches!(error, RuleError::Refused { .. }), "{error:?}");
    (error.to_string(), error.hint())
}

#[test]
fn a_rule_says_who_it_is() {
    let rule = honest(&sandbox());
    let description = rule.description();
    assert_eq!((&*description.name, &*description.version), ("honest", "1.2.3"));
    assert_eq!(description.tables, ["salespeople"]);
    assert_eq!(rule.hooks(), Hooks { transform: true, matching: true, state: true, owner: true });
    assert!(rule.digest().starts_with("sha256:") && rule.digest().len() == 71);
}

#[test]
fn a_rule_that_exports_another_version_is_refused_with_both() {
    let (message, hint) = refusal(&patched("guest-mute", "@0.1.0", "@0.2.0"));
    assert_eq!(
        message,
        "cannot admit the rule `x.wasm`: this rule exports `dvsync:rules/plugin@0.2.0`, \
         `dvsync:rules/transform@0.2.0`, this host speaks 0.1"
    );
    assert!(hint.expect("a hint").contains("rebuild"));
}

#[test]
fn a_rule_that_imports_more_is_refused_with_the_list() {
    let (message, hint) =
        refusal(&patched("guest-hostile", "dvsync:rules/log@", "wasi:cl/environs@"));
    assert_eq!(
        message,
        "cannot admit the rule `x.wasm`: it imports `wasi:cl/environs@0.1.0`, and a rule gets \
         `log` and `lookups` only"
    );
    assert!(hint.expect("a hint").contains("--stub-wasi"));
}

#[test]
fn a_rule_without_plugin_or_hooks_is_refused() {
    let (message, _) = refusal(&patched("guest-mute", "rules/plugin@", "rules/plugxx@"));
    assert!(
        message.contains(
            "it does not export `dvsync:rules/plugin@0.1.0`; it exports `dvsync:rules/plugxx@0.1.0`"
        ),
        "{message}"
    );
    let (message, _) = refusal(&patched("guest-mute", "rules/transform@", "rules/transxxxx@"));
    assert!(
        message.ends_with("it exports no hook (`transform`, `matching`, `state` or `owner`)"),
        "{message}"
    );
}

#[test]
fn a_rule_beyond_the_size_limit_is_refused() {
    let settings = SandboxSettings { wasm_bytes_max: 1000, ..SandboxSettings::default() };
    let error = Sandbox::new(settings).expect("a sandbox").admit(&wasm("guest-mute"), "x");
    assert!(matches!(
        error.err(),
        Some(RuleError::Refused { reason: Refusal::TooLarge { bytes_max: 1000, .. }, .. })
    ));
}

#[test]
fn a_damaged_rule_is_refused_wherever_the_damage_is() {
    let whole = wasm("guest-mute");
    let sandbox = sandbox();
    for tenth in 1..10 {
        let cut = &whole[..whole.len() * tenth / 10];
        assert!(sandbox.admit(cut, "cut.wasm").is_err(), "{tenth} tenths");
    }
}

#[test]
fn a_rule_that_never_says_who_it_is_is_given_up() {
    let settings = SandboxSettings {
        describe_deadline: std::time::Duration::from_millis(50),
        ..SandboxSettings::default()
    };
    let error = Sandbox::new(settings).expect("a sandbox").admit(&wasm("guest-mute"), "mute.wasm");
    assert_eq!(
        error.err().map(|error| error.to_string()).as_deref(),
        Some(
            "the rule `mute.wasm` failed in `describe`: the call did not end within its deadline \
             (`rule_timeout`)"
        )
    );
}
