//! The bindings under `src/bindings` are what wit-bindgen makes of the contract.
//!
//! They are kept as files so that a rule compiles in seconds, without the
//! generator and its parsers. `UPDATE_EXPECT=1` writes them anew.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use wit_bindgen_core::{Files, WorldGenerator, wit_parser::Resolve};
use wit_bindgen_rust::{Opts, WithOption};

/// Interface, and the worlds' name of it.
const HOOKS: [&str; 4] = ["transform", "matching", "state", "owner"];

const RULE: &str = "
    package dvsync:rules-sdk;
    world sdk-rule {
        import dvsync:rules/types@0.1.0;
        import dvsync:rules/log@0.1.0;
        import dvsync:rules/lookups@0.1.0;
        export dvsync:rules/plugin@0.1.0;
    }
";

fn generated(world: &str, options: Opts) -> String {
    let mut resolve = Resolve::default();
    resolve.push_path(root().join("../../wit/0.1")).unwrap();
    let package = resolve.push_str("sdk.wit", world).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files).unwrap();
    let (_, source) = files.iter().next().unwrap();
    String::from_utf8(source.to_vec()).unwrap()
}

fn options(export: &str) -> Opts {
    Opts {
        format: true,
        pub_export_macro: true,
        export_macro_name: Some(format!("export_{export}")),
        ..Opts::default()
    }
}

fn check(name: &str, source: &str) {
    let file = root().join(format!("src/bindings/{name}.rs"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&file, source).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == source,
        "`{}` is not what wit-bindgen makes of wit/0.1: run the test with UPDATE_EXPECT=1",
        file.display()
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn the_rule_world_is_as_generated() {
    check("rule", &generated(RULE, Opts { generate_all: true, ..options("plugin") }));
}

#[test]
fn each_hook_world_is_as_generated() {
    for hook in HOOKS {
        let world = format!(
            "package dvsync:rules-sdk; world sdk-{hook} {{ export dvsync:rules/{hook}@0.1.0; }}"
        );
        let types = "crate::bindings::rule::dvsync::rules::types".to_owned();
        let with = vec![("dvsync:rules/types@0.1.0".to_owned(), WithOption::Path(types))];
        check(hook, &generated(&world, Opts { with, ..options(hook) }));
    }
}
