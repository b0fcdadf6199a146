//! Versions of a rule that come while a run goes on: whole runs against the
//! emulator in process, seen from the target and the journal.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

/// A target, files, jobs and what came of them.
#[path = "../sync/harness.rs"]
#[allow(dead_code, reason = "shared with the tests of plain runs")]
mod harness;

/// A run of many chunks, and versions made by writing another stamp.
mod bench;

/// Bad versions never win, and cost no row.
mod bad;
/// Hundreds of swaps in one run.
mod load;
/// From registered to proved, step by step.
mod protocol;
/// Runs that were stopped or killed while a swap was under way.
mod resumed;
/// Random scripts of swaps, roll-backs, bad versions and deaths.
mod scripts;
