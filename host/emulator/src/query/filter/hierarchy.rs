//! Conditions on where a record stands in a hierarchy, and on who is above or beside
//! the acting user (*Query hierarchical data*).
//!
//! Found out once, before any row is judged: such a condition is a set of ids.

use std::collections::HashSet;

use uuid::Uuid;

use super::{Filter, Values};
use crate::query::View;
use crate::query::literal;
use crate::refusal::Refusal;
use crate::schema::{Collection, Table};
use crate::store::Quick;

type Ids = HashSet<Uuid, Quick>;

/// Levels that no real hierarchy has (*Recursion limits*: 100 by default).
const LEVELS_MAX: usize = 100;

/// The condition of that name, `Under` and `under` alike; none: it is another one.
pub(crate) fn hierarchy(
    view: &View<'_>,
    table: &Table,
    column: usize,
    name: &str,
    value: Option<&str>,
) -> Option<Result<Filter, Refusal>> {
    let plain: String = name.chars().filter(|c| *c != '-').collect::<String>().to_ascii_lowercase();
    let users = |ids: Ids| Some(Ok(Filter::In(column, Values::Ids(ids))));
    let (own, up, not) = match plain.as_str() {
        "under" => (false, false, false),
        "underorequal" | "eqorunder" => (true, false, false),
        "notunder" => (false, false, true),
        "above" => (false, true, false),
        "aboveorequal" | "eqorabove" => (true, true, false),
        "equaluserteams" | "equserteams" => return users(teams(view, &only(view.scene.user))),
        "equaluseroruserteams" | "equseroruserteams" => {
            let mut ids = teams(view, &only(view.scene.user));
            ids.insert(view.scene.user);
            return users(ids);
        }
        "equaluseroruserhierarchy" | "equseroruserhierarchy" => return users(reports(view)),
        "equaluseroruserhierarchyandteams" | "equseroruserhierarchyandteams" => {
            let mut ids = reports(view);
            ids.extend(teams(view, &ids));
            return users(ids);
        }
        _ => return None,
    };
    let id = match value.map(|text| literal::guid(text.trim_matches(['{', '}']))) {
        Some(Some(id)) => id,
        _ => return Some(Err(Refusal::odata(format!("'{name}' needs the id of a record.")))),
    };
    if column != table.primary_id || table.hierarchy.is_none() {
        return Some(Err(Refusal::odata(format!(
            "'{name}' needs the primary id of a table with a hierarchical relationship, and '{}' \
             of '{}' is none.",
            table.columns[column].name, table.name
        ))));
    }
    let mut ids = if up { above(view, table, id) } else { below(view, table, id) };
    if own {
        ids.insert(id);
    }
    let filter = Filter::In(column, Values::Ids(ids));
    Some(Ok(if not { Filter::Not(Box::new(filter)) } else { filter }))
}

fn only(id: Uuid) -> Ids {
    std::iter::once(id).collect()
}

/// The records above one, without it.
fn above(view: &View<'_>, table: &Table, id: Uuid) -> Ids {
    let rows = view.rows(table.position);
    let mut found = Ids::default();
    let mut at = id;
    for _ in 0..LEVELS_MAX {
        let parent = rows.by_id(at).zip(table.hierarchy);
        let parent = parent.and_then(|(row, column)| rows.layout.cell(row, column).id());
        match parent {
            Some(parent) if parent != id && found.insert(parent) => at = parent,
            _ => break,
        }
    }
    found
}

/// The records below one, without it.
fn below(view: &View<'_>, table: &Table, id: Uuid) -> Ids {
    let rows = view.rows(table.position);
    let mut found = Ids::default();
    let Some(column) = table.hierarchy else { return found };
    let mut level = only(id);
    for _ in 0..LEVELS_MAX {
        let next: Ids = rows
            .iter()
            .filter(|(_, row)| {
                rows.layout.cell(row, column).id().is_some_and(|parent| level.contains(&parent))
            })
            .map(|(_, row)| row.id)
            .filter(|child| *child != id && !found.contains(child))
            .collect();
        if next.is_empty() {
            break;
        }
        found.extend(&next);
        level = next;
    }
    found
}

/// The acting user and those who report to him.
fn reports(view: &View<'_>) -> Ids {
    let user = view.scene.user;
    let users = view.environment.schema.table("systemuser");
    let mut ids = users.map_or_else(Ids::default, |users| below(view, users, user));
    ids.insert(user);
    ids
}

/// The teams that any of these users is in.
fn teams(view: &View<'_>, users: &Ids) -> Ids {
    let table = view.environment.schema.table("systemuser");
    let pairs = table.and_then(|table| table.collections.get("teammembership_association"));
    let Some(Collection::Both { intersect, here, there, .. }) = pairs else {
        return Ids::default();
    };
    let rows = view.rows(*intersect);
    rows.iter()
        .filter(|(_, pair)| {
            rows.layout.cell(pair, *here).id().is_some_and(|user| users.contains(&user))
        })
        .filter_map(|(_, pair)| rows.layout.cell(pair, *there).id())
        .collect()
}
