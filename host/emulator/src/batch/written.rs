//! The reply to a batch as `multipart/mixed`.

use http::StatusCode;
use uuid::Uuid;

use crate::reply::{JSON, Reply};
use crate::seed;

/// A multipart body while it is written.
pub(super) struct Written {
    boundary: String,
    body: Vec<u8>,
}

impl Written {
    pub(super) fn new(prefix: &str, id: Uuid) -> Self {
        Self { boundary: format!("{prefix}_{id}"), body: Vec::new() }
    }

    /// One operation's reply.
    pub(super) fn operation(&mut self, reply: &Reply, content_id: Option<&str>) {
        let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
        self.line(&format!("--{}", self.boundary));
        self.line("Content-Type: application/http");
        self.line("Content-Transfer-Encoding: binary");
        if let Some(id) = content_id {
            self.line(&format!("Content-ID: {id}"));
        }
        self.line("");
        let reason = status.canonical_reason().unwrap_or_default();
        self.line(&format!("HTTP/1.1 {} {reason}", reply.status));
        if reply.failed() {
            let id = seed::id(&format!("error/{}/{}", self.boundary, self.body.len()));
            self.line(&format!("REQ_ID: {id}"));
        }
        if let Some(content_type) = &reply.content_type {
            let streaming = reply.status == 200 && content_type == JSON;
            let more = if streaming { "; odata.streaming=true" } else { "" };
            self.line(&format!("Content-Type: {content_type}{more}"));
        }
        self.line("OData-Version: 4.0");
        for (name, value) in &reply.headers {
            self.line(&format!("{name}: {value}"));
        }
        self.line("");
        self.body.extend_from_slice(&reply.body);
        self.line("");
    }

    /// The replies of a changeset.
    pub(super) fn changeset(&mut self, inner: Written) {
        let (content_type, body) = inner.finish();
        self.line(&format!("--{}", self.boundary));
        self.line(&format!("Content-Type: {content_type}"));
        self.line("");
        self.body.extend_from_slice(&body);
    }

    /// Content type and body.
    pub(super) fn finish(mut self) -> (String, Vec<u8>) {
        self.line(&format!("--{}--", self.boundary));
        (format!("multipart/mixed; boundary={}", self.boundary), self.body)
    }

    fn line(&mut self, line: &str) {
        self.body.extend_from_slice(line.as_bytes());
        self.body.extend_from_slice(b"\r\n");
    }
}
