//! Granted tables: what `lookups` reads. Taken once, indexed once by each
//! column that is asked for, shared by all instances of a binding. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::ArrowError;

use crate::bindings::dvsync::rules::types::{ColumnResult, ValueType};
use crate::cast::{cast, text_form};
use crate::contract::value_type;
use crate::digest;
use crate::lift;
use crate::lower::Lowered;

/// The tables of a binding, by name.
#[derive(Default)]
pub(crate) struct Tables {
    by_name: BTreeMap<String, Table>,
}

struct Table {
    columns: Vec<Column>,
    digest: String,
}

struct Column {
    name: String,
    /// In the Arrow type of its value type.
    array: ArrayRef,
    value_type: ValueType,
    /// First row of each value, by the value's text form.
    by_text: OnceLock<HashMap<Box<str>, u32>>,
    /// The same for whole numbers, which need no text.
    by_number: OnceLock<HashMap<i64, u32>>,
}

impl Tables {
    /// Takes the tables; the error names the one that cannot be used.
    pub(crate) fn new(tables: &BTreeMap<String, RecordBatch>) -> Result<Self, (String, String)> {
        let by_name = tables
            .iter()
            .map(|(name, rows)| match Table::new(rows) {
                Ok(table) => Ok((name.clone(), table)),
                Err(error) => Err((name.clone(), error.to_string())),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { by_name })
    }

    /// Name and digest of each table, sorted by name.
    pub(crate) fn digests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_name.iter().map(|(name, table)| (name.as_str(), table.digest.as_str()))
    }

    /// The import `lookups.resolve`. Answers of more than `bytes_max` are
    /// refused, since a guest pays nothing for asking.
    pub(crate) fn resolve(
        &self,
        table: &str,
        by: &str,
        keys: ColumnResult,
        columns: &[String],
        bytes_max: usize,
    ) -> Result<Vec<ColumnResult>, String> {
        let granted = || listed(self.by_name.keys());
        let table_of = self
            .by_name
            .get(table)
            .ok_or_else(|| format!("no table `{table}` is granted, but {}", granted()))?;
        let find = |name: &str| {
            table_of.columns.iter().find(|column| column.name == name).ok_or_else(|| {
                let names = listed(table_of.columns.iter().map(|column| &column.name));
                format!("the table `{table}` has no column `{name}`, but {names}")
            })
        };
        let asked = columns.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
        if asked.len() > table_of.columns.len() {
            return Err(format!("{} columns are more than `{table}` has", asked.len()));
        }
        let as_strings = lift::type_of(&keys.values) == ValueType::Strings;
        let rows = find(by)?.rows_of(keys)?;
        let mut bytes = 0usize;
        asked
            .into_iter()
            .map(|column| {
                bytes = bytes.saturating_add(column.bytes_of(&rows));
                if bytes > bytes_max {
                    return Err(format!("the answer takes more than {bytes_max} bytes"));
                }
                column.take(&rows, as_strings)
            })
            .collect()
    }
}

impl Table {
    fn new(rows: &RecordBatch) -> Result<Self, ArrowError> {
        let mut columns = Vec::with_capacity(rows.num_columns());
        for (field, array) in rows.schema().fields().iter().zip(rows.columns()) {
            // Lists and the like cannot cross, and are not there for the rule.
            let Some(value_type) = value_type(field.data_type()) else { continue };
            columns.push(Column {
                name: field.name().clone(),
                array: cast(array, value_type)?.array,
                value_type,
                by_text: OnceLock::new(),
                by_number: OnceLock::new(),
            });
        }
        Ok(Self { columns, digest: digest::table(rows)? })
    }
}

impl Column {
    /// For each key the row that has it.
    fn rows_of(&self, keys: ColumnResult) -> Result<UInt32Array, String> {
        let count = lift::rows_of(&keys.values).ok_or_else(|| "booleans are no keys".to_owned())?;
        let keys = lift::column(keys, count)?;
        if let (Some(keys), Some(own)) =
            (keys.as_primitive_opt::<Int64Type>(), self.array.as_primitive_opt::<Int64Type>())
        {
            let index = self.by_number.get_or_init(|| first_rows(own.iter()));
            return Ok(keys.iter().map(|key| index.get(&key?).copied()).collect());
        }
        let index = match self.by_text.get() {
            Some(index) => index,
            None => {
                let own = text_form(&self.array).map_err(|error| error.to_string())?;
                let texts = own.as_string::<i32>().iter().map(|text| text.map(Box::from));
                self.by_text.get_or_init(|| first_rows(texts))
            }
        };
        let keys = text_form(&keys).map_err(|error| error.to_string())?;
        let keys = keys.as_string::<i32>();
        Ok(keys.iter().map(|key| index.get(key?).copied()).collect())
    }

    /// A bound on what [`Column::take`] makes.
    fn bytes_of(&self, rows: &UInt32Array) -> usize {
        let fixed = rows.len().saturating_mul(32);
        let Some(texts) = self.array.as_string_opt::<i32>() else { return fixed };
        let lengths = rows.iter().flatten().filter_map(|row| usize::try_from(row).ok());
        lengths
            .filter_map(|row| usize::try_from(texts.value_length(row)).ok())
            .fold(fixed, usize::saturating_add)
    }

    fn take(&self, rows: &UInt32Array, as_strings: bool) -> Result<ColumnResult, String> {
        let taken =
            arrow_select::take::take(&self.array, rows, None).map_err(|error| error.to_string())?;
        let value_type = match self.value_type {
            ValueType::Text if as_strings => ValueType::Strings,
            other => other,
        };
        Lowered::new(&self.name, &taken, value_type)
            .map(Lowered::result)
            .ok_or_else(|| format!("cannot pass the column `{}`", self.name))
    }
}

/// The first row of each value; nulls are no values.
fn first_rows<K: Eq + std::hash::Hash>(values: impl Iterator<Item = Option<K>>) -> HashMap<K, u32> {
    let mut rows = HashMap::new();
    for (value, row) in values.zip(0u32..) {
        if let Some(value) = value {
            rows.entry(value).or_insert(row);
        }
    }
    rows
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let quoted: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int32Array, StringArray};

    use super::*;
    use crate::bindings::dvsync::rules::types::ValuesResult;

    fn tables() -> Tables {
        let rows = RecordBatch::try_from_iter([
            (
                "id",
                Arc::new(Int32Array::from(vec![Some(274), Some(275), None, Some(274)])) as ArrayRef,
            ),
            (
                "mail",
                Arc::new(StringArray::from(vec![Some("a@x"), None, Some("c@x"), Some("d@x")])),
            ),
            ("share", Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, 4.0]))),
        ])
        .expect("a table");
        Tables::new(&BTreeMap::from([("people".to_owned(), rows)])).expect("tables")
    }

    fn keys(values: ValuesResult) -> ColumnResult {
        ColumnResult { name: "k".to_owned(), validity: None, values }
    }

    fn mails(keys: ColumnResult) -> Vec<Option<String>> {
        let mut found = tables()
            .resolve("people", "id", keys, &["mail".to_owned()], 1 << 20)
            .expect("an answer");
        match found.remove(0) {
            ColumnResult { values: ValuesResult::Strings(mails), .. } => mails,
            found => lift::column(found, 3)
                .expect("a column")
                .as_string::<i32>()
                .iter()
                .map(|mail| mail.map(str::to_owned))
                .collect(),
        }
    }

    #[test]
    fn keys_of_any_type_find_the_first_row_that_has_them() {
        let expected = [Some("a@x".to_owned()), None, None];
        assert_eq!(mails(keys(ValuesResult::Int64(vec![274, 275, 1]))), expected);
        assert_eq!(mails(keys(ValuesResult::Float64(vec![274.0, 275.0, 1.0]))), expected);
        let texts = ["274", "275", "x"].map(|text| Some(text.to_owned())).to_vec();
        assert_eq!(mails(keys(ValuesResult::Strings(texts))), expected);
    }

    #[test]
    fn a_null_key_finds_nothing() {
        let column = ColumnResult {
            validity: Some(vec![0b110]),
            ..keys(ValuesResult::Int64(vec![274, 274, 274]))
        };
        assert_eq!(mails(column), [None, Some("a@x".to_owned()), Some("a@x".to_owned())]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let ask = |table: &str, by: &str, column: &str| {
            tables()
                .resolve(table, by, keys(ValuesResult::Int64(vec![1])), &[column.to_owned()], 9999)
                .expect_err("not there")
        };
        assert_eq!(ask("x", "id", "mail"), "no table `x` is granted, but `people`");
        let columns = "but `id`, `mail`, `share`";
        assert_eq!(
            ask("people", "x", "mail"),
            format!("the table `people` has no column `x`, {columns}")
        );
        assert_eq!(
            ask("people", "id", "y"),
            format!("the table `people` has no column `y`, {columns}")
        );
    }

    #[test]
    fn a_table_may_hold_instants_of_a_named_zone() {
        let instants = arrow_array::TimestampMicrosecondArray::from(vec![1]).with_timezone("UTC");
        let table = RecordBatch::try_from_iter([("at", Arc::new(instants) as ArrayRef)]);
        let tables = BTreeMap::from([("t".to_owned(), table.expect("a table"))]);
        assert!(Tables::new(&tables).is_ok());
    }

    #[test]
    fn an_answer_beyond_the_limit_is_refused() {
        let keys = keys(ValuesResult::Int64(vec![274; 1000]));
        let error = tables().resolve("people", "id", keys, &["mail".to_owned()], 1000);
        assert_eq!(error.expect_err("too much"), "the answer takes more than 1000 bytes");
    }

    #[test]
    fn the_digest_does_not_depend_on_how_buffers_are_cut() {
        let whole = StringArray::from(vec![Some("a"), Some("b"), None]);
        let table = |array: StringArray| {
            RecordBatch::try_from_iter([("x", Arc::new(array) as ArrayRef)]).expect("a table")
        };
        let cut = table(whole.slice(1, 2));
        let own = table(StringArray::from(vec![Some("b"), None]));
        assert_eq!(digest::table(&cut).expect("digest"), digest::table(&own).expect("digest"));
        let other = table(StringArray::from(vec![Some("b"), Some("")]));
        assert_ne!(digest::table(&cut).expect("digest"), digest::table(&other).expect("digest"));
    }
}
