//! Reads: one record, a page of records, counts, sums.
//!
//! Rows go from their bytes to JSON text directly. What this part of the
//! service can do and the emulator cannot is refused with 501, never ignored.

mod aggregate;
mod apply;
mod cookie;
mod expand;
pub(crate) mod expression;
mod fetch;
pub(crate) mod filter;
pub(crate) mod literal;
mod order;
mod page;
mod plan;
mod render;
mod sql;
mod track;

use std::collections::HashSet;

use uuid::Uuid;

use crate::call::{
    Address, Call, Condition, Key, Options, PAGE_MAX, Prefer, Resource, Scene, below,
};
use crate::cell::Cell;
use crate::environment::Environment;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::{Collection, Kind, Table};
use crate::store::{Quick, Row, Rows, Store};
pub(crate) use aggregate::identity;
use expand::gather;
use filter::{Filter, Values};
use page::Source;
use render::Renderer;

/// Most that `@odata.count` says.
pub(crate) const COUNT_MAX: usize = 5000;

/// What a read looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'e> {
    pub(crate) environment: &'e Environment,
    pub(crate) store: &'e Store,
    pub(crate) scene: &'e Scene,
}

impl<'e> View<'e> {
    pub(crate) fn table(&self, position: usize) -> &'e Table {
        &self.environment.schema.tables[position]
    }

    pub(crate) fn rows(&self, position: usize) -> &'e Rows {
        &self.store.tables[position]
    }

    /// The row that an address names.
    fn find(&self, address: &Address) -> Result<&'e Row, Refusal> {
        let table = self.table(address.table);
        let rows = self.rows(address.table);
        let slot = address.slot(table, rows).ok_or_else(|| address.missing(table))?;
        rows.row(slot).ok_or_else(|| address.missing(table))
    }
}

/// Answers a GET of rows.
pub(crate) fn read(view: &View<'_>, call: &Call<'_>, resource: Resource) -> Result<Reply, Refusal> {
    let options = call.options()?;
    let prefer = call.prefer()?;
    match resource {
        Resource::Set(table) => set(view, table, &prefer, &options),
        Resource::Count(table) => {
            let table = view.table(table);
            if let Some(token) = &options.deltatoken {
                return track::count(view, table, token, &options);
            }
            let source = Source { table, path: table.set.clone(), within: None };
            count(view, source, &options)
        }
        Resource::Record(address) => {
            let table = view.table(address.table);
            let address = address.partitioned(table, options.partition.as_deref());
            one(view, &address, &prefer, &options, &call.condition()?)
        }
        Resource::Column(address, column) => column_value(view, &address, column),
        Resource::Text(address, column) => column_text(view, &address, column),
        Resource::Through(address, column, targets, rest) => {
            let Some(address) = through(view, &address, column, &targets)? else {
                return Ok(Reply::empty(204));
            };
            let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
            read(view, call, below(&view.environment.schema, address, &rest)?)
        }
        Resource::Reference(address, column, targets) => {
            let Some(address) = through(view, &address, column, &targets)? else {
                return Ok(Reply::empty(204));
            };
            let context = format!("{}$metadata#$ref", view.scene.root);
            let url = url(view, &address);
            let body = serde_json::json!({"@odata.context": context, "@odata.id": url});
            Ok(Reply::value(200, &body).counting(1))
        }
        Resource::Related(address, collection) => {
            page::page(view, related(view, call, &address, collection)?, &prefer, &options)
        }
        Resource::RelatedCount(address, collection) => {
            count(view, related(view, call, &address, collection)?, &options)
        }
        Resource::References(address, collection, None) => {
            references(view, call, &address, collection)
        }
        _ => Err(Refusal::method(call.method.as_str())),
    }
}

fn set(
    view: &View<'_>,
    table: usize,
    prefer: &Prefer,
    options: &Options,
) -> Result<Reply, Refusal> {
    let table = view.table(table);
    if let Some(text) = &options.fetch {
        return fetch::run(view, table, text, prefer, options);
    }
    if let Some(text) = &options.sql {
        return sql::run(view, table, text, prefer, options);
    }
    if let Some(text) = &options.apply {
        return apply::apply(view, table, text, prefer, options);
    }
    if let Some(token) = &options.deltatoken {
        return track::changes(view, table, token, prefer, options);
    }
    let source = Source { table, path: table.set.clone(), within: None };
    page::page(view, source, prefer, options)
}

/// `$select` as column positions; all readable ones without it.
pub(crate) fn selected(table: &Table, select: Option<&str>) -> Result<Vec<usize>, Refusal> {
    let all = || (0..table.columns.len()).filter(|&c| !table.columns[c].name.contains('/'));
    let Some(select) = select.map(str::trim).filter(|select| *select != "*") else {
        return Ok(all().collect());
    };
    let mut columns = Vec::new();
    for name in select.split(',').map(str::trim) {
        let column = table
            .readable(name)
            // The navigation property stands for the lookup's value.
            .or_else(|| table.navigation(name).map(|(column, _)| column))
            .filter(|&column| !table.columns[column].name.contains('/'))
            .ok_or_else(|| Refusal::no_such_property(table, name))?;
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    // Users and teams have two.
    let ids = table.columns.iter().enumerate();
    for (column, _) in ids.filter(|(_, one)| one.origin == crate::schema::Origin::PrimaryId) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    Ok(columns)
}

/// `@odata.context` of rows of a set.
fn context(scene: &Scene, table: &Table, options: &Options) -> String {
    let inside = expand::context(options.select.as_deref(), options.expand.as_deref());
    format!("{}$metadata#{}{inside}", scene.root, table.set)
}

/// The address of a record by its id.
fn url(view: &View<'_>, address: &Address) -> String {
    let table = view.table(address.table);
    let id = view.find(address).map_or(Uuid::nil(), |row| row.id);
    format!("{}{}({id})", view.scene.root, table.set)
}

fn one(
    view: &View<'_>,
    address: &Address,
    prefer: &Prefer,
    options: &Options,
    condition: &Condition,
) -> Result<Reply, Refusal> {
    let table = view.table(address.table);
    let row = view.find(address)?;
    let version = table.etag(row.version);
    let plain = options.expand.is_none() && !prefer.annotated();
    match condition {
        Condition::NotVersion(known)
            if plain && table.optimistic_concurrency && *known == version =>
        {
            return Ok(Reply::empty(304).with("ETag", version));
        }
        Condition::Version(wanted) if *wanted != version => {
            return Err(Refusal::version_mismatch());
        }
        _ => {}
    }
    representation(view, table, row, prefer, options)
        .map(|reply| Reply { status: 200, ..reply }.counting(1))
}

/// One record as `return=representation` and GET show it; status 201.
pub(crate) fn representation(
    view: &View<'_>,
    table: &Table,
    row: &Row,
    prefer: &Prefer,
    options: &Options,
) -> Result<Reply, Refusal> {
    let table = view.table(table.position);
    let columns = selected(table, options.select.as_deref())?;
    let expands = expand::parse(view, table, options.expand.as_deref())?;
    let expanded = gather(view, table, &expands, &[row], prefer.page_size);
    let context = format!("{}/$entity", context(view.scene, table, options));
    let mut body = Vec::with_capacity(1024);
    let renderer = Renderer::new(view, table, &columns, prefer).with(&expanded);
    renderer.row(&mut body, row, Some(&context));
    let mut reply = Reply::json(201, body).with("ETag", table.etag(row.version));
    if let Some(applied) = prefer.applied() {
        reply = reply.with("Preference-Applied", applied);
    }
    Ok(reply)
}

fn column_value(view: &View<'_>, address: &Address, column: usize) -> Result<Reply, Refusal> {
    let table = view.table(address.table);
    let definition = &table.columns[column];
    let row = view.find(address)?;
    let cell = view.rows(address.table).layout.cell(row, column);
    if cell.is_null() {
        return Ok(Reply::empty(204).counting(1));
    }
    let mut body = format!(
        "{{\"@odata.context\":\"{}$metadata#{}({})/{}\",\"value\":",
        view.scene.root, table.set, row.id, definition.property
    )
    .into_bytes();
    render::value(&mut body, &definition.kind, &cell);
    body.push(b'}');
    Ok(Reply::json(200, body).counting(1))
}

/// `/$value`: the value alone.
fn column_text(view: &View<'_>, address: &Address, column: usize) -> Result<Reply, Refusal> {
    let definition = &view.table(address.table).columns[column];
    let row = view.find(address)?;
    let body = match view.rows(address.table).layout.cell(row, column) {
        Cell::Null => return Ok(Reply::empty(204).counting(1)),
        Cell::Text(text) => text.into_owned().into_bytes(),
        cell => {
            let mut body = Vec::new();
            render::value(&mut body, &definition.kind, &cell);
            body.retain(|byte| *byte != b'"');
            body
        }
    };
    Ok(Reply::text(200, "text/plain", body).counting(1))
}

/// The record that a lookup of a record names.
fn through(
    view: &View<'_>,
    address: &Address,
    column: usize,
    targets: &[u8],
) -> Result<Option<Address>, Refusal> {
    let row = view.find(address)?;
    let Kind::Lookup { targets: all, .. } = &view.table(address.table).columns[column].kind else {
        return Ok(None);
    };
    Ok(match view.rows(address.table).layout.cell(row, column) {
        Cell::Lookup(target, id) if targets.contains(&target) => all
            .get(usize::from(target))
            .map(|target| Address { table: target.table, key: Key::Id(id) }),
        _ => None,
    })
}

fn count(view: &View<'_>, source: Source<'_>, options: &Options) -> Result<Reply, Refusal> {
    let count = source.count(view, options)?;
    Ok(counted(view, count))
}

/// A number alone.
fn counted(view: &View<'_>, count: usize) -> Reply {
    let mark = if view.environment.behavior.count_with_bom { "\u{feff}" } else { "" };
    Reply::text(200, "text/plain", format!("{mark}{count}"))
}

/// The rows that a collection of a record holds.
fn related<'e>(
    view: &View<'e>,
    call: &Call<'_>,
    address: &Address,
    collection: Collection,
) -> Result<Source<'e>, Refusal> {
    let id = view.find(address)?.id;
    let table = view.table(collection.table());
    let members: HashSet<Uuid, Quick> = match collection {
        Collection::Many { column, target, .. } => {
            let rows = view.rows(table.position);
            let all = rows.iter().map(|(_, row)| row);
            all.filter(|row| rows.layout.cell(row, column) == Cell::Lookup(target, id))
                .map(|row| row.id)
                .collect()
        }
        Collection::Both { intersect, here, there, .. } => {
            let pairs = view.rows(intersect);
            pairs
                .iter()
                .filter(|(_, pair)| pairs.layout.cell(pair, here).id() == Some(id))
                .filter_map(|(_, pair)| pairs.layout.cell(pair, there).id())
                .collect()
        }
    };
    let within = Filter::In(table.primary_id, Values::Ids(members));
    Ok(Source { table, path: call.split().0.to_owned(), within: Some(within) })
}

/// `record/collection/$ref`: addresses alone.
fn references(
    view: &View<'_>,
    call: &Call<'_>,
    address: &Address,
    collection: Collection,
) -> Result<Reply, Refusal> {
    let source = related(view, call, address, collection)?;
    let rows = view.rows(source.table.position);
    let all: Vec<_> = plan::matching(view, rows, source.within.as_ref(), 0)
        .take(PAGE_MAX)
        .map(|(_, row)| {
            let url = format!("{}{}({})", view.scene.root, source.table.set, row.id);
            serde_json::json!({"@odata.id": url})
        })
        .collect();
    let context = format!("{}$metadata#Collection($ref)", view.scene.root);
    let count = all.len();
    let body = serde_json::json!({"@odata.context": context, "value": all});
    Ok(Reply::value(200, &body).counting(count))
}
