//! What was created: ids, and what the bodies said. Pure.
//!
//! A record that a client sends twice, because a reply was lost or by mistake, is
//! known by its body: each record of a create is digested with its set.

use http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::operation::Operation;
use crate::reply::Reply;

/// A record that was created.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Create {
    /// Number of the request.
    pub(super) request: u64,
    pub(super) id: Uuid,
    /// Of the set and the record's body.
    pub(super) digest: u64,
}

#[derive(Deserialize)]
struct Targets<'b> {
    #[serde(borrow, rename = "Targets")]
    targets: Vec<&'b RawValue>,
}

#[derive(Deserialize)]
struct Ids {
    #[serde(rename = "Ids")]
    ids: Vec<Uuid>,
}

/// The records that an operation created; `target` is behind the service root,
/// `primary_id` gives the primary key column of a set.
pub(crate) fn created<'p>(
    request: u64,
    method: &Method,
    target: &str,
    body: &[u8],
    reply: &Reply,
    primary_id: impl Fn(&str) -> Option<&'p str>,
) -> Vec<Create> {
    if reply.failed() {
        return Vec::new();
    }
    let set = target.split(['/', '?']).next().unwrap_or_default();
    let seed = xxh3_64_with_seed(set.as_bytes(), 0);
    let create =
        |id: Uuid, body: &[u8]| Create { request, id, digest: xxh3_64_with_seed(body, seed) };
    match Operation::behind_root(method, target) {
        Operation::Create => {
            let id = id_in_header(reply).or_else(|| id_in_body(reply, primary_id(set)?));
            id.map(|id| create(id, body)).into_iter().collect()
        }
        Operation::CreateMultiple => {
            let sent: Option<Targets<'_>> = serde_json::from_slice(body).ok();
            let ids: Option<Ids> = serde_json::from_slice(&reply.body).ok();
            let (Some(sent), Some(ids)) = (sent, ids) else { return Vec::new() };
            if sent.targets.len() != ids.ids.len() {
                return Vec::new();
            }
            let pairs = ids.ids.into_iter().zip(sent.targets);
            pairs.map(|(id, body)| create(id, body.get().as_bytes())).collect()
        }
        _ => Vec::new(),
    }
}

fn id_in_header(reply: &Reply) -> Option<Uuid> {
    let (_, address) =
        reply.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("OData-EntityId"))?;
    let (_, key) = address.rsplit_once('(')?;
    Uuid::try_parse(key.strip_suffix(')')?).ok()
}

fn id_in_body(reply: &Reply, primary_id: &str) -> Option<Uuid> {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).ok()?;
    Uuid::try_parse(body.get(primary_id)?.as_str()?).ok()
}
