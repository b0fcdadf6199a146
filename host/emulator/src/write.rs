//! Writes: what a request asks for, read before the lock is taken, then applied
//! to a transaction.
//!
//! Knows nothing of limits, faults and batches; a changeset gives it the ids
//! that its earlier operations made.

mod associate;
mod deep;
mod delete;
mod derived;
mod elastic;
mod lay;
mod owner;
mod record;
mod state;

use std::collections::HashMap;

use http::Method;
use uuid::Uuid;

use crate::body::{Draft, Link};
use crate::bulk;
use crate::call::{Address, Call, Condition, Key, Options, Prefer, Resource, Scene};
use crate::cell::Cell;
use crate::environment::Environment;
use crate::query::{self, View};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::{Collection, Schema, Table};
use crate::store::Transaction;
use associate::Member;
pub(crate) use record::Writer;

/// Records that earlier operations of a changeset wrote, by Content-ID.
pub(crate) type Contents = HashMap<String, Address>;

/// A write that is fit to be tried.
#[derive(Debug)]
pub(crate) struct Prepared<'b> {
    work: Work<'b>,
    condition: Condition,
    prefer: Prefer,
    options: Options,
    /// How the request named the record, for `OData-EntityId`.
    named: String,
}

#[derive(Debug)]
enum Work<'b> {
    Create(usize, Draft<'b>),
    Upsert(Address, Draft<'b>),
    Delete(Address),
    /// One column; null clears it.
    Column(Address, usize, Cell<'b>),
    /// One lookup.
    Reference(Address, usize, Link),
    /// A record put into a collection.
    Associate(Address, Collection, Member),
    /// A record taken out of a collection.
    Disassociate(Address, Collection, Address),
    Bulk(bulk::Work<'b>),
}

impl Work<'_> {
    fn table(&self) -> usize {
        match self {
            Work::Create(table, _) => *table,
            Work::Bulk(work) => work.table(),
            Work::Upsert(address, _)
            | Work::Delete(address)
            | Work::Column(address, ..)
            | Work::Reference(address, ..)
            | Work::Associate(address, ..)
            | Work::Disassociate(address, ..) => address.table,
        }
    }

    fn deletes(&self) -> bool {
        match self {
            Work::Delete(_) => true,
            Work::Bulk(work) => work.deletes(),
            _ => false,
        }
    }
}

/// Whether this is a write at all.
pub(crate) fn is_write(call: &Call<'_>) -> bool {
    call.method != Method::GET && call.method != Method::HEAD
}

/// Reads and checks all that needs no row.
pub(crate) fn prepare<'b>(
    environment: &Environment,
    call: &Call<'b>,
    resource: Resource,
) -> Result<Prepared<'b>, Refusal> {
    let schema = &environment.schema;
    let options = call.options()?;
    let method = call.method.as_str();
    let work = match (method, resource) {
        ("POST", Resource::Set(table)) => {
            let table = writable(schema, table)?;
            Work::Create(table.position, environment.reader(table).record(call.body)?)
        }
        ("POST", Resource::Bulk(table, action)) => {
            let table = writable(schema, table)?;
            Work::Bulk(bulk::prepare(environment, table, &action, call.body)?)
        }
        ("PATCH", Resource::Record(address)) => {
            let table = writable(schema, address.table)?;
            let draft = environment.reader(table).record(call.body)?;
            Work::Upsert(address, draft)
        }
        ("DELETE", Resource::Record(address)) => {
            let table = writable(schema, address.table)?;
            Work::Delete(address.partitioned(table, options.partition.as_deref()))
        }
        ("PUT", Resource::Column(address, column)) => {
            let table = writable(schema, address.table)?;
            let cell = environment.reader(table).value(call.body, column)?;
            Work::Column(address, column, cell)
        }
        ("DELETE", Resource::Column(address, column)) => {
            writable(schema, address.table)?;
            Work::Column(address, column, Cell::Null)
        }
        ("PUT", Resource::Reference(address, column, targets)) => {
            let table = writable(schema, address.table)?;
            let text = reference_text(call.body)?;
            let link = environment.reader(table).link(column, &targets, &text)?;
            Work::Reference(address, column, link)
        }
        ("DELETE", Resource::Reference(address, column, targets)) => {
            writable(schema, address.table)?;
            Work::Reference(address, column, Link::Null(targets))
        }
        ("POST", Resource::References(address, collection, None)) => {
            let reader = environment.reader(writable(schema, address.table)?);
            let member = Member::new(reader, collection, &reference_text(call.body)?)?;
            Work::Associate(address, collection, member)
        }
        ("DELETE", Resource::References(address, collection, member)) => {
            let reader = environment.reader(writable(schema, address.table)?);
            let member = match (member, &options.id) {
                (Some(member), _) => member,
                (None, Some(id)) => reader.member(collection, id)?,
                (None, None) => return Err(Refusal::odata("The reference to remove needs $id.")),
            };
            Work::Disassociate(address, collection, member)
        }
        (_, Resource::Function(..)) => return Err(Refusal::no_resource(&call.target)),
        (_, Resource::Definitions(_)) => {
            return Err(Refusal::unsupported("changes of metadata in a changeset"));
        }
        (method, _) => return Err(Refusal::method(method)),
    };
    Ok(Prepared {
        work,
        condition: call.condition()?,
        prefer: call.prefer()?,
        options,
        named: call.split().0.trim_end_matches('/').to_owned(),
    })
}

fn writable(schema: &Schema, table: usize) -> Result<&Table, Refusal> {
    let table = &schema.tables[table];
    if table.sealed() { Err(Refusal::method("POST")) } else { Ok(table) }
}

/// `{"@odata.id":"..."}`.
fn reference_text(body: &[u8]) -> Result<String, Refusal> {
    #[derive(serde::Deserialize)]
    struct Reference {
        #[serde(rename = "@odata.id")]
        id: String,
    }
    let reference: Reference =
        serde_json::from_slice(body).map_err(|error| Refusal::malformed(&error))?;
    Ok(reference.id)
}

impl Prepared<'_> {
    /// Applies the write; on a refusal the caller drops the transaction.
    /// The second value is the record that a Content-ID stands for.
    pub(crate) fn apply(
        self,
        environment: &Environment,
        scene: &Scene,
        transaction: &mut Transaction<'_>,
        contents: Option<&Contents>,
    ) -> Result<(Reply, Option<Address>), Refusal> {
        // A deletion does not tell the session token (*Use elastic tables*).
        let token = !self.work.deletes() && environment.schema.tables[self.work.table()].elastic;
        let (mut reply, address) = self.carried_out(environment, scene, transaction, contents)?;
        if token {
            let version = transaction.store().version();
            reply = reply.with("x-ms-session-token", format!("240:8#{version}#7=-1"));
        }
        Ok((reply, address))
    }

    fn carried_out(
        self,
        environment: &Environment,
        scene: &Scene,
        transaction: &mut Transaction<'_>,
        contents: Option<&Contents>,
    ) -> Result<(Reply, Option<Address>), Refusal> {
        let bulk = matches!(self.work, Work::Bulk(_));
        let slots =
            (bulk && !environment.behavior.references_within_payload).then(|| transaction.slots());
        let writer = Writer { environment, scene, contents, frozen: slots.as_deref() };
        let Prepared { work, condition, prefer, mut options, named } = self;
        let (table, id, created, named) = match work {
            Work::Bulk(work) => {
                return Ok((bulk::apply(&writer, transaction, work, &prefer)?, None));
            }
            Work::Delete(address) => {
                let slot = writer.find(transaction, &address)?;
                writer.check(transaction, address.table, slot, &condition)?;
                writer.delete(transaction, address.table, slot)?;
                return Ok((Reply::empty(204).counting(1), None));
            }
            Work::Column(address, column, cell) => {
                let slot = writer.find(transaction, &address)?;
                writer.check(transaction, address.table, slot, &condition)?;
                let draft = Draft { cells: vec![(column, cell)], ..Draft::default() };
                writer.set_column(transaction, address.table, slot, draft)?;
                return Ok((Reply::empty(204).counting(1), None));
            }
            Work::Reference(address, column, link) => {
                let slot = writer.find(transaction, &address)?;
                writer.check(transaction, address.table, slot, &condition)?;
                let draft = Draft { links: vec![(column, link)], ..Draft::default() };
                writer.update(transaction, address.table, slot, draft)?;
                return Ok((Reply::empty(204).counting(1), None));
            }
            Work::Associate(address, collection, member) => {
                let slot = writer.find(transaction, &address)?;
                let member = writer.member(member)?;
                writer.associate(transaction, address.table, slot, collection, &member)?;
                return Ok((Reply::empty(204).counting(1), None));
            }
            Work::Disassociate(address, collection, member) => {
                let slot = writer.find(transaction, &address)?;
                writer.disassociate(transaction, address.table, slot, collection, &member)?;
                return Ok((Reply::empty(204).counting(1), None));
            }
            Work::Create(table, draft) => {
                let id = writer.create(transaction, table, draft, false)?;
                (table, id, true, None)
            }
            Work::Upsert(address, draft) => {
                let (id, created) = writer.upsert(transaction, &address, draft, &condition)?;
                // *Update and delete table rows using the Web API*.
                options.expand = None;
                let named = (!matches!(address.key, Key::Id(_))).then_some(named);
                (address.table, id, created, named)
            }
        };
        let reply = answer(environment, scene, transaction, table, id, named, &prefer, &options)
            .map(|mut reply| {
                if prefer.representation && !created {
                    reply.status = 200;
                }
                reply.counting(1)
            })?;
        Ok((reply, Some(Address { table, key: Key::Id(id) })))
    }
}

#[expect(clippy::too_many_arguments, reason = "one call site, and no two belong together")]
fn answer(
    environment: &Environment,
    scene: &Scene,
    transaction: &Transaction<'_>,
    table: usize,
    id: Uuid,
    named: Option<String>,
    prefer: &Prefer,
    options: &Options,
) -> Result<Reply, Refusal> {
    let table = &environment.schema.tables[table];
    if prefer.representation {
        let view = View { environment, store: transaction.store(), scene };
        let rows = view.rows(table.position);
        // Of an elastic table there may be others with the same id.
        let last = transaction.last().filter(|(at, _)| *at == table.position && table.elastic);
        let row = last.map_or_else(|| rows.by_id(id), |(_, slot)| rows.row(slot));
        let row = row.ok_or_else(|| Refusal::missing(table, id))?;
        return query::representation(&view, table, row, prefer, options);
    }
    let url = match named {
        Some(named) => format!("{}{named}", scene.root),
        None => format!("{}{}({id})", scene.root, table.set),
    };
    Ok(Reply::empty(204).with("Location", url.clone()).with("OData-EntityId", url))
}
