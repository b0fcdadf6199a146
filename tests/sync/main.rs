//! Whole runs against the emulator in process: what the engine promises, seen
//! from the target and the journal.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

/// A target, files, jobs and what came of them.
mod harness;

/// What is wrong with input costs the row, and says where and why.
mod bad_input;
/// What is wrong with a job is told before anything is written.
mod bad_jobs;
/// Only what differs is sent; the second run sends nothing.
mod changes;
/// Deferred rows and requests in doubt, within a run and across runs.
mod deferrals;
/// Refused calls, lost replies, throttles, servers that go away.
mod faults;
/// Rules that trap, loop and allocate.
mod guests;
/// Any data, any batch size: the target equals the source, nothing is lost.
mod laws;
/// Rows that could not be written: replayed, superseded, never overwriting.
mod letters;
/// What a rule logs, and what stands beside it.
mod logging;
/// What each mode does to records that exist and to those that do not.
mod modes;
/// Lookups, owners, states.
mod references;
/// Runs that were stopped or killed go on.
mod resume;
