//! The sandbox: WASM rules that judge rows, and cannot hurt anybody.
//!
//! ```text
//! Sandbox::admit -> Rule::bind -> Bound::transform | derive | choose | state | owner
//! ```
//!
//! A rule is a component that speaks [`CONTRACT`] (`wit/`). It gets the columns
//! that it asked for, granted tables and a log, and nothing else: no files, no
//! network, no clock, no randomness. Whatever it does (trap, loop, allocate,
//! recurse, lie about lengths) costs the rows that it did it on: they come back
//! as [`Fault`]s, found by narrowing, and everything else goes on.
//!
//! Sync: a call takes as long as the guest does, up to a deadline, so it belongs
//! on a thread that may block. The only crate with wasmtime; the only unsafe
//! code is the loading of compiled rules that this crate wrote and
//! authenticates. Which version is live is decided in [`swap`]. Not here: where
//! rules come from, what becomes of a row.

mod admission;
mod bindings;
mod bound;
mod cache;
mod cast;
mod contract;
mod digest;
mod error;
mod gate;
mod instance;
mod judged;
mod lift;
mod lower;
mod machine;
mod narrowing;
mod rule;
mod sandbox;
mod schema;
mod settings;
mod store;
pub mod swap;
mod tables;

pub use bound::{Bound, Health, Side};
pub use contract::{CONTRACT, Description, Field, HookName, HookNeeds, Hooks, Surface};
pub use digest::sha256 as digest_of;
pub use error::{Refusal, RuleError};
pub use gate::{Gate, Pass};
pub use judged::{
    Chosen, Derived, Fault, OwnerKind, Owners, Setting, States, Transformed, Verdict, VerdictKind,
    codes,
};
pub use rule::Rule;
pub use sandbox::Sandbox;
pub use schema::{PathStep, SettingsFault};
pub use settings::{BindSettings, Context, Isolation, Limits, Profile, SandboxSettings};
