//! Components that are wrong before any code of theirs that matters runs: each
//! is refused, in these words.

use std::time::Duration;

use dvsync_rules::{Sandbox, SandboxSettings};
use expect_test::expect;

use crate::guests::{patched, wasm};

/// The component format's preamble.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

fn told(what: &str, wasm: &[u8]) -> String {
    let settings = SandboxSettings {
        describe_deadline: Duration::from_millis(100),
        wasm_bytes_max: 1 << 20,
        ..SandboxSettings::default()
    };
    match Sandbox::new(settings).expect("a sandbox").admit(wasm, "x.wasm") {
        Ok(_) => format!("{what}: admitted\n"),
        Err(error) => {
            let hint = error.hint().map(|hint| format!("  hint: {hint}\n")).unwrap_or_default();
            format!("{what}: {error}\n{hint}")
        }
    }
}

/// A component with another as its only content, and so on.
fn nested(depth: usize) -> Vec<u8> {
    let mut inner = COMPONENT.to_vec();
    for _ in 0..depth {
        let mut outer = COMPONENT.to_vec();
        outer.push(4);
        outer.extend(leb128(inner.len()));
        outer.extend(inner);
        inner = outer;
    }
    inner
}

/// One with so many others side by side.
fn crowded(count: usize) -> Vec<u8> {
    let mut outer = COMPONENT.to_vec();
    for _ in 0..count {
        outer.extend([4, 8]);
        outer.extend(COMPONENT);
    }
    outer
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[test]
fn each_is_refused_in_these_words() {
    let import = |name: &str| patched("guest-hostile", "dvsync:rules/log@0.1.0", name);
    let told: String = [
        told("empty", b""),
        told("text", b"(component)"),
        told("core module", b"\0asm\x01\0\0\0"),
        told("empty component", COMPONENT),
        told("oversized", &vec![0; (1 << 20) + 1]),
        told("nested", &nested(300)),
        told("too many parts", &crowded(300)),
        told("imports sockets", &import("wasi:sockets/tcp@0.2.0")),
        told("imports files", &import("wasi:fs/preopens@0.2.0")),
        told("imports the clock", &import("wasi:clock/walls@0.2.0")),
        told("imports another world", &import("acme:rules/ilogs@0.1.0")),
        told("wrong version", &patched("guest-mute", "@0.1.0", "@0.2.0")),
        told("wrong world", &patched("guest-mute", "rules/plugin@", "rules/plugxx@")),
        told("no hook", &patched("guest-mute", "rules/transform@", "rules/transxxxx@")),
        // The right interface, and what is in it is another's.
        told("wrong types", &patched("guest-mute", "describe", "descrybe")),
        told("a table too large", &wasm("guest-swollen")),
        told("loops while it is made", &wasm("guest-restless")),
        told("loops in describe", &wasm("guest-mute")),
    ]
    .concat();
    expect![[r#"
        empty: cannot admit the rule `x.wasm`: it is not WebAssembly
          hint: give the `.wasm` file that `dvsync rules build` made
        text: cannot admit the rule `x.wasm`: it is not WebAssembly
          hint: give the `.wasm` file that `dvsync rules build` made
        core module: cannot admit the rule `x.wasm`: it is a core module, not a component
          hint: make a component of it: `dvsync rules build`, `wasm-tools component new`
        empty component: cannot admit the rule `x.wasm`: it does not export `dvsync:rules/plugin@0.1.0`; it exports nothing
          hint: export `plugin` and one hook at least: see `docs/rules-authoring.md`
        oversized: cannot admit the rule `x.wasm`: it has 1048577 bytes, more than the 1048576 allowed
        nested: cannot admit the rule `x.wasm`: it holds 257 components and modules, more than the 256 allowed
        too many parts: cannot admit the rule `x.wasm`: it holds 257 components and modules, more than the 256 allowed
        imports sockets: cannot admit the rule `x.wasm`: it imports `wasi:sockets/tcp@0.2.0`, and a rule gets `log` and `lookups` only
          hint: build without WASI: `wasm32-unknown-unknown`, `componentize-py --stub-wasi`, `componentize-js -d stdio random clocks http fetch-event`
        imports files: cannot admit the rule `x.wasm`: it imports `wasi:fs/preopens@0.2.0`, and a rule gets `log` and `lookups` only
          hint: build without WASI: `wasm32-unknown-unknown`, `componentize-py --stub-wasi`, `componentize-js -d stdio random clocks http fetch-event`
        imports the clock: cannot admit the rule `x.wasm`: it imports `wasi:clock/walls@0.2.0`, and a rule gets `log` and `lookups` only
          hint: build without WASI: `wasm32-unknown-unknown`, `componentize-py --stub-wasi`, `componentize-js -d stdio random clocks http fetch-event`
        imports another world: cannot admit the rule `x.wasm`: it imports `acme:rules/ilogs@0.1.0`, and a rule gets `log` and `lookups` only
          hint: remove what imports them
        wrong version: cannot admit the rule `x.wasm`: this rule exports `dvsync:rules/plugin@0.2.0`, `dvsync:rules/transform@0.2.0`, this host speaks 0.1
          hint: rebuild the rule against the contract that this host speaks
        wrong world: cannot admit the rule `x.wasm`: it does not export `dvsync:rules/plugin@0.1.0`; it exports `dvsync:rules/plugxx@0.1.0`, `dvsync:rules/transform@0.1.0`
          hint: export `plugin` and one hook at least: see `docs/rules-authoring.md`
        no hook: cannot admit the rule `x.wasm`: it exports no hook (`transform`, `matching`, `state` or `owner`)
          hint: export `plugin` and one hook at least: see `docs/rules-authoring.md`
        wrong types: cannot admit the rule `x.wasm`: instance export `dvsync:rules/plugin@0.1.0` does not have export `describe`
        a table too large: cannot admit the rule `x.wasm`: module table does not fit in pooling allocator requirements: table index 0 has a minimum element size of 200004 which exceeds the limit of 100000
        loops while it is made: the rule `x.wasm` failed in `its start`: the call did not end within its deadline (`rule_timeout`)
          hint: tell the author of the rule
        loops in describe: the rule `x.wasm` failed in `describe`: the call did not end within its deadline (`rule_timeout`)
          hint: tell the author of the rule
    "#]].assert_eq(&told);
}
