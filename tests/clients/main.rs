//! Clients that others wrote, as their registries have them, against the emulator
//! over TLS: Microsoft's Python SDK and the npm package `dynamics-web-api`.
//!
//! Wants Python 3 with `venv`, Node and npm, and the registries PyPI and npm for
//! the first run; what was installed is kept in the target folder. Nothing is
//! skipped: what cannot be installed fails, and says why.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

/// What is installed, where, and how it is started.
mod installed;
/// An emulator behind TLS.
mod served;

use installed::{node, python};
use served::Served;

/// What each script says, in its order.
const PARTS: [&str; 10] = [
    "create",
    "bulk create",
    "upsert by key",
    "update",
    "batch",
    "query with paging",
    "metadata",
    "tables",
    "errors",
    "delete",
];

#[track_caller]
fn check(said: &str) {
    let parts: Vec<String> = PARTS.iter().map(|part| format!("{part}: ok")).collect();
    assert_eq!(said.lines().collect::<Vec<_>>(), parts);
}

#[test]
fn microsofts_python_sdk_works_unmodified() {
    let script = python();
    let served = Served::start();
    check(&script.run(&served));
    served.check_requests();
}

#[test]
fn dynamics_web_api_works_unmodified() {
    let script = node();
    let served = Served::start();
    check(&script.run(&served));
    served.check_requests();
}
