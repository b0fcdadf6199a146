//! `$batch`: operations in order, changesets all or nothing.
//!
//! The whole body is read before anything is carried out: a batch that cannot
//! be read is refused with plain JSON and changes nothing. Stops at the first
//! failure and takes its status, unless `odata.continue-on-error` is preferred.

mod grammar;
mod multipart;
mod written;

use http::Method;
use uuid::Uuid;

use crate::call::{Address, Call, Key, Scene, resource};
use crate::emulator::{Emulator, commit, service};
use crate::environment::Environment;
use crate::refusal::{Name, Refusal};
use crate::reply::Reply;
use crate::seed;
use crate::store::Transaction;
use crate::write::{self, Contents};
use grammar::{Operation, Part};
use written::Written;

/// Longest URL of an operation.
const URL_MAX: usize = 65_536;

/// Carries out a batch; the second value is the number of its operations.
pub(crate) fn run(emulator: &Emulator, scene: &Scene, call: &Call<'_>) -> (Reply, u64) {
    if call.method != Method::POST {
        return (emulator.refused(Refusal::method(call.method.as_str())), 0);
    }
    let behavior = emulator.environment().behavior.clone();
    let max = behavior.batch_operations_max;
    let content_type = call.header("content-type").unwrap_or_default();
    let parts = grammar::parse(content_type, call.body, max);
    let (parts, prefer) = match parts.and_then(|parts| Ok((parts, call.prefer()?))) {
        Ok(read) => read,
        Err(refusal) => return (emulator.refused(refusal), 0),
    };
    let mut operations = 0;
    let mut records = 0;
    let mut written = Written::new("batchresponse", boundary(emulator));
    let mut status = 200;
    for part in parts {
        let failed = match part {
            Part::Operation(operation) => {
                operations += 1;
                let reply = single(emulator, scene, &operation);
                records += reply.records;
                written.operation(&reply, None);
                reply.failed().then_some(reply.status)
            }
            Part::Changeset(list) => {
                operations += u64::try_from(list.len()).unwrap_or(0);
                match changeset(emulator, scene, list) {
                    Ok(replies) => {
                        let mut inner = Written::new("changesetresponse", boundary(emulator));
                        for (id, reply) in &replies {
                            records += reply.records;
                            inner.operation(reply, Some(id));
                        }
                        written.changeset(inner);
                        None
                    }
                    Err((id, reply)) => {
                        if behavior.changeset_error_in_multipart {
                            let mut inner = Written::new("changesetresponse", boundary(emulator));
                            inner.operation(&reply, Some(&id));
                            written.changeset(inner);
                        } else {
                            written.operation(&reply, None);
                        }
                        Some(reply.status)
                    }
                }
            }
        };
        if let (Some(failed), false) = (failed, prefer.continue_on_error) {
            status = failed;
            break;
        }
    }
    let (content_type, body) = written.finish();
    let mut reply = Reply::text(status, &content_type, body);
    reply.records = records;
    (reply, operations)
}

fn boundary(emulator: &Emulator) -> Uuid {
    let number = emulator.recorder().next_id();
    seed::id(&format!("boundary/{number}"))
}

/// What stands behind the service root in an operation's URL.
fn target(emulator: &Emulator, url: &str) -> Result<String, Refusal> {
    if url.len() > URL_MAX {
        return Err(Refusal::named(Name::UrlTooLong, "The request URL is too long."));
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    };
    if let Some((_, target)) = service(path) {
        return Ok(target.to_owned());
    }
    let relative = !path.starts_with('/') && !url.contains("://");
    if relative && emulator.environment().behavior.relative_urls_in_batch {
        return Ok(url.to_owned());
    }
    Err(Refusal::no_resource(url))
}

fn single(emulator: &Emulator, scene: &Scene, operation: &Operation<'_>) -> Reply {
    let attempt = || -> Result<Reply, Refusal> {
        let target = target(emulator, &operation.url)?;
        let call = operation.call(target);
        if call.split().0 == "$batch" {
            return Err(Refusal::payload("A batch request cannot stand within a batch request."));
        }
        emulator.operate(scene, &call)
    };
    let reply = attempt().unwrap_or_else(|refusal| emulator.refused(refusal));
    let target = target(emulator, &operation.url).unwrap_or_else(|_| operation.url.clone());
    emulator.note(scene.request, &operation.method, &target, operation.body, &reply, true);
    reply
}

/// All replies with their Content-IDs, or the one that failed: then nothing of
/// the changeset has happened.
fn changeset(
    emulator: &Emulator,
    scene: &Scene,
    operations: Vec<Operation<'_>>,
) -> Result<Vec<(String, Reply)>, (String, Reply)> {
    let mut contents = Contents::new();
    let mut replies = Vec::new();
    if let Err(refusal) = emulator.expire(scene.now) {
        return Err((String::new(), refusal.into()));
    }
    let mut store = emulator.write_store();
    let environment = emulator.environment();
    let mut transaction = Transaction::begin(&mut store);
    for operation in &operations {
        let id = operation.content_id.clone().unwrap_or_default();
        let step = |transaction: &mut Transaction<'_>| -> Result<_, Refusal> {
            let target = referenced(emulator, &environment, &operation.url, &contents)?;
            let call = operation.call(target);
            let resource = resource(&environment.schema, environment.path(call.split().0)?)?;
            let prepared = write::prepare(&environment, &call, resource)?;
            prepared.apply(&environment, scene, transaction, Some(&contents))
        };
        match step(&mut transaction) {
            Ok((reply, address)) => {
                if let Some(address) = address {
                    contents.insert(id.clone(), address);
                }
                replies.push((id, reply));
            }
            Err(refusal) => {
                let reply = emulator.refused(refusal);
                noted(emulator, scene, operation, &reply);
                return Err((id, reply));
            }
        }
    }
    if let Err(refusal) = commit(transaction) {
        return Err((String::new(), refusal.into()));
    }
    drop(store);
    for (operation, (_, reply)) in operations.iter().zip(&replies) {
        noted(emulator, scene, operation, reply);
    }
    Ok(replies)
}

fn noted(emulator: &Emulator, scene: &Scene, operation: &Operation<'_>, reply: &Reply) {
    let (method, target) = (&operation.method, operation.noted());
    emulator.note(scene.request, method, &target, operation.body, reply, true);
}

/// `$1/lastname` with the address of the record that `1` wrote.
fn referenced(
    emulator: &Emulator,
    environment: &Environment,
    url: &str,
    contents: &Contents,
) -> Result<String, Refusal> {
    let Some(reference) = url.strip_prefix('$') else { return target(emulator, url) };
    let end = reference.find(['/', '?']).unwrap_or(reference.len());
    let (id, rest) = reference.split_at(end);
    match contents.get(id) {
        Some(Address { table, key: Key::Id(record) }) => {
            let set = &environment.schema.tables[*table].set;
            Ok(format!("{set}({record}){rest}"))
        }
        _ => Err(Refusal::no_content(id)),
    }
}
