//! Joins: tuples of one row of each table of a query.

use std::collections::HashMap;

use super::condition::Test;
use super::{Fetch, LinkKind};
use crate::query::View;
use crate::query::aggregate::identity;
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
            let mut found = false;
            for row in all {
                let mut longer = tuple.clone();
                longer.push(Some(*row));
                if !fits(view, fetch, &link.node.test, number, &longer) {
                    continue;
                }
                found = true;
                if matches!(link.kind, LinkKind::Any(_)) {
                    break;
                }
                next.push(longer);
            }
            let alone = match link.kind {
                LinkKind::Inner => false,
                LinkKind::Outer => !found,
                LinkKind::Any(wanted) => found == wanted,
            };
            if alone {
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
        Test::Linked(..) | Test::Named(..) => true,
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
        Test::Named(..) => return false,
    };
    let rows = view.rows(table_of(fetch, number));
    match tuple.get(number).copied().flatten() {
        Some(row) => filter.matches(view.store, &rows.layout, row),
        None => filter.is_null_test(),
    }
}
