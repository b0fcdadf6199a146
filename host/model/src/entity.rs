//! What the target says of a table: its columns, keys and abilities.
//!
//! Built from Dataverse metadata by `dvsync-dataverse`; read by everybody. The
//! names are Microsoft's own (*Table metadata*, *Column metadata*).

use arrow_schema::{DataType, TimeUnit};

/// A table of the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// `account`; used in `@odata.type` and metadata paths.
    pub logical_name: String,
    /// `accounts`; used in URLs. Read from metadata, never derived.
    pub entity_set: String,
    /// `accountid`.
    pub primary_id: String,
    /// `name`; some tables have none.
    pub primary_name: Option<String>,
    /// Who may own a record.
    pub ownership: Ownership,
    /// Deltas can be asked for.
    pub change_tracking: bool,
    /// `If-Match` with a row version is honoured.
    pub optimistic_concurrency: bool,
    /// Status transitions are checked by the service.
    pub enforce_transitions: bool,
    /// Bulk messages that the table takes.
    pub bulk: Bulk,
    /// Sorted by logical name.
    pub columns: Vec<Column>,
    /// Alternate keys, whatever their index status.
    pub keys: Vec<AlternateKey>,
}

impl Entity {
    /// The column of that logical name.
    #[must_use]
    pub fn column(&self, logical_name: &str) -> Option<&Column> {
        self.columns
            .binary_search_by(|column| column.logical_name.as_str().cmp(logical_name))
            .ok()
            .map(|position| &self.columns[position])
    }

    /// The alternate key over exactly these columns, in any order.
    #[must_use]
    pub fn key_over(&self, columns: &[String]) -> Option<&AlternateKey> {
        self.keys.iter().find(|key| {
            key.columns.len() == columns.len() && columns.iter().all(|c| key.columns.contains(c))
        })
    }

    /// The state column and its options, where the table has states.
    #[must_use]
    pub fn states(&self) -> Option<&[StateOption]> {
        match &self.column("statecode")?.kind {
            Kind::State { options } => Some(options),
            _ => None,
        }
    }

    /// The state that a status reason belongs to.
    #[must_use]
    pub fn state_of_status(&self, status: i32) -> Option<i32> {
        match &self.column("statuscode")?.kind {
            Kind::Status { options } => {
                options.iter().find(|option| option.value == status).map(|option| option.state)
            }
            _ => None,
        }
    }
}

/// Who may own a record of a table (`OwnershipType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// A user or a team: there is an `ownerid`.
    User,
    /// The organization, or nobody: there is none.
    Organization,
}

/// Bulk messages that a table takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bulk {
    /// `CreateMultiple`.
    pub create: bool,
    /// `UpdateMultiple`.
    pub update: bool,
}

impl Bulk {
    /// `UpsertMultiple` has no filter row of its own: it is there when both
    /// others are.
    #[must_use]
    pub fn upsert(self) -> bool {
        self.create && self.update
    }
}

/// A column of the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Lower-case, as in bodies and `$select`.
    pub logical_name: String,
    /// Type and limits.
    pub kind: Kind,
    /// `RequiredLevel`.
    pub required: Required,
    /// May stand in the body of a create.
    pub valid_for_create: bool,
    /// May stand in the body of an update.
    pub valid_for_update: bool,
    /// May stand in `$select`.
    pub valid_for_read: bool,
}

/// How strictly a column is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// Not at all, or recommended only.
    No,
    /// By forms, not by the API.
    Application,
    /// By the service: null is refused.
    System,
}

/// Type and limits of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// One line of text, at most so many UTF-16 units.
    Text {
        /// `MaxLength`.
        length_max: u32,
    },
    /// Many lines of text.
    Memo {
        /// `MaxLength`.
        length_max: u32,
    },
    /// 32-bit whole number.
    Integer {
        /// `MinValue`.
        min: i64,
        /// `MaxValue`.
        max: i64,
    },
    /// 64-bit whole number.
    BigInt,
    /// Exact decimal number.
    Decimal {
        /// Digits after the point, 0 to 10.
        precision: u8,
        /// `MinValue`.
        min: f64,
        /// `MaxValue`.
        max: f64,
    },
    /// Binary floating-point number.
    Double {
        /// Digits after the point that the service keeps, 0 to 5.
        precision: u8,
        /// `MinValue`.
        min: f64,
        /// `MaxValue`.
        max: f64,
    },
    /// Amount of money; read back with four decimals.
    Money {
        /// Digits after the point, 0 to 4.
        precision: u8,
        /// `MinValue`.
        min: f64,
        /// `MaxValue`.
        max: f64,
    },
    /// Yes or no.
    Boolean,
    /// Instant, whole seconds.
    DateTime,
    /// Day without time of day.
    DateOnly,
    /// One of a list of numbers.
    Choice {
        /// Values that exist, ascending.
        options: Vec<i32>,
    },
    /// Several of a list of numbers: `1,4`, ascending, without blanks.
    MultiChoice {
        /// Values that exist, ascending.
        options: Vec<i32>,
    },
    /// `statecode`.
    State {
        /// States that exist.
        options: Vec<StateOption>,
    },
    /// `statuscode`.
    Status {
        /// Status reasons that exist.
        options: Vec<StatusOption>,
    },
    /// Reference to a record of another (or the same) table; owners too.
    Lookup {
        /// Tables that it may point to; the position is what
        /// [`crate::LookupValue`] stores.
        targets: Vec<LookupTarget>,
    },
    /// A GUID; the primary id among them.
    Uniqueidentifier,
    /// A type that dvsync does not write (file, image, party list, ...), by
    /// Microsoft's name.
    Other(String),
}

impl Kind {
    /// The Arrow type in which cells of this kind travel between the crates,
    /// in the service's canonical form, so that equal cells mean equal values.
    ///
    /// Text is never empty (empty is null); decimals carry the column's scale,
    /// money scale 4; instants are whole seconds; lookups are 17 bytes, see
    /// [`crate::LookupValue`].
    #[must_use]
    pub fn arrow_type(&self) -> DataType {
        match self {
            Kind::Text { .. } | Kind::Memo { .. } | Kind::MultiChoice { .. } | Kind::Other(_) => {
                DataType::Utf8
            }
            Kind::Integer { .. } | Kind::BigInt => DataType::Int64,
            Kind::Decimal { precision, .. } => {
                DataType::Decimal128(38, i8::try_from(*precision).unwrap_or(10))
            }
            Kind::Double { .. } => DataType::Float64,
            Kind::Money { .. } => DataType::Decimal128(38, 4),
            Kind::Boolean => DataType::Boolean,
            Kind::DateTime => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::DateOnly => DataType::Date32,
            Kind::Choice { .. } | Kind::State { .. } | Kind::Status { .. } => DataType::Int32,
            Kind::Lookup { .. } => DataType::FixedSizeBinary(17),
            Kind::Uniqueidentifier => DataType::FixedSizeBinary(16),
        }
    }

    /// Microsoft's word for it, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Kind::Text { .. } => "text",
            Kind::Memo { .. } => "memo",
            Kind::Integer { .. } => "integer",
            Kind::BigInt => "bigint",
            Kind::Decimal { .. } => "decimal",
            Kind::Double { .. } => "double",
            Kind::Money { .. } => "money",
            Kind::Boolean => "boolean",
            Kind::DateTime => "datetime",
            Kind::DateOnly => "date",
            Kind::Choice { .. } => "choice",
            Kind::MultiChoice { .. } => "multi-choice",
            Kind::State { .. } => "state",
            Kind::Status { .. } => "status",
            Kind::Lookup { .. } => "lookup",
            Kind::Uniqueidentifier => "uniqueidentifier",
            Kind::Other(name) => name,
        }
    }
}

/// A state and the status reason that it takes by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateOption {
    /// `statecode`.
    pub value: i32,
    /// `statuscode` when none is given.
    pub default_status: i32,
}

/// A status reason and the state that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusOption {
    /// `statuscode`.
    pub value: i32,
    /// `statecode`.
    pub state: i32,
}

/// A table that a lookup may point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupTarget {
    /// Logical name of the table.
    pub entity: String,
    /// Its entity set, as it stands in a bind.
    pub entity_set: String,
    /// `ReferencingEntityNavigationPropertyName`, case-sensitive.
    pub navigation_property: String,
}

/// An alternate key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlternateKey {
    /// Logical name of the key.
    pub name: String,
    /// Logical names of its columns.
    pub columns: Vec<String>,
    /// Its index is built; before that the service refuses it.
    pub active: bool,
}
