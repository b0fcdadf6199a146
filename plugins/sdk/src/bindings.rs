//! The WIT contract as Rust types, one world for each interface that a rule may
//! export. Made by wit-bindgen and kept, so that a rule compiles without the
//! generator; `tests/generated.rs` compares them, and writes them anew.
//!
//! A component is the union of the worlds whose `export_*` macro it calls, so an
//! author's crate exports just the hooks that it has. Rule code sees none of
//! this: `instance` converts.

/// `matching`.
#[rustfmt::skip]
#[allow(warnings, clippy::all, reason = "generated")]
pub mod matching;
/// `owner`.
#[rustfmt::skip]
#[allow(warnings, clippy::all, reason = "generated")]
pub mod owner;
/// `plugin`, which every rule exports, and the two imports.
#[rustfmt::skip]
#[allow(warnings, clippy::all, reason = "generated")]
pub mod rule;
/// `state`.
#[rustfmt::skip]
#[allow(warnings, clippy::all, reason = "generated")]
pub mod state;
/// `transform`.
#[rustfmt::skip]
#[allow(warnings, clippy::all, reason = "generated")]
pub mod transform;

pub use rule::dvsync::rules::{log, lookups, types};
