//! What a FetchXML query shows: rows, pages, aggregates.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::join::{Joined, table_of};
use super::{Attribute, DatePart, Fetch, Node, Order, invalid};
use crate::call::Prefer;
use crate::cell::{Cell, compare};
use crate::instant::{DAY, civil};
use crate::query::aggregate::{Total, grouped, identity, owned};
use crate::query::apply::write_total;
use crate::query::cookie::{Cookie, encoded};
use crate::query::render::{Annotated, annotate, text, value};
use crate::query::{COUNT_MAX, PAGE_MAX, View};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::Kind;
use crate::settings::CookieEncoding;

const COOKIE: &str = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie";
const MORE: &str = "Microsoft.Dynamics.CRM.morerecords";

fn nodes<'f, 'e>(fetch: &'f Fetch<'e>) -> impl Iterator<Item = (usize, &'f Node<'e>)> {
    let links = fetch.links.iter().map(|link| &link.node);
    std::iter::once(&fetch.root).chain(links).enumerate()
}

fn cell<'e>(
    view: &View<'e>,
    fetch: &Fetch<'_>,
    tuple: &Joined<'e>,
    at: (usize, usize),
) -> Cell<'e> {
    let rows = view.rows(table_of(fetch, at.0));
    let row = tuple.get(at.0).copied().flatten();
    row.map_or(Cell::Null, |row| rows.layout.cell(row, at.1))
}

/// A page of rows.
pub(super) fn page(
    view: &View<'_>,
    fetch: &Fetch<'_>,
    mut tuples: Vec<Joined<'_>>,
    prefer: &Prefer,
) -> Result<Reply, Refusal> {
    let orders: Vec<((usize, usize), bool)> = nodes(fetch)
        .flat_map(|(number, node)| {
            node.orders.iter().filter_map(move |order| match order {
                Order::Column(column, down) => Some(((number, *column), *down)),
                Order::Alias(..) => None,
            })
        })
        .collect();
    if !orders.is_empty() {
        tuples.sort_by(|a, b| {
            orders.iter().fold(Ordering::Equal, |order, (at, down)| {
                order.then_with(|| {
                    let (a, b) = (cell(view, fetch, a, *at), cell(view, fetch, b, *at));
                    let one = compare(&a, &b).unwrap_or(Ordering::Equal);
                    if *down { one.reverse() } else { one }
                })
            })
        });
    }
    // The id is shown, unless only different rows are wanted.
    let all = fetch.root.attributes.is_empty()
        && fetch.links.iter().all(|l| l.node.attributes.is_empty());
    let table = fetch.root.table;
    let plain = |column: usize| Attribute {
        column,
        name: table.columns[column].name.clone(),
        aliased: false,
        measure: None,
        group: false,
        dates: None,
    };
    let mut added: Vec<Attribute> = Vec::new();
    if all {
        added.extend((0..table.columns.len()).map(plain));
    } else if !fetch.distinct
        && !fetch.root.attributes.iter().any(|one| one.column == table.primary_id)
    {
        added.push(plain(table.primary_id));
    }
    let shown: Vec<(usize, &Node<'_>, &Attribute)> = nodes(fetch)
        .flat_map(|(number, node)| node.attributes.iter().map(move |one| (number, node, one)))
        .chain(added.iter().map(|one| (0, &fetch.root, one)))
        .collect();
    if fetch.distinct {
        let mut seen = HashSet::new();
        tuples.retain(|tuple| {
            let key: Vec<String> = shown
                .iter()
                .map(|(number, _, one)| identity(&cell(view, fetch, tuple, (*number, one.column))))
                .collect();
            seen.insert(key)
        });
    }
    tuples.drain(..fetch.skip.min(tuples.len()));
    if let (Some(top), true) = (fetch.top, fetch.next.is_some()) {
        tuples.truncate(top);
    }
    let total = tuples.len();
    let top = fetch.top.filter(|_| fetch.next.is_none());
    let size = top.or(fetch.count).or(prefer.page_size).unwrap_or(PAGE_MAX).min(PAGE_MAX);
    let skip = (fetch.page - 1).saturating_mul(size);
    let more = top.is_none() && total > skip.saturating_add(size);
    let annotated = Annotated::new(prefer);
    let mut body = head(
        view,
        fetch,
        prefer,
        fetch.total.then_some(total),
        more,
        &tuples,
        skip.saturating_add(size),
    );
    let mut count = 0;
    for tuple in tuples.iter().skip(skip).take(size) {
        body.push(b'{');
        if let (Some(row), false) = (tuple.first().copied().flatten(), fetch.distinct) {
            text(&mut body, "@odata.etag");
            body.push(b':');
            text(&mut body, &table.etag(row.version));
            body.push(b',');
        }
        for (number, node, one) in &shown {
            let column = &node.table.columns[one.column];
            let cell = cell(view, fetch, tuple, (*number, one.column));
            let name = match (one.aliased, *number) {
                (true, _) => one.name.clone(),
                (false, 0) => column.property.clone(),
                (false, _) => format!("{}.{}", node.alias, one.name),
            };
            // A linked column that is null is left out.
            if *number > 0 && cell.is_null() {
                continue;
            }
            if !cell.is_null() {
                annotate(&mut body, view, annotated, &name, &column.kind, &cell);
            }
            text(&mut body, &name);
            body.push(b':');
            value(&mut body, &column.kind, &cell);
            body.push(b',');
        }
        if body.last() == Some(&b',') {
            body.pop();
        }
        body.extend_from_slice(b"},");
        count += 1;
    }
    let next = fetch.next.as_ref().filter(|_| more).map(|query| {
        let id = |at: usize| {
            let row = tuples.get(at).and_then(|tuple| tuple.first().copied().flatten());
            row.map_or(uuid::Uuid::nil(), |row| row.id)
        };
        let ends = (id(skip), id(skip.saturating_add(size) - 1));
        let cookie =
            Cookie { page: fetch.page + 1, slot: None, offset: skip + size, tracking: None };
        let url = format!("{}{}", view.scene.root, table.set);
        cookie.link(&url, query, table.id_name(), ends)
    });
    finish(body, count, next.as_deref(), prefer)
}

fn head(
    view: &View<'_>,
    fetch: &Fetch<'_>,
    prefer: &Prefer,
    total: Option<usize>,
    more: bool,
    tuples: &[Joined<'_>],
    end: usize,
) -> Vec<u8> {
    let table = fetch.root.table;
    let names: Vec<&str> = fetch
        .root
        .attributes
        .iter()
        .map(|one| table.columns[one.column].property.as_str())
        .collect();
    let inside = if names.is_empty() { String::new() } else { format!("({})", names.join(",")) };
    let mut body = b"{\"@odata.context\":".to_vec();
    text(&mut body, &format!("{}$metadata#{}{inside}", view.scene.root, table.set));
    if let Some(total) = total {
        let shown = total.min(COUNT_MAX);
        let exceeded = total > COUNT_MAX;
        body.extend_from_slice(
            format!(
                ",\"@odata.count\":{shown},\"@Microsoft.Dynamics.CRM.totalrecordcount\":{shown},\
                 \"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded\":{exceeded}"
            )
            .as_bytes(),
        );
    }
    // Only where they are asked for.
    if more && prefer.wants(MORE) {
        body.extend_from_slice(format!(",\"@{MORE}\":true").as_bytes());
    }
    if more && prefer.wants(COOKIE) {
        let last = tuples.get(end.saturating_sub(1)).and_then(|tuple| tuple.first().copied()?);
        let id = last.map_or(uuid::Uuid::nil(), |row| row.id).to_string().to_uppercase();
        let inner = format!(
            "<cookie page=\"{}\"><{name} last=\"{{{id}}}\" first=\"{{{id}}}\" /></cookie>",
            fetch.page,
            name = table.id_name()
        );
        let cookie = format!(
            "<cookie pagenumber=\"{}\" pagingcookie=\"{}\" istracking=\"False\" />",
            fetch.page + 1,
            match view.environment.behavior.fetch_cookie_encoding {
                CookieEncoding::Twice => encoded(&encoded(&inner)),
                CookieEncoding::Once => encoded(&inner),
            }
        );
        body.extend_from_slice(format!(",\"@{COOKIE}\":").as_bytes());
        text(&mut body, &cookie);
    }
    body.extend_from_slice(b",\"value\":[");
    body
}

fn finish(
    mut body: Vec<u8>,
    count: usize,
    next: Option<&str>,
    prefer: &Prefer,
) -> Result<Reply, Refusal> {
    if count > 0 {
        body.pop();
    }
    body.push(b']');
    if let Some(next) = next {
        body.extend_from_slice(b",\"@odata.nextLink\":");
        text(&mut body, next);
    }
    body.push(b'}');
    let mut reply = Reply::json(200, body);
    if let Some(applied) = prefer.applied() {
        reply = reply.with("Preference-Applied", applied);
    }
    Ok(reply.counting(count))
}

/// Groups with their totals.
pub(super) fn aggregated(
    view: &View<'_>,
    fetch: &Fetch<'_>,
    tuples: Vec<Joined<'_>>,
    prefer: &Prefer,
) -> Result<Reply, Refusal> {
    let all: Vec<(usize, &Node<'_>, &Attribute)> = nodes(fetch)
        .flat_map(|(number, node)| node.attributes.iter().map(move |one| (number, node, one)))
        .collect();
    let (groups, measures): (Vec<_>, Vec<_>) = all.iter().partition(|(_, _, one)| one.group);
    let rows = tuples.iter().map(|tuple| {
        let common = groups.iter().map(|(number, _, one)| {
            part(one.dates, owned(&cell(view, fetch, tuple, (*number, one.column))))
        });
        let measured =
            measures.iter().map(|(n, _, one)| owned(&cell(view, fetch, tuple, (*n, one.column))));
        (common.collect(), measured.collect())
    });
    let mut found = grouped(rows, measures.len(), true)?;
    if found.is_empty() && groups.is_empty() {
        found.push((Vec::new(), vec![Vec::new(); measures.len()]));
    }
    let mut shown: Vec<(Vec<Cell<'static>>, Vec<Total>)> = found
        .into_iter()
        .map(|(common, cells)| {
            let totals = measures.iter().zip(&cells).map(|((_, node, one), cells)| {
                let kind = &node.table.columns[one.column].kind;
                one.measure.map_or(Total::Null, |measure| measure.total(kind, cells))
            });
            (common, totals.collect())
        })
        .collect();
    for (number, node) in nodes(fetch) {
        for order in &node.orders {
            let (place, down) = match order {
                Order::Alias(alias, down) => {
                    let group = groups.iter().position(|(_, _, one)| one.name == *alias);
                    let measure = measures.iter().position(|(_, _, one)| one.name == *alias);
                    (group.map(Ok).or(measure.map(Err)), *down)
                }
                Order::Column(column, down) => {
                    let group =
                        groups.iter().position(|(n, _, g)| *n == number && g.column == *column);
                    (group.map(Ok), *down)
                }
            };
            let place =
                place.ok_or_else(|| invalid("an `order` of an aggregate needs its alias"))?;
            shown.sort_by(|a, b| {
                let one = match place {
                    Ok(at) => compare(&a.0[at], &b.0[at]).unwrap_or(Ordering::Equal),
                    Err(at) => a.1[at].order(&b.1[at]),
                };
                if down { one.reverse() } else { one }
            });
        }
    }
    shown.drain(..fetch.skip.min(shown.len()));
    shown.truncate(fetch.top.or(fetch.count).unwrap_or(usize::MAX));
    let annotated = Annotated::new(prefer);
    let mut body = head(view, fetch, prefer, None, false, &[], 0);
    for (common, totals) in &shown {
        body.push(b'{');
        let whole = Kind::BigInt;
        for ((_, node, one), cell) in groups.iter().zip(common) {
            if cell.is_null() {
                continue;
            }
            let kind =
                if one.dates.is_some() { &whole } else { &node.table.columns[one.column].kind };
            annotate(&mut body, view, annotated, &one.name, kind, cell);
            text(&mut body, &one.name);
            body.push(b':');
            value(&mut body, kind, cell);
            body.push(b',');
        }
        for ((_, node, one), total) in measures.iter().zip(totals) {
            let kind = &node.table.columns[one.column].kind;
            write_total(&mut body, view, &one.name, kind, total, annotated.formatted);
            body.push(b',');
        }
        if body.last() == Some(&b',') {
            body.pop();
        }
        body.extend_from_slice(b"},");
    }
    finish(body, shown.len(), None, prefer)
}

/// The part of a date that rows are grouped by.
fn part(dates: Option<DatePart>, cell: Cell<'static>) -> Cell<'static> {
    let Some(part) = dates else { return cell };
    let day = match cell {
        Cell::Time(seconds) => seconds.div_euclid(DAY),
        Cell::Date(day) => i64::from(day),
        _ => return Cell::Null,
    };
    let (year, month, of_month) = civil(day);
    Cell::Int(match part {
        DatePart::Day => of_month,
        DatePart::Month => month,
        DatePart::Quarter => (month - 1) / 3 + 1,
        DatePart::Year => year,
        DatePart::Week => {
            // Weeks begin on Sunday; the first is the one with the first of January.
            let first = crate::instant::days(year, 1, 1);
            let sunday = first - (first + 4).rem_euclid(7);
            (day - sunday) / 7 + 1
        }
    })
}
