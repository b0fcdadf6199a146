//! A crate of its own, outside of any workspace of ours: which package a folder
//! holds, where it builds, and its component.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::stamp::stamped;
use crate::{BuildError, component, componentize, toolchain};

/// The path of the component: `target/rules/NAME.wasm`, below the target folder
/// that cargo names.
///
/// What it exports are the hooks that the crate names in `export!`: the world is
/// the union of theirs. Cargo decides what has changed.
pub(super) fn build(folder: &Path, profile: &str) -> Result<PathBuf, BuildError> {
    let no_crate = || BuildError::NoProject { folder: folder.to_owned() };
    let manifest = std::path::absolute(folder.join("Cargo.toml")).map_err(|_| no_crate())?;
    if !manifest.is_file() {
        return Err(no_crate());
    }
    let folder = manifest.parent().unwrap_or(folder);
    let project = project(&toolchain::metadata(folder)?, &manifest).ok_or_else(no_crate)?;
    if !project.makes_module {
        return Err(BuildError::NoModule { package: project.package });
    }
    toolchain::ensure_target(folder)?;
    let core = toolchain::cargo_build(folder, &project.package, profile, &project.target_dir)?;
    let bytes = std::fs::read(&core).map_err(|source| BuildError::read(&core, source))?;
    let bytes = stamped(componentize(&bytes)?, "rust", &project.package);
    let rules = project.target_dir.join("rules");
    std::fs::create_dir_all(&rules).map_err(|source| BuildError::write(&rules, source))?;
    let path = rules.join(format!("{}.wasm", project.package));
    component::publish(&path, &bytes)?;
    Ok(path)
}

#[derive(Debug, PartialEq, Eq)]
struct Project {
    package: String,
    target_dir: PathBuf,
    /// Whether it has a library of the kind `cdylib`.
    makes_module: bool,
}

/// The package of that manifest in what `cargo metadata` says; none for a
/// workspace without one at its root.
fn project(metadata: &Value, manifest: &Path) -> Option<Project> {
    let target_dir = PathBuf::from(metadata["target_directory"].as_str()?);
    // Cargo may have followed links on the way.
    let real = manifest.canonicalize();
    let is_it = |package: &&Value| {
        let path = package["manifest_path"].as_str().map(Path::new);
        path.is_some_and(|path| {
            path == manifest
                || real
                    .as_ref()
                    .is_ok_and(|real| path.canonicalize().is_ok_and(|path| path == *real))
        })
    };
    let package = metadata["packages"].as_array()?.iter().find(is_it)?;
    let targets = package["targets"].as_array()?;
    let is_module = |target: &Value| {
        let kinds = target["crate_types"].as_array();
        kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
            && target["kind"]
                .as_array()
                .is_some_and(|kinds| !kinds.contains(&Value::from("example")))
    };
    Some(Project {
        package: package["name"].as_str()?.to_owned(),
        target_dir,
        makes_module: targets.iter().any(is_module),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_package_of_the_manifest_is_found_among_the_members() {
        let package = |name: &str, manifest: &str, kind: &str| {
            json!({"name": name, "manifest_path": manifest,
                   "targets": [{"kind": [kind], "crate_types": [kind]}]})
        };
        let metadata = json!({
            "target_directory": "/t",
            "packages": [package("sdk", "/a/sdk/Cargo.toml", "lib"),
                         package("rule", "/a/Cargo.toml", "cdylib")],
        });
        let of = |manifest| project(&metadata, Path::new(manifest));
        let found = |package: &str, makes_module| {
            Some(Project { package: package.to_owned(), target_dir: "/t".into(), makes_module })
        };
        assert_eq!(of("/a/Cargo.toml"), found("rule", true));
        assert_eq!(of("/a/sdk/Cargo.toml"), found("sdk", false));
        assert_eq!(of("/b/Cargo.toml"), None);
    }

    #[test]
    fn a_folder_without_a_crate_is_told() {
        let error = build(Path::new("/nowhere"), "release").expect_err("nothing there");
        assert_eq!(error.to_string(), "`/nowhere` holds no rule project");
    }
}
