//! `$expand`: related records within records (*Join tables using OData*).
//!
//! What an option asks for is read once; the related rows of a whole page are
//! gathered in one pass over the related table.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::cookie::Cookie;
use super::filter::Filter;
use super::order::{self, Keyed, Order};
use super::{PAGE_MAX, View, expression, selected};
use crate::cell::Cell;
use crate::refusal::{Name, Refusal};
use crate::schema::{Collection, Kind, Table};
use crate::store::{Quick, Row};

/// *Join tables using OData*: up to 15 `$expand` options in a query.
const EXPANDS_MAX: usize = 15;

/// One `$expand` option.
#[derive(Debug)]
pub(crate) struct Expand<'e> {
    pub(super) name: String,
    pub(super) way: Way,
    pub(super) table: &'e Table,
    pub(super) columns: Vec<usize>,
    filter: Option<Filter>,
    order: Order,
    top: Option<usize>,
    nested: Vec<Expand<'e>>,
    /// Some option of the query stands within another.
    deep: bool,
    /// As a query string, for next links.
    query: String,
}

/// How the related records are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By a lookup, and which of its targets.
    One(usize, u8),
    /// By a lookup, and only its address: `/$ref`.
    Link(usize),
    /// By a lookup whose targets have `principal` as their base type.
    Principal(usize),
    Many(Collection),
}

/// The related rows of the rows of a page.
#[derive(Debug)]
pub(crate) struct Expanded<'e> {
    pub(super) expand: &'e Expand<'e>,
    /// By parent.
    pub(super) children: HashMap<Uuid, Vec<&'e Row>, Quick>,
    pub(super) nested: Vec<Expanded<'e>>,
    /// Parents, and the next link of what the page leaves out.
    links: HashMap<Uuid, String, Quick>,
}

/// Reads `$expand`.
pub(crate) fn parse<'e>(
    view: &View<'e>,
    table: &'e Table,
    text: Option<&str>,
) -> Result<Vec<Expand<'e>>, Refusal> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let mut all = options(view, table, text, 0)?;
    let count = counted(&all);
    if count > EXPANDS_MAX {
        return Err(invalid(format!(
            "The query has {count} $expand options, at most {EXPANDS_MAX} are allowed."
        )));
    }
    if all.iter().any(|one| !one.nested.is_empty()) {
        deepened(&mut all)?;
    }
    Ok(all)
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::named(Name::ExpandRefused, message)
}

fn counted(all: &[Expand<'_>]) -> usize {
    all.iter().map(|one| 1 + counted(&one.nested)).sum()
}

/// What holds for all options as soon as one is nested.
fn deepened(all: &mut [Expand<'_>]) -> Result<(), Refusal> {
    for one in all {
        if matches!(one.way, Way::Many(Collection::Both { .. })) {
            return Err(invalid(
                "Nested $expand is not supported together with many-to-many relationships.",
            ));
        }
        if one.top.is_some() || !one.order.is_empty() {
            return Err(only_select_and_filter());
        }
        one.deep = true;
        deepened(&mut one.nested)?;
    }
    Ok(())
}

fn only_select_and_filter() -> Refusal {
    invalid(
        "Only $select and $filter clause can be provided while doing $expand on many-to-one \
         relationship or nested one-to-many relationship.",
    )
}

fn options<'e>(
    view: &View<'e>,
    table: &'e Table,
    text: &str,
    depth: usize,
) -> Result<Vec<Expand<'e>>, Refusal> {
    if depth > EXPANDS_MAX {
        return Err(invalid("$expand is nested too deeply."));
    }
    let terms = cut(text, b',').into_iter().map(str::trim).filter(|term| !term.is_empty());
    terms.map(|term| one(view, table, term, depth)).collect()
}

fn one<'e>(
    view: &View<'e>,
    table: &'e Table,
    term: &str,
    depth: usize,
) -> Result<Expand<'e>, Refusal> {
    let (name, inner) = match term.split_once('(') {
        None => (term, ""),
        Some((name, rest)) => {
            let inner = rest.strip_suffix(')');
            (
                name.trim(),
                inner.ok_or_else(|| {
                    Refusal::odata(format!("Syntax error in $expand at '{term}'."))
                })?,
            )
        }
    };
    let (name, link) = name.strip_suffix("/$ref").map_or((name, false), |name| (name, true));
    let (way, other) = way(view, table, name, link)?;
    let mut expand = Expand {
        name: name.to_owned(),
        way,
        table: other,
        columns: Vec::new(),
        filter: None,
        order: Order::new(),
        top: None,
        nested: Vec::new(),
        deep: false,
        query: String::new(),
    };
    let mut select = None;
    for option in cut(inner, b';').into_iter().map(str::trim).filter(|option| !option.is_empty()) {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        match key.trim() {
            "$select" => select = Some(value),
            "$filter" => {
                let condition = expression::parse(value, &[])?;
                expand.filter = Some(Filter::new(condition, view, other)?);
            }
            "$orderby" => expand.order = order::parse(other, Some(value))?,
            "$top" => {
                let top = value.trim().parse();
                expand.top = Some(top.map_err(|_| {
                    Refusal::odata(format!("Invalid value '{value}' for $top query option found."))
                })?);
            }
            "$expand" => expand.nested = options(view, other, value, depth + 1)?,
            key => {
                return Err(Refusal::odata(format!(
                    "The query option '{key}' is not supported within $expand."
                )));
            }
        }
        if !expand.query.is_empty() {
            expand.query.push('&');
        }
        expand.query.push_str(option);
    }
    let many = matches!(way, Way::Many(_));
    if !many && (expand.top.is_some() || !expand.order.is_empty()) {
        return Err(only_select_and_filter());
    }
    if let (Way::Principal(_), Some(select)) = (way, select) {
        // Users and teams together have nothing else in common.
        if let Some(name) = select.split(',').map(str::trim).find(|name| *name != "ownerid") {
            return Err(Refusal::odata(format!(
                "Could not find a property named '{name}' on type \
                 'Microsoft.Dynamics.CRM.principal'."
            )));
        }
    } else {
        expand.columns = selected(other, select)?;
    }
    if let (Way::Many(Collection::Many { column, .. }), false) = (way, expand.columns.is_empty())
        && !expand.columns.contains(&column)
    {
        expand.columns.push(column);
    }
    Ok(expand)
}

fn way<'e>(
    view: &View<'e>,
    table: &'e Table,
    name: &str,
    link: bool,
) -> Result<(Way, &'e Table), Refusal> {
    if let Some(&collection) = table.collections.get(name) {
        if link {
            return Err(invalid(
                "Expand with $ref is only supported on lookup type navigation property.",
            ));
        }
        return Ok((Way::Many(collection), view.table(collection.table())));
    }
    let unknown = || Refusal::no_such_property(table, name);
    let (column, targets) = table.navigation(name).ok_or_else(unknown)?;
    let Kind::Lookup { targets: all, .. } = &table.columns[column].kind else {
        return Err(unknown());
    };
    let first = targets.first().ok_or_else(unknown)?;
    let other = view.table(all.get(usize::from(*first)).ok_or_else(unknown)?.table);
    Ok(match targets {
        _ if link => (Way::Link(column), other),
        [target] => (Way::One(column, *target), other),
        _ => (Way::Principal(column), other),
    })
}

/// Cut at a separator that stands neither in parentheses nor in quotes.
pub(crate) fn cut(text: &str, separator: u8) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            _ if quoted => {}
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            byte if byte == separator && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// The related rows of these rows of `table`.
pub(crate) fn gather<'e>(
    view: &View<'e>,
    table: &'e Table,
    expands: &'e [Expand<'e>],
    parents: &[&'e Row],
    page_size: Option<usize>,
) -> Vec<Expanded<'e>> {
    expands
        .iter()
        .map(|expand| {
            let mut found = children(view, table, expand, parents);
            let mut links = HashMap::default();
            if let Way::Many(_) = expand.way {
                let size = page_size.filter(|_| expand.deep).unwrap_or(PAGE_MAX);
                let size = expand.top.unwrap_or(size);
                for parent in parents {
                    let of_parent = found.entry(parent.id).or_default();
                    let more = of_parent.len() > size;
                    of_parent.truncate(size);
                    if let Some(link) = next(view, table, expand, parent, of_parent, more) {
                        links.insert(parent.id, link);
                    }
                }
            }
            let all: Vec<&Row> = found.values().flatten().copied().collect();
            let nested = gather(view, expand.table, &expand.nested, &all, page_size);
            Expanded { expand, children: found, nested, links }
        })
        .collect()
}

fn children<'e>(
    view: &View<'e>,
    table: &Table,
    expand: &Expand<'e>,
    parents: &[&'e Row],
) -> HashMap<Uuid, Vec<&'e Row>, Quick> {
    let mut found: HashMap<Uuid, Vec<Keyed<'e>>, Quick> = HashMap::default();
    let rows = view.rows(expand.table.position);
    let fits = |row: &Row| {
        expand.filter.as_ref().is_none_or(|one| one.matches(view.store, &rows.layout, row))
    };
    let wanted: HashSet<Uuid, Quick> = parents.iter().map(|row| row.id).collect();
    let mut add = |parent: Uuid, slot: u32, row: &'e Row| {
        if fits(row) {
            let keyed = Keyed::new(rows, &expand.order, slot, row);
            found.entry(parent).or_default().push(keyed);
        }
    };
    match expand.way {
        Way::Link(_) | Way::Principal(_) => {}
        Way::One(column, target) => {
            let layout = &view.rows(table.position).layout;
            for parent in parents {
                let Cell::Lookup(at, id) = layout.cell(parent, column) else { continue };
                let slot = rows.slot_of(id).filter(|_| at == target);
                if let Some((slot, row)) = slot.and_then(|slot| Some((slot, rows.row(slot)?))) {
                    add(parent.id, slot, row);
                }
            }
        }
        Way::Many(Collection::Many { column, target, .. }) => {
            for (slot, row) in rows.iter() {
                match rows.layout.cell(row, column) {
                    Cell::Lookup(at, id) if at == target && wanted.contains(&id) => {
                        add(id, slot, row);
                    }
                    _ => {}
                }
            }
        }
        Way::Many(Collection::Both { intersect, here, there, .. }) => {
            let pairs = view.rows(intersect);
            for (_, pair) in pairs.iter() {
                let parent = pairs.layout.cell(pair, here).id().filter(|id| wanted.contains(id));
                let slot = pairs.layout.cell(pair, there).id().and_then(|id| rows.slot_of(id));
                let row = slot.and_then(|slot| Some((slot, rows.row(slot)?)));
                if let (Some(parent), Some((slot, row))) = (parent, row) {
                    add(parent, slot, row);
                }
            }
        }
    }
    found
        .into_iter()
        .map(|(parent, mut all)| {
            all.sort_unstable_by(|a, b| a.cmp(b, &expand.order));
            (parent, all.into_iter().map(|one| one.row).collect())
        })
        .collect()
}

/// With a nested option, the link to what the page leaves out; else the address
/// of the whole collection.
fn next(
    view: &View<'_>,
    table: &Table,
    expand: &Expand<'_>,
    parent: &Row,
    shown: &[&Row],
    more: bool,
) -> Option<String> {
    let url = format!("{}{}({})/{}", view.scene.root, table.set, parent.id, expand.name);
    if !expand.deep {
        let query = &expand.query;
        return Some(if query.is_empty() { url } else { format!("{url}?{query}") });
    }
    let (first, last) = shown.first().zip(shown.last()).filter(|_| more)?;
    let cookie = Cookie {
        page: 2,
        slot: view.rows(expand.table.position).slot_of(last.id),
        offset: shown.len(),
        tracking: None,
    };
    Some(cookie.link(&url, &expand.query, expand.table.id_name(), (first.id, last.id)))
}

impl Expanded<'_> {
    /// `<name>@odata.nextLink` of a parent's collection.
    pub(super) fn link(&self, parent: Uuid) -> Option<&str> {
        self.links.get(&parent).map(String::as_str)
    }

    /// Rows of a collection have their etag, unless an option is nested.
    pub(super) fn with_etag(&self) -> bool {
        matches!(self.expand.way, Way::Many(_)) && !self.expand.deep
    }
}

/// `(name,primarycontactid(fullname))`, as contexts spell it.
pub(crate) fn context(select: Option<&str>, expand: Option<&str>) -> String {
    let mut parts: Vec<String> = select.into_iter().map(str::to_owned).collect();
    for term in expand.map(|expand| cut(expand, b',')).unwrap_or_default() {
        let term = term.trim();
        let (name, inner) = term.split_once('(').unwrap_or((term, ""));
        let inner = inner.strip_suffix(')').unwrap_or(inner);
        let option = |name: &str| {
            cut(inner, b';')
                .into_iter()
                .find_map(|option| option.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let inside = context(option("$select"), option("$expand"));
        parts.push(if inside.is_empty() { format!("{name}()") } else { format!("{name}{inside}") });
    }
    if parts.is_empty() { String::new() } else { format!("({})", parts.join(",")) }
}
