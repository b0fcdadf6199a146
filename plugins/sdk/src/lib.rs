//! What a Rust rule author imports: typed columns, builders, verdicts, and the
//! macro that makes a crate a rule component.
//!
//! A rule is a type that implements [`Rule`] and any of [`Transform`],
//! [`Matching`], [`State`] and [`Owner`], and one line of [`export!`]:
//!
//! ```
#![doc = include_str!("../examples/prospects.rs")]
//! ```
//!
//! Rule code sees only the types of this crate, which exist natively too: a rule
//! is tested by `cargo test` with [`testing`], without a sandbox, through the
//! same checks as in one.
//!
//! Promises: no IO, no clock, no randomness; nothing here panics, whatever the
//! host passes; reading costs no copy and no allocation per cell. Deliberately
//! not here: an Arrow library, and maps with a random seed (a component imports
//! nothing but the contract).

mod answers;
mod bits;
mod cells;
mod columns;
mod context;
mod country;
mod export;
mod failure;
mod field;
mod flag;
mod hooks;
mod json;
mod number;
mod output;
mod rows;
pub mod setting;
mod settings;
mod tables;
mod verdicts;

#[doc(hidden)]
pub mod bindings;
pub mod email;
#[doc(hidden)]
pub mod instance;
pub mod log;
pub mod phone;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod text;

pub use answers::{Choices, Keys, Owners, States};
pub use bindings::types::Column;
pub use cells::{Binaries, Booleans, Cells, Dates, Decimals, Float64s, Int64s, Texts, Uuids, View};
pub use columns::{
    BooleanBuilder, Builder, DateBuilder, DecimalBuilder, Float64Builder, Int64Builder, Store,
    TextBuilder, TimestampBuilder, UuidBuilder,
};
pub use context::Context;
pub use country::Country;
pub use failure::{Failure, FailureKind};
pub use field::{Field, Needs, Type};
pub use flag::Flags;
pub use hooks::{Candidates, Description, Matching, Owner, Rule, Side, State, Transform};
pub use number::{Number, Numbers};
pub use output::Output;
pub use rows::Rows;
pub use setting::{Setting, Word};
pub use settings::Settings;
pub use tables::{Resolved, Tables};
pub use verdicts::{VerdictKind, Verdicts};

/// All that a small rule needs: `use dvsync_rules_sdk::prelude::*`.
pub mod prelude {
    pub use crate::{
        BooleanBuilder, Candidates, Choices, Context, DateBuilder, DecimalBuilder, Description,
        Failure, Field, Float64Builder, Int64Builder, Keys, Matching, Needs, Output, Owner, Owners,
        Rows, Rule, Side, State, States, Tables, TextBuilder, TimestampBuilder, Transform, Type,
        UuidBuilder, settings,
    };
}
