//! Rows made by hand. Cells are kept as text, whatever their type: a fixture
//! reads like the file that it stands for.

use crate::bindings::types::Column;
use crate::columns::{
    BooleanBuilder, DateBuilder, DecimalBuilder, Float64Builder, Int64Builder, TextBuilder,
    TimestampBuilder, UuidBuilder,
};
use crate::failure::Failure;
use crate::field::{Field, Type};
use crate::number::Number;

/// Rows of a source, of the target, or of a granted table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    fields: Vec<Field>,
    /// One a row, in the order of `fields`.
    rows: Vec<Vec<Option<String>>>,
}

impl Table {
    /// Columns of text; empty cells are null, missing ones too.
    #[must_use]
    pub fn of(columns: &[&str], rows: &[&[&str]]) -> Self {
        let cell = |row: &[&str], position: usize| {
            row.get(position).filter(|cell| !cell.is_empty()).map(|&cell| cell.to_owned())
        };
        let row = |row: &&[&str]| (0..columns.len()).map(|column| cell(row, column)).collect();
        Self {
            fields: columns.iter().map(|&name| Field::text(name)).collect(),
            rows: rows.iter().map(row).collect(),
        }
    }

    /// So many rows without any columns: `current` of rows that match nothing.
    #[must_use]
    pub fn blank(rows: usize) -> Self {
        Self { fields: Vec::new(), rows: vec![Vec::new(); rows] }
    }

    /// The column has that type in the source: integers, decimals, booleans,
    /// floats. Its cells must be texts of it.
    #[must_use]
    pub fn typed(mut self, column: &str, kind: Type) -> Self {
        for field in self.fields.iter_mut().filter(|field| field.name == column) {
            field.kind = kind;
        }
        self
    }

    /// Its columns.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        self.fields.clone()
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows at these positions, in that order.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Self {
        let rows = positions.iter().filter_map(|&row| self.rows.get(row).cloned()).collect();
        Self { fields: self.fields.clone(), rows }
    }

    fn cells(&self, name: &str) -> impl Iterator<Item = Option<&str>> {
        let position = self.fields.iter().position(|field| field.name == name);
        self.rows.iter().map(move |row| position.and_then(|at| row.get(at)?.as_deref()))
    }

    pub(crate) fn column_as(&self, field: &Field) -> Result<Column, Failure> {
        let name = field.name.as_str();
        let rows = self.len();
        macro_rules! build {
            ($builder:expr, $parse:expr) => {{
                let mut builder = $builder;
                for cell in self.cells(name) {
                    match cell {
                        None => builder.push_null(),
                        Some(text) => match $parse(text) {
                            Some(value) => builder.push(value),
                            None => return Err(unfit(name, text, field.kind)),
                        },
                    }
                }
                builder.into_column(name)
            }};
        }
        Ok(match field.kind {
            Type::Text | Type::Binary => {
                let mut builder = TextBuilder::new(rows);
                self.cells(name).for_each(|cell| builder.push_option(cell));
                builder.into_column(name)
            }
            Type::Int64 => {
                build!(Int64Builder::new(rows), |text: &str| Number::parse(text)?.to_i64())
            }
            Type::Float64 => build!(Float64Builder::new(rows), |text: &str| text.parse().ok()),
            Type::Decimal => {
                build!(DecimalBuilder::new(38, 4, rows), |text: &str| Number::parse(text)?
                    .exactly(4))
            }
            Type::Boolean => build!(BooleanBuilder::new(rows), crate::flag::parse),
            Type::Date => build!(DateBuilder::new(rows), |text: &str| text.parse().ok()),
            Type::Timestamp => build!(TimestampBuilder::new(rows), |text: &str| text.parse().ok()),
            Type::Uuid => build!(UuidBuilder::new(rows), |text: &str| {
                u128::from_str_radix(&text.replace('-', ""), 16).ok().map(u128::to_be_bytes)
            }),
        })
    }

    /// As the host: text is compared, the first row counts.
    pub(crate) fn resolve(
        &self,
        by: &str,
        keys: &Column,
        columns: &[&str],
    ) -> Result<Vec<Column>, String> {
        for name in columns.iter().chain([&by]) {
            if !self.fields.iter().any(|field| field.name == *name) {
                return Err(format!("it has no column `{name}`"));
            }
        }
        let keys = super::answer::texts(keys);
        let found = keys.iter().map(|key| {
            let key = key.as_deref()?;
            self.cells(by).position(|cell| cell == Some(key))
        });
        let found: Vec<Option<usize>> = found.collect();
        let answer = Self {
            fields: self.fields.clone(),
            rows: found
                .iter()
                .map(|row| row.and_then(|row| self.rows.get(row).cloned()).unwrap_or_default())
                .collect(),
        };
        let pick = |name: &&str| {
            let field = self.fields.iter().find(|field| field.name == **name);
            let field = field.ok_or_else(|| format!("it has no column `{name}`"))?;
            answer.column_as(field).map_err(|failure| failure.message)
        };
        columns.iter().map(pick).collect()
    }
}

fn unfit(column: &str, text: &str, kind: Type) -> Failure {
    Failure::internal("bad-fixture", format!("column `{column}`: `{text}` is not {}", kind.name()))
}
