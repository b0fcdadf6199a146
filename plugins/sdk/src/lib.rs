//! What a Rust rule author imports.
