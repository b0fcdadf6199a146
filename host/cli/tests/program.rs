//! The program as people and scripts see it: arguments in, stdout, stderr and
//! exit code out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

/// Folders, jobs, and the program to start.
#[path = "program/harness.rs"]
mod harness;

/// What is typed wrong is told with place and hint, and ends with 64.
#[path = "program/usage.rs"]
mod usage;

/// The demo does what README says.
#[path = "program/demo.rs"]
mod demo;

/// Whole commands against the embedded emulator and one over HTTP.
#[path = "program/commands.rs"]
mod commands;

/// The emulator's page, with curl.
#[cfg(unix)]
#[path = "program/emulator_page.rs"]
mod emulator_page;

/// Rows that could not be written: listed, exported, replayed, dropped.
#[path = "program/letters.rs"]
mod letters;

/// `kill -9` at any moment, a full disk, and `run --resume`.
#[cfg(unix)]
#[path = "program/kills.rs"]
mod kills;

/// Rules in a store.
#[path = "program/registry.rs"]
mod registry;

/// Rules through an OCI registry.
#[cfg(feature = "oci")]
#[path = "program/oci.rs"]
mod oci;

/// The kit of a rule's author.
#[path = "program/rules.rs"]
mod rules;

/// Versions that are published while jobs follow them.
#[path = "program/swap.rs"]
mod swap;

/// Ctrl-C, and going on afterwards.
#[cfg(unix)]
#[path = "program/signals.rs"]
mod signals;
