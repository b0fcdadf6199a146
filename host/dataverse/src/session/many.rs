//! Many reads in few requests: GETs as the parts of `$batch`.
//!
//! The service runs them one after the other, so this saves requests, not
//! time; a part's URL may be twice as long as a request's own.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method};

use super::{Call, Session};
use crate::disposition::Disposition;
use crate::encode::BatchBody;
use crate::error::ClientError;
use crate::reply::{self, multipart, statuses};
use crate::written::Refusal;

impl Session {
    /// The bodies of these GETs, in order; a refused one does not fail the
    /// others. `targets` are from the root on; `headers` go with each.
    pub(crate) async fn read_many(
        &self,
        what: &str,
        targets: &[String],
        headers: &[(&str, &str)],
    ) -> Result<Vec<Result<Bytes, Refusal>>, ClientError> {
        let mut found: Vec<Option<Result<Bytes, Refusal>>> = vec![None; targets.len()];
        for attempt in 1.. {
            let open: Vec<usize> =
                (0..targets.len()).filter(|&position| found[position].is_none()).collect();
            if open.is_empty() {
                break;
            }
            let wanted: Vec<&String> = open.iter().map(|&position| &targets[position]).collect();
            let parts = self.batch_of_gets(what, &wanted, headers).await?;
            let mut transient = None;
            // As many parts as were wanted: `batch_of_gets` has checked.
            for (&position, part) in open.iter().zip(parts) {
                match answer(part, attempt) {
                    Err(refusal) if is_transient(&refusal) => transient = Some(refusal),
                    other => found[position] = Some(other),
                }
            }
            if let Some(refusal) = transient
                && !self.pause(attempt).await
            {
                return Err(ClientError::Refused { what: what.to_owned(), refusal });
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    async fn batch_of_gets(
        &self,
        what: &str,
        targets: &[&String],
        headers: &[(&str, &str)],
    ) -> Result<Vec<multipart::Part>, ClientError> {
        let mut body = BatchBody::new();
        let mut all = vec![("Accept", "application/json")];
        all.extend_from_slice(headers);
        for target in targets {
            body.get(target, &all);
        }
        let mut call = Call::get(what, format!("{}$batch", self.origin.root()));
        call.method = Method::POST;
        let wrong = |message: String| ClientError::Reply { what: what.to_owned(), message };
        let content_type = HeaderValue::from_str(&body.content_type())
            .map_err(|error| wrong(error.to_string()))?;
        call.headers.insert(CONTENT_TYPE, content_type);
        call.headers.insert(
            HeaderName::from_static("prefer"),
            HeaderValue::from_static("odata.continue-on-error"),
        );
        call.body = body.finish().into();
        let reply = self.read(&call).await?;
        let parts = reply
            .boundary()
            .and_then(|boundary| multipart::parts(&reply.body, &boundary))
            .ok_or_else(|| wrong(format!("{} bytes that are no batch reply", reply.body.len())))?;
        if !parts.closed || parts.parts.len() != targets.len() {
            return Err(wrong(format!("{} parts for {} reads", parts.parts.len(), targets.len())));
        }
        Ok(parts.parts)
    }
}

fn answer(part: multipart::Part, attempt: u32) -> Result<Bytes, Refusal> {
    if (200..300).contains(&part.status) {
        return Ok(part.body);
    }
    let problem = reply::problem(&part.body);
    let facts = statuses::facts(part.status, &problem, None, 0, attempt);
    let request_id = part.header("req_id").map(str::to_owned);
    Err(statuses::refusal(&facts, problem, request_id))
}

fn is_transient(refusal: &Refusal) -> bool {
    matches!(refusal.disposition, Disposition::RetryNow | Disposition::RetryAfter)
}
