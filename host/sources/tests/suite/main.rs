//! Sources, from outside.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(clippy::print_stdout, reason = "says which format a failure belongs to")]

/// Binary files that are damaged, and types that do not fit.
mod binary_forms;
/// What every kind promises, kind by kind over one logical table.
mod conformance;
/// CSV as people write it: each form, each way to be malformed.
mod csv_forms;
/// CSV for any text and any bytes.
mod csv_properties;
/// JSON as people write it, and for any bytes.
mod json_forms;
/// Errors that stop a source from being opened.
mod refusals;
/// The logical table, and how each format writes it.
mod table;
/// Sources over temporary files, and rows as text.
mod world;
