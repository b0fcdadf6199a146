//! A source row as JSON, for letters. Only rows that fail pay for it.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use serde_json::{Map, Value};

use crate::keys;

/// `{"column": value}`; masked columns show as `***`, numbers stay numbers,
/// everything else is text.
pub(crate) fn render(rows: &RecordBatch, row: usize, masked: &[String]) -> String {
    let mut out = Map::new();
    for (field, column) in rows.schema_ref().fields().iter().zip(rows.columns()) {
        let value = if column.is_null(row) {
            Value::Null
        } else if masked.contains(field.name()) {
            Value::from("***")
        } else {
            cell(&column.slice(row, 1))
        };
        out.insert(field.name().clone(), value);
    }
    Value::Object(out).to_string()
}

fn cell(one: &ArrayRef) -> Value {
    let text = || {
        keys::text(one)
            .and_then(|text| text.is_valid(0).then(|| Value::from(text.value(0))))
            .unwrap_or_else(|| Value::from(format!("({})", one.data_type())))
    };
    match one.data_type() {
        DataType::Boolean => Value::from(one.as_boolean().value(0)),
        DataType::Int64 => Value::from(one.as_primitive::<Int64Type>().value(0)),
        DataType::Float64 => Value::from(one.as_primitive::<Float64Type>().value(0)),
        _ => text(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{BinaryArray, Int64Array, StringArray};

    use super::*;

    #[test]
    fn a_row_shows_its_values_but_not_the_masked_ones() {
        let rows = RecordBatch::try_from_iter([
            ("name", Arc::new(StringArray::from(vec![Some("a\"b"), None])) as ArrayRef),
            ("n", Arc::new(Int64Array::from(vec![Some(7), None])) as ArrayRef),
            ("mail", Arc::new(StringArray::from(vec!["x@y", "z@y"])) as ArrayRef),
            ("raw", Arc::new(BinaryArray::from(vec![b"\xff".as_slice(), b"ok"])) as ArrayRef),
        ])
        .unwrap();
        let masked = ["mail".to_owned()];
        assert_eq!(
            render(&rows, 0, &masked),
            r#"{"mail":"***","n":7,"name":"a\"b","raw":"(Binary)"}"#
        );
        assert_eq!(render(&rows, 1, &masked), r#"{"mail":"***","n":null,"name":null,"raw":"ok"}"#);
    }
}
