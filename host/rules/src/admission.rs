//! Reads what a component imports and exports, before anything is compiled.
//! Pure: bytes in, a verdict out.
//!
//! Only names are compared here; that the types behind them fit is checked by
//! the linker, after compiling.

use wasmparser::{Encoding, Parser, Payload};

use crate::contract::{HookName, Hooks, SPEAKS, Surface};
use crate::error::Refusal;

/// Components and modules inside one rule: a Python rule has about 30.
const PARTS_MAX: usize = 256;
/// Version 13 (the component model), layer 1, as in the bytes after the magic.
const FORMAT: u32 = 0x0001_000d;
const PACKAGE: &str = "dvsync:rules/";
/// The custom section in which `dvsync rules build` says what it built.
const STAMP: &str = "dvsync:rule";
const STAMP_BYTES_MAX: usize = 4096;

/// The stamp; what else it says is for people.
#[derive(serde::Deserialize)]
struct Stamp {
    language: String,
}

struct Outer {
    imports: Vec<String>,
    exports: Vec<String>,
    language: Option<String>,
}

/// What the component imports and exports; or why it is not admitted.
pub(crate) fn admit(wasm: &[u8], bytes_max: usize) -> Result<Surface, Refusal> {
    if wasm.len() > bytes_max {
        return Err(Refusal::TooLarge { bytes: wasm.len(), bytes_max });
    }
    check_preamble(wasm)?;
    let Outer { imports, exports, language } = outer(wasm)?;

    let mut hooks = Hooks::default();
    for hook in exports.iter().filter_map(|name| interface(name)).filter_map(HookName::from_name) {
        hooks.insert(hook);
    }
    let plugin = exports.iter().find(|name| interface(name) == Some("plugin"));
    // The version goes first: what else is wrong follows from it. Interfaces of
    // a newer one may lie beside those of this one.
    if plugin.is_none() || hooks == Hooks::default() {
        let other = of_another_version(&exports);
        if !other.is_empty() {
            return Err(Refusal::OtherVersion { exports: other, speaks: SPEAKS });
        }
    }
    let foreign: Vec<String> = imports
        .iter()
        .filter(|name| !matches!(interface(name), Some("types" | "log" | "lookups")))
        .cloned()
        .collect();
    if !foreign.is_empty() {
        return Err(Refusal::Imports { imports: foreign });
    }
    let Some(plugin) = plugin else { return Err(Refusal::NoPlugin { exports }) };
    if hooks == Hooks::default() {
        return Err(Refusal::NoHooks);
    }
    let contract = plugin.replacen("/plugin@", "@", 1);
    Ok(Surface { contract, hooks, imports, exports, language })
}

fn of_another_version(names: &[String]) -> Vec<String> {
    let ours = names.iter().filter(|name| name.starts_with(PACKAGE));
    ours.filter(|name| interface(name).is_none()).cloned().collect()
}

fn check_preamble(wasm: &[u8]) -> Result<(), Refusal> {
    let Some((b"\0asm", rest)) = wasm.split_at_checked(4) else { return Err(Refusal::NotWasm) };
    let Some(format) = rest.first_chunk::<4>() else { return Err(Refusal::NotWasm) };
    match u32::from_le_bytes(*format) {
        FORMAT => Ok(()),
        // Layer 0 is a core module, whatever its version.
        layered if layered >> 16 == 0 => Err(Refusal::CoreModule),
        found => Err(Refusal::Format { found, known: FORMAT }),
    }
}

/// Names of the outermost component's imports and exports, as written, and its
/// stamp.
fn outer(wasm: &[u8]) -> Result<Outer, Refusal> {
    let damaged = |error: wasmparser::BinaryReaderError| Refusal::Damaged(error.to_string());
    let mut imports = Vec::new();
    let mut exports = Vec::new();
    let mut language = None;
    let mut parts = 0;
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(damaged)? {
            Payload::Version { encoding, .. } => {
                parts += 1;
                if parts > PARTS_MAX {
                    return Err(Refusal::TooManyParts { parts, parts_max: PARTS_MAX });
                }
                depth += 1;
                if depth == 1 && encoding != Encoding::Component {
                    return Err(Refusal::CoreModule);
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports.push(import.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    exports.push(export.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) if depth == 1 && section.name() == STAMP => {
                language = stamped(section.data());
            }
            _ => {}
        }
    }
    imports.sort();
    exports.sort();
    Ok(Outer { imports, exports, language })
}

/// The language that a stamp names; one that cannot be read says nothing.
fn stamped(data: &[u8]) -> Option<String> {
    if data.len() > STAMP_BYTES_MAX {
        return None;
    }
    let language = serde_json::from_slice::<Stamp>(data).ok()?.language;
    let is_word = language.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_word && !language.is_empty()).then_some(language)
}

/// `transform` of `dvsync:rules/transform@0.1.0`, if this host speaks that
/// version.
fn interface(name: &str) -> Option<&str> {
    let (interface, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
    let patch = version.strip_prefix(SPEAKS)?.strip_prefix('.')?;
    patch.bytes().all(|byte| byte.is_ascii_digit()).then_some(interface)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(bytes: &[u8]) -> String {
        admit(bytes, 1 << 20).expect_err("not a rule").to_string()
    }

    #[test]
    fn what_is_no_component_is_told_apart() {
        assert_eq!(reason(b""), "it is not WebAssembly");
        assert_eq!(reason(b"(component)"), "it is not WebAssembly");
        assert_eq!(reason(b"\0asm\x01\0\0\0"), "it is a core module, not a component");
        assert_eq!(
            reason(b"\0asm\x0e\0\x01\0"),
            "it is a component of the binary format 65550, this host reads 65549"
        );
        assert!(reason(b"\0asm\x0d\0\x01\0\xff\xff").starts_with("it is damaged: "));
        let empty = reason(b"\0asm\x0d\0\x01\0");
        assert_eq!(empty, "it does not export `dvsync:rules/plugin@0.1.0`; it exports nothing");
    }

    #[test]
    fn a_rule_beyond_the_size_limit_is_refused() {
        let error = admit(&[0; 11], 10).expect_err("too large");
        assert_eq!(error.to_string(), "it has 11 bytes, more than the 10 allowed");
    }

    #[test]
    fn a_stamp_is_a_word_or_nothing() {
        for (data, language) in [
            (r#"{"language": "python", "name": "x"}"#, Some("python")),
            (r#"{"language": "Python\n"}"#, None),
            (r#"{"language": ""}"#, None),
            (r#"{"language": 1}"#, None),
            ("python", None),
        ] {
            assert_eq!(stamped(data.as_bytes()).as_deref(), language, "{data}");
        }
        let long = format!(r#"{{"language": "{}"}}"#, "a".repeat(STAMP_BYTES_MAX));
        assert_eq!(stamped(long.as_bytes()), None);
    }

    #[test]
    fn any_patch_of_the_spoken_version_is_understood() {
        assert_eq!(interface("dvsync:rules/transform@0.1.0"), Some("transform"));
        assert_eq!(interface("dvsync:rules/transform@0.1.12"), Some("transform"));
        for other in
            ["dvsync:rules/transform@0.2.0", "dvsync:rules/transform@0.10.0", "x:y/transform@0.1.0"]
        {
            assert_eq!(interface(other), None, "{other}");
        }
    }
}
