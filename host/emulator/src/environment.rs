//! What stays the same while an emulator runs: the schema and its behaviour.

use std::sync::Arc;

use crate::body::{Reader, ValueRules};
use crate::refusal::Refusal;
use crate::schema::{Column, ReadOnlyWrites, Schema, SchemaSettings, Table};
use crate::settings::{Behavior, TextLength};

/// Schema and switches.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) schema: Arc<Schema>,
    pub(crate) behavior: Behavior,
    /// What the schema was made of, beyond the standard tables.
    pub(crate) tables: SchemaSettings,
}

impl Environment {
    /// Reads bodies for a table.
    pub(crate) fn reader<'s>(&'s self, table: &'s Table) -> Reader<'s> {
        Reader {
            schema: &self.schema,
            table,
            read_only: self.behavior.read_only_writes,
            strict_ids: self.behavior.forbidden_characters_in_odata_id,
            keep_empty: !self.behavior.empty_text_is_null,
            values: ValueRules {
                characters: self.behavior.text_length == TextLength::Characters,
                rounding: self.behavior.rounding,
            },
            depth: 0,
        }
    }

    /// A write of a column that this operation may not set: ignored or refused.
    pub(crate) fn read_only(&self, table: &Table, column: &Column) -> Result<(), Refusal> {
        match column.read_only_writes.unwrap_or(self.behavior.read_only_writes) {
            ReadOnlyWrites::Ignore => Ok(()),
            ReadOnlyWrites::Refuse => Err(Refusal::read_only(table, column)),
        }
    }
}
