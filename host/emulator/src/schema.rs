//! What the emulated environment holds: tables, columns, keys, flags.
//!
//! Pure values, built once from the standard tables and the caller's schema,
//! then shared and never changed. Names are Microsoft's.

mod build;
mod column;
pub(crate) mod import;
mod raw;
mod table;

pub use column::Kind;
pub(crate) use column::{Choice, Column, LookupWord, Origin, State, Status, Target};
pub use raw::{
    BehaviorWord, ColumnSettings, KeySettings, KeyStatus, KeyTable, KindWord, ManyToManySettings,
    Number, OnDelete, OwnershipWord, ReadOnlyWrites, RequiredWord, SchemaSettings, SourceWord,
    StateOnCreate, StateSettings, TableSettings,
};
pub(crate) use table::{AlternateKey, Collection, ManyToMany, Property, Table};

use std::collections::HashMap;

use crate::error::EmulatorError;

/// All tables, by position; positions are what rows and lookups store.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) tables: Vec<Table>,
    pub(crate) many_to_many: Vec<ManyToMany>,
    by_name: HashMap<String, usize>,
    by_set: HashMap<String, usize>,
}

/// Logical names of the tables that every environment has.
pub(crate) fn standard_names() -> std::collections::BTreeSet<String> {
    build::standard().map(|tables| tables.into_keys().collect()).unwrap_or_default()
}

/// A column as the settings or the standard tables have it; none: the service's own.
pub(crate) fn own_column(
    settings: &SchemaSettings,
    table: &str,
    column: &str,
) -> Option<ColumnSettings> {
    let set = settings.tables.get(table).and_then(|table| table.columns.get(column));
    let standard = || build::standard().ok()?.get(table)?.columns.get(column).cloned();
    set.cloned().or_else(standard)
}

/// Many-to-many relationships that every environment has.
fn standard_pairs() -> std::collections::BTreeSet<String> {
    let tables = build::standard().unwrap_or_default();
    tables.into_values().flat_map(|table| table.many_to_many.into_keys()).collect()
}

impl Schema {
    /// The standard tables with `settings` laid over them.
    pub(crate) fn new(settings: &SchemaSettings) -> Result<Self, EmulatorError> {
        let (tables, many_to_many) = build::tables(settings)?;
        let mut by_name = HashMap::new();
        let mut by_set = HashMap::new();
        for (position, table) in tables.iter().enumerate() {
            by_name.insert(table.name.clone(), position);
            if by_set.insert(table.set.clone(), position).is_some() {
                return Err(EmulatorError::schema(
                    &table.name,
                    format!("entity set `{}` belongs to another table already", table.set),
                ));
            }
        }
        Ok(Self { tables, many_to_many, by_name, by_set })
    }

    pub(crate) fn table(&self, logical_name: &str) -> Option<&Table> {
        self.by_name.get(logical_name).and_then(|&position| self.tables.get(position))
    }

    pub(crate) fn set(&self, entity_set: &str) -> Option<&Table> {
        self.by_set.get(entity_set).and_then(|&position| self.tables.get(position))
    }
}
