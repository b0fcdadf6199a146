//! The rule of ruled cases: it stumbles over 13, in the way that its settings
//! say. Built and compiled once.

use std::path::Path;
use std::sync::OnceLock;

use dvsync_rules::{Rule, Sandbox, SandboxSettings};

pub(crate) fn rule() -> Rule {
    static RULE: OnceLock<Rule> = OnceLock::new();
    RULE.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let guests = target.join("guests");
        let path = dvsync_rules_build::build(folder, "guest-hostile", "guest", &guests)
            .unwrap_or_else(|error| panic!("{error}"));
        let sandbox = Sandbox::new(SandboxSettings::default()).unwrap();
        sandbox.admit(&std::fs::read(path).unwrap(), "guest-hostile").unwrap()
    })
    .clone()
}
