//! Rules in Python and JavaScript: the SDKs' own tests, the contact rule in three
//! languages, and guests that misbehave.
//!
//! Wants Python 3.10 or later with `venv`, Node 20 or later with npm, and PyPI and
//! npm's registry for the first run; tools and components are kept in the target
//! folder. Where an interpreter is missing its tests say so and pass.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "a test that is left out says so")]
#![allow(clippy::cast_possible_wrap, reason = "small numbers made here")]

/// What a rule that misbehaves costs, and in which words it is told.
mod hostile;
/// The SDKs' own tests, natively.
mod native;
/// Projects of this repository, built.
mod projects;
/// The contact rule in three languages: the same answers, and the same records.
mod same;
