//! Reads: one record, a page of records, counts.
//!
//! Rows go from their bytes to JSON text directly. What this part of the
//! service can do and the emulator cannot is refused with 501, never ignored.

pub(crate) mod expression;
pub(crate) mod filter;
pub(crate) mod literal;
mod page;
mod plan;
mod render;

use uuid::Uuid;

use crate::call::{Address, Call, Condition, Key, Options, Prefer, Resource, Scene, etag};
use crate::environment::Environment;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::{Kind, Table};
use crate::store::Store;
use render::Renderer;

/// Most that `@odata.count` says.
pub(crate) const COUNT_MAX: usize = 5000;

/// Answers a GET of rows.
pub(crate) fn read(
    environment: &Environment,
    scene: &Scene,
    store: &Store,
    call: &Call<'_>,
    resource: Resource,
) -> Result<Reply, Refusal> {
    let options = call.options()?;
    let prefer = call.prefer()?;
    if options.expand.is_some() {
        return Err(Refusal::unsupported("$expand of records"));
    }
    if prefer.track_changes {
        return Err(Refusal::unsupported("change tracking"));
    }
    let tables = &environment.schema.tables;
    match resource {
        Resource::Set(table) => {
            page::page(environment, scene, store, &tables[table], &prefer, &options)
        }
        Resource::Count(table) => count(store, &tables[table], &options),
        Resource::Record(address) => {
            let condition = call.condition()?;
            one(environment, scene, store, &address, &prefer, &options, &condition)
        }
        Resource::Column(address, column) => {
            column_value(environment, scene, store, &address, column)
        }
        _ => Err(Refusal::method(call.method.as_str())),
    }
}

/// `$select` as column positions; all readable ones without it.
pub(crate) fn selected(table: &Table, options: &Options) -> Result<Vec<usize>, Refusal> {
    let all = || (0..table.columns.len()).filter(|&c| !table.columns[c].name.contains('/'));
    let Some(select) = options.select.as_deref().map(str::trim).filter(|select| *select != "*")
    else {
        return Ok(all().collect());
    };
    let mut columns = Vec::new();
    for name in select.split(',').map(str::trim) {
        let column = table
            .readable(name)
            // The navigation property stands for the lookup's value.
            .or_else(|| match table.properties.get(name) {
                Some(crate::schema::Property::Navigation(column, _)) => Some(*column),
                _ => None,
            })
            .filter(|&column| !table.columns[column].name.contains('/'))
            .ok_or_else(|| Refusal::no_such_property(table, name))?;
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    if !columns.contains(&table.primary_id) {
        columns.push(table.primary_id);
    }
    Ok(columns)
}

fn find(environment: &Environment, store: &Store, address: &Address) -> Result<u32, Refusal> {
    let table = &environment.schema.tables[address.table];
    let rows = &store.tables[address.table];
    match &address.key {
        Key::Id(id) => rows.slot_of(*id).ok_or_else(|| Refusal::missing(table, *id)),
        Key::Alternate(key, values) => {
            rows.by_key(*key, values).ok_or_else(|| Refusal::missing_by_key(table))
        }
    }
}

fn one(
    environment: &Environment,
    scene: &Scene,
    store: &Store,
    address: &Address,
    prefer: &Prefer,
    options: &Options,
    condition: &Condition,
) -> Result<Reply, Refusal> {
    let table = &environment.schema.tables[address.table];
    let slot = find(environment, store, address)?;
    let rows = &store.tables[address.table];
    let Some(row) = rows.row(slot) else {
        return Err(Refusal::missing_by_key(table));
    };
    let version = etag(row.version);
    match condition {
        Condition::NotVersion(known) if table.optimistic_concurrency && *known == version => {
            return Ok(Reply::empty(304).with("ETag", version));
        }
        Condition::Version(wanted) if *wanted != version => {
            return Err(Refusal::version_mismatch());
        }
        _ => {}
    }
    representation(environment, scene, store, table, row.id, prefer, options)
        .map(|reply| Reply { status: 200, ..reply }.counting(1))
}

/// One record as `return=representation` and GET show it; status 201.
pub(crate) fn representation(
    environment: &Environment,
    scene: &Scene,
    store: &Store,
    table: &Table,
    id: Uuid,
    prefer: &Prefer,
    options: &Options,
) -> Result<Reply, Refusal> {
    let columns = selected(table, options)?;
    let rows = &store.tables[table.position];
    let row = rows.by_id(id).ok_or_else(|| Refusal::missing(table, id))?;
    let context = match &options.select {
        Some(select) => format!("{}$metadata#{}({select})/$entity", scene.root, table.set),
        None => format!("{}$metadata#{}/$entity", scene.root, table.set),
    };
    let mut body = Vec::with_capacity(1024);
    let renderer = Renderer::new(environment, store, table, &columns, prefer);
    renderer.row(&mut body, row, Some(&context));
    let mut reply = Reply::json(201, body).with("ETag", etag(row.version));
    if let Some(applied) = prefer.applied() {
        reply = reply.with("Preference-Applied", applied);
    }
    Ok(reply)
}

fn column_value(
    environment: &Environment,
    scene: &Scene,
    store: &Store,
    address: &Address,
    column: usize,
) -> Result<Reply, Refusal> {
    let table = &environment.schema.tables[address.table];
    let definition = &table.columns[column];
    if matches!(definition.kind, Kind::Lookup { .. }) && definition.property == definition.name {
        return Err(Refusal::no_segment(&definition.name));
    }
    let slot = find(environment, store, address)?;
    let rows = &store.tables[address.table];
    let cell = rows.cell(slot, column);
    if cell.is_null() {
        return Ok(Reply::empty(204).counting(1));
    }
    let id = rows.row(slot).map_or(Uuid::nil(), |row| row.id);
    let mut body = format!(
        "{{\"@odata.context\":\"{}$metadata#{}({id})/{}\",\"value\":",
        scene.root, table.set, definition.property
    )
    .into_bytes();
    render::value(&mut body, &definition.kind, &cell);
    body.push(b'}');
    Ok(Reply::json(200, body).counting(1))
}

fn count(store: &Store, table: &Table, options: &Options) -> Result<Reply, Refusal> {
    let rows = &store.tables[table.position];
    let count = match plan::condition(table, options)? {
        None => rows.len(),
        Some(filter) => plan::matching(rows, Some(&filter), 0).count(),
    };
    Ok(Reply::text(200, "text/plain", count.min(COUNT_MAX).to_string()))
}
