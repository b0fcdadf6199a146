//! Which rows have to be looked at: by id or alternate key where the filter says
//! so, else all.

use super::View;
use super::expression::{self, Operator};
use super::filter::{Filter, Values};
use crate::call::Options;
use crate::cell::Cell;
use crate::refusal::Refusal;
use crate::schema::Table;
use crate::store::{Row, Rows};

/// The condition that the options ask for.
pub(super) fn condition(
    view: &View<'_>,
    table: &Table,
    options: &Options,
) -> Result<Option<Filter>, Refusal> {
    let Some(text) = &options.filter else { return Ok(None) };
    Filter::new(expression::parse(text, &options.aliases)?, view, table).map(Some)
}

/// The rows that fit, from a slot on, by slot, ascending.
pub(super) fn matching<'r>(
    view: &View<'r>,
    rows: &'r Rows,
    filter: Option<&'r Filter>,
    from: u32,
) -> Box<dyn Iterator<Item = (u32, &'r Row)> + 'r> {
    let store = view.store;
    let fits = move |(_, row): &(u32, &Row)| {
        filter.is_none_or(|filter| filter.matches(store, &rows.layout, row))
    };
    match filter.and_then(|filter| candidates(rows, filter)) {
        Some(mut slots) => {
            slots.sort_unstable();
            slots.dedup();
            slots.retain(|slot| *slot >= from);
            let found = slots.into_iter().filter_map(|slot| Some((slot, rows.row(slot)?)));
            Box::new(found.filter(fits))
        }
        None => Box::new(rows.from(from).filter(fits)),
    }
}

/// Slots of which the matching rows are a part; `None`: any row may match.
fn candidates(rows: &Rows, filter: &Filter) -> Option<Vec<u32>> {
    match filter {
        Filter::Compare(column, Operator::Eq, value) => one(rows, *column, value),
        Filter::In(column, Values::Ids(ids)) => {
            let id = ids.iter().next()?;
            // Asked once, whether there is an index at all.
            one(rows, *column, &Cell::Guid(*id))?;
            let slots = ids.iter().filter_map(|id| one(rows, *column, &Cell::Guid(*id)));
            Some(slots.flatten().collect())
        }
        Filter::In(column, Values::Texts(_, cells) | Values::Others(cells)) => {
            let slots: Option<Vec<Vec<u32>>> =
                cells.iter().map(|cell| one(rows, *column, cell)).collect();
            Some(slots?.into_iter().flatten().collect())
        }
        Filter::Or(list) => {
            let all: Option<Vec<Vec<u32>>> = list.iter().map(|one| candidates(rows, one)).collect();
            Some(all?.into_iter().flatten().collect())
        }
        Filter::And(list) => {
            list.iter().find_map(|one| candidates(rows, one)).or_else(|| composite(rows, list))
        }
        _ => None,
    }
}

/// By the primary id or by a key over this column; nulls are in no index.
fn one(rows: &Rows, column: usize, value: &Cell<'_>) -> Option<Vec<u32>> {
    if value.is_null() {
        return None;
    }
    if rows.layout.is_primary_id(column) {
        return Some(value.id().map_or_else(Vec::new, |id| rows.slots_of(id).collect()));
    }
    let key = rows.key_over(column)?;
    Some(rows.by_key(key, std::slice::from_ref(value)).into_iter().collect())
}

/// By a key all of whose columns are compared for equality.
fn composite(rows: &Rows, list: &[Filter]) -> Option<Vec<u32>> {
    let equal = |column: usize| {
        list.iter().find_map(|one| match one {
            Filter::Compare(c, Operator::Eq, value) if *c == column && !value.is_null() => {
                Some(value.clone())
            }
            _ => None,
        })
    };
    (0..rows.keys_len()).find_map(|key| {
        let values: Option<Vec<Cell<'_>>> =
            rows.key_columns(key).iter().map(|&column| equal(column)).collect();
        Some(rows.by_key(key, &values?).into_iter().collect())
    })
}
