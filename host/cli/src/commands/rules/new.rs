//! `dvsync rules new`: a project that builds and passes its test as it is.
//!
//! The SDKs are in no registry: their sources are part of this program
//! (`build.rs` lists them) and are written out as `sdk/`, so that the project
//! needs nothing of this repository.

use std::path::Path;

use crate::args::{Language, NewArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::summary::out;
use crate::talk::Talk;

/// Path in the project, and text.
type File = (&'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

macro_rules! plugins {
    ($path:literal) => {
        include_str!(concat!("../../../../../plugins/", $path))
    };
}

/// The same whatever the language: what the rule is to say.
const FIXTURES: [File; 3] = [
    ("fixtures/codes.txt", plugins!("template/fixtures/codes.txt")),
    ("fixtures/names/source.csv", plugins!("template/fixtures/names/source.csv")),
    ("fixtures/names/expected.csv", plugins!("template/fixtures/names/expected.csv")),
];

const RUST: [File; 6] = [
    (".gitignore", plugins!("template/gitignore")),
    ("Cargo.toml", plugins!("template/Cargo.toml.in")),
    ("README.md", plugins!("template/README.md.in")),
    ("src/lib.rs", plugins!("template/src/lib.rs")),
    ("tests/native.rs", plugins!("template/tests/native.rs.in")),
    ("sdk/Cargo.toml", plugins!("template/sdk.toml.in")),
];

const IN_PYTHON: [File; 5] = [
    (".gitignore", plugins!("python/template/gitignore")),
    ("README.md", plugins!("python/template/README.md.in")),
    ("pyproject.toml", plugins!("python/template/pyproject.toml.in")),
    ("rule.py", plugins!("python/template/rule.py")),
    ("tests/test_rule.py", plugins!("python/template/tests/test_rule.py")),
];

const IN_JS: [File; 5] = [
    (".gitignore", plugins!("js/template/gitignore")),
    ("README.md", plugins!("js/template/README.md.in")),
    ("package.json", plugins!("js/template/package.json.in")),
    ("src/rule.js", plugins!("js/template/src/rule.js")),
    ("test/rule.test.js", plugins!("js/template/test/rule.test.js")),
];

/// A project's own files, and the SDK's.
fn files(language: Language) -> (&'static [File], &'static [File]) {
    match language {
        Language::Rust => (&RUST, SDK),
        Language::Python => (&IN_PYTHON, PYTHON),
        Language::Js => (&IN_JS, JS),
    }
}

pub(super) fn new(args: &NewArgs, talk: Talk) -> Result<Exit, Failure> {
    let NewArgs { name, lang } = args;
    check_name(name)?;
    let folder = Path::new(name);
    let cannot =
        |path: &Path, error| Failure::because(format!("cannot write `{}`", path.display()), error);
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Failure::usage(format!("`{name}` is there already"))
                .hint("choose another name, or remove it"));
        }
        made => made.map_err(|error| cannot(folder, error))?,
    }
    let (own, sdk) = files(*lang);
    let sdk = sdk.iter().map(|(path, text)| (format!("sdk/{path}"), (*text).to_owned()));
    let own = own.iter().chain(&FIXTURES);
    let own = own.map(|(path, text)| ((*path).to_owned(), filled(text, name)));
    for (path, text) in own.chain(sdk) {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|error| cannot(parent, error))?;
        std::fs::write(&path, text).map_err(|error| cannot(&path, error))?;
    }
    out(&format!("{name}\n"))?;
    talk.say(format!("next: cd {name} && dvsync rules build && dvsync rules test"));
    Ok(Exit::Complete)
}

/// A name that is a package, a folder and a rule's name at once.
fn check_name(name: &str) -> Result<(), Failure> {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let good = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 64
        && name.split('-').all(|word| !word.is_empty() && word.chars().all(is_letter));
    // Cargo keeps some names for itself, and the SDK's is taken.
    let taken = ["test", "core", "std", "alloc", "self", "super", "crate", "dvsync-rules-sdk"];
    if good && !taken.contains(&name) {
        return Ok(());
    }
    Err(Failure::usage(format!("`{name}` is no name for a rule"))
        .hint("use lower-case letters and digits, with `-` between words: `my-rules`"))
}

fn filled(text: &str, name: &str) -> String {
    text.replace("{{name}}", name)
        .replace("{{crate}}", &name.replace('-', "_"))
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_such_that_cargo_takes_them() {
        for good in ["a", "my-rules", "accounts2", "a-1"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "1a", "a--b", "-a", "a-", "a_b", "a/b", "..", "test", "ä"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        for language in [Language::Rust, Language::Python, Language::Js] {
            for (path, text) in files(language).0.iter().chain(&FIXTURES) {
                assert!(!filled(text, "a").contains("{{"), "{path}");
            }
        }
    }

    #[test]
    fn the_sdk_that_is_carried_is_whole_and_asks_for_the_same_crates() {
        for (language, paths) in [
            (Language::Rust, ["src/lib.rs", "src/bindings/transform.rs", "examples/prospects.rs"]),
            (
                Language::Python,
                ["dvsync_rules/__init__.py", "dvsync_rules/component.py", "dvsync_rules/py.typed"],
            ),
            (Language::Js, ["index.js", "index.d.ts", "component.js"]),
        ] {
            let names: Vec<&str> = files(language).1.iter().map(|(path, _)| *path).collect();
            for path in paths {
                assert!(names.contains(&path), "{path}");
            }
        }
        let workspace = include_str!("../../../../../Cargo.toml");
        let line = plugins!("template/sdk.toml.in").lines().last().unwrap_or_default();
        assert!(workspace.contains(line), "the workspace does not say `{line}`");
    }
}
