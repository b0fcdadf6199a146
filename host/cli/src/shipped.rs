//! Rules that are part of the program, and the sandbox that rules run in.

use std::path::{Path, PathBuf};

use dvsync_engine::job::Job;
use dvsync_rules::{Sandbox, SandboxSettings};

use crate::failure::Failure;
use crate::talk::Talk;

/// Name in job files, and the component.
const SHIPPED: [(&str, &[u8]); 2] = [
    ("account", include_bytes!(env!("ACCOUNT_RULES"))),
    ("contact", include_bytes!(env!("CONTACT_RULES"))),
];

/// A rule that does nothing, to measure others against; no job can name it.
pub(crate) const NOTHING: &[u8] = include_bytes!(env!("NOTHING_RULES"));

/// The component of a shipped rule.
#[must_use]
pub fn component(name: &str) -> Option<&'static [u8]> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, bytes)| *bytes)
}

/// Names of the shipped rules.
pub(crate) fn names() -> Vec<&'static str> {
    SHIPPED.iter().map(|(name, _)| *name).collect()
}

/// A sandbox where there is no job.
pub(crate) fn usual_sandbox() -> Result<Sandbox, Failure> {
    let settings = SandboxSettings { cache_dir: cache_dir(), ..SandboxSettings::default() };
    Ok(Sandbox::new(settings)?)
}

/// A sandbox for this job, with compiled rules kept where caches lie.
pub(crate) fn sandbox(job: &Job) -> Result<Sandbox, Failure> {
    let defaults = SandboxSettings::default();
    let wanted = job.rules.as_ref().and_then(|rules| rules.limits.memory).unwrap_or(0);
    let settings = SandboxSettings {
        cache_dir: cache_dir(),
        memory_bytes_max: defaults.memory_bytes_max.max(wanted),
        ..defaults
    };
    Ok(Sandbox::new(settings)?)
}

/// From there on compiling takes so long that somebody may wonder.
const LARGE_BYTES: usize = 2 << 20;

/// Says so when admitting the rule will take a while, as the first time with one in
/// Python or JavaScript.
pub(crate) fn tell_of_compiling(sandbox: &Sandbox, wasm: &[u8], origin: &str, talk: Talk) {
    if wasm.len() >= LARGE_BYTES && sandbox.will_compile(wasm) {
        let size = wasm.len() >> 20;
        talk.say(format!("compiling the rule `{origin}` ({size} MiB), once: some ten seconds"));
    }
}

/// Where the tools lie that make components of Python and JavaScript: with the
/// caches, else with what the project builds.
pub(crate) fn tools_dir(project: &Path) -> PathBuf {
    match cache_dir() {
        Some(rules) => rules.with_file_name("tools"),
        None => project.join("target").join("tools"),
    }
}

/// Where this system keeps caches; nothing where it does not say.
fn cache_dir() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = if cfg!(windows) {
        folder("LOCALAPPDATA")?
    } else if cfg!(target_os = "macos") {
        folder("HOME")?.join("Library/Caches")
    } else {
        folder("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| folder("HOME").map(|home| home.join(Path::new(".cache"))))?
    };
    Some(caches.join("dvsync").join("rules"))
}
