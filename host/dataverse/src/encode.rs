//! Arrow cells to JSON bytes, once per record.
//!
//! A [`WriteBuilder`] appends records to the body of a bulk message; a [`Write`]
//! remembers where each record and its parts begin, so that the same bytes
//! serve the bulk message, `$batch` operations and any subset. Pure; no
//! allocation per cell, no JSON values in between. Cells are trusted to be
//! canonical (`Kind::arrow_type`); whether a column may be written is the
//! caller's to know.

use std::sync::Arc;

use dvsync_model::{Column, Entity};
use uuid::Uuid;

mod batch;
mod cell;
mod text;
pub(crate) mod time;
mod write;

pub(crate) use batch::BatchBody;
pub use write::{Write, WriteBuilder};

use cell::Cells;
pub(crate) use cell::decimal;

/// What is done with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// They do not exist yet.
    Create,
    /// They exist: never creates.
    Update,
    /// Whichever it is.
    Upsert,
}

impl Operation {
    /// Name of the bulk message.
    #[must_use]
    pub fn bulk_message(self) -> &'static str {
        match self {
            Self::Create => "CreateMultiple",
            Self::Update => "UpdateMultiple",
            Self::Upsert => "UpsertMultiple",
        }
    }
}

/// Which record is meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Address<'a> {
    /// By primary id.
    Id(Uuid),
    /// By alternate key, as [`crate::address::key`] renders it. The key's
    /// columns must not be among the fields: the service refuses that on the
    /// create path. In a create it is not sent: the service chooses the id.
    Key(&'a str),
}

/// A column that cannot be encoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EncodeError {
    /// The array is not of the column's canonical type.
    #[error("column `{column}`: expected cells of type {expected}, found {found}")]
    Type {
        /// Logical name.
        column: String,
        /// What `Kind::arrow_type` says.
        expected: String,
        /// What the array is.
        found: String,
    },
    /// dvsync does not write columns of this kind.
    #[error("column `{column}` is of kind `{kind}`, which cannot be written")]
    NotWritable {
        /// Logical name.
        column: String,
        /// Microsoft's name of the kind.
        kind: String,
    },
    /// JSON has no such number.
    #[error("column `{column}`, row {row}: `{value}` is not a finite number")]
    NotFinite {
        /// Logical name.
        column: String,
        /// Row of the array, from 0.
        row: usize,
        /// NaN or an infinity.
        value: f64,
    },
    /// The reference's target is none of the column's.
    #[error("column `{column}`, row {row}: a lookup with {targets} targets has no target {target}")]
    UnknownTarget {
        /// Logical name.
        column: String,
        /// Row of the array, from 0.
        row: usize,
        /// The cell's first byte.
        target: u8,
        /// How many targets the column has.
        targets: usize,
    },
}

/// A column ready to be encoded.
#[derive(Debug, Clone)]
pub struct Field {
    cells: Cells,
}

impl Field {
    /// Prepares a column; `array` holds canonical cells.
    ///
    /// # Errors
    /// The array has another type, or holds cells that have no JSON form.
    pub fn new(column: &Column, array: arrow_array::ArrayRef) -> Result<Self, EncodeError> {
        Ok(Self { cells: Cells::new(column, array)? })
    }

    /// Appends `,"name":value`.
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        self.cells.write(row, out);
    }
}

/// Starts a record's bulk form.
fn type_annotation(entity: &Arc<Entity>) -> String {
    format!("{{\"@odata.type\":\"Microsoft.Dynamics.CRM.{}\"", entity.logical_name)
}
