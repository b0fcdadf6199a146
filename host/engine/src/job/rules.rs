//! `[rules]` and `[registry]` as needed: which rule, from where, and whose
//! signatures it needs.

use std::path::Path;

use dvsync_registry::{PublicKey, Reference, Trust, read_public_key};

use super::Lookups;
use super::fault::Fault;
use super::file::{RegistrySection, RulesSection};
use super::needed::{Plugin, Registry, RuleLimits, Rules};
use super::resolve::{bytes, span};
use super::trust::{KeyRef, TrustSection};
use super::words::{Isolation, OnFailure, SwapWord};

/// Where rules are kept if nobody says so.
const STORE: &str = ".dvsync/rules";

pub(super) fn registry(section: RegistrySection, lookups: &Lookups<'_>) -> Registry {
    let path = section.path.unwrap_or_else(|| Path::new(STORE).to_owned());
    Registry { path: lookups.absolute(&path) }
}

pub(super) fn rules(section: RulesSection, lookups: &Lookups<'_>) -> Result<Rules, Fault> {
    if section.wasi {
        return Err(Fault::at("rules.wasi", "rules that import WASI are not admitted yet")
            .hint("build the rule without WASI: for `wasm32-unknown-unknown`"));
    }
    let limits = section.limits;
    let settings = section.settings.unwrap_or_default().into_iter().collect();
    Ok(Rules {
        plugin: plugin(&section.plugin, lookups)?,
        settings: serde_json::Value::Object(settings),
        trust: section
            .trust
            .map(|section| trust(section, lookups))
            .transpose()?
            .unwrap_or_default(),
        swap: section.swap.unwrap_or(SwapWord::Pinned),
        isolation: section.isolation.unwrap_or(Isolation::Warm),
        on_failure: section.on_failure.unwrap_or(OnFailure::DeadLetter),
        limits: RuleLimits {
            memory: limits
                .memory
                .map(|memory| bytes(Some(memory), 0, 1 << 20..=4 << 30, "rules.limits.memory"))
                .transpose()?,
            time_per_call: limits
                .time_per_call
                .map(|time| span(Some(time), 0, 10..=600_000, "rules.limits.time_per_call"))
                .transpose()?,
            output: bytes(limits.output, 128 << 20, 1 << 10..=1 << 30, "rules.limits.output")?,
            log_lines: limits.log_lines.unwrap_or(100),
            narrowing_calls: limits.narrowing_calls.unwrap_or(1000),
        },
        kept: None,
    })
}

fn plugin(text: &str, lookups: &Lookups<'_>) -> Result<Plugin, Fault> {
    let at = "rules.plugin";
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(Fault::at(at, format!("a run fetches no rule from `{scheme}://`"))
            .hint("fetch it once, dvsync rules pull, and name it: \"account@1.2.0\""));
    }
    let is_path = text.contains(['/', '\\']) || text.ends_with(".wasm");
    if is_path {
        return Ok(Plugin::File(lookups.absolute(Path::new(text))));
    }
    text.parse::<Reference>().map(Plugin::Named).map_err(|_| {
        Fault::at(at, format!("`{text}` names no rule")).hint(
            "write \"account\", \"account@1\", \"account@0.1.0\", \"account@sha256:...\" or a path \
             that ends in .wasm",
        )
    })
}

fn trust(section: TrustSection, lookups: &Lookups<'_>) -> Result<Trust, Fault> {
    let mut keys = Vec::with_capacity(section.keys.len());
    for (position, key) in section.keys.iter().enumerate() {
        let read: Result<PublicKey, _> = match key {
            KeyRef::Text(text) => text.parse(),
            KeyRef::File(path) => read_public_key(&lookups.absolute(path)),
        };
        keys.push(read.map_err(|error| {
            let why = std::error::Error::source(&error).map(|why| format!(": {why}"));
            let message = format!("{error}{}", why.unwrap_or_default());
            let fault = Fault::at(&format!("rules.trust.keys.{position}"), message);
            match error.hint() {
                Some(hint) => fault.hint(hint),
                None => fault,
            }
        })?);
    }
    // Whoever names keys wants them asked for.
    let require = section.require.unwrap_or(true);
    if require && keys.is_empty() {
        return Err(Fault::at("rules.trust", "a signature is required, and no key is named")
            .hint("name one: keys = [\"ed25519:...\"], or { file = \"team.pub\" }"));
    }
    Ok(Trust { keys, require })
}
