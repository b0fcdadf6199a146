//! The rows of a call: columns by name, checked against what the hook declared.
//! Pure.

use crate::bindings::types::{Column, Values};
use crate::cells::{
    Binaries, BinaryView, BitView, Booleans, Cells, Dates, DecimalView, Decimals, Float64s, Int64s,
    SliceView, TextView, Texts, UuidView, Uuids, View, mismatch,
};
use crate::failure::Failure;
use crate::field::Field;
use crate::flag::Flags;
use crate::number::Numbers;
use crate::tables::type_of;

/// The rows of a call. Cheap to copy; nothing is copied out of the columns.
///
/// A column that the hook has not declared is a fault of the rule and says so; a
/// declared one that the source has not is there, [absent](Cells::is_absent) and
/// all null.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    columns: Part<'a>,
    target: Part<'a>,
    rows: usize,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Part<'a> {
    pub(crate) fields: &'a [Field],
    pub(crate) columns: &'a [Column],
    /// Which of them the source has; empty = all.
    pub(crate) present: &'a [bool],
}

impl<'a> Rows<'a> {
    pub(crate) fn new(columns: Part<'a>, target: Part<'a>, rows: usize) -> Self {
        Self { columns, target, rows }
    }

    pub(crate) fn of(fields: &'a [Field], columns: &'a [Column], rows: usize) -> Self {
        Self::new(Part { fields, columns, present: &[] }, Part::default(), rows)
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The hook declared that it reads the column.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.columns.fields.iter().any(|field| field.name == name)
    }

    /// The columns of the target rows as mapped and transformed so far, which
    /// the hook declared by [`crate::Needs::reads_target`].
    #[must_use]
    pub fn target(&self) -> Rows<'a> {
        Rows::new(self.target, Part::default(), self.rows)
    }

    /// A column as it came, of whatever type: keys to
    /// [`crate::Tables::resolve`].
    ///
    /// # Errors
    /// The hook has not declared it.
    pub fn column(&self, name: &str) -> Result<&'a Column, Failure> {
        self.find(name).map(|(column, _)| column)
    }

    /// A column of text.
    ///
    /// # Errors
    /// The hook has not declared it, or as another type.
    pub fn text(&self, name: &str) -> Result<Texts<'a>, Failure> {
        self.open(name, |column| TextView::open(column, self.rows))
    }

    /// A column of bytes.
    ///
    /// # Errors
    /// The hook has not declared it, or as another type.
    pub fn binary(&self, name: &str) -> Result<Binaries<'a>, Failure> {
        self.open(name, |column| BinaryView::open(column, self.rows))
    }

    /// A column of whole numbers.
    ///
    /// # Errors
    /// The hook has not declared it, or as another type.
    pub fn int64(&self, name: &str) -> Result<Int64s<'a>, Failure> {
        self.open(name, |column| match &column.values {
            Values::Int64(list) => SliceView::open(column, list, self.rows),
            _ => Err(mismatch(column, "int64")),
        })
    }

    /// A column of binary floating-point numbers.
    ///
    /// # Errors
    /// The hook has not declared it, or as another type.
    pub fn float64(&self, name: &str) -> Result<Float64s<'a>, Failure> {
        self.open(name, |column| match &column.values {
            Values::Float64(list) => SliceView::open(column, list, self.rows),
            _ => Err(mismatch(column, "float64")),
        })
    }

    /// A column of exact decimal numbers.
    ///
    /// # Errors
    /// The hook has not declared it, or as another type.
    pub fn decimal(&self, name: &str) -> Result<Decimals<'a>, Failure> {
        self.open(name, |column| DecimalView::open(column, self.rows))
    }

    /// A column of yes and no.
    ///
    /// # Errors
    /// The hook has not declared it, or as another type.
    pub fn boolean(&self, name: &str) -> Result<Booleans<'a>, Failure> {
        self.open(name, |column| BitView::open(column, self.rows))
    }

    /// A column of days since 1970-01-01.
    ///
    /// # Errors
    /// The hook has not declared it, or as another type.
    pub fn date(&self, name: &str) -> Result<Dates<'a>, Failure> {
        self.open(name, |column| match &column.values {
            Values::Date32(list) => SliceView::open(column, list, self.rows),
            _ => Err(mismatch(column, "date32")),
        })
    }

    /// A column of instants, microseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// The hook has not declared it, or as another type.
    pub fn timestamp(&self, name: &str) -> Result<Int64s<'a>, Failure> {
        self.open(name, |column| match &column.values {
            Values::TimestampUs(list) => SliceView::open(column, list, self.rows),
            _ => Err(mismatch(column, "timestamp-us")),
        })
    }

    /// A column of GUIDs.
    ///
    /// # Errors
    /// The hook has not declared it, or as another type.
    pub fn uuid(&self, name: &str) -> Result<Uuids<'a>, Failure> {
        self.open(name, |column| UuidView::open(column, self.rows))
    }

    /// A column of numbers that was declared by [`crate::Context::number`].
    ///
    /// # Errors
    /// The hook has not declared it, or as something else.
    pub fn numbers(&self, name: &str) -> Result<Numbers<'a>, Failure> {
        match &self.column(name)?.values {
            Values::Int64(_) => self.int64(name).map(Numbers::Int64),
            Values::Decimal128(_) => self.decimal(name).map(Numbers::Decimal),
            _ => self.text(name).map(Numbers::Text),
        }
    }

    /// A column of yes and no that was declared by [`crate::Context::flag`].
    ///
    /// # Errors
    /// The hook has not declared it, or as something else.
    pub fn flags(&self, name: &str) -> Result<Flags<'a>, Failure> {
        match &self.column(name)?.values {
            Values::Boolean(_) => self.boolean(name).map(Flags::Boolean),
            Values::Int64(_) => self.int64(name).map(Flags::Int64),
            _ => self.text(name).map(Flags::Text),
        }
    }

    fn open<V: View>(
        &self,
        name: &str,
        view: impl FnOnce(&'a Column) -> Result<V, Failure>,
    ) -> Result<Cells<'a, V>, Failure> {
        let (column, present) = self.find(name)?;
        Ok(Cells::new(view(column)?, column, self.rows)?.absent(!present))
    }

    fn find(&self, name: &str) -> Result<(&'a Column, bool), Failure> {
        let Part { fields, columns, present } = self.columns;
        let position = fields.iter().position(|field| field.name == name);
        let column = position.and_then(|position| columns.get(position));
        match (position, column) {
            (Some(position), Some(column)) => {
                Ok((column, present.get(position).copied().unwrap_or(true)))
            }
            _ => Err(Failure::internal(
                "undeclared-column",
                format!("cannot read column `{name}`: the hook does not declare it"),
            )),
        }
    }
}

/// Splits a call's columns into those of each declared list, and checks that
/// they are the ones that were asked for.
pub(crate) fn split<'a>(
    columns: &'a [Column],
    first: &[Field],
    second: &[Field],
) -> Result<(&'a [Column], &'a [Column]), Failure> {
    if columns.len() != first.len() + second.len() {
        return Err(Failure::internal(
            "bad-call",
            format!("{} columns came, {} are declared", columns.len(), first.len() + second.len()),
        ));
    }
    for (column, field) in columns.iter().zip(first.iter().chain(second)) {
        if column.name != field.name || type_of(column) != field.kind {
            return Err(Failure::internal(
                "bad-call",
                format!(
                    "column `{}` ({}) came where `{}` ({}) is declared",
                    column.name,
                    type_of(column).name(),
                    field.name,
                    field.kind.name()
                ),
            ));
        }
    }
    Ok(columns.split_at(first.len()))
}

#[cfg(test)]
mod tests;
