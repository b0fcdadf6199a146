//! Sending records.

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method};

use super::{Form, Shared};
use crate::counts::count;
use crate::disposition::Disposition;
use crate::encode::{BatchBody, Operation, Write};
use crate::error::ClientError;
use crate::reply::{self, Reply, statuses};
use crate::session::{Answer, Call};
use crate::transport::Phase;
use crate::written::{Doubt, Refusal, Written};

pub(super) async fn write(shared: &Shared, write: &Write, form: Form) -> Written {
    if write.is_empty() {
        return Written::Each(Vec::new());
    }
    let call = match call(shared, write, form) {
        Ok(call) => call,
        Err(error) => return Written::Stop(error),
    };
    match shared.session.call(&call).await {
        Answer::Reply { reply, attempt, sent_at } => decode(write, form, &reply, attempt)
            .unwrap_or_else(|message| {
                count(&shared.session.tally.failed);
                Written::InDoubt(Doubt {
                    phase: Phase::Replied,
                    status: Some(reply.status.as_u16()),
                    message: format!("the reply does not account for every record: {message}"),
                    request_id: reply::request_id(&reply.headers),
                    sent_at,
                })
            }),
        Answer::Refused(refusal) => Written::Refused(whole(refusal, form)),
        Answer::InDoubt(doubt) => Written::InDoubt(doubt),
        Answer::NotNow(not_now) => Written::NotNow(not_now),
        Answer::Stop(error) => Written::Stop(error),
    }
}

fn decode(write: &Write, form: Form, reply: &Reply, attempt: u32) -> Result<Written, String> {
    match (form, reply.boundary()) {
        (Form::Batch { continue_on_error }, Some(boundary)) => {
            statuses::batch(write, reply, &boundary, continue_on_error, attempt).map(Written::Each)
        }
        (Form::Batch { .. }, None) => {
            Err(format!("status {} and no multipart body", reply.status.as_u16()))
        }
        (Form::Bulk, None) => statuses::bulk(write, reply).map(Written::Each),
        (Form::Bulk, Some(_)) => Err("a multipart body for a bulk message".to_owned()),
    }
}

/// A batch that is refused as a whole has no record at fault that narrowing by
/// another batch could find: it is the batch that is too large or malformed.
fn whole(refusal: Refusal, form: Form) -> Refusal {
    match (form, refusal.disposition) {
        (Form::Batch { .. }, Disposition::Narrow) => {
            Refusal { disposition: Disposition::Halve, ..refusal }
        }
        _ => refusal,
    }
}

fn call(shared: &Shared, write: &Write, form: Form) -> Result<Call, ClientError> {
    let entity = write.entity();
    let root = shared.session.origin.root();
    let suffix = &shared.headers.url_suffix;
    let (target, headers, body): (String, HeaderMap, Bytes) = match form {
        Form::Bulk => {
            if write.operation() == Operation::Update && write.has_keys() {
                return Err(ClientError::UnusableColumn {
                    entity: entity.logical_name.clone(),
                    column: entity.primary_id.clone(),
                    problem: "is missing from a record: UpdateMultiple takes no alternate keys"
                        .to_owned(),
                });
            }
            let message = write.operation().bulk_message();
            let set = &entity.entity_set;
            (
                format!("{root}{set}/Microsoft.Dynamics.CRM.{message}{suffix}"),
                headers(shared, "application/json")?,
                write.bulk_body(),
            )
        }
        Form::Batch { continue_on_error } => {
            let mut body = BatchBody::new();
            let absolute = if shared.session.settings.batch_absolute_urls {
                shared.session.origin.as_str()
            } else {
                ""
            };
            let within = shared.headers.borrowed();
            body.operations(write, &format!("{absolute}{root}"), suffix, &within);
            let mut headers = headers(shared, &body.content_type())?;
            if continue_on_error {
                headers.insert(
                    HeaderName::from_static("prefer"),
                    HeaderValue::from_static("odata.continue-on-error"),
                );
            }
            (format!("{root}$batch"), headers, body.finish().into())
        }
    };
    Ok(Call {
        what: format!("the write of {} records of `{}`", write.len(), entity.logical_name),
        method: Method::POST,
        target,
        headers,
        body,
        operation: Some(write.operation()),
        records: write.len(),
        only: None,
    })
}

fn headers(shared: &Shared, content_type: &str) -> Result<HeaderMap, ClientError> {
    shared
        .headers
        .map(content_type)
        .map_err(|error| ClientError::Settings { setting: "headers", message: error.to_string() })
}
