//! Between HTTP and the service: addresses in, replies out.

use bytes::Bytes;
use http::{HeaderMap, Response};

use crate::reply::Reply;

/// `v9.2` and what stands behind `/api/data/v9.2/`.
pub(crate) fn service(target: &str) -> Option<(&str, &str)> {
    let rest = target.strip_prefix("/api/data/")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let version = &rest[..end];
    let known = matches!(version, "v9.0" | "v9.1" | "v9.2");
    let behind = &rest[end..];
    known.then(|| (version, behind.strip_prefix('/').unwrap_or(behind)))
}

pub(super) fn authority(parts: &http::request::Parts) -> String {
    let host = |headers: &HeaderMap| {
        headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned)
    };
    parts
        .uri
        .authority()
        .map(|authority| authority.to_string())
        .or_else(|| host(&parts.headers))
        .unwrap_or_else(|| "localhost".to_owned())
}

pub(super) fn response(reply: Reply) -> Response<Bytes> {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(*name, value);
    }
    if let Some(content_type) = &reply.content_type {
        builder = builder.header(http::header::CONTENT_TYPE, content_type);
    }
    builder.body(Bytes::from(reply.body)).unwrap_or_else(|error| {
        tracing::error!(%error, "a reply could not be made");
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// What columns hold of a time since the UNIX epoch.
pub(crate) fn whole_seconds(now: std::time::Duration) -> i64 {
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}
