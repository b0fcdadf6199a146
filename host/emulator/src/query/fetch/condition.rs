//! FetchXML filters: conditions on the table itself, and on linked tables by
//! their alias.

use roxmltree::{Node as Xml, NodeId};

use super::read::column;
use super::{Fetch, invalid};
use crate::cell::Cell;
use crate::functions;
use crate::instant::{self, DAY};
use crate::query::View;
use crate::query::expression::{Literal, Operator};
use crate::query::filter::{Calendar, Filter, Pattern, hierarchy, span, values};
use crate::query::literal;
use crate::refusal::{Name, Refusal};
use crate::schema::{Kind, Table};

/// Nesting that no real query reaches.
const DEPTH_MAX: usize = 100;

/// A condition on a row and those linked to it.
#[derive(Debug)]
pub(super) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    /// On the table that the filter stands at.
    Own(Filter),
    /// On the linked table of that alias, not yet looked up.
    Named(String, Raw),
    /// On the table of that number.
    Linked(usize, Filter),
    /// Whether the link at that element holds.
    Found(NodeId),
    /// Whether the link of that number holds.
    Holds(usize),
}

/// A condition as it stands there.
#[derive(Debug)]
pub(super) struct Raw {
    attribute: String,
    operator: String,
    values: Vec<String>,
    /// `valueof`: another column of the same row.
    column: Option<String>,
}

impl Test {
    pub(super) fn always() -> Self {
        Test::All(Vec::new())
    }

    pub(super) fn add(&mut self, other: Test) {
        match self {
            Test::All(list) => list.push(other),
            _ => *self = Test::All(vec![std::mem::replace(self, Test::always()), other]),
        }
    }
}

pub(super) fn filter(view: &View<'_>, table: &Table, xml: Xml<'_, '_>) -> Result<Test, Refusal> {
    if xml.ancestors().count() > DEPTH_MAX {
        return Err(invalid("filters are nested too deeply"));
    }
    let mut tests = Vec::new();
    for child in xml.children().filter(Xml::is_element) {
        match child.tag_name().name() {
            "condition" => {
                let raw = raw(child)?;
                tests.push(match child.attribute("entityname") {
                    Some(alias) => Test::Named(alias.to_owned(), raw),
                    None => Test::Own(raw.filter(view, table)?),
                });
            }
            "filter" => tests.push(filter(view, table, child)?),
            "link-entity" => tests.push(Test::Found(child.id())),
            other => return Err(invalid(format!("unknown element `{other}` in a filter"))),
        }
    }
    match xml.attribute("type").unwrap_or("and") {
        "and" => Ok(Test::All(tests)),
        "or" => Ok(Test::Any(tests)),
        other => Err(invalid(format!("the filter type `{other}`"))),
    }
}

fn raw(xml: Xml<'_, '_>) -> Result<Raw, Refusal> {
    let get = |name: &str| xml.attribute(name).map(str::to_owned);
    let mut values: Vec<String> = get("value").into_iter().collect();
    let inner = xml.children().filter(|child| child.has_tag_name("value"));
    values.extend(inner.map(|value| value.text().unwrap_or_default().to_owned()));
    Ok(Raw {
        attribute: get("attribute").ok_or_else(|| invalid("a condition without an attribute"))?,
        operator: get("operator").ok_or_else(|| invalid("a condition without an operator"))?,
        values,
        column: get("valueof"),
    })
}

/// Looks up the aliases in all filters.
pub(super) fn resolve(view: &View<'_>, fetch: &mut Fetch<'_>) -> Result<(), Refusal> {
    let aliases: Vec<(String, usize)> = fetch
        .links
        .iter()
        .enumerate()
        .flat_map(|(index, link)| {
            let own = (link.node.alias.clone(), index + 1);
            [own, (link.node.table.name.clone(), index + 1)]
        })
        .collect();
    let found: Vec<(NodeId, usize)> = fetch
        .links
        .iter()
        .enumerate()
        .filter_map(|(index, link)| Some((link.condition?, index + 1)))
        .collect();
    let names = Names { aliases, found };
    let tables: Vec<&Table> = std::iter::once(fetch.root.table)
        .chain(fetch.links.iter().map(|link| link.node.table))
        .collect();
    let mut test = std::mem::replace(&mut fetch.root.test, Test::always());
    named(view, &mut test, &names, &tables)?;
    fetch.root.test = test;
    for index in 0..fetch.links.len() {
        let mut test = std::mem::replace(&mut fetch.links[index].node.test, Test::always());
        named(view, &mut test, &names, &tables)?;
        fetch.links[index].node.test = test;
    }
    Ok(())
}

/// What filters may name: linked tables by their aliases, links by their elements.
struct Names {
    aliases: Vec<(String, usize)>,
    found: Vec<(NodeId, usize)>,
}

fn named(
    view: &View<'_>,
    test: &mut Test,
    names: &Names,
    tables: &[&Table],
) -> Result<(), Refusal> {
    match test {
        Test::All(list) | Test::Any(list) => {
            list.iter_mut().try_for_each(|one| named(view, one, names, tables))
        }
        Test::Named(alias, raw) => {
            let found = names.aliases.iter().find(|(name, _)| name == alias);
            let Some((_, number)) = found else {
                return Err(invalid(format!("no linked table is called `{alias}`")));
            };
            *test = Test::Linked(*number, raw.filter(view, tables[*number])?);
            Ok(())
        }
        Test::Found(id) => {
            let link = names.found.iter().find(|(found, _)| found == id);
            // Those in filters of linked tables are joined, and drop what lacks them.
            *test = link.map_or(Test::always(), |(_, number)| Test::Holds(*number));
            Ok(())
        }
        Test::Own(_) | Test::Linked(..) | Test::Holds(_) => Ok(()),
    }
}

impl Raw {
    fn filter(&self, view: &View<'_>, table: &Table) -> Result<Filter, Refusal> {
        let column = column(table, &self.attribute)?;
        let kind = &table.columns[column].kind;
        let compare = |operator: Operator| -> Result<Filter, Refusal> {
            if let Some(other) = &self.column {
                let other = self::column(table, other)?;
                return Ok(Filter::Columns(column, operator, other));
            }
            Ok(Filter::Compare(column, operator, self.cell(kind, self.one()?)?))
        };
        let not = |filter: Filter| Filter::Not(Box::new(filter));
        let like = |function: &str, needle: String| {
            Ok(Filter::Like(column, Pattern::new(function, &needle)))
        };
        let user = Cell::Guid(view.scene.user);
        let unit = || Cell::Guid(functions::business_unit(view));
        match self.operator.as_str() {
            "eq" => compare(Operator::Eq),
            "ne" | "neq" => compare(Operator::Ne),
            "gt" => compare(Operator::Gt),
            "ge" => compare(Operator::Ge),
            "lt" => compare(Operator::Lt),
            "le" => compare(Operator::Le),
            "null" => Ok(Filter::Compare(column, Operator::Eq, Cell::Null)),
            "not-null" => Ok(Filter::Compare(column, Operator::Ne, Cell::Null)),
            "in" => Ok(Filter::In(column, values(kind, self.cells(kind)?))),
            "not-in" => Ok(not(Filter::In(column, values(kind, self.cells(kind)?)))),
            "between" => self.between(column, kind),
            "not-between" => Ok(not(self.between(column, kind)?)),
            "like" => Ok(Filter::Like(column, Pattern::like(self.one()?))),
            "not-like" => Ok(not(Filter::Like(column, Pattern::like(self.one()?)))),
            "begins-with" => like("startswith", self.one()?.to_owned()),
            "not-begin-with" => Ok(not(like("startswith", self.one()?.to_owned())?)),
            "ends-with" => like("endswith", self.one()?.to_owned()),
            "not-end-with" => Ok(not(like("endswith", self.one()?.to_owned())?)),
            "contain-values" => Ok(Filter::Chosen(column, self.values.clone())),
            "not-contain-values" => Ok(not(Filter::Chosen(column, self.values.clone()))),
            "eq-userid" => Ok(Filter::Compare(column, Operator::Eq, user)),
            "ne-userid" => Ok(Filter::Compare(column, Operator::Ne, user)),
            "eq-businessid" => Ok(Filter::Compare(column, Operator::Eq, unit())),
            "ne-businessid" => Ok(Filter::Compare(column, Operator::Ne, unit())),
            operator => {
                let value = self.values.first().map(String::as_str);
                match hierarchy(view, table, column, operator, value) {
                    Some(filter) => filter,
                    None => self.timed(view, column, kind),
                }
            }
        }
    }

    /// `on`, `today`, `last-x-days` and their kin.
    fn timed(&self, view: &View<'_>, column: usize, kind: &Kind) -> Result<Filter, Refusal> {
        let operator = self.operator.as_str();
        let day = || -> Result<i64, Refusal> {
            let text = self.one()?;
            let seconds = instant::parse_instant(text, false);
            let seconds = seconds.ok_or_else(|| invalid(format!("`{text}` is no day")))?;
            Ok(seconds.div_euclid(DAY))
        };
        let calendar = Calendar::new(&view.environment.behavior, view.scene.now);
        let within = match operator {
            "on" => calendar.days(day()?, day()? + 1),
            "not-on" => {
                let filter = Filter::Within(column, calendar.days(day()?, day()? + 1));
                return Ok(Filter::Not(Box::new(filter)));
            }
            "on-or-after" => calendar.span(Some(day()? * DAY), None),
            "on-or-before" => calendar.span(None, Some((day()? + 1) * DAY)),
            _ => {
                let count = self.values.first().and_then(|value| value.parse().ok());
                span(operator, count, calendar).ok_or_else(|| {
                    Refusal::unsupported(&format!("the condition operator `{operator}`"))
                })?
            }
        };
        match kind {
            Kind::DateTime { .. } | Kind::Date => Ok(Filter::Within(column, within)),
            _ => Err(invalid(format!(
                "the operator `{operator}` is for dates, and `{}` is none",
                self.attribute
            ))),
        }
    }

    fn between(&self, column: usize, kind: &Kind) -> Result<Filter, Refusal> {
        let cells: Result<[Cell<'static>; 2], _> = self.cells(kind)?.try_into();
        let Ok([from, to]) = cells else {
            return Err(invalid(format!("`{}` needs two values", self.operator)));
        };
        Ok(Filter::And(vec![
            Filter::Compare(column, Operator::Ge, from),
            Filter::Compare(column, Operator::Le, to),
        ]))
    }

    fn one(&self) -> Result<&str, Refusal> {
        let value = self.values.first().map(String::as_str);
        value.ok_or_else(|| invalid(format!("the operator `{}` needs a value", self.operator)))
    }

    fn cells(&self, kind: &Kind) -> Result<Vec<Cell<'static>>, Refusal> {
        self.values.iter().map(|value| self.cell(kind, value)).collect()
    }

    /// A value of the column's type; in FetchXML all values are text, and ids may
    /// stand in braces.
    fn cell(&self, kind: &Kind, text: &str) -> Result<Cell<'static>, Refusal> {
        let text = match kind {
            Kind::Guid | Kind::Lookup { .. } => text.trim_matches(['{', '}']),
            _ => text,
        };
        let literals = [Literal::Text(text.to_owned()), Literal::Bare(text.to_owned())];
        literals.iter().find_map(|one| literal::cell(kind, one)).ok_or_else(|| {
            Refusal::named(
                Name::FetchWrongValue,
                format!("The value '{text}' is not valid for the column '{}'.", self.attribute),
            )
        })
    }
}
