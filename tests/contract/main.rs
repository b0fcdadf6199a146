//! Compatibility: what was published stays as it was, and a rule that was built
//! against it runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

/// A compiled rule of each published version is admitted and judges as ever.
mod kept;
/// Published WIT does not change.
mod published;
