//! Turns a Rust crate into a rule component.
