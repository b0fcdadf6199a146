//! A table: columns by position, properties by name.

use std::collections::{BTreeMap, HashMap};

use super::column::{Column, Kind};
use super::raw::{KeyStatus, OwnershipWord, StateOnCreate};

/// A table of the environment.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) position: usize,
    pub(crate) name: String,
    pub(crate) set: String,
    pub(crate) schema_name: String,
    pub(crate) display: String,
    pub(crate) object_type_code: i32,
    pub(crate) ownership: OwnershipWord,
    pub(crate) bulk: bool,
    pub(crate) optimistic_concurrency: bool,
    pub(crate) change_tracking: bool,
    pub(crate) enforce_transitions: bool,
    pub(crate) state_on_create: Option<StateOnCreate>,
    pub(crate) internal: bool,
    /// Holds the pairs of a many-to-many relationship.
    pub(crate) intersect: bool,
    pub(crate) elastic: bool,
    pub(crate) activity: bool,
    /// Made by the caller's schema, not a standard one.
    pub(crate) custom: bool,
    /// Sorted by logical name.
    pub(crate) columns: Vec<Column>,
    pub(crate) primary_id: usize,
    pub(crate) primary_name: Option<usize>,
    pub(crate) keys: Vec<AlternateKey>,
    /// The lookup that names the record above.
    pub(crate) hierarchy: Option<usize>,
    /// All names that a body may use.
    pub(crate) properties: HashMap<Box<str>, Property, crate::store::Quick>,
    /// Collection-valued navigation properties by name.
    pub(crate) collections: BTreeMap<String, Collection>,
    pub(crate) known: Known,
}

/// Positions of the columns that the service itself fills.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) createdon: Option<usize>,
    pub(crate) modifiedon: Option<usize>,
    pub(crate) createdby: Option<usize>,
    pub(crate) modifiedby: Option<usize>,
    pub(crate) overriddencreatedon: Option<usize>,
    pub(crate) ownerid: Option<usize>,
    pub(crate) owningbusinessunit: Option<usize>,
    pub(crate) statecode: Option<usize>,
    pub(crate) statuscode: Option<usize>,
    pub(crate) transactioncurrencyid: Option<usize>,
    pub(crate) exchangerate: Option<usize>,
    pub(crate) firstname: Option<usize>,
    pub(crate) lastname: Option<usize>,
    pub(crate) fullname: Option<usize>,
    /// Money column and its `_base`.
    pub(crate) bases: Vec<(usize, usize)>,
}

/// An alternate key.
#[derive(Debug)]
pub(crate) struct AlternateKey {
    pub(crate) name: String,
    /// Positions of its columns.
    pub(crate) columns: Vec<usize>,
    pub(crate) status: KeyStatus,
}

/// Where a collection-valued navigation property leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collection {
    /// To the rows of a table whose lookup points here, as this of its targets.
    Many { table: usize, column: usize, target: u8 },
    /// To the rows of a table that stand in pairs with rows of this one: the
    /// table of the pairs, and its columns for here and there.
    Both { table: usize, intersect: usize, here: usize, there: usize },
}

impl Collection {
    /// Position of the table that it leads to.
    pub(crate) fn table(self) -> usize {
        match self {
            Collection::Many { table, .. } | Collection::Both { table, .. } => table,
        }
    }
}

/// A many-to-many relationship.
#[derive(Debug)]
pub(crate) struct ManyToMany {
    pub(crate) name: String,
    /// Position of the table of the pairs.
    pub(crate) intersect: usize,
    /// Both sides: table, its column in the pairs, its navigation property.
    pub(crate) sides: [(usize, usize, String); 2],
}

/// What a name in a body means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Property {
    /// A column's value.
    Value(usize),
    /// A lookup written as a value: refused.
    LookupValue(usize),
    /// A navigation property: null, or a nested record.
    Navigation(usize, Vec<u8>),
    /// `<navigation>@odata.bind`: the lookup, and the targets it may name.
    Bind(usize, Vec<u8>),
}

impl Table {
    pub(crate) fn column_position(&self, name: &str) -> Option<usize> {
        self.columns.binary_search_by(|column| column.name.as_str().cmp(name)).ok()
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.column_position(name).and_then(|position| self.columns.get(position))
    }

    /// The column that `$select`, `$filter` and keys call by this name.
    pub(crate) fn readable(&self, property: &str) -> Option<usize> {
        match property.strip_prefix('_').and_then(|rest| rest.strip_suffix("_value")) {
            Some(lookup) => self
                .column_position(lookup)
                .filter(|&position| matches!(self.columns[position].kind, Kind::Lookup { .. })),
            None => self
                .column_position(property)
                .filter(|&position| !matches!(self.columns[position].kind, Kind::Lookup { .. })),
        }
    }

    /// The primary id's name.
    pub(crate) fn id_name(&self) -> &str {
        &self.columns[self.primary_id].name
    }

    /// The columns that metadata tells of: not the `ownerid` that users and teams
    /// have from their base type.
    pub(crate) fn described(&self) -> impl Iterator<Item = &Column> {
        let own = self.id_name();
        self.columns.iter().filter(move |column| {
            column.origin != super::column::Origin::PrimaryId || column.name == own
        })
    }

    /// Whether rows and indexes of this table are those of the other one too.
    pub(crate) fn same_rows(&self, other: &Table) -> bool {
        let columns = |table: &Table| -> Vec<(String, u8)> {
            let columns = table.columns.iter();
            columns.map(|column| (column.name.clone(), column.kind.scale())).collect()
        };
        let keys = |table: &Table| -> Vec<(Vec<usize>, KeyStatus)> {
            table.keys.iter().map(|key| (key.columns.clone(), key.status)).collect()
        };
        columns(self) == columns(other)
            && keys(self) == keys(other)
            && self.change_tracking == other.change_tracking
    }

    /// Rows are written only by the service itself.
    pub(crate) fn sealed(&self) -> bool {
        self.internal || self.intersect
    }

    /// The column of `partitionid`, of an elastic table.
    pub(crate) fn partition(&self) -> Option<usize> {
        if self.elastic { self.column_position("partitionid") } else { None }
    }

    /// The columns of `ttlinseconds` and `modifiedon`, of an elastic table.
    pub(crate) fn expiry(&self) -> Option<(usize, usize)> {
        let seconds = self.column_position("ttlinseconds").filter(|_| self.elastic)?;
        Some((seconds, self.known.modifiedon?))
    }

    /// The single-valued navigation property of that name: lookup and targets.
    pub(crate) fn navigation(&self, name: &str) -> Option<(usize, &[u8])> {
        match self.properties.get(name) {
            Some(Property::Navigation(column, targets)) => Some((*column, targets)),
            _ => None,
        }
    }

    /// The etag of a row version. That of an elastic row looks like those of
    /// the store behind it.
    pub(crate) fn etag(&self, version: u64) -> String {
        if self.elastic {
            let bytes = version.to_be_bytes();
            let high = bytes[..4].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            let low = bytes[4..].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            return format!("W/\"{low:08x}-0000-0200-0000-{high:08x}0000\"");
        }
        format!("W/\"{version}\"")
    }

    /// `Microsoft.Dynamics.CRM.<name>`.
    pub(crate) fn type_name(&self) -> String {
        format!("Microsoft.Dynamics.CRM.{}", self.name)
    }
}
