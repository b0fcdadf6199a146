//! From words to tables: lays the caller's schema over the standard tables,
//! adds the columns that the service adds, resolves names to positions.

mod columns;
mod names;
mod relations;

use std::collections::BTreeMap;

use super::column::{Column, Kind};
use super::raw::{KeySettings, KeyStatus, OwnershipWord, SchemaSettings, TableSettings};
use super::table::{AlternateKey, Known, ManyToMany, Table};
use crate::error::EmulatorError;

const STANDARD: [&str; 3] = [
    include_str!("standard/base.toml"),
    include_str!("standard/sales.toml"),
    include_str!("standard/service.toml"),
];
/// *Define alternate keys for a table*: at most 16 columns in a key.
const KEY_COLUMNS_MAX: usize = 16;
/// *Define alternate keys for a table*: at most 10 keys on a table.
const KEYS_MAX: usize = 10;

/// The tables that every environment has.
pub(super) fn standard() -> Result<BTreeMap<String, TableSettings>, EmulatorError> {
    let mut all = BTreeMap::new();
    for text in STANDARD {
        let part: SchemaSettings =
            toml::from_str(text).map_err(|error| EmulatorError::Settings(error.to_string()))?;
        all.extend(part.tables);
    }
    Ok(all)
}

/// All tables by position, and the many-to-many relationships between them.
pub(super) fn tables(
    settings: &SchemaSettings,
) -> Result<(Vec<Table>, Vec<ManyToMany>), EmulatorError> {
    let mut merged = standard()?;
    let mut custom = Vec::new();
    for (name, table) in &settings.tables {
        match merged.get_mut(name) {
            Some(base) => lay_over(base, table),
            None => {
                custom.push(name.clone());
                merged.insert(name.clone(), table.clone());
            }
        }
    }
    relations::add_intersects(&mut merged)?;
    let positions: BTreeMap<&str, usize> =
        merged.keys().enumerate().map(|(position, name)| (name.as_str(), position)).collect();
    let mut tables = merged
        .iter()
        .enumerate()
        .map(|(position, (name, table))| {
            let is_custom = custom.contains(name);
            build(position, name, table, is_custom, &positions)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let many_to_many = relations::join(&mut tables, &merged, &positions)?;
    Ok((tables, many_to_many))
}

fn lay_over(base: &mut TableSettings, over: &TableSettings) {
    fn put<T: Clone>(base: &mut Option<T>, over: &Option<T>) {
        if over.is_some() {
            base.clone_from(over);
        }
    }
    put(&mut base.set, &over.set);
    put(&mut base.schema_name, &over.schema_name);
    put(&mut base.display, &over.display);
    put(&mut base.primary_id, &over.primary_id);
    put(&mut base.primary_name, &over.primary_name);
    put(&mut base.object_type_code, &over.object_type_code);
    put(&mut base.ownership, &over.ownership);
    put(&mut base.stateful, &over.stateful);
    put(&mut base.states, &over.states);
    put(&mut base.transitions, &over.transitions);
    put(&mut base.enforce_transitions, &over.enforce_transitions);
    put(&mut base.state_on_create, &over.state_on_create);
    put(&mut base.bulk, &over.bulk);
    put(&mut base.optimistic_concurrency, &over.optimistic_concurrency);
    put(&mut base.change_tracking, &over.change_tracking);
    base.columns.extend(over.columns.iter().map(|(name, column)| (name.clone(), column.clone())));
    put(&mut base.elastic, &over.elastic);
    put(&mut base.activity, &over.activity);
    base.many_to_many
        .extend(over.many_to_many.iter().map(|(name, one)| (name.clone(), one.clone())));
    base.keys.extend(over.keys.iter().map(|(name, key)| (name.clone(), key.clone())));
}

fn build(
    position: usize,
    name: &str,
    settings: &TableSettings,
    custom: bool,
    positions: &BTreeMap<&str, usize>,
) -> Result<Table, EmulatorError> {
    names::check(name).map_err(|message| EmulatorError::schema(name, message))?;
    let columns = columns::all(name, settings, positions)
        .map_err(|message| EmulatorError::schema(name, message))?;
    let at = |wanted: &str| columns.iter().position(|column| column.name == wanted);
    let primary_id = settings.primary_id.clone().unwrap_or_else(|| format!("{name}id"));
    let Some(primary_id) = at(&primary_id) else {
        return Err(EmulatorError::schema(name, format!("no primary id `{primary_id}`")));
    };
    let primary_name = match &settings.primary_name {
        None => None,
        Some(wanted) => Some(at(wanted).ok_or_else(|| {
            EmulatorError::schema(name, format!("primary name `{wanted}` is not a column"))
        })?),
    };
    let keys = keys(settings, &columns).map_err(|message| EmulatorError::schema(name, message))?;
    let hierarchy =
        hierarchy(name, settings).map_err(|message| EmulatorError::schema(name, message))?;
    let schema_name = settings.schema_name.clone().unwrap_or_else(|| name.to_owned());
    let known = known(&columns);
    let hierarchy = hierarchy.and_then(at);
    Ok(Table {
        position,
        name: name.to_owned(),
        set: settings.set.clone().unwrap_or_else(|| names::plural(name)),
        display: settings.display.clone().unwrap_or_else(|| schema_name.clone()),
        schema_name,
        object_type_code: settings
            .object_type_code
            .unwrap_or_else(|| 10_000 + i32::try_from(position).unwrap_or(0)),
        ownership: settings.ownership.unwrap_or(OwnershipWord::User),
        bulk: settings.bulk.unwrap_or(true),
        optimistic_concurrency: settings.optimistic_concurrency.unwrap_or(true),
        change_tracking: settings.change_tracking.unwrap_or(!settings.intersect),
        enforce_transitions: settings.enforce_transitions.unwrap_or(false),
        state_on_create: settings.state_on_create,
        internal: settings.internal,
        intersect: settings.intersect,
        elastic: settings.elastic.unwrap_or(false),
        activity: settings.activity.unwrap_or(false),
        custom,
        collections: BTreeMap::new(),
        properties: names::properties(&columns),
        columns,
        primary_id,
        primary_name,
        keys,
        hierarchy,
        known,
    })
}

/// The column by which the records of a table stand above each other.
fn hierarchy<'s>(table: &str, settings: &'s TableSettings) -> Result<Option<&'s str>, String> {
    let mut all = settings.columns.iter().filter(|(_, column)| column.hierarchical == Some(true));
    let Some((name, column)) = all.next() else { return Ok(None) };
    if let Some((other, _)) = all.next() {
        return Err(format!("`{name}` and `{other}` are hierarchical, and only one can be"));
    }
    match column.targets.as_deref() {
        Some([target]) if target == table => Ok(Some(name)),
        _ => Err(format!("`{name}` is hierarchical, and no lookup to its own table")),
    }
}

fn keys(settings: &TableSettings, columns: &[Column]) -> Result<Vec<AlternateKey>, String> {
    if settings.keys.len() > KEYS_MAX {
        return Err(format!(
            "{} alternate keys, at most {KEYS_MAX} are allowed",
            settings.keys.len()
        ));
    }
    let mut keys = Vec::new();
    for (name, key) in &settings.keys {
        let (names, status) = match key {
            KeySettings::Columns(names) => (names, KeyStatus::Active),
            KeySettings::Full(full) => (&full.columns, full.status),
        };
        if names.is_empty() || names.len() > KEY_COLUMNS_MAX {
            return Err(format!(
                "alternate key `{name}` has {} columns: expected 1 to {KEY_COLUMNS_MAX}",
                names.len()
            ));
        }
        let mut positions = Vec::new();
        for wanted in names {
            let position = columns
                .iter()
                .position(|column| column.name == *wanted)
                .ok_or_else(|| format!("alternate key `{name}` names unknown column `{wanted}`"))?;
            match columns[position].kind {
                Kind::Text { .. }
                | Kind::Integer { .. }
                | Kind::Decimal { .. }
                | Kind::DateTime { .. }
                | Kind::Date
                | Kind::Lookup { .. }
                | Kind::Choice { .. } => positions.push(position),
                // The pair of a many-to-many relationship.
                Kind::Guid if settings.intersect => positions.push(position),
                _ => {
                    return Err(format!(
                        "alternate key `{name}`: column `{wanted}` has a type that keys do not take"
                    ));
                }
            }
        }
        keys.push(AlternateKey { name: name.clone(), columns: positions, status });
    }
    Ok(keys)
}

fn known(columns: &[Column]) -> Known {
    let at = |wanted: &str| columns.iter().position(|column| column.name == wanted);
    let bases = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| matches!(column.kind, Kind::Money { .. }))
        .filter_map(|(position, column)| Some((position, at(&format!("{}_base", column.name))?)))
        .collect();
    Known {
        createdon: at("createdon"),
        modifiedon: at("modifiedon"),
        createdby: at("createdby"),
        modifiedby: at("modifiedby"),
        overriddencreatedon: at("overriddencreatedon"),
        // Users and teams have an `ownerid` that is their own id.
        ownerid: at("ownerid")
            .filter(|&column| matches!(columns[column].kind, Kind::Lookup { .. })),
        owningbusinessunit: at("owningbusinessunit"),
        statecode: at("statecode"),
        statuscode: at("statuscode"),
        transactioncurrencyid: at("transactioncurrencyid"),
        exchangerate: at("exchangerate"),
        firstname: at("firstname"),
        lastname: at("lastname"),
        fullname: at("fullname"),
        bases,
    }
}
