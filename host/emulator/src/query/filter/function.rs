//! `Microsoft.Dynamics.CRM.<name>(...)` in a filter (*Web API Query Function
//! Reference*).

use super::{Calendar, Filter, Values, hierarchy, span, typed};
use crate::cell::{Cell, fold};
use crate::query::View;
use crate::query::expression::{Literal, Operator};
use crate::query::literal;
use crate::refusal::Refusal;
use crate::schema::{Kind, Table};
use crate::{functions, instant};

/// The arguments of a function.
struct Arguments<'a> {
    table: &'a Table,
    column: usize,
    name: &'a str,
    all: &'a [(String, Literal)],
}

pub(super) fn function(
    view: &View<'_>,
    table: &Table,
    name: &str,
    arguments: Vec<(String, Literal)>,
) -> Result<Filter, Refusal> {
    let property = arguments.iter().find(|(name, _)| name == "PropertyName");
    let Some((_, Literal::Text(property))) = property else {
        return Err(Refusal::odata(format!("Function '{name}' needs PropertyName.")));
    };
    // A lookup is named with and without its underscores here.
    let column = table
        .readable(property)
        .or_else(|| table.column_position(property))
        .ok_or_else(|| Refusal::no_such_property(table, property))?;
    let arguments = Arguments { table, column, name, all: &arguments };
    let kind = &table.columns[column].kind;
    let not = |filter: Filter| Filter::Not(Box::new(filter));
    match name {
        "In" | "NotIn" => {
            let filter = Filter::In(column, values(kind, arguments.list()?));
            Ok(if name == "In" { filter } else { not(filter) })
        }
        "Between" | "NotBetween" => {
            let bounds: Result<[Cell<'static>; 2], _> = arguments.list()?.try_into();
            let Ok([from, to]) = bounds else {
                return Err(Refusal::odata(format!("Function '{name}' needs two PropertyValues.")));
            };
            let filter = Filter::And(vec![
                Filter::Compare(column, Operator::Ge, from),
                Filter::Compare(column, Operator::Le, to),
            ]);
            Ok(if name == "Between" { filter } else { not(filter) })
        }
        "ContainValues" | "DoesNotContainValues" => {
            if !matches!(kind, Kind::Choices { .. }) {
                return Err(Refusal::odata(format!(
                    "Function '{name}' is for columns of several choices, and '{property}' is none."
                )));
            }
            let options = arguments.texts()?;
            let filter = Filter::Chosen(column, options);
            Ok(if name == "ContainValues" { filter } else { not(filter) })
        }
        "EqualUserId" | "NotEqualUserId" => {
            let operator = equality(name);
            Ok(Filter::Compare(column, operator, Cell::Guid(view.scene.user)))
        }
        "EqualBusinessId" | "NotEqualBusinessId" => {
            let unit = functions::business_unit(view);
            Ok(Filter::Compare(column, equality(name), Cell::Guid(unit)))
        }
        "Contains" | "DoesNotContain" | "DoesNotBeginWith" | "DoesNotEndWith" => {
            Err(Refusal::unsupported(&format!("the function Microsoft.Dynamics.CRM.{name}")))
        }
        _ => {
            let value = arguments.find("PropertyValue").map(|_| arguments.one()).transpose()?;
            match hierarchy(view, table, column, name, value.as_deref()) {
                Some(filter) => filter,
                None => timed(view, &arguments),
            }
        }
    }
}

fn equality(name: &str) -> Operator {
    if name.starts_with("Not") { Operator::Ne } else { Operator::Eq }
}

/// `On`, `Today`, `LastXDays` and their kin.
fn timed(view: &View<'_>, arguments: &Arguments<'_>) -> Result<Filter, Refusal> {
    let Arguments { table, column, name, .. } = *arguments;
    let day = || -> Result<i64, Refusal> {
        let text = arguments.one()?;
        let day = instant::parse_instant(&text, false);
        day.map(|seconds| seconds.div_euclid(instant::DAY)).ok_or_else(|| {
            Refusal::odata(format!("Function '{name}' needs a day, and '{text}' is none."))
        })
    };
    let calendar = Calendar::new(&view.environment.behavior, view.scene.now);
    let span = match name {
        "On" => calendar.days(day()?, day()? + 1),
        "OnOrAfter" => calendar.span(Some(day()? * instant::DAY), None),
        "OnOrBefore" => calendar.span(None, Some((day()? + 1) * instant::DAY)),
        _ => {
            let count = match arguments.find("PropertyValue") {
                None => None,
                Some(_) => arguments.one()?.parse::<i64>().ok(),
            };
            span::span(name, count, calendar).ok_or_else(|| {
                Refusal::unsupported(&format!("the function Microsoft.Dynamics.CRM.{name}"))
            })?
        }
    };
    match table.columns[column].kind {
        Kind::DateTime { .. } | Kind::Date => Ok(Filter::Within(column, span)),
        _ => Err(Refusal::odata(format!(
            "Function '{name}' is for dates, and '{}' is of type '{}'.",
            table.columns[column].name,
            table.columns[column].kind.edm()
        ))),
    }
}

impl Arguments<'_> {
    fn find(&self, wanted: &str) -> Option<&Literal> {
        self.all.iter().find(|(name, _)| name == wanted).map(|(_, literal)| literal)
    }

    /// `PropertyValue` as text.
    fn one(&self) -> Result<String, Refusal> {
        match self.find("PropertyValue") {
            Some(Literal::Text(text) | Literal::Bare(text)) => Ok(text.clone()),
            _ => Err(Refusal::odata(format!("Function '{}' needs PropertyValue.", self.name))),
        }
    }

    fn items(&self) -> Result<&[Literal], Refusal> {
        match self.find("PropertyValues") {
            Some(Literal::List(items)) => Ok(items),
            _ => Err(Refusal::odata(format!("Function '{}' needs PropertyValues.", self.name))),
        }
    }

    /// `PropertyValues` as values of the column; all of them may stand as text.
    fn list(&self) -> Result<Vec<Cell<'static>>, Refusal> {
        let kind = &self.table.columns[self.column].kind;
        self.items()?
            .iter()
            .map(|item| {
                let bare = match item {
                    Literal::Text(text) => literal::cell(kind, &Literal::Bare(text.clone())),
                    _ => None,
                };
                bare.map_or_else(|| typed(self.table, self.column, item, self.name), Ok)
            })
            .collect()
    }

    fn texts(&self) -> Result<Vec<String>, Refusal> {
        self.items()?
            .iter()
            .map(|item| match item {
                Literal::Text(text) | Literal::Bare(text) => Ok(text.clone()),
                _ => Err(Refusal::odata(format!("Function '{}' needs option values.", self.name))),
            })
            .collect()
    }
}

/// Values in the form that is fastest to look in.
pub(crate) fn values(kind: &Kind, cells: Vec<Cell<'static>>) -> Values {
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
