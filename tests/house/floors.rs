//! Floors: a crate may stand on the crates named here and on no other of ours,
//! and some foreign crates have one place where they may be used.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Crate, and those of ours that it may use.
const FLOORS: [(&str, &[&str]); 15] = [
    ("dvsync-model", &[]),
    ("dvsync-sources", &["dvsync-model"]),
    ("dvsync-rules", &["dvsync-model"]),
    ("dvsync-registry", &["dvsync-model"]),
    ("dvsync-oci", &["dvsync-model"]),
    ("dvsync-dataverse", &["dvsync-model"]),
    (
        "dvsync-engine",
        &["dvsync-model", "dvsync-sources", "dvsync-rules", "dvsync-registry", "dvsync-dataverse"],
    ),
    (
        "dvsync",
        &[
            "dvsync-model",
            "dvsync-sources",
            "dvsync-rules",
            "dvsync-registry",
            "dvsync-oci",
            "dvsync-dataverse",
            "dvsync-engine",
            "dvsync-emulator",
            "dvsync-rules-build",
        ],
    ),
    ("dvsync-emulator", &[]),
    ("dvsync-rules-build", &[]),
    ("dvsync-rules-sdk", &[]),
    ("account-rules", &["dvsync-rules-sdk"]),
    ("contact-rules", &["dvsync-rules-sdk"]),
    ("nothing-rules", &["dvsync-rules-sdk"]),
    // Everything that crosses a crate is tested there.
    (
        "dvsync-tests",
        &[
            "dvsync",
            "dvsync-model",
            "dvsync-sources",
            "dvsync-rules",
            "dvsync-registry",
            "dvsync-dataverse",
            "dvsync-engine",
            "dvsync-emulator",
            "dvsync-rules-build",
            "dvsync-rules-sdk",
            "account-rules",
            "contact-rules",
        ],
    ),
];

/// What build scripts and tests may use besides.
const FOR_BUILDS_AND_TESTS: [&str; 2] = ["dvsync-rules-build", "dvsync-emulator"];

/// Foreign crate (or the beginning of its name, with `*`), and the only ones
/// of ours that may use it.
const ONLY_IN: [(&str, &[&str]); 13] = [
    ("wasmtime*", &["dvsync-rules"]),
    ("wasmparser", &["dvsync-rules"]),
    ("reqwest", &["dvsync-dataverse"]),
    ("azure_*", &["dvsync-dataverse"]),
    ("governor", &["dvsync-dataverse"]),
    ("axum*", &[]),
    ("pyo3*", &[]),
    ("clap*", &["dvsync"]),
    ("indicatif", &["dvsync"]),
    ("hyper*", &["dvsync-emulator"]),
    ("rusqlite", &["dvsync-engine"]),
    ("parquet", &["dvsync-sources"]),
    ("wasmtime-wasi", &[]),
];

/// Crates without IO of their own and without async.
const WITHOUT_TOKIO: [&str; 5] =
    ["dvsync-model", "dvsync-sources", "dvsync-rules", "dvsync-registry", "dvsync-oci"];

/// Guests of the tests may use the SDK alone; they are many and change often.
fn is_test_guest(package: &Package) -> bool {
    package.manifest_path.as_str().contains("/tests/guests/")
}

fn packages() -> Vec<Package> {
    MetadataCommand::new()
        .manifest_path(super::tree::root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap()
        .packages
}

/// Names of direct dependencies, without those of tests and build scripts.
fn uses(package: &Package) -> BTreeSet<&str> {
    let normal = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.as_str()).collect()
}

#[test]
fn a_crate_stands_only_on_the_floors_below_it() {
    let packages = packages();
    let floors: BTreeMap<_, _> = FLOORS.into_iter().collect();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut wrong = Vec::new();
    for package in &packages {
        let name = package.name.as_str();
        let allowed: &[&str] = match floors.get(name) {
            Some(allowed) => allowed,
            None if is_test_guest(package) => &["dvsync-rules-sdk"],
            None => {
                wrong.push(format!("`{name}` has no floor: add it to FLOORS and ARCHITECTURE.md"));
                continue;
            }
        };
        for dependency in &package.dependencies {
            let other = dependency.name.as_str();
            let besides = dependency.kind != DependencyKind::Normal
                && (FOR_BUILDS_AND_TESTS.contains(&other) || other == name);
            if ours.contains(other) && !allowed.contains(&other) && !besides {
                wrong.push(format!("`{name}` must not use `{other}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let gone: Vec<_> = floors.keys().filter(|name| !ours.contains(*name)).collect();
    assert!(gone.is_empty(), "FLOORS names crates that do not exist: {gone:?}");
}

#[test]
fn a_foreign_crate_with_a_place_is_used_only_there() {
    let mut wrong = Vec::new();
    for package in &packages() {
        let name = package.name.as_str();
        for other in uses(package) {
            for (pattern, only) in ONLY_IN {
                let hit = match pattern.strip_suffix('*') {
                    Some(start) => other.starts_with(start),
                    None => other == pattern,
                };
                if hit && !only.contains(&name) {
                    wrong.push(format!("`{name}` must not use `{other}`: only {only:?} may"));
                }
            }
            if other == "tokio" && WITHOUT_TOKIO.contains(&name) {
                wrong.push(format!("`{name}` must not use `tokio`: it is synchronous"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn members_take_versions_and_features_from_the_workspace() {
    let root = super::tree::root();
    let mut wrong = Vec::new();
    for package in &packages() {
        let path = package.manifest_path.strip_prefix(&root).unwrap();
        let text = std::fs::read_to_string(&package.manifest_path).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(toml::Value::Table(entries)) = manifest.get(section) else { continue };
            for (name, entry) in entries {
                let is_plain = entry.as_table().is_some_and(|entry| {
                    entry.get("workspace") == Some(&toml::Value::Boolean(true))
                        && entry.keys().all(|key| key == "workspace" || key == "optional")
                });
                // What ships has kept bindings; guests of the tests make their own.
                let makes_bindings = is_test_guest(package) && name == "wit-bindgen";
                if !is_plain && !makes_bindings {
                    wrong.push(format!("{path}: `{name}` must say `workspace = true` and no more"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
