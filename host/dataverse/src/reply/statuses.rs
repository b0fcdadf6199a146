//! One status per record, from the reply to a write.
//!
//! A reply that does not account for every record is not believed: the error
//! says what is wrong with it, and the write is in doubt.

use serde::Deserialize;
use uuid::Uuid;

use super::{Problem, Reply, multipart, problem};
use crate::disposition::{Facts, judge};
use crate::encode::{Operation, Write};
use crate::transport::Phase;
use crate::written::{Refusal, Status};

#[derive(Deserialize)]
struct CreateMultipleResponse {
    #[serde(rename = "Ids")]
    ids: Vec<Uuid>,
}

/// Reads the reply to a bulk message that was answered with a 2xx.
pub(crate) fn bulk(write: &Write, reply: &Reply) -> Result<Vec<Status>, String> {
    let body = reply.body.trim_ascii();
    if write.operation() != Operation::Create {
        // 204 and nothing; a page for people with status 200 is not a yes.
        if !body.is_empty() && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err() {
            return Err(format!(
                "status {} with {} bytes that are no JSON",
                reply.status.as_u16(),
                body.len()
            ));
        }
        let created = (write.operation() == Operation::Update).then_some(false);
        return Ok(write.ids().map(|id| Status::Landed { created, id }).collect());
    }
    let response: CreateMultipleResponse = serde_json::from_slice(body)
        .map_err(|error| format!("no list of `Ids` in {} bytes: {error}", body.len()))?;
    if response.ids.len() != write.len() {
        return Err(format!("{} ids for {} records", response.ids.len(), write.len()));
    }
    // Our ids are the truth where the service took them; that its list is in
    // the order of the records is not promised anywhere.
    let ours: Option<Vec<Uuid>> = write.ids().collect();
    let ids = match ours {
        Some(ours) if same_ids(&ours, &response.ids) => ours,
        _ => response.ids,
    };
    Ok(ids.into_iter().map(|id| Status::Landed { created: Some(true), id: Some(id) }).collect())
}

fn same_ids(ours: &[Uuid], theirs: &[Uuid]) -> bool {
    if ours == theirs {
        return true;
    }
    let sorted = |ids: &[Uuid]| {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids
    };
    sorted(ours) == sorted(theirs)
}

/// Reads the multipart reply to a `$batch`, whatever its status.
pub(crate) fn batch(
    write: &Write,
    reply: &Reply,
    boundary: &str,
    continue_on_error: bool,
    attempt: u32,
) -> Result<Vec<Status>, String> {
    let found = multipart::parts(&reply.body, boundary)
        .ok_or_else(|| format!("{} bytes that are no batch reply", reply.body.len()))?;
    if !found.closed {
        return Err(format!(
            "the batch reply ends after {} of {} parts",
            found.parts.len(),
            write.len()
        ));
    }
    if found.parts.len() > write.len() {
        return Err(format!("{} parts for {} records", found.parts.len(), write.len()));
    }
    // No more parts than records, checked above: each part is of one record.
    let mut statuses: Vec<Status> = write
        .ids()
        .zip(&found.parts)
        .map(|(id, part)| status(write.operation(), id, part, attempt))
        .collect();
    let stopped = !continue_on_error && matches!(statuses.last(), Some(Status::Refused(_)));
    if statuses.len() < write.len() && !stopped {
        return Err(format!("{} parts for {} records", statuses.len(), write.len()));
    }
    statuses.resize(write.len(), Status::NotAttempted);
    Ok(statuses)
}

fn status(operation: Operation, id: Option<Uuid>, part: &multipart::Part, attempt: u32) -> Status {
    if (200..300).contains(&part.status) {
        let created = match (operation, part.status) {
            (Operation::Create, _) | (_, 201) => Some(true),
            (Operation::Update, _) | (_, 200) => Some(false),
            _ => None,
        };
        let told = part.header("odata-entityid").or_else(|| part.header("location"));
        return Status::Landed { created, id: id.or_else(|| told.and_then(id_of_url)) };
    }
    let problem = problem(&part.body);
    let request_id = ["x-ms-service-request-id", "req_id", "x-ms-request-id"]
        .iter()
        .find_map(|name| part.header(name))
        .map(str::to_owned);
    let facts = facts(part.status, &problem, Some(operation), 1, attempt);
    Status::Refused(refusal(&facts, problem, request_id))
}

/// The facts of a reply that was read whole.
pub(crate) fn facts(
    status: u16,
    problem: &Problem,
    operation: Option<Operation>,
    records: usize,
    attempt: u32,
) -> Facts {
    Facts {
        phase: Phase::Replied,
        status,
        code: problem.code,
        sql_number: problem.sql_number,
        operation,
        records,
        attempt,
    }
}

/// A refusal with what it calls for.
pub(crate) fn refusal(facts: &Facts, problem: Problem, request_id: Option<String>) -> Refusal {
    let (disposition, reason) = judge(facts);
    let message = if problem.message.is_empty() { reason.to_owned() } else { problem.message };
    Refusal { status: facts.status, code: facts.code, message, disposition, request_id }
}

/// The id in `https://.../accounts(7f1c...)`; `None` for an address by key.
fn id_of_url(url: &str) -> Option<Uuid> {
    let inner = url.strip_suffix(')')?;
    let (_, inner) = inner.rsplit_once('(')?;
    Uuid::try_parse(inner).ok()
}
