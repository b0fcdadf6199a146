//! `CreateMultiple`, `UpdateMultiple`, `UpsertMultiple`: one transaction each,
//! and each with its own rule about repeated records
//! (*Use bulk operation messages*).

mod elastic;

use std::collections::HashSet;

use serde_json::json;
use uuid::Uuid;

use crate::body::Draft;
use crate::call::{Address, Condition, Key, Prefer};
use crate::environment::Environment;
use crate::refusal::{Name, Refusal};
use crate::reply::Reply;
use crate::schema::Table;
use crate::settings::IdOrder;
use crate::store::{Quick, Transaction};
use crate::write::Writer;

impl Work<'_> {
    pub(crate) fn table(&self) -> usize {
        self.table
    }

    pub(crate) fn deletes(&self) -> bool {
        self.action == Action::Delete
    }
}

/// A bulk message with its targets.
#[derive(Debug)]
pub(crate) struct Work<'b> {
    table: usize,
    action: Action,
    drafts: Vec<Draft<'b>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Create,
    Update,
    Upsert,
    /// Elastic tables only.
    Delete,
}

pub(crate) fn prepare<'b>(
    environment: &Environment,
    table: &Table,
    action: &str,
    body: &'b [u8],
) -> Result<Work<'b>, Refusal> {
    let parsed = match action {
        "CreateMultiple" => Action::Create,
        "UpdateMultiple" => Action::Update,
        "UpsertMultiple" => Action::Upsert,
        "DeleteMultiple" if table.elastic => Action::Delete,
        "DeleteMultiple" => {
            let message = "DeleteMultiple has not yet been implemented.";
            return Err(Refusal::named(Name::NoDeleteMultiple, message));
        }
        _ => return Err(Refusal::no_segment(&format!("Microsoft.Dynamics.CRM.{action}"))),
    };
    if !table.bulk {
        return Err(Refusal::no_segment(&format!("Microsoft.Dynamics.CRM.{action}")));
    }
    let drafts = environment.reader(table).targets(body)?;
    if drafts.is_empty() {
        return Err(Refusal::invalid_argument("The parameter 'Targets' holds no records."));
    }
    if drafts.iter().any(|draft| !draft.typed) {
        let refusal = Refusal::payload(
            "A record in 'Targets' has no '@odata.type', which the abstract type \
             'Microsoft.Dynamics.CRM.crmbaseentity' needs.",
        );
        return Err(refusal.renamed(Name::UntypedTarget));
    }
    Ok(Work { table: table.position, action: parsed, drafts })
}

pub(crate) fn apply(
    writer: &Writer<'_>,
    tx: &mut Transaction<'_>,
    work: Work<'_>,
    prefer: &Prefer,
) -> Result<Reply, Refusal> {
    let table = &writer.environment.schema.tables[work.table];
    if table.elastic {
        return Ok(elastic::apply(writer, tx, table, work, prefer));
    }
    let records = work.drafts.len();
    let reply = match work.action {
        Action::Create => {
            let mut ids = Vec::with_capacity(records);
            for draft in work.drafts {
                ids.push(writer.create(tx, work.table, draft, true)?);
            }
            created(writer, ids)
        }
        Action::Update => {
            update(writer, tx, work.table, work.drafts)?;
            Reply::empty(204)
        }
        Action::Upsert => {
            upsert(writer, tx, work.table, work.drafts)?;
            Reply::empty(204)
        }
        Action::Delete => Reply::empty(204),
    };
    Ok(reply.counting(records))
}

fn created(writer: &Writer<'_>, mut ids: Vec<Uuid>) -> Reply {
    if writer.environment.behavior.create_multiple_ids == IdOrder::Reversed {
        ids.reverse();
    }
    let root = &writer.scene.root;
    let context = format!("{root}$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse");
    Reply::value(200, &json!({"@odata.context": context, "Ids": ids}))
}

/// By primary key only; of a repeated id the first counts, the others are
/// skipped silently.
fn update(
    writer: &Writer<'_>,
    tx: &mut Transaction<'_>,
    table: usize,
    drafts: Vec<Draft<'_>>,
) -> Result<(), Refusal> {
    let definition = &writer.environment.schema.tables[table];
    let mut missing = Vec::new();
    let mut seen: HashSet<Uuid, Quick> = HashSet::default();
    let mut found = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let by_id = match &draft.address {
            None => draft.id,
            Some(Address { key: Key::Id(id), .. }) => Some(*id),
            Some(_) => {
                return Err(Refusal::invalid_argument(
                    "UpdateMultiple does not support alternate keys.",
                ));
            }
        };
        let Some(id) = by_id else {
            return Err(Refusal::invalid_argument(format!(
                "A record in 'Targets' has no '{}'.",
                definition.id_name()
            )));
        };
        if !seen.insert(id) {
            continue;
        }
        match tx.rows(table).slot_of(id) {
            Some(slot) => found.push((slot, draft)),
            None => missing.push(id),
        }
    }
    if !missing.is_empty() {
        return Err(Refusal::missing_many(definition, &missing));
    }
    for (slot, draft) in found {
        writer.update(tx, table, slot, draft)?;
    }
    Ok(())
}

/// By `@odata.id` or by primary key; a target with neither is created. Repeated
/// records are an error.
fn upsert(
    writer: &Writer<'_>,
    tx: &mut Transaction<'_>,
    table: usize,
    drafts: Vec<Draft<'_>>,
) -> Result<(), Refusal> {
    let definition = &writer.environment.schema.tables[table];
    let mut written: HashSet<Uuid, Quick> = HashSet::default();
    for mut draft in drafts {
        let address =
            draft.address.take().or_else(|| draft.id.map(|id| Address { table, key: Key::Id(id) }));
        let id = match address {
            None => writer.create(tx, table, draft, true)?,
            Some(address) => {
                let trap = writer.environment.behavior.upsert_multiple_refuses_keys_in_body
                    && repeats_key(definition, &address, &draft)
                    && writer.find(tx, &address).is_err();
                if trap {
                    let message = "An unexpected error occurred.";
                    return Err(Refusal::named(Name::UpsertKeyInBody, message));
                }
                writer.upsert(tx, &address, draft, &Condition::Always)?.0
            }
        };
        if !written.insert(id) {
            return Err(Refusal::named(
                Name::RepeatedTarget,
                "Cannot insert duplicate key. The Targets hold a record more than once.",
            ));
        }
    }
    Ok(())
}

/// Whether the body repeats a column of the key that stands in `@odata.id`.
fn repeats_key(table: &Table, address: &Address, draft: &Draft<'_>) -> bool {
    let key = address.key.columns(table);
    draft.cells.iter().any(|(column, _)| key.contains(column))
        || draft.links.iter().any(|(column, _)| key.contains(column))
}
