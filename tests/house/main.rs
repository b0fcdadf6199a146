//! The rules of the house: what a compiler does not see.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

/// Codes and statuses are told to users.
mod codes;
/// Paths in documents exist.
mod documents;
/// Files stay small, and say nothing of somebody's machine.
mod files;
/// Which crate may stand on which, and who may use what.
mod floors;
/// The tree on disk.
mod tree;
