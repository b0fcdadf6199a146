//! A column: its type with limits, and what may be done with it.

use super::raw::{OnDelete, ReadOnlyWrites, RequiredWord, SourceWord};

/// A column of a table.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) schema_name: String,
    pub(crate) display: String,
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
    pub(crate) required: RequiredWord,
    pub(crate) create: bool,
    pub(crate) update: bool,
    pub(crate) read_only_writes: Option<ReadOnlyWrites>,
    pub(crate) source: Option<SourceWord>,
    /// Added by the build, not typed by anybody.
    pub(crate) system: bool,
    /// Name in bodies: the logical name, or `_x_value` for lookups.
    pub(crate) property: String,
}

/// Where a cell comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It stands in the row.
    Stored,
    /// It is the row's id.
    PrimaryId,
    /// It is the row's version.
    Version,
    /// The owner, if it is a user.
    OwningUser,
    /// The owner, if it is a team.
    OwningTeam,
}

/// Type and limits of a column (*Types of columns*).
#[derive(Debug, Clone)]
pub enum Kind {
    /// One line of text: most UTF-16 units, `FormatName`.
    Text {
        /// `MaxLength`.
        length_max: usize,
        /// `FormatName`.
        format: String,
    },
    /// Many lines of text.
    Memo {
        /// `MaxLength`.
        length_max: usize,
    },
    /// Whole number.
    Integer {
        /// `MinValue`.
        min: i64,
        /// `MaxValue`.
        max: i64,
    },
    /// 64-bit whole number.
    BigInt,
    /// Exact decimal; the bounds are scaled by ten to the precision.
    Decimal {
        /// Digits after the point.
        precision: u8,
        /// `MinValue`, scaled.
        min: i128,
        /// `MaxValue`, scaled.
        max: i128,
    },
    /// Floating point.
    Double {
        /// Digits after the point that are kept.
        precision: u8,
        /// `MinValue`.
        min: f64,
        /// `MaxValue`.
        max: f64,
    },
    /// Money; stored and bounded at scale 4.
    Money {
        /// Digits after the point that are kept.
        precision: u8,
        /// `MinValue`, scaled by 10,000.
        min: i128,
        /// `MaxValue`, scaled by 10,000.
        max: i128,
    },
    /// Yes or no, and the value of a new record.
    Boolean {
        /// `DefaultValue`.
        default: bool,
    },
    /// Instant in whole seconds.
    DateTime {
        /// `TimeZoneIndependent`: stored as given.
        independent: bool,
    },
    /// Day.
    Date,
    /// One of a list.
    Choice {
        /// Ascending by value.
        options: Vec<Choice>,
        /// `DefaultFormValue`, which the API sets too.
        default: Option<i32>,
    },
    /// Several of a list, as `1,4`.
    Choices {
        /// Ascending by value.
        options: Vec<Choice>,
    },
    /// `statecode`.
    State {
        /// Ascending by value; the first is the state of a new record.
        states: Vec<State>,
    },
    /// `statuscode`.
    Status {
        /// Ascending by value.
        statuses: Vec<Status>,
    },
    /// Reference.
    Lookup {
        /// Tables that it may point to.
        targets: Vec<Target>,
        /// Which of Microsoft's lookup types it is.
        word: LookupWord,
        /// What the deletion of the target does.
        on_delete: OnDelete,
    },
    /// GUID.
    Guid,
    /// Base64 text.
    Image,
    /// Id of a file, read-only.
    File,
}

/// Microsoft's lookup types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupWord {
    /// `Lookup`.
    Lookup,
    /// `Customer`.
    Customer,
    /// `Owner`.
    Owner,
}

/// An option of a choice.
#[derive(Debug, Clone)]
pub struct Choice {
    pub(crate) value: i32,
    pub(crate) label: String,
}

/// A state.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) value: i32,
    pub(crate) label: String,
    pub(crate) default_status: i32,
}

/// A status reason.
#[derive(Debug, Clone)]
pub struct Status {
    pub(crate) value: i32,
    pub(crate) label: String,
    pub(crate) state: i32,
    /// Moves that are allowed, when any are defined.
    pub(crate) transitions: Option<Vec<i32>>,
}

/// A table that a lookup may point to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Position of the table.
    pub(crate) table: usize,
    pub(crate) name: String,
    /// `ReferencingEntityNavigationPropertyName`.
    pub(crate) navigation: String,
    /// `SchemaName` of the relationship.
    pub(crate) relationship: String,
    /// `ReferencedEntityNavigationPropertyName`.
    pub(crate) collection: String,
}

impl Kind {
    /// The OData type of its values, for messages.
    pub(crate) fn edm(&self) -> &'static str {
        match self {
            Kind::Text { .. } | Kind::Memo { .. } | Kind::Choices { .. } => "Edm.String",
            Kind::Integer { .. }
            | Kind::Choice { .. }
            | Kind::State { .. }
            | Kind::Status { .. } => "Edm.Int32",
            Kind::BigInt => "Edm.Int64",
            Kind::Decimal { .. } | Kind::Money { .. } => "Edm.Decimal",
            Kind::Double { .. } => "Edm.Double",
            Kind::Boolean { .. } => "Edm.Boolean",
            Kind::DateTime { .. } => "Edm.DateTimeOffset",
            Kind::Date => "Edm.Date",
            Kind::Lookup { .. } | Kind::Guid | Kind::File => "Edm.Guid",
            Kind::Image => "Edm.Binary",
        }
    }

    /// Digits after the point that a stored decimal has.
    pub(crate) fn scale(&self) -> u8 {
        match self {
            Kind::Decimal { precision, .. } => *precision,
            Kind::Money { .. } => 4,
            _ => 0,
        }
    }

    /// The label of a choice, state or status reason.
    pub(crate) fn label(&self, wanted: i64) -> Option<&str> {
        let is = |value: i32| i64::from(value) == wanted;
        match self {
            Kind::Choice { options, .. } | Kind::Choices { options } => {
                options.iter().find(|option| is(option.value)).map(|option| &*option.label)
            }
            Kind::State { states } => {
                states.iter().find(|state| is(state.value)).map(|state| &*state.label)
            }
            Kind::Status { statuses } => {
                statuses.iter().find(|status| is(status.value)).map(|status| &*status.label)
            }
            _ => None,
        }
    }
}
