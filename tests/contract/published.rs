//! Published WIT does not change; a next version lies beside it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wit_bindgen_core::wit_parser::Resolve;

/// Folder and file below `wit`, and the SHA-256 of the text, line ends as `\n`.
const PUBLISHED: [(&str, &str); 1] =
    [("0.1/rules.wit", "4633086420eeb483cd21210b9a9e3a53a27472790fdcff64dfeca70e95f2a781")];

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit")
}

fn sha256(text: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text.replace("\r\n", "\n")) {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

#[test]
fn published_wit_is_as_it_was_published() {
    for (file, published) in PUBLISHED {
        let text = std::fs::read_to_string(wit().join(file)).unwrap();
        assert!(
            sha256(&text) == published,
            "wit/{file} is published and has changed (sha256 {}): rules that are built against it \
             would not fit any more. Undo the change; a new hook is a new interface, anything \
             else goes into a folder of its own, with the next version.",
            sha256(&text)
        );
    }
}

#[test]
fn each_published_file_has_its_hash_here() {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(wit()).unwrap() {
        let folder = folder.unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let name = file.unwrap().file_name();
            found.push(format!(
                "{}/{}",
                folder.file_name().to_str().unwrap(),
                name.to_str().unwrap()
            ));
        }
    }
    found.sort();
    assert_eq!(found, PUBLISHED.map(|(file, _)| file));
}

#[test]
fn a_next_version_with_other_types_lies_beside_this_one() {
    let text = std::fs::read_to_string(wit().join("0.1/rules.wit")).unwrap();
    let next = text
        .replace("package dvsync:rules@0.1.0", "package dvsync:rules@0.2.0")
        .replace("apply: func(rows: u32,", "apply: func(rows: u64,");
    assert_ne!(text, next);
    let mut resolve = Resolve::default();
    let old = resolve.push_str("old.wit", &text).unwrap();
    let new = resolve.push_str("new.wit", &next).unwrap();
    let worlds = ["transform-rule", "matching-rule", "state-rule", "owner-rule", "entity-rules"];
    for world in worlds {
        for package in [old, new] {
            resolve.select_world(&[package], Some(world)).unwrap();
        }
    }
}
