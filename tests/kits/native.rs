use std::path::Path;
use std::process::Command;

use crate::projects::Language;

fn plugins() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins")
}

#[track_caller]
fn passes(command: &mut Command) {
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn the_python_sdk_passes_its_own_tests() {
    if Language::Python.is_there() {
        let mut python = Command::new("python3");
        passes(
            python
                .args(["-m", "unittest", "discover", "tests"])
                .current_dir(plugins().join("python")),
        );
    }
}

#[test]
fn the_javascript_sdk_passes_its_own_tests() {
    if Language::JavaScript.is_there() {
        let mut node = Command::new("node");
        passes(node.args(["--test", "test/sdk.test.js"]).current_dir(plugins().join("js")));
    }
}
