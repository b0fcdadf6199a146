//! `?fetchXml=`: queries as FetchXML (*Query data using FetchXml*).
//!
//! Read into a tree, then carried out as joins over rows that are in memory:
//! the rows of the table first, then one linked table after the other.

mod condition;
mod join;
mod read;
mod show;

use roxmltree::{Document, Node as Xml, NodeId};

use super::View;
use super::cookie::Cookie;
use crate::call::{Options, Prefer};
use crate::refusal::{Name, Refusal};
use crate::reply::Reply;
use crate::schema::Table;
use condition::Test;

/// *Query data using FetchXml*: most linked tables.
const LINKS_MAX: usize = 15;

/// A whole query.
struct Fetch<'e> {
    root: Node<'e>,
    /// All linked tables, parents before children; the root is number 0.
    links: Vec<Link<'e>>,
    top: Option<usize>,
    page: usize,
    /// Rows on a page.
    count: Option<usize>,
    distinct: bool,
    aggregate: bool,
    /// `returntotalrecordcount`.
    total: bool,
    /// Rows before the first page.
    skip: usize,
    /// There are next links, which repeat this query string.
    next: Option<String>,
}

/// A table of the query: what is asked of it.
struct Node<'e> {
    table: &'e Table,
    alias: String,
    attributes: Vec<Attribute>,
    orders: Vec<Order>,
    test: Test,
}

/// A linked table.
struct Link<'e> {
    node: Node<'e>,
    /// Number of the table that it is linked to.
    parent: usize,
    /// Columns here and there.
    from: usize,
    to: usize,
    kind: LinkKind,
    /// It stands in a filter of the query's own table: whether it holds is a
    /// condition there, and drops nothing by itself.
    condition: Option<NodeId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkKind {
    Inner,
    Outer,
    /// Whether there is one at all: `exists`, `in`, `any` (true), `not any`.
    Any(bool),
    /// `matchfirstrowusingcrossapply`: an inner join with at most one row.
    First,
    /// `all` (true), `not all`.
    All(bool),
}

/// A column of the result.
struct Attribute {
    column: usize,
    /// As the result calls it.
    name: String,
    /// The query says so.
    aliased: bool,
    measure: Option<super::aggregate::Measure>,
    group: bool,
    dates: Option<DatePart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DatePart {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

enum Order {
    Column(usize, bool),
    /// An alias of an aggregate.
    Alias(String, bool),
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::named(Name::InvalidFetchXml, format!("Invalid FetchXML: {}", message.into()))
}

/// The rows that SQL asks for, which FetchXML has no word for.
pub(super) struct Window {
    pub(super) skip: usize,
    pub(super) of: Option<usize>,
}

/// Answers a query that was written for SQL; it is paged by next links.
pub(super) fn selected(
    view: &View<'_>,
    table: &Table,
    root: Xml<'_, '_>,
    window: Window,
    prefer: &Prefer,
    options: &Options,
) -> Result<Reply, Refusal> {
    let table = view.table(table.position);
    let mut fetch = read::fetch(view, table, root)?;
    let cookie = Cookie::of(options.skiptoken.as_deref())?;
    fetch.page = cookie.page;
    fetch.skip = window.skip;
    fetch.top = window.of;
    fetch.next = Some(options.raw.clone());
    let joined = join::joined(view, &fetch);
    if fetch.aggregate {
        return show::aggregated(view, &fetch, joined, prefer);
    }
    show::page(view, &fetch, joined, prefer)
}

/// Answers a FetchXML query against a set.
pub(super) fn run(
    view: &View<'_>,
    table: &Table,
    text: &str,
    prefer: &Prefer,
    options: &Options,
) -> Result<Reply, Refusal> {
    let table = view.table(table.position);
    for (name, given) in [
        ("$select", options.select.is_some()),
        ("$filter", options.filter.is_some()),
        ("$orderby", options.orderby.is_some()),
        ("$expand", options.expand.is_some()),
    ] {
        if given {
            return Err(Refusal::odata(format!("fetchXml and {name} cannot stand together.")));
        }
    }
    let document = Document::parse(text).map_err(|error| invalid(error.to_string()))?;
    let fetch = read::fetch(view, table, document.root_element())?;
    let joined = join::joined(view, &fetch);
    if fetch.aggregate {
        show::aggregated(view, &fetch, joined, prefer)
    } else {
        show::page(view, &fetch, joined, prefer)
    }
}
