//! `$filter` against a table: names looked up, literals typed, rows judged.
//!
//! Comparison is the service's: text without regard to case; a null is unequal
//! to every value and neither greater nor less.

mod like;

use std::cmp::Ordering;
use std::collections::HashSet;

use uuid::Uuid;

use super::expression::{Expression, Literal, Operator};
use super::literal;
use crate::cell::{Cell, compare, fold};
use crate::refusal::Refusal;
use crate::schema::{Kind, Table};
use crate::store::{Layout, Quick, Row};
use like::Pattern;

/// A condition on the rows of one table.
#[derive(Debug)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare(usize, Operator, Cell<'static>),
    In(usize, Values),
    Like(usize, Pattern),
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
    pub(crate) fn new(expression: Expression, table: &Table) -> Result<Self, Refusal> {
        let all = |list: Vec<Expression>| {
            list.into_iter().map(|one| Filter::new(one, table)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match expression {
            Expression::And(list) => Filter::And(all(list)?),
            Expression::Or(list) => Filter::Or(all(list)?),
            Expression::Not(inner) => Filter::Not(Box::new(Filter::new(*inner, table)?)),
            Expression::Compare(operator, path, literal) => {
                let column = column(table, &path)?;
                let value = typed(table, column, &literal, "Equal")?;
                Filter::Compare(column, operator, value)
            }
            Expression::Text(function, path, literal) => {
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
            Expression::Function(name, arguments) => function(table, &name, arguments)?,
        })
    }

    pub(crate) fn matches(&self, layout: &Layout, row: &Row) -> bool {
        match self {
            Filter::And(list) => list.iter().all(|one| one.matches(layout, row)),
            Filter::Or(list) => list.iter().any(|one| one.matches(layout, row)),
            Filter::Not(inner) => !inner.matches(layout, row),
            Filter::Compare(column, operator, value) => {
                compared(&layout.cell(row, *column), *operator, value)
            }
            Filter::In(column, values) => values.contain(&layout.cell(row, *column)),
            Filter::Like(column, pattern) => match layout.cell(row, *column) {
                Cell::Text(text) => pattern.matches(&text),
                _ => false,
            },
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

fn compared(cell: &Cell<'_>, operator: Operator, value: &Cell<'_>) -> bool {
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

fn typed(
    table: &Table,
    column: usize,
    literal: &Literal,
    operator: &str,
) -> Result<Cell<'static>, Refusal> {
    let kind = &table.columns[column].kind;
    literal::cell(kind, literal).ok_or_else(|| {
        Refusal::odata(format!(
            "A binary operator with incompatible types was detected. Found operand types '{}' and \
             '{}' for operator kind '{operator}'.",
            kind.edm(),
            literal::edm(literal)
        ))
    })
}

fn function(
    table: &Table,
    name: &str,
    arguments: Vec<(String, Literal)>,
) -> Result<Filter, Refusal> {
    let argument = |wanted: &str| arguments.iter().find(|(name, _)| name == wanted).map(|(_, l)| l);
    let Some(Literal::Text(property)) = argument("PropertyName") else {
        return Err(Refusal::odata(format!("Function '{name}' needs PropertyName.")));
    };
    // A lookup is named with and without its underscores here.
    let column = table
        .readable(property)
        .or_else(|| table.column_position(property))
        .ok_or_else(|| Refusal::no_such_property(table, property))?;
    match name {
        "In" | "NotIn" => {
            let Some(Literal::List(items)) = argument("PropertyValues") else {
                return Err(Refusal::odata(format!("Function '{name}' needs PropertyValues.")));
            };
            let kind = &table.columns[column].kind;
            let cells = items
                .iter()
                .map(|item| {
                    // All values stand as text in the array.
                    let bare = match item {
                        Literal::Text(text) => literal::cell(kind, &Literal::Bare(text.clone())),
                        _ => None,
                    };
                    bare.map_or_else(|| typed(table, column, item, "In"), Ok)
                })
                .collect::<Result<Vec<_>, _>>()?;
            let filter = Filter::In(column, values(kind, cells));
            Ok(if name == "In" { filter } else { Filter::Not(Box::new(filter)) })
        }
        "Between" => match argument("PropertyValues") {
            Some(Literal::List(items)) if items.len() == 2 => {
                let bound = |item: &Literal| match item {
                    Literal::Text(text) => {
                        let kind = &table.columns[column].kind;
                        literal::cell(kind, &Literal::Bare(text.clone()))
                            .map_or_else(|| typed(table, column, item, "Between"), Ok)
                    }
                    _ => typed(table, column, item, "Between"),
                };
                Ok(Filter::And(vec![
                    Filter::Compare(column, Operator::Ge, bound(&items[0])?),
                    Filter::Compare(column, Operator::Le, bound(&items[1])?),
                ]))
            }
            _ => Err(Refusal::odata("Function 'Between' needs two PropertyValues.")),
        },
        _ => Err(Refusal::unsupported(&format!("the function Microsoft.Dynamics.CRM.{name}"))),
    }
}

fn values(kind: &Kind, cells: Vec<Cell<'static>>) -> Values {
    match kind {
        Kind::Guid | Kind::Lookup { .. } | Kind::File => {
            Values::Ids(cells.iter().filter_map(Cell::id).collect())
        }
        Kind::Text { .. } | Kind::Memo { .. } | Kind::Choices { .. } => {
            let folded = cells
                .iter()
                .filter_map(|cell| match cell {
                    Cell::Text(text) => Some(fold(text).into_owned()),
                    _ => None,
                })
                .collect();
            Values::Texts(folded, cells)
        }
        _ => Values::Others(cells),
    }
}
