//! Relationships: the tables of pairs, names that nobody typed, and where each
//! collection-valued navigation property leads.

use std::collections::BTreeMap;

use crate::error::EmulatorError;
use crate::schema::column::{Column, Kind, Origin};
use crate::schema::raw::{
    ColumnSettings, KeySettings, KindWord, ManyToManySettings, OwnershipWord, TableSettings,
};
use crate::schema::table::{Collection, ManyToMany, Table};

type Merged = BTreeMap<String, TableSettings>;

/// Adds a table for the pairs of each many-to-many relationship.
pub(super) fn add_intersects(merged: &mut Merged) -> Result<(), EmulatorError> {
    let mut added = Vec::new();
    for (table, settings) in merged.iter() {
        for (name, one) in &settings.many_to_many {
            let problem = |message: String| EmulatorError::schema(table, message);
            if !merged.contains_key(&one.with) {
                return Err(problem(format!(
                    "many-to-many relationship `{name}`: `{}` is not a table",
                    one.with
                )));
            }
            let intersect = intersect_name(name, one);
            if merged.contains_key(&intersect) {
                return Err(problem(format!(
                    "many-to-many relationship `{name}`: `{intersect}` is a table already"
                )));
            }
            added.push((intersect, table.clone(), one.clone()));
        }
    }
    for (name, table, one) in added {
        let (here, there) = pair_columns(&table, &one.with);
        let id = ColumnSettings::of(KindWord::Uniqueidentifier);
        let settings = TableSettings {
            set: Some(one.set.clone().unwrap_or_else(|| format!("{name}set"))),
            ownership: Some(OwnershipWord::None),
            stateful: Some(false),
            bulk: Some(false),
            intersect: true,
            columns: BTreeMap::from([(here.clone(), id.clone()), (there.clone(), id)]),
            keys: BTreeMap::from([(
                format!("{name}_pair"),
                KeySettings::Columns(vec![here, there]),
            )]),
            ..TableSettings::default()
        };
        if merged.insert(name.clone(), settings).is_some() {
            let message = "two many-to-many relationships have the same table of pairs".to_owned();
            return Err(EmulatorError::schema(&name, message));
        }
    }
    Ok(())
}

fn intersect_name(name: &str, one: &ManyToManySettings) -> String {
    one.intersect.clone().unwrap_or_else(|| name.to_lowercase())
}

/// The columns of a pair: `accountid` and `leadid`, or `accountidone` and
/// `accountidtwo`.
fn pair_columns(table: &str, with: &str) -> (String, String) {
    if table == with {
        (format!("{table}idone"), format!("{table}idtwo"))
    } else {
        (format!("{table}id"), format!("{with}id"))
    }
}

/// Names the relationships and enters the collections at the tables that they
/// stand on.
pub(super) fn join(
    tables: &mut [Table],
    merged: &Merged,
    positions: &BTreeMap<&str, usize>,
) -> Result<Vec<ManyToMany>, EmulatorError> {
    let mut collections: Vec<(usize, String, Collection)> = Vec::new();
    for table in tables.iter_mut().filter(|table| !table.sealed()) {
        let names = Names { table: &table.name, set: &table.set, custom: table.custom };
        for (column, definition) in table.columns.iter_mut().enumerate() {
            let default = names.relationship(definition);
            let name = definition.name.clone();
            let Kind::Lookup { targets, .. } = &mut definition.kind else { continue };
            for (index, target) in (0_u8..).zip(targets) {
                if target.relationship.is_empty() {
                    target.relationship = default
                        .clone()
                        .unwrap_or_else(|| format!("{}_{}_{name}", target.name, names.table));
                }
                if target.collection.is_empty() {
                    target.collection.clone_from(&target.relationship);
                }
                collections.push((
                    target.table,
                    target.collection.clone(),
                    Collection::Many { table: table.position, column, target: index },
                ));
            }
        }
    }
    let many_to_many = pairs(tables, merged, positions, &mut collections);
    for (position, name, collection) in collections {
        let table = &mut tables[position];
        if table.collections.insert(name.clone(), collection).is_some() {
            let message = format!("two relationships have the navigation property `{name}`");
            return Err(EmulatorError::schema(&table.name, message));
        }
    }
    Ok(many_to_many)
}

fn pairs(
    tables: &[Table],
    merged: &Merged,
    positions: &BTreeMap<&str, usize>,
    collections: &mut Vec<(usize, String, Collection)>,
) -> Vec<ManyToMany> {
    let mut all = Vec::new();
    let named = merged.iter().flat_map(|(table, settings)| {
        settings.many_to_many.iter().map(move |(name, one)| (table, name, one))
    });
    for (table, name, one) in named {
        let position = |name: &str| positions.get(name).copied();
        let (Some(first), Some(second), Some(intersect)) =
            (position(table), position(&one.with), position(&intersect_name(name, one)))
        else {
            continue;
        };
        let (here, there) = pair_columns(table, &one.with);
        let column = |name: &str| tables[intersect].column_position(name);
        let (Some(here), Some(there)) = (column(&here), column(&there)) else { continue };
        let navigation = one.navigation.clone().unwrap_or_else(|| name.clone());
        let back = match &one.with_navigation {
            Some(back) => back.clone(),
            // A table paired with itself needs two names.
            None if first == second => format!("{name}_back"),
            None => name.clone(),
        };
        collections.push((
            first,
            navigation.clone(),
            Collection::Both { table: second, intersect, here, there },
        ));
        collections.push((
            second,
            back.clone(),
            Collection::Both { table: first, intersect, here: there, there: here },
        ));
        all.push(ManyToMany {
            name: name.clone(),
            intersect,
            sides: [(first, here, navigation), (second, there, back)],
        });
    }
    all
}

struct Names<'t> {
    table: &'t str,
    set: &'t str,
    custom: bool,
}

impl Names<'_> {
    /// Microsoft's names of the relationships behind the service's own columns.
    fn relationship(&self, column: &Column) -> Option<String> {
        if !column.system {
            return None;
        }
        // Older tables have names of their own.
        let base = if self.custom { "" } else { "base" };
        let rows = if self.custom { self.table } else { self.set };
        Some(match (column.name.as_str(), column.origin) {
            ("createdby" | "modifiedby", _) => format!("lk_{}{base}_{}", self.table, column.name),
            ("ownerid", _) => format!("owner_{rows}"),
            ("owningbusinessunit", _) => format!("business_unit_{rows}"),
            ("transactioncurrencyid", _) => format!("transactioncurrency_{}", self.table),
            (_, Origin::OwningUser) => format!("user_{rows}"),
            (_, Origin::OwningTeam) => format!("team_{rows}"),
            _ => return None,
        })
    }
}
