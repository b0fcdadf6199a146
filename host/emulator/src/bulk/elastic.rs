//! Bulk messages of elastic tables: no transaction, each record has an outcome of
//! its own (*Use bulk operation messages*). How the Web API shows these outcomes
//! is a switch; the SDK calls them `Plugin.BulkApiErrorDetails`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Action, Work, created};
use crate::body::Draft;
use crate::call::{Address, Condition, Key, Prefer};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::Table;
use crate::settings::BulkErrorDetails;
use crate::store::Transaction;
use crate::write::Writer;

const DETAILS: &str = "Microsoft.PowerApps.CDS.ErrorDetails.Plugin.BulkApiErrorDetails";

/// Carries out what can be; the others are told in the error.
pub(super) fn apply(
    writer: &Writer<'_>,
    tx: &mut Transaction<'_>,
    table: &Table,
    work: Work<'_>,
    prefer: &Prefer,
) -> Reply {
    let behavior = &writer.environment.behavior;
    let records = work.drafts.len();
    let (mut ids, mut failed): (Vec<Uuid>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut first: Option<Refusal> = None;
    for (index, draft) in work.drafts.into_iter().enumerate() {
        let mark = tx.mark();
        let id = draft.id;
        match one(writer, tx, table, work.action, draft) {
            Ok(id) => ids.push(id),
            Err(refusal) => {
                let refusal = refusal.coded(&behavior.codes);
                tx.undo_to(mark);
                failed.push(json!({
                    "RequestIndex": index,
                    "Id": id,
                    "StatusCode": refusal.status,
                }));
                first.get_or_insert(refusal);
            }
        }
    }
    let reply = match first {
        None if work.action == Action::Create => created(writer, ids),
        None => Reply::empty(204),
        Some(refusal) => {
            let mut error = json!({"code": refusal.code, "message": refusal.message});
            if prefer.wants(DETAILS) {
                let list = Value::Array(failed);
                error[format!("@{DETAILS}")] = match behavior.bulk_error_details {
                    BulkErrorDetails::Text => Value::String(list.to_string()),
                    BulkErrorDetails::List => list,
                };
            }
            Reply::value(refusal.status, &json!({"error": error}))
        }
    };
    reply.counting(records)
}

fn one(
    writer: &Writer<'_>,
    tx: &mut Transaction<'_>,
    table: &Table,
    action: Action,
    mut draft: Draft<'_>,
) -> Result<Uuid, Refusal> {
    if action == Action::Create {
        return writer.create(tx, table.position, draft, true);
    }
    let named = draft.address.take();
    let by_id = draft.id.map(|id| Address { table: table.position, key: Key::Id(id) });
    let Some(address) = named.or(by_id) else {
        if action == Action::Upsert {
            return writer.create(tx, table.position, draft, true);
        }
        return Err(Refusal::invalid_argument(format!(
            "A record in 'Targets' has no '{}'.",
            table.id_name()
        )));
    };
    if action == Action::Upsert {
        return writer.upsert(tx, &address, draft, &Condition::Always).map(|(id, _)| id);
    }
    if action == Action::Update {
        return writer.upsert(tx, &address, draft, &Condition::Exists).map(|(id, _)| id);
    }
    let address = writer.partition(table, &address, &mut draft);
    let slot = writer.find(tx, &address)?;
    let id = tx.rows(table.position).row(slot).map_or(Uuid::nil(), |row| row.id);
    writer.delete(tx, table.position, slot)?;
    Ok(id)
}
