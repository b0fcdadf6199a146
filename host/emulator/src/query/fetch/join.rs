//! Joins: tuples of one row of each table of a query.

use std::collections::HashMap;

use super::condition::Test;
use super::{Fetch, LinkKind};
use crate::query::View;
use crate::query::aggregate::identity;
use crate::settings::FetchAllLinks;
use crate::store::Row;

/// One row of each table of the query, by number; an outer join may have none.
pub(super) type Joined<'e> = Vec<Option<&'e Row>>;

/// All tuples that fit, in order of creation.
pub(super) fn joined<'e>(view: &View<'e>, fetch: &Fetch<'e>) -> Vec<Joined<'e>> {
    let root = fetch.root.table.position;
    let mut tuples: Vec<Joined<'e>> = Vec::new();
    for (_, row) in view.rows(root).iter() {
        tuples.push(vec![Some(row)]);
    }
    if !needs_links(&fetch.root.test) {
        tuples.retain(|tuple| fits(view, fetch, &fetch.root.test, 0, tuple));
    }
    for (index, link) in fetch.links.iter().enumerate() {
        let number = index + 1;
        let rows = view.rows(link.node.table.position);
        let mut by_key: HashMap<String, Vec<&'e Row>> = HashMap::new();
        for (_, row) in rows.iter() {
            let cell = rows.layout.cell(row, link.from);
            if !cell.is_null() {
                by_key.entry(identity(&cell)).or_default().push(row);
            }
        }
        let parent = view.rows(table_of(fetch, link.parent));
        let mut next = Vec::new();
        for tuple in tuples {
            let key = tuple.get(link.parent).copied().flatten();
            let key = key.map(|row| parent.layout.cell(row, link.to));
            let key = key.filter(|cell| !cell.is_null()).map(|cell| identity(&cell));
            let all = key.and_then(|key| by_key.get(&key)).map_or(&[][..], Vec::as_slice);
            let before = next.len();
            let (mut found, mut missed) = (false, false);
            for row in all {
                let mut longer = tuple.clone();
                longer.push(Some(*row));
                if !fits(view, fetch, &link.node.test, number, &longer) {
                    missed = true;
                    continue;
                }
                found = true;
                match link.kind {
                    LinkKind::Any(_) => break,
                    LinkKind::All(_) => {}
                    LinkKind::First => {
                        next.push(longer);
                        break;
                    }
                    LinkKind::Inner | LinkKind::Outer => next.push(longer),
                }
            }
            let alone = match (link.kind, view.environment.behavior.fetch_all_links) {
                (LinkKind::Inner | LinkKind::First, _) => false,
                (LinkKind::Outer, _) => !found,
                (LinkKind::Any(wanted), _) => found == wanted,
                (LinkKind::All(true), FetchAllLinks::NoneFits) => missed && !found,
                (LinkKind::All(false), FetchAllLinks::NoneFits) => found,
                (LinkKind::All(wanted), FetchAllLinks::EveryFits) => missed != wanted,
            };
            if link.condition.is_some() {
                // A link that holds by the row that it starts from.
                let holds =
                    alone || (found && !matches!(link.kind, LinkKind::Any(_) | LinkKind::All(_)));
                let marked = tuple.get(link.parent).copied().flatten().filter(|_| holds);
                next.truncate(before);
                let mut longer = tuple;
                longer.push(marked);
                next.push(longer);
            } else if alone {
                let mut longer = tuple;
                longer.push(None);
                next.push(longer);
            }
        }
        tuples = next;
    }
    if needs_links(&fetch.root.test) {
        tuples.retain(|tuple| fits(view, fetch, &fetch.root.test, 0, tuple));
    }
    tuples
}

pub(super) fn table_of(fetch: &Fetch<'_>, number: usize) -> usize {
    match number.checked_sub(1).and_then(|index| fetch.links.get(index)) {
        None => fetch.root.table.position,
        Some(link) => link.node.table.position,
    }
}

fn needs_links(test: &Test) -> bool {
    match test {
        Test::All(list) | Test::Any(list) => list.iter().any(needs_links),
        Test::Linked(..) | Test::Named(..) | Test::Holds(_) | Test::Found(_) => true,
        Test::Own(_) => false,
    }
}

/// Whether a tuple fits a condition that stands at table `number`. A row that an
/// outer join did not find fits nothing but a test for null.
fn fits(
    view: &View<'_>,
    fetch: &Fetch<'_>,
    test: &Test,
    number: usize,
    tuple: &[Option<&Row>],
) -> bool {
    let (number, filter) = match test {
        Test::All(list) => return list.iter().all(|one| fits(view, fetch, one, number, tuple)),
        Test::Any(list) => {
            return list.is_empty() || list.iter().any(|one| fits(view, fetch, one, number, tuple));
        }
        Test::Own(filter) => (number, filter),
        Test::Linked(number, filter) => (*number, filter),
        Test::Holds(number) => return tuple.get(*number).copied().flatten().is_some(),
        Test::Named(..) | Test::Found(_) => return false,
    };
    let rows = view.rows(table_of(fetch, number));
    match tuple.get(number).copied().flatten() {
        Some(row) => filter.matches(view.store, &rows.layout, row),
        None => filter.is_null_test(),
    }
}
