//! The types that a job can declare for a column.
//!
//! Pure. Written as `text`, `int64`, `float64`, `decimal(18,4)`, `boolean`,
//! `date`, `timestamp`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use arrow_schema::{DataType, TimeUnit};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The type of a column, as a job declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum DeclaredType {
    /// Text, kept as it is.
    Text,
    /// Whole number of 64 bits.
    Int64,
    /// Binary floating-point number of 64 bits.
    Float64,
    /// Exact number.
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: u8,
    },
    /// True or false.
    Boolean,
    /// Day without time of day.
    Date,
    /// Date and time of day, in microseconds.
    Timestamp,
}

impl DeclaredType {
    /// The Arrow type of the column; timestamps have no zone here, see
    /// `docs/sources.md`.
    #[must_use]
    pub fn arrow_type(self) -> DataType {
        match self {
            DeclaredType::Text => DataType::Utf8,
            DeclaredType::Int64 => DataType::Int64,
            DeclaredType::Float64 => DataType::Float64,
            DeclaredType::Decimal { precision, scale } => {
                DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(38))
            }
            DeclaredType::Boolean => DataType::Boolean,
            DeclaredType::Date => DataType::Date32,
            DeclaredType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }
}

impl fmt::Display for DeclaredType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeclaredType::Text => f.write_str("text"),
            DeclaredType::Int64 => f.write_str("int64"),
            DeclaredType::Float64 => f.write_str("float64"),
            DeclaredType::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            DeclaredType::Boolean => f.write_str("boolean"),
            DeclaredType::Date => f.write_str("date"),
            DeclaredType::Timestamp => f.write_str("timestamp"),
        }
    }
}

/// A type that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown type `{0}`: expected `text`, `int64`, `float64`, `decimal(p,s)`, `boolean`, `date` or `timestamp`"
)]
pub struct UnknownType(pub String);

impl FromStr for DeclaredType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.trim() {
            "text" => DeclaredType::Text,
            "int64" => DeclaredType::Int64,
            "float64" => DeclaredType::Float64,
            "boolean" => DeclaredType::Boolean,
            "date" => DeclaredType::Date,
            "timestamp" => DeclaredType::Timestamp,
            other => return decimal(other).ok_or_else(|| UnknownType(text.to_owned())),
        })
    }
}

fn decimal(text: &str) -> Option<DeclaredType> {
    let inner = text.strip_prefix("decimal")?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    let (precision, scale) = inner.split_once(',')?;
    let precision: u8 = precision.trim().parse().ok()?;
    let scale: u8 = scale.trim().parse().ok()?;
    ((1..=38).contains(&precision) && scale <= precision)
        .then_some(DeclaredType::Decimal { precision, scale })
}

impl TryFrom<String> for DeclaredType {
    type Error = UnknownType;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DeclaredType> for String {
    fn from(declared: DeclaredType) -> Self {
        declared.to_string()
    }
}

impl JsonSchema for DeclaredType {
    fn schema_name() -> Cow<'static, str> {
        "DeclaredType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The type of a column, as a job declares it.",
            "type": "string",
            "pattern": "^(text|int64|float64|boolean|date|timestamp|decimal *\\( *[0-9]+ *, *[0-9]+ *\\))$",
        })
    }
}

/// The word for an Arrow type in messages: the declared type's where there is
/// one, else Arrow's own.
pub(crate) fn type_name(data_type: &DataType) -> Cow<'static, str> {
    match data_type {
        DataType::Utf8 => "text".into(),
        DataType::Int64 => "int64".into(),
        DataType::Float64 => "float64".into(),
        DataType::Boolean => "boolean".into(),
        DataType::Date32 => "date".into(),
        DataType::Timestamp(_, _) => "timestamp".into(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})").into(),
        other => other.to_string().to_lowercase().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_they_are_written() {
        for text in ["text", "int64", "float64", "decimal(18,4)", "boolean", "date", "timestamp"] {
            assert_eq!(text.parse::<DeclaredType>().unwrap().to_string(), text);
        }
        let spaced: DeclaredType = "decimal (38, 0)".parse().unwrap();
        assert_eq!(spaced, DeclaredType::Decimal { precision: 38, scale: 0 });
    }

    #[test]
    fn what_is_no_type_is_refused_by_name() {
        for text in ["", "string", "decimal", "decimal(39,1)", "decimal(4,5)", "decimal(0,0)"] {
            let error = text.parse::<DeclaredType>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("unknown type `{text}`")));
        }
    }
}
