//! What stays the same while an emulator runs: the schema and its behaviour.

use std::sync::Arc;

use crate::body::{Reader, ValueRules};
use crate::refusal::Refusal;
use crate::schema::{Column, ReadOnlyWrites, Schema, SchemaSettings, Table};
use crate::settings::{Behavior, Leniency, TextLength};

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
                cut_times: self.behavior.time_in_date_only == Leniency::Ignore,
            },
            depth: 0,
        }
    }

    /// The path of a resource without a slash at its end; a refusal where the service
    /// does not take one.
    pub(crate) fn path<'p>(&self, path: &'p str) -> Result<&'p str, Refusal> {
        match path.strip_suffix('/') {
            Some(_) if !self.behavior.trailing_slash && path != "/" => Err(Refusal::no_segment("")),
            Some(rest) => Ok(rest),
            None => Ok(path),
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
