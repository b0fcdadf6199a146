//! Keys out of columns: hashes to match by, parts to derive ids from, text to
//! show.
//!
//! Pure. Incoming rows and target records pass through the same functions, in
//! canonical types, so that they can never disagree about what a key is.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray, UInt32Array};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use arrow_select::take::take;
use dvsync_model::key::{self, KeyHash};
use dvsync_model::{LookupValue, id};
use uuid::Uuid;

use crate::prepare::cast::micros_to_text;

/// The columns of a key, as text.
#[derive(Debug, Clone)]
pub(crate) struct KeyColumns {
    texts: Vec<StringArray>,
}

impl KeyColumns {
    /// Renders the columns; `None` if one has a type that cannot be a key.
    pub(crate) fn of<'a>(columns: impl IntoIterator<Item = &'a ArrayRef>) -> Option<Self> {
        columns.into_iter().map(text).collect::<Option<_>>().map(|texts| Self { texts })
    }

    /// The keys of some of the rows.
    pub(crate) fn pick(&self, rows: &UInt32Array) -> Result<Self, ArrowError> {
        let picked = self
            .texts
            .iter()
            .map(|texts| take(texts, rows, None).map(|picked| picked.as_string::<i32>().clone()));
        Ok(Self { texts: picked.collect::<Result<_, _>>()? })
    }

    /// Keys that somebody has rendered already, one column.
    pub(crate) fn ready(keys: StringArray) -> Self {
        Self { texts: vec![keys] }
    }

    /// The parts of a row's key; `None` for a missing one.
    pub(crate) fn parts(&self, row: usize) -> impl Iterator<Item = Option<&str>> {
        self.texts.iter().map(move |texts| texts.is_valid(row).then(|| texts.value(row)))
    }

    /// `None` when a part is missing or empty.
    pub(crate) fn hash(&self, row: usize) -> Option<KeyHash> {
        key::hash(self.parts(row))
    }

    /// Hashes of all rows.
    pub(crate) fn hashes(&self) -> Vec<Option<KeyHash>> {
        let rows = self.texts.first().map_or(0, StringArray::len);
        (0..rows).map(|row| self.hash(row)).collect()
    }

    /// The id of the record that this key names.
    pub(crate) fn derive_id(&self, organization: Uuid, entity: &str, row: usize) -> Uuid {
        id::from_key(organization, entity, self.parts(row).map(Option::unwrap_or_default))
    }

    /// For people: parts joined by ` / `; `None` when all are missing.
    pub(crate) fn shown(&self, row: usize) -> Option<String> {
        let parts: Vec<&str> = self.parts(row).map(Option::unwrap_or_default).collect();
        parts.iter().any(|part| !part.is_empty()).then(|| parts.join(" / "))
    }
}

/// A column as text, cell by cell; `None` for types that have no text.
pub(crate) fn text(column: &ArrayRef) -> Option<StringArray> {
    Some(match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().clone(),
        DataType::FixedSizeBinary(16) => column
            .as_fixed_size_binary()
            .iter()
            .map(|id| id.and_then(|id| Uuid::from_slice(id).ok()).map(|id| id.to_string()))
            .collect(),
        DataType::FixedSizeBinary(17) => column
            .as_fixed_size_binary()
            .iter()
            .map(|cell| cell.and_then(LookupValue::from_bytes).map(|value| value.id.to_string()))
            .collect(),
        // `-0.0` and `0.0`, `1e2` and `100` are one key.
        DataType::Float32 | DataType::Float64 | DataType::Float16 => {
            let wide = arrow_cast::cast(column, &DataType::Float64).ok()?;
            wide.as_primitive::<arrow_array::types::Float64Type>()
                .iter()
                .map(|value| value.map(|value| (value + 0.0).to_string()))
                .collect()
        }
        // Always UTC: the zone of an Arrow column is a label for the reader.
        DataType::Timestamp(unit, _) => {
            let per_micro = match unit {
                TimeUnit::Second => (1_000_000, 1),
                TimeUnit::Millisecond => (1_000, 1),
                TimeUnit::Microsecond => (1, 1),
                TimeUnit::Nanosecond => (1, 1_000),
            };
            let bare = column.to_data().into_builder().data_type(DataType::Int64).build().ok()?;
            Int64Array::from(bare)
                .iter()
                .map(|value| {
                    let micros = value?.checked_mul(per_micro.0)?.div_euclid(per_micro.1);
                    micros_to_text(micros)
                })
                .collect()
        }
        _ => arrow_cast::cast(column, &DataType::Utf8).ok()?.as_string_opt::<i32>()?.clone(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int64Array};

    use super::*;

    #[test]
    fn numbers_and_texts_of_one_key_are_the_same_key() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("42"), Some("x"), None]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(42), None, Some(1)]));
        let texts = KeyColumns::of([&texts]).unwrap();
        let numbers = KeyColumns::of([&numbers]).unwrap();
        assert_eq!(texts.hash(0), numbers.hash(0));
        assert_ne!(texts.hash(1), None);
        assert_eq!((texts.hash(2), numbers.hash(1)), (None, None));
    }

    #[test]
    fn a_key_of_two_columns_needs_both() {
        let a: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]));
        let b: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), Some("2"), Some("")]));
        let keys = KeyColumns::of([&a, &b]).unwrap();
        assert_eq!(
            keys.hashes().iter().map(Option::is_some).collect::<Vec<_>>(),
            [true, false, false]
        );
        assert_eq!(keys.shown(0).as_deref(), Some("a / 1"));
        assert_eq!(keys.shown(1).as_deref(), Some(" / 2"));
    }

    #[test]
    fn negative_zero_is_zero() {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![-0.0, 0.0]));
        let keys = KeyColumns::of([&values]).unwrap();
        assert_eq!(keys.hash(0), keys.hash(1));
    }
}
