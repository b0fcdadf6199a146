//! The vocabulary that every other crate speaks: entities and their columns,
//! keys and ids, outcomes and letters.
//!
//! Pure values: no IO, no async, no clock. A word that is defined here has this
//! meaning everywhere: code, command line, logs, documents.

pub mod entity;
pub mod id;
pub mod key;
pub mod letter;
pub mod lookup;
pub mod outcome;
pub mod secret;

pub use entity::{AlternateKey, Bulk, Column, Entity, Kind, LookupTarget, Ownership, Required};
pub use key::KeyHash;
pub use letter::{Letter, Origin};
pub use lookup::LookupValue;
pub use outcome::{Counts, Imbalance, Outcome};
pub use secret::Secret;
