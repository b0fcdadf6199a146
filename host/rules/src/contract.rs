//! The contract's vocabulary on the host's side: versions, hooks, fields, and
//! how value types and Arrow types correspond. Pure.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Schema, TimeUnit};

use crate::bindings::dvsync::rules::types::{FieldParam, FieldResult, ValueType};
use crate::settings::Profile;

/// The package that rules and host speak.
pub const CONTRACT: &str = "dvsync:rules@0.1.0";
/// What this host says it speaks.
pub(crate) const SPEAKS: &str = "0.1";

/// A hook that a rule may export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookName {
    /// Source rows into target rows.
    Transform,
    /// Keys, and the choice among several matches.
    Matching,
    /// Active or not.
    State,
    /// Who owns the record.
    Owner,
}

impl HookName {
    /// All of them, in the order of a run.
    pub const ALL: [Self; 4] = [Self::Transform, Self::Matching, Self::State, Self::Owner];

    /// As the contract writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transform => "transform",
            Self::Matching => "matching",
            Self::State => "state",
            Self::Owner => "owner",
        }
    }

    /// Reads the contract's name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.as_str() == name)
    }
}

/// Which hooks a rule exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hooks {
    /// `transform`.
    pub transform: bool,
    /// `matching`.
    pub matching: bool,
    /// `state`.
    pub state: bool,
    /// `owner`.
    pub owner: bool,
}

impl Hooks {
    /// Whether the hook is exported.
    #[must_use]
    pub fn has(self, hook: HookName) -> bool {
        match hook {
            HookName::Transform => self.transform,
            HookName::Matching => self.matching,
            HookName::State => self.state,
            HookName::Owner => self.owner,
        }
    }

    pub(crate) fn insert(&mut self, hook: HookName) {
        *match hook {
            HookName::Transform => &mut self.transform,
            HookName::Matching => &mut self.matching,
            HookName::State => &mut self.state,
            HookName::Owner => &mut self.owner,
        } = true;
    }
}

/// What can be read of a component without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surface {
    /// `dvsync:rules@0.1.0`: the version that its `plugin` was built against.
    pub contract: String,
    /// Hooks that it exports.
    pub hooks: Hooks,
    /// Interfaces that it imports, sorted.
    pub imports: Vec<String>,
    /// Interfaces that it exports, sorted.
    pub exports: Vec<String>,
    /// What it was written in, as `dvsync rules build` stamped it: `rust`, `python`,
    /// `javascript`.
    pub language: Option<String>,
}

impl Surface {
    /// Which limits it asks for.
    #[must_use]
    pub fn profile(&self) -> Profile {
        match self.language.as_deref() {
            Some("python" | "javascript") => Profile::Interpreter,
            _ => Profile::Native,
        }
    }
}

/// What a rule says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// `account`.
    pub name: String,
    /// Of the rule, not of the contract.
    pub version: String,
    /// Logical names, or `*`.
    pub entities: Vec<String>,
    /// JSON Schema of the settings, as text.
    pub settings_schema: Option<String>,
    /// Tables that the job must grant.
    pub tables: Vec<String>,
}

/// A column that a rule reads or writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name of the column.
    pub name: String,
    /// The Arrow type at the boundary. A decimal's precision and scale are the
    /// column's own: here (38, 0) stands for any.
    pub data_type: DataType,
    /// Whether the rule can do with nulls.
    pub nullable: bool,
    /// Whether the job cannot run without it.
    pub required: bool,
    pub(crate) value_type: ValueType,
}

/// What one hook reads and sets, as far as source and target have it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HookNeeds {
    /// Columns of the source row.
    pub reads_source: Vec<Field>,
    /// Columns of the target row as transformed so far.
    pub reads_target: Vec<Field>,
    /// Columns of the record that the target holds now.
    pub reads_current: Vec<Field>,
    /// Target columns that the hook may set.
    pub writes: Vec<Field>,
}

impl Field {
    /// The contract's word for the type: `text`, `decimal128`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        type_name(self.value_type)
    }

    pub(crate) fn lift(field: FieldResult) -> Self {
        Self {
            data_type: arrow_type(field.type_),
            value_type: field.type_,
            name: field.name,
            nullable: field.nullable,
            required: field.required,
        }
    }
}

/// The Arrow type in which values of a contract type travel on the host.
pub(crate) fn arrow_type(value_type: ValueType) -> DataType {
    match value_type {
        ValueType::Boolean => DataType::Boolean,
        ValueType::Int64 => DataType::Int64,
        ValueType::Float64 => DataType::Float64,
        ValueType::Decimal128 => DataType::Decimal128(38, 0),
        ValueType::Date32 => DataType::Date32,
        ValueType::TimestampUs => timestamp_type(),
        ValueType::Text | ValueType::Strings => DataType::Utf8,
        ValueType::Binary => DataType::Binary,
        ValueType::Uuid => DataType::FixedSizeBinary(16),
    }
}

pub(crate) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
}

/// The contract's word for a type, for messages.
pub(crate) fn type_name(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Boolean => "boolean",
        ValueType::Int64 => "int64",
        ValueType::Float64 => "float64",
        ValueType::Decimal128 => "decimal128",
        ValueType::Date32 => "date32",
        ValueType::TimestampUs => "timestamp-us",
        ValueType::Text => "text",
        ValueType::Binary => "binary",
        ValueType::Uuid => "uuid",
        ValueType::Strings => "strings",
    }
}

/// The contract's type for an Arrow type; `None` for types that cannot cross
/// (lists, maps, structs).
pub(crate) fn value_type(data_type: &DataType) -> Option<ValueType> {
    Some(match data_type {
        DataType::Boolean => ValueType::Boolean,
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => ValueType::Int64,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => ValueType::Float64,
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => ValueType::Decimal128,
        DataType::Date32 => ValueType::Date32,
        DataType::Date64 | DataType::Timestamp(..) => ValueType::TimestampUs,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            ValueType::Text
        }
        // 17 bytes: a lookup, target and id; rules see the id.
        DataType::FixedSizeBinary(16 | 17) => ValueType::Uuid,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => ValueType::Binary,
        _ => return None,
    })
}

/// A schema as `context` tells it; columns that cannot cross are left out.
pub(crate) fn fields(schema: &Schema) -> Vec<FieldParam<'_>> {
    let field = |field: &'_ Arc<ArrowField>| (value_type(field.data_type()), field.is_nullable());
    schema
        .fields()
        .iter()
        .filter_map(|column| {
            let (value_type, nullable) = field(column);
            Some(FieldParam { name: column.name(), type_: value_type?, nullable, required: false })
        })
        .collect()
}
