//! The schema as typed in TOML or JSON: names and words, nothing resolved.
//!
//! Unknown keys are errors. The format is described in `docs/emulator.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Tables by logical name; laid over the standard tables: a table that exists
/// is extended, a column of the same name is replaced.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct SchemaSettings {
    /// Tables by logical name.
    pub tables: BTreeMap<String, TableSettings>,
}

/// One table as typed.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TableSettings {
    /// Entity set; default: the logical name and `s`, `es` or `ies`.
    pub set: Option<String>,
    /// `SchemaName`; default: the logical name.
    pub schema_name: Option<String>,
    /// Display name, as messages spell it; default: the schema name.
    pub display: Option<String>,
    /// Primary id column; default: the logical name and `id`.
    pub primary_id: Option<String>,
    /// Primary name column.
    pub primary_name: Option<String>,
    /// `ObjectTypeCode`; default: 10000 and up.
    pub object_type_code: Option<i32>,
    /// Who owns records; default: users and teams.
    pub ownership: Option<OwnershipWord>,
    /// There are `statecode` and `statuscode`; default true.
    pub stateful: Option<bool>,
    /// States and status reasons; default: Active (1) and Inactive (2).
    pub states: Option<Vec<StateSettings>>,
    /// Allowed moves between status reasons.
    pub transitions: Option<BTreeMap<String, Vec<i32>>>,
    /// `EnforceStateTransitions`.
    pub enforce_transitions: Option<bool>,
    /// What a create does with a state that is not the default one.
    pub state_on_create: Option<StateOnCreate>,
    /// CreateMultiple, UpdateMultiple and UpsertMultiple are there.
    pub bulk: Option<bool>,
    /// `IsOptimisticConcurrencyEnabled`; default true.
    pub optimistic_concurrency: Option<bool>,
    /// `ChangeTrackingEnabled`; default true.
    pub change_tracking: Option<bool>,
    /// An elastic table: partitions, replacing upserts, single outcomes in bulk
    /// messages; default false.
    pub elastic: Option<bool>,
    /// `IsActivity`; default false.
    pub activity: Option<bool>,
    /// Not listed, not writable.
    #[serde(default)]
    pub internal: bool,
    /// Made for a many-to-many relationship.
    #[serde(skip)]
    pub(crate) intersect: bool,
    /// Many-to-many relationships by schema name; they stand at one of the two
    /// tables.
    #[serde(default)]
    pub many_to_many: BTreeMap<String, ManyToManySettings>,
    /// Columns by logical name.
    #[serde(default)]
    pub columns: BTreeMap<String, ColumnSettings>,
    /// Alternate keys by name.
    #[serde(default)]
    pub keys: BTreeMap<String, KeySettings>,
}

/// A many-to-many relationship as typed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ManyToManySettings {
    /// The other table.
    pub with: String,
    /// The table that holds the pairs; default: the relationship's name in lower
    /// case.
    pub intersect: Option<String>,
    /// Entity set of that table; default: its name and `set`.
    pub set: Option<String>,
    /// Navigation property of this table; default: the relationship's name.
    pub navigation: Option<String>,
    /// Navigation property of the other table; default: the relationship's name.
    pub with_navigation: Option<String>,
}

/// Who may own a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnershipWord {
    /// A user or a team: there is an `ownerid`.
    User,
    /// The organization.
    Organization,
    /// Nobody: systemuser, team, businessunit.
    None,
}

/// What a create does with a state that is not the default one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StateOnCreate {
    /// The state is ignored; a status reason of another state is refused.
    #[default]
    Force,
    /// The record is created in that state.
    Accept,
    /// The create is refused.
    Refuse,
}

/// A state and its status reasons.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StateSettings {
    /// `statecode`.
    pub value: i32,
    /// Label.
    pub label: String,
    /// Status reasons: value and label.
    pub statuses: BTreeMap<String, String>,
    /// Status reason when none is given; default: the smallest.
    pub default_status: Option<i32>,
}

/// One column as typed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnSettings {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: KindWord,
    /// `SchemaName`; default: the logical name.
    pub schema_name: Option<String>,
    /// Display name; default: the schema name.
    pub display: Option<String>,
    /// Text: most UTF-16 units; default 100 (memo: 2000).
    pub max_length: Option<u32>,
    /// Text: `FormatName`; default `Text`.
    pub format: Option<String>,
    /// Numbers: the smallest value.
    pub min: Option<Number>,
    /// Numbers: the largest value.
    pub max: Option<Number>,
    /// Decimal, double, money: digits after the point.
    pub precision: Option<u8>,
    /// Date and time: `user_local` (default) or `time_zone_independent`.
    pub behavior: Option<BehaviorWord>,
    /// Choice, choices: value and label.
    pub options: Option<BTreeMap<String, String>>,
    /// Choice, boolean (0, 1): value of a new record.
    pub default: Option<i32>,
    /// Lookup: tables that it may point to.
    pub targets: Option<Vec<String>>,
    /// Lookup: navigation property by target; default: the column's schema
    /// name, and for several targets that name, `_` and the target.
    pub navigation: Option<BTreeMap<String, String>>,
    /// Lookup: `SchemaName` of the relationship by target; default: target,
    /// table and column, joined with `_`.
    pub relationships: Option<BTreeMap<String, String>>,
    /// Lookup: collection-valued navigation property of the target, by target;
    /// default: the relationship's `SchemaName`.
    pub collections: Option<BTreeMap<String, String>>,
    /// Lookup: what the deletion of the record it points to does.
    pub on_delete: Option<OnDelete>,
    /// Lookup to its own table: records stand below the one that it names
    /// (`IsHierarchical`); one of a table.
    pub hierarchical: Option<bool>,
    /// `RequiredLevel`; default `none`.
    pub required: Option<RequiredWord>,
    /// May stand in a create; default true.
    pub create: Option<bool>,
    /// May stand in an update; default true.
    pub update: Option<bool>,
    /// Neither in a create nor in an update.
    #[serde(default)]
    pub read_only: bool,
    /// What a write of a read-only column does; default: the emulator's setting.
    pub read_only_writes: Option<ReadOnlyWrites>,
    /// Value made by the service: read-only, always null here.
    pub source: Option<SourceWord>,
}

impl ColumnSettings {
    /// A column of that type and nothing else said.
    #[must_use]
    pub fn of(kind: KindWord) -> Self {
        Self {
            kind,
            schema_name: None,
            display: None,
            max_length: None,
            format: None,
            min: None,
            max: None,
            precision: None,
            behavior: None,
            options: None,
            default: None,
            targets: None,
            navigation: None,
            relationships: None,
            collections: None,
            on_delete: None,
            hierarchical: None,
            required: None,
            create: None,
            update: None,
            read_only: false,
            read_only_writes: None,
            source: None,
        }
    }
}

/// A number as typed, kept as text so that it stays exact.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Number {
    /// Whole.
    Whole(i64),
    /// With a fraction.
    Fraction(f64),
}

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KindWord {
    /// One line of text.
    Text,
    /// Many lines of text.
    Memo,
    /// 32-bit whole number.
    Integer,
    /// 64-bit whole number.
    Bigint,
    /// Exact decimal number.
    Decimal,
    /// Floating-point number.
    Double,
    /// Money.
    Money,
    /// Yes or no.
    Boolean,
    /// Instant.
    Datetime,
    /// Day.
    Date,
    /// One of a list.
    Choice,
    /// Several of a list.
    Choices,
    /// Reference.
    Lookup,
    /// Reference to an account or a contact.
    Customer,
    /// A GUID.
    Uniqueidentifier,
    /// Image, as base64 text.
    Image,
    /// File: only its id is in the row, read-only.
    File,
}

/// `DateTimeBehavior` of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BehaviorWord {
    /// Stored as UTC.
    UserLocal,
    /// Stored as given.
    TimeZoneIndependent,
}

/// What the deletion of a record does to those that point to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// Their lookup becomes null.
    #[default]
    RemoveLink,
    /// The deletion is refused.
    Restrict,
    /// They are deleted too.
    Cascade,
}

/// `RequiredLevel`, the stricter the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequiredWord {
    /// Not required.
    #[default]
    None,
    /// Required by forms only.
    Application,
    /// Required by the service.
    System,
}

/// What a write of a read-only column does (UNCONFIRMED, by column).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadOnlyWrites {
    /// The value is dropped silently.
    #[default]
    Ignore,
    /// The write is refused.
    Refuse,
}

/// `SourceType` of a column that the service fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceWord {
    /// 1.
    Calculated,
    /// 2.
    Rollup,
    /// 3.
    Formula,
}

/// An alternate key: its columns, or a table that says more.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(untagged)]
pub enum KeySettings {
    /// Logical names of its columns; the index is active.
    Columns(Vec<String>),
    /// With a status.
    Full(KeyTable),
}

/// An alternate key with its index status.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyTable {
    /// Logical names of its columns.
    pub columns: Vec<String>,
    /// `EntityKeyIndexStatus`; default active.
    #[serde(default)]
    pub status: KeyStatus,
}

/// `EntityKeyIndexStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// The index is waiting to be built.
    Pending,
    /// The index is being built.
    InProgress,
    /// In use.
    #[default]
    Active,
    /// The index could not be built.
    Failed,
}
