//! `$apply`: `filter(..)/groupby((..),aggregate(..))` (*Aggregate data using
//! OData*).

use super::aggregate::{Measure, Total, grouped, owned};
use super::expand::cut;
use super::expression;
use super::filter::{Filter, Through};
use super::order;
use super::render::{Annotated, formatted, grouped_digits, text, value};
use super::{View, plan};
use crate::call::{Options, Prefer};
use crate::cell::Cell;
use crate::decimal;
use crate::refusal::{Name, Refusal};
use crate::reply::Reply;
use crate::schema::{Kind, Table};
use crate::store::Row;

/// A column of the rows themselves or of a record that they refer to.
struct Source<'e> {
    table: &'e Table,
    column: usize,
    /// Lookup and its target, from one record to the next.
    path: Vec<(&'e Table, usize, u8)>,
    /// As the result calls it.
    name: String,
}

struct Aggregate<'e> {
    measure: Measure,
    source: Option<Source<'e>>,
    name: String,
}

/// The steps of an `$apply`, read.
#[derive(Default)]
struct Steps<'e> {
    filters: Vec<Filter>,
    groups: Vec<Source<'e>>,
    aggregates: Vec<Aggregate<'e>>,
}

fn syntax(text: &str) -> Refusal {
    let text = crate::refusal::shortened(text);
    Refusal::named(Name::QuerySyntax, format!("Syntax error in $apply at '{text}'."))
}

pub(super) fn apply(
    view: &View<'_>,
    table: &Table,
    apply: &str,
    prefer: &Prefer,
    options: &Options,
) -> Result<Reply, Refusal> {
    let table = view.table(table.position);
    let steps = read(view, table, apply, options)?;
    let mut filters = steps.filters;
    filters.extend(plan::condition(view, table, options)?);
    let filter = Filter::And(filters);
    let rows = view.rows(table.position);
    let found = plan::matching(view, rows, Some(&filter), 0).map(|(_, row)| {
        let common = steps.groups.iter().map(|group| group.cell(view, row)).collect();
        let measured = steps.aggregates.iter();
        let measured = measured.map(|one| match &one.source {
            None => Cell::Bool(true),
            Some(source) => source.cell(view, row),
        });
        (common, measured.collect())
    });
    let mut groups = grouped(found, steps.aggregates.len(), true)?;
    if let Some(orderby) = options.orderby.as_deref() {
        sort(table, &steps.groups, orderby, &mut groups)?;
    }
    if groups.is_empty() && steps.groups.is_empty() {
        groups.push((Vec::new(), vec![Vec::new(); steps.aggregates.len()]));
    }
    groups.truncate(options.top.unwrap_or(usize::MAX));
    let annotated = Annotated::new(prefer);
    let mut body = b"{\"@odata.context\":".to_vec();
    text(&mut body, &format!("{}$metadata#{}", view.scene.root, table.set));
    body.extend_from_slice(b",\"value\":[");
    for (index, (common, measured)) in groups.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.push(b'{');
        let start = body.len();
        for (group, cell) in steps.groups.iter().zip(common) {
            // A null is left out.
            if cell.is_null() {
                continue;
            }
            let kind = &group.table.columns[group.column].kind;
            let shown = annotated.formatted.then(|| formatted(view, kind, cell)).flatten();
            name(&mut body, &group.name, shown.as_deref());
            value(&mut body, kind, cell);
            body.push(b',');
        }
        for (one, cells) in steps.aggregates.iter().zip(measured) {
            one.write(&mut body, view, cells, annotated.formatted);
        }
        if body.len() > start {
            body.pop();
        }
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    let mut reply = Reply::json(200, body);
    if let Some(applied) = prefer.applied() {
        reply = reply.with("Preference-Applied", applied);
    }
    Ok(reply.counting(groups.len()))
}

fn name(body: &mut Vec<u8>, name: &str, shown: Option<&str>) {
    if let Some(shown) = shown {
        text(body, &format!("{name}@OData.Community.Display.V1.FormattedValue"));
        body.push(b':');
        text(body, shown);
        body.push(b',');
    }
    text(body, name);
    body.push(b':');
}

fn sort(
    table: &Table,
    groups: &[Source<'_>],
    orderby: &str,
    found: &mut [super::aggregate::Group],
) -> Result<(), Refusal> {
    let order = order::parse(table, Some(orderby)).ok().and_then(|order| {
        let at = |column| groups.iter().position(|g| g.path.is_empty() && g.column == column);
        order
            .into_iter()
            .map(|(column, down)| Some((at(column)?, down)))
            .collect::<Option<Vec<_>>>()
    });
    let Some(order) = order else {
        return Err(Refusal::named(
            Name::QuerySyntax,
            "The query node SingleValueOpenPropertyAccess is not supported",
        ));
    };
    let keys = |group: &super::aggregate::Group| -> Vec<Cell<'static>> {
        order.iter().map(|(at, _)| group.0[*at].clone()).collect()
    };
    found.sort_by(|a, b| {
        order::by_keys(&keys(a), &keys(b), order.iter().map(|(_, descending)| *descending))
    });
    Ok(())
}

fn read<'e>(
    view: &View<'e>,
    table: &'e Table,
    apply: &str,
    options: &Options,
) -> Result<Steps<'e>, Refusal> {
    let mut steps = Steps::default();
    for step in cut(apply, b'/') {
        let step = step.trim();
        let (function, inside) = parenthesized(step).ok_or_else(|| syntax(step))?;
        let done = !steps.groups.is_empty() || !steps.aggregates.is_empty();
        match function {
            _ if done => {
                return Err(Refusal::unsupported("an $apply step behind an aggregate"));
            }
            "filter" => {
                let condition = expression::parse(inside, &options.aliases)?;
                steps.filters.push(Filter::new(condition, view, table)?);
            }
            "aggregate" => steps.aggregates = aggregates(view, table, inside)?,
            "groupby" => {
                let mut parts = cut(inside, b',').into_iter();
                let columns = parts.next().unwrap_or_default().trim();
                let columns = columns.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
                for path in columns.ok_or_else(|| syntax(step))?.split(',') {
                    steps.groups.push(group(view, table, path.trim())?);
                }
                let rest: Vec<&str> = parts.map(str::trim).collect();
                match rest.as_slice() {
                    [] => {}
                    [one] => match parenthesized(one) {
                        Some(("aggregate", inside)) => {
                            steps.aggregates = aggregates(view, table, inside)?;
                        }
                        _ => return Err(syntax(one)),
                    },
                    _ => return Err(syntax(step)),
                }
            }
            _ => return Err(syntax(step)),
        }
    }
    Ok(steps)
}

/// `name(inside)`.
fn parenthesized(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('(')?;
    Some((name.trim(), rest.strip_suffix(')')?))
}

fn group<'e>(view: &View<'e>, table: &'e Table, path: &str) -> Result<Source<'e>, Refusal> {
    let source = source(view, table, path)?;
    match source.table.columns[source.column].kind {
        Kind::DateTime { .. } | Kind::Date => {
            Err(Refusal::odata(format!("groupby with the date '{path}' is not supported.")))
        }
        _ => Ok(source),
    }
}

/// `revenue`, `primarycontactid/fullname`.
fn source<'e>(view: &View<'e>, table: &'e Table, path: &str) -> Result<Source<'e>, Refusal> {
    let (mut at, mut way) = (table, Vec::new());
    let mut rest = path;
    while let Some((navigation, behind)) = rest.split_once('/') {
        let (column, target, other) = Through::single(view, at, navigation)?;
        way.push((at, column, target));
        at = other;
        rest = behind;
    }
    let column = at.readable(rest).ok_or_else(|| Refusal::no_such_property(at, rest))?;
    let name = if way.is_empty() { rest.to_owned() } else { format!("{}_{rest}", at.name) };
    Ok(Source { table: at, column, path: way, name })
}

/// `revenue with sum as total,$count as count`.
fn aggregates<'e>(
    view: &View<'e>,
    table: &'e Table,
    inside: &str,
) -> Result<Vec<Aggregate<'e>>, Refusal> {
    cut(inside, b',')
        .into_iter()
        .map(|term| {
            let words: Vec<&str> = term.split_whitespace().collect();
            match words.as_slice() {
                ["$count", "as", name] => {
                    Ok(Aggregate { measure: Measure::Count, source: None, name: (*name).into() })
                }
                [path, "with", measure, "as", name] => {
                    let measure = match *measure {
                        "sum" => Measure::Sum,
                        "average" => Measure::Average,
                        "min" => Measure::Min,
                        "max" => Measure::Max,
                        "countdistinct" => Measure::CountDistinct,
                        _ => return Err(syntax(term)),
                    };
                    let source = source(view, table, path)?;
                    if !measure.takes(&source.table.columns[source.column].kind) {
                        return Err(Refusal::odata(format!(
                            "The column '{path}' cannot be aggregated so: '{}'.",
                            term.trim()
                        )));
                    }
                    Ok(Aggregate { measure, source: Some(source), name: (*name).into() })
                }
                _ => Err(syntax(term)),
            }
        })
        .collect()
}

impl Source<'_> {
    fn cell(&self, view: &View<'_>, row: &Row) -> Cell<'static> {
        let mut row = row;
        for (table, column, target) in &self.path {
            let cell = view.rows(table.position).layout.cell(row, *column);
            let Kind::Lookup { targets, .. } = &table.columns[*column].kind else {
                return Cell::Null;
            };
            let other = targets.get(usize::from(*target)).map(|target| target.table);
            let found = match (cell, other) {
                (Cell::Lookup(at, id), Some(other)) if at == *target => view.rows(other).by_id(id),
                _ => None,
            };
            let Some(found) = found else { return Cell::Null };
            row = found;
        }
        owned(&view.rows(self.table.position).layout.cell(row, self.column))
    }
}

impl Aggregate<'_> {
    fn write(&self, body: &mut Vec<u8>, view: &View<'_>, cells: &[Cell<'_>], annotated: bool) {
        let whole = Kind::BigInt;
        let kind = self.source.as_ref().map_or(&whole, |s| &s.table.columns[s.column].kind);
        let total = self.measure.total(kind, cells);
        write_total(body, view, &self.name, kind, &total, annotated);
        body.push(b',');
    }
}

/// `"total":440000.000000000`, with its annotation.
pub(super) fn write_total(
    body: &mut Vec<u8>,
    view: &View<'_>,
    property: &str,
    kind: &Kind,
    total: &Total,
    annotated: bool,
) {
    let shown = match total {
        _ if !annotated => None,
        Total::Null => None,
        Total::Count(count) => Some(grouped_digits(&count.to_string())),
        Total::Cell(cell) => formatted(view, kind, cell),
        Total::Decimal(sum, scale) => {
            let unit = 10_i128.pow(u32::from(scale.saturating_sub(kind.scale())));
            formatted(view, kind, &Cell::Decimal(sum / unit))
        }
    };
    name(body, property, shown.as_deref());
    match total {
        Total::Null => body.extend_from_slice(b"null"),
        Total::Count(count) => body.extend_from_slice(count.to_string().as_bytes()),
        Total::Cell(cell) => value(body, kind, cell),
        Total::Decimal(sum, scale) => {
            let unit = 10_i128.pow(u32::from(9_u8.saturating_sub(*scale)));
            decimal::write(body, sum * unit, 9.max(*scale));
        }
    }
}
