//! Which columns a hook reads and sets: declared once, checked by name. Pure.

use crate::bindings::types;

/// The type in which a column crosses the boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Yes or no.
    Boolean,
    /// Whole numbers; choices, states and status reasons too.
    Int64,
    /// Binary floating-point numbers.
    Float64,
    /// Exact decimal numbers, money too; each column has its own scale.
    Decimal,
    /// Days since 1970-01-01.
    Date,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
    /// 16 bytes, in the order in which they are written.
    Uuid,
}

impl Type {
    /// The contract's word for it, for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Type::Boolean => "boolean",
            Type::Int64 => "int64",
            Type::Float64 => "float64",
            Type::Decimal => "decimal128",
            Type::Date => "date32",
            Type::Timestamp => "timestamp-us",
            Type::Text => "text",
            Type::Binary => "binary",
            Type::Uuid => "uuid",
        }
    }
}

impl From<Type> for types::ValueType {
    fn from(kind: Type) -> Self {
        match kind {
            Type::Boolean => Self::Boolean,
            Type::Int64 => Self::Int64,
            Type::Float64 => Self::Float64,
            Type::Decimal => Self::Decimal128,
            Type::Date => Self::Date32,
            Type::Timestamp => Self::TimestampUs,
            Type::Text => Self::Text,
            Type::Binary => Self::Binary,
            Type::Uuid => Self::Uuid,
        }
    }
}

impl From<types::ValueType> for Type {
    fn from(kind: types::ValueType) -> Self {
        match kind {
            types::ValueType::Boolean => Self::Boolean,
            types::ValueType::Int64 => Self::Int64,
            types::ValueType::Float64 => Self::Float64,
            types::ValueType::Decimal128 => Self::Decimal,
            types::ValueType::Date32 => Self::Date,
            types::ValueType::TimestampUs => Self::Timestamp,
            types::ValueType::Text | types::ValueType::Strings => Self::Text,
            types::ValueType::Binary => Self::Binary,
            types::ValueType::Uuid => Self::Uuid,
        }
    }
}

/// A column that exists, or that a hook asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// As the source names it, or the target's logical name.
    pub name: String,
    /// The host casts to it what it can without loss, and refuses the rest by
    /// the column's name.
    pub kind: Type,
    /// May hold nulls.
    pub nullable: bool,
    /// The job cannot run without it.
    pub required: bool,
}

impl Field {
    /// A column that may be missing, and may hold nulls.
    pub fn new(name: impl Into<String>, kind: Type) -> Self {
        Self { name: name.into(), kind, nullable: true, required: false }
    }

    /// UTF-8 text.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name, Type::Text)
    }

    /// Whole numbers; choices too.
    pub fn int64(name: impl Into<String>) -> Self {
        Self::new(name, Type::Int64)
    }

    /// Binary floating-point numbers.
    pub fn float64(name: impl Into<String>) -> Self {
        Self::new(name, Type::Float64)
    }

    /// Exact decimal numbers; money too.
    pub fn decimal(name: impl Into<String>) -> Self {
        Self::new(name, Type::Decimal)
    }

    /// Yes or no.
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::new(name, Type::Boolean)
    }

    /// Days.
    pub fn date(name: impl Into<String>) -> Self {
        Self::new(name, Type::Date)
    }

    /// Instants.
    pub fn timestamp(name: impl Into<String>) -> Self {
        Self::new(name, Type::Timestamp)
    }

    /// GUIDs.
    pub fn uuid(name: impl Into<String>) -> Self {
        Self::new(name, Type::Uuid)
    }

    /// The job cannot run without the column.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

impl From<Field> for types::Field {
    fn from(field: Field) -> Self {
        Self {
            name: field.name,
            type_: field.kind.into(),
            nullable: field.nullable,
            required: field.required,
        }
    }
}

impl From<types::Field> for Field {
    fn from(field: types::Field) -> Self {
        Self {
            name: field.name,
            kind: field.type_.into(),
            nullable: field.nullable,
            required: field.required,
        }
    }
}

/// What one hook reads and sets. The host passes what is listed, no more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Columns of the source row.
    pub source: Vec<Field>,
    /// Columns of the target row as mapped and transformed so far.
    pub target: Vec<Field>,
    /// Columns of the record that the target holds now.
    pub current: Vec<Field>,
    /// Target columns that the hook may set (`transform` only).
    pub writes: Vec<Field>,
}

impl Needs {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Also reads a column of the source row.
    #[must_use]
    pub fn reads(mut self, field: Field) -> Self {
        self.source.push(field);
        self
    }

    /// Also reads a column of the target row as mapped and transformed so far.
    #[must_use]
    pub fn reads_target(mut self, field: Field) -> Self {
        self.target.push(field);
        self
    }

    /// Also reads a column of the record that the target holds now.
    #[must_use]
    pub fn reads_current(mut self, field: Field) -> Self {
        self.current.push(field);
        self
    }

    /// Also sets a target column.
    #[must_use]
    pub fn writes(mut self, field: Field) -> Self {
        self.writes.push(field);
        self
    }
}
