//! A batch as operations and changesets.

use std::collections::HashSet;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::multipart::{boundary, line, not_readable, parts};
use crate::call::Call;
use crate::recorder::class;
use crate::refusal::{Name, Refusal};

/// A part of a batch.
#[derive(Debug)]
pub(super) enum Part<'b> {
    Operation(Operation<'b>),
    Changeset(Vec<Operation<'b>>),
}

/// A request within a batch.
#[derive(Debug)]
pub(super) struct Operation<'b> {
    pub(super) content_id: Option<String>,
    pub(super) method: Method,
    pub(super) url: String,
    headers: HeaderMap,
    pub(super) body: &'b [u8],
}

impl<'b> Operation<'b> {
    pub(super) fn call(&self, target: String) -> Call<'_> {
        Call { method: self.method.clone(), target, headers: &self.headers, body: self.body }
    }

    /// The URL's path class, for counts.
    pub(super) fn noted(&self) -> String {
        let at = self.url.find("/api/data/v").map_or(0, |at| at + "/api/data/v".len());
        let behind = &self.url[at..];
        let behind = if at > 0 { behind.split_once('/').map_or("", |(_, b)| b) } else { behind };
        class(behind)
    }
}

/// Reads a whole batch.
pub(super) fn parse<'b>(
    content_type: &str,
    body: &'b [u8],
    operations_max: usize,
) -> Result<Vec<Part<'b>>, Refusal> {
    let boundary = boundary(content_type).ok_or_else(|| {
        Refusal::payload(format!(
            "The content type '{content_type}' of a batch request is not 'multipart/mixed' with a \
             boundary."
        ))
    })?;
    let mut all = Vec::new();
    let mut ids = HashSet::new();
    let mut operations = 0;
    for content in parts(body, boundary, true)? {
        let part = part(content, operations_max, &mut ids)?;
        operations += match &part {
            Part::Operation(_) => 1,
            Part::Changeset(list) => list.len(),
        };
        if operations > operations_max {
            return Err(Refusal::named(
                Name::TooManyOperations,
                format!(
                    "The current batch message contains too many parts. Only batch messages with \
                     a maximum number of '{operations_max}' query operations, including changeset \
                     operations, are allowed."
                ),
            ));
        }
        all.push(part);
    }
    Ok(all)
}

fn part<'b>(
    content: &'b [u8],
    operations_max: usize,
    ids: &mut HashSet<String>,
) -> Result<Part<'b>, Refusal> {
    let mut rest = content;
    let headers = headers(&mut rest)?;
    let content_type = text(&headers, "content-type");
    let Some(inner) = boundary(content_type) else {
        return operation(&headers, rest).map(Part::Operation);
    };
    let mut list = Vec::new();
    for content in parts(rest, inner, false)? {
        if list.len() == operations_max {
            return Err(Refusal::named(
                Name::TooManyOperations,
                format!(
                    "The current change set contains too many operations. A maximum number of \
                     '{operations_max}' operations are allowed in a change set."
                ),
            ));
        }
        let mut rest = content;
        let headers = self::headers(&mut rest)?;
        let operation = operation(&headers, rest)?;
        if operation.method == Method::GET {
            return Err(Refusal::payload(
                "An invalid HTTP method 'GET' was detected for a request in a change set. \
                 Requests in change sets only support the HTTP methods 'POST', 'PUT', 'DELETE', \
                 and 'PATCH'.",
            ));
        }
        let Some(id) = operation.content_id.clone() else {
            return Err(Refusal::payload(
                "The header with name 'Content-ID' was not present in the header collection of \
                 the batch operation.",
            ));
        };
        if !ids.insert(id.clone()) {
            return Err(Refusal::payload(format!(
                "The content ID '{id}' was found more than once in the same change set or same \
                 batch request. Content IDs have to be unique across all operations of a change \
                 set."
            )));
        }
        list.push(operation);
    }
    Ok(Part::Changeset(list))
}

fn operation<'b>(part: &HeaderMap, content: &'b [u8]) -> Result<Operation<'b>, Refusal> {
    let content_type = text(part, "content-type");
    if !content_type.trim().eq_ignore_ascii_case("application/http") {
        return Err(Refusal::payload(format!(
            "The content type '{content_type}' of a batch part is not 'application/http'."
        )));
    }
    if !text(part, "content-transfer-encoding").trim().eq_ignore_ascii_case("binary") {
        return Err(Refusal::payload(
            "A batch part needs the header 'Content-Transfer-Encoding: binary'.",
        ));
    }
    let mut rest = content;
    let request = line(&mut rest)?;
    // Between the first blank and the last, as the OData reader has it: Microsoft's
    // Python client leaves blanks in a filter as they are.
    let words = request.split_once(' ').and_then(|(method, rest)| {
        let (url, version) = rest.rsplit_once(' ')?;
        Some((method, url, version))
    });
    let Some((method, url, "HTTP/1.1")) =
        words.filter(|(_, url, _)| !url.is_empty() && url.trim() == *url)
    else {
        return Err(Refusal::payload(format!(
            "Invalid batch request line '{}'.",
            crate::refusal::shortened(request)
        )));
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| not_readable())?;
    let headers = headers(&mut rest)?;
    let content_id = part.get("content-id").or_else(|| headers.get("content-id"));
    let content_id = content_id.and_then(|id| id.to_str().ok()).map(|id| id.trim().to_owned());
    Ok(Operation { content_id, method, url: url.to_owned(), headers, body: rest })
}

/// Header lines up to the blank one.
fn headers(rest: &mut &[u8]) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    loop {
        // The blank line may be the one before the next delimiter.
        let line = if rest.is_empty() { "" } else { line(rest)? };
        if line.is_empty() {
            return Ok(headers);
        }
        let invalid = || {
            Refusal::payload(format!(
                "Invalid header '{}' in a batch.",
                crate::refusal::shortened(line)
            ))
        };
        let (name, value) = line.split_once(':').ok_or_else(invalid)?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| invalid())?;
        let value = HeaderValue::from_str(value.trim()).map_err(|_| invalid())?;
        headers.append(name, value);
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
