//! `$filter` against a table: names looked up, literals typed, rows judged.
//!
//! Comparison is the service's: text without regard to case; a null is unequal
//! to every value and neither greater nor less. What a lambda says of a
//! collection is found out once, before any row is judged.

mod function;
mod hierarchy;
mod like;
mod related;
mod span;

use std::cmp::Ordering;
use std::collections::HashSet;

use uuid::Uuid;

use super::View;
use super::expression::{Expression, Literal, Operator};
use super::literal;
use crate::cell::{Cell, compare, fold};
use crate::refusal::{Name, Refusal};
use crate::schema::{Kind, Table};
use crate::store::{Layout, Quick, Row, Store};
pub(crate) use function::values;
pub(crate) use hierarchy::hierarchy;
pub(crate) use like::Pattern;
pub(crate) use related::{Through, unjoined};
pub(crate) use span::{Calendar, Span, span};

/// A condition on the rows of one table.
#[derive(Debug)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare(usize, Operator, Cell<'static>),
    /// Two columns of the same row.
    Columns(usize, Operator, usize),
    In(usize, Values),
    Like(usize, Pattern),
    /// A time or a day within a span.
    Within(usize, Span),
    /// A multi-select choice with any of these options.
    Chosen(usize, Vec<String>),
    /// A condition on the record that a lookup names.
    Through(Box<Through>),
}

/// The values of an `In`.
#[derive(Debug)]
pub(crate) enum Values {
    Ids(HashSet<Uuid, Quick>),
    /// Folded, and as typed.
    Texts(HashSet<String, Quick>, Vec<Cell<'static>>),
    Others(Vec<Cell<'static>>),
}

impl Filter {
    pub(crate) fn new(
        expression: Expression,
        view: &View<'_>,
        table: &Table,
    ) -> Result<Self, Refusal> {
        let all = |list: Vec<Expression>| {
            list.into_iter().map(|one| Filter::new(one, view, table)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match expression {
            Expression::And(list) => Filter::And(all(list)?),
            Expression::Or(list) => Filter::Or(all(list)?),
            Expression::Not(inner) => Filter::Not(Box::new(Filter::new(*inner, view, table)?)),
            Expression::Compare(operator, path, literal) => {
                if let Some((navigation, rest)) = beyond(table, &path) {
                    let inner = Expression::Compare(operator, rest, literal);
                    return related::through(view, table, navigation, inner);
                }
                let column = column(table, &path)?;
                if let Some(other) = other_column(table, column, &literal)? {
                    return Ok(Filter::Columns(column, operator, other));
                }
                let value = typed(table, column, &literal, operator.name())?;
                Filter::Compare(column, operator, value)
            }
            Expression::Text(function, path, literal) => {
                if let Some((navigation, rest)) = beyond(table, &path) {
                    let inner = Expression::Text(function, rest, literal);
                    return related::through(view, table, navigation, inner);
                }
                let column = column(table, &path)?;
                let text =
                    matches!(table.columns[column].kind, Kind::Text { .. } | Kind::Memo { .. });
                let (Literal::Text(needle), true) = (literal, text) else {
                    return Err(Refusal::odata(format!(
                        "No function signature for the function with name '{function}' matches \
                         the specified arguments."
                    )));
                };
                Filter::Like(column, Pattern::new(&function, &needle))
            }
            Expression::Function(name, arguments) => {
                function::function(view, table, &name, arguments)?
            }
            Expression::Lambda(path, any, inner) => {
                related::lambda(view, table, &path, any, inner.map(|inner| *inner))?
            }
        })
    }

    pub(crate) fn matches(&self, store: &Store, layout: &Layout, row: &Row) -> bool {
        match self {
            Filter::And(list) => list.iter().all(|one| one.matches(store, layout, row)),
            Filter::Or(list) => list.iter().any(|one| one.matches(store, layout, row)),
            Filter::Not(inner) => !inner.matches(store, layout, row),
            Filter::Compare(column, operator, value) => {
                compared(&layout.cell(row, *column), *operator, value)
            }
            Filter::Columns(column, operator, other) => {
                let (one, two) = (layout.cell(row, *column), layout.cell(row, *other));
                // SQL: a null equals nothing, not even a null.
                !one.is_null() && !two.is_null() && compared(&one, *operator, &two)
            }
            Filter::In(column, values) => values.contain(&layout.cell(row, *column)),
            Filter::Like(column, pattern) => match layout.cell(row, *column) {
                Cell::Text(text) => pattern.matches(&text),
                _ => false,
            },
            Filter::Within(column, span) => span.holds(&layout.cell(row, *column)),
            Filter::Chosen(column, options) => match layout.cell(row, *column) {
                Cell::Text(chosen) => {
                    chosen.split(',').any(|one| options.iter().any(|option| option == one))
                }
                _ => false,
            },
            Filter::Through(through) => through.matches(store, layout, row),
        }
    }
}

impl Filter {
    /// `eq null`: what a row that is not there fits.
    pub(crate) fn is_null_test(&self) -> bool {
        match self {
            Filter::Compare(_, Operator::Eq, value) => value.is_null(),
            Filter::And(list) => list.iter().all(Filter::is_null_test),
            Filter::Or(list) => list.iter().any(Filter::is_null_test),
            _ => false,
        }
    }
}

impl Values {
    fn contain(&self, cell: &Cell<'_>) -> bool {
        match self {
            Values::Ids(ids) => cell.id().is_some_and(|id| ids.contains(&id)),
            Values::Texts(texts, _) => match cell {
                Cell::Text(text) => texts.contains(fold(text).as_ref()),
                _ => false,
            },
            Values::Others(cells) => cells.iter().any(|value| compared(cell, Operator::Eq, value)),
        }
    }
}

pub(crate) fn compared(cell: &Cell<'_>, operator: Operator, value: &Cell<'_>) -> bool {
    let order = compare(cell, value);
    match operator {
        Operator::Eq => order == Some(Ordering::Equal),
        Operator::Ne => order != Some(Ordering::Equal),
        _ if cell.is_null() || value.is_null() => false,
        Operator::Gt => order == Some(Ordering::Greater),
        Operator::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Operator::Lt => order == Some(Ordering::Less),
        Operator::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
    }
}

/// The column that a filter calls by this name.
pub(crate) fn column(table: &Table, path: &str) -> Result<usize, Refusal> {
    table.readable(path).ok_or_else(|| Refusal::no_such_property(table, path))
}

/// `primarycontactid/fullname` as the navigation property and the rest.
fn beyond<'p>(table: &Table, path: &'p str) -> Option<(&'p str, String)> {
    if table.readable(path).is_some() {
        return None;
    }
    path.split_once('/').map(|(navigation, rest)| (navigation, rest.to_owned()))
}

/// `firstname eq lastname`: the second column, if it is one.
fn other_column(table: &Table, column: usize, literal: &Literal) -> Result<Option<usize>, Refusal> {
    let Literal::Bare(name) = literal else { return Ok(None) };
    let Some(other) = table.readable(name) else { return Ok(None) };
    let (one, two) = (table.columns[column].kind.edm(), table.columns[other].kind.edm());
    if one != two {
        return Err(incompatible(one, two, "Equal"));
    }
    Ok(Some(other))
}

pub(crate) fn typed(
    table: &Table,
    column: usize,
    literal: &Literal,
    operator: &str,
) -> Result<Cell<'static>, Refusal> {
    let kind = &table.columns[column].kind;
    literal::cell(kind, literal)
        .ok_or_else(|| incompatible(kind.edm(), literal::edm(literal), operator))
}

fn incompatible(one: &str, two: &str, operator: &str) -> Refusal {
    Refusal::named(
        Name::IncompatibleTypes,
        format!(
            "A binary operator with incompatible types was detected. Found operand types '{one}' \
             and '{two}' for operator kind '{operator}'."
        ),
    )
}
