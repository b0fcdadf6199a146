//! The sandbox as its callers see it, with real guests (`tests/guests`).

#![allow(clippy::panic, clippy::cast_possible_wrap, reason = "tests; rows are few")]

/// What is admitted, and what is refused in which words.
mod admission;
/// What binding a rule to a job checks.
mod binding;
/// Compiled code on disk.
mod cache;
/// The guests, built once.
mod guests;
/// Each hook with a rule that behaves.
mod hooks;
/// Rules that do what they must not.
mod hostile;
/// Warm, recycled and parallel instances.
mod instances;
/// Components that are wrong before anything of them runs.
mod misbuilt;
