//! A reply before it becomes HTTP: the same inside and outside a batch.

use serde_json::json;

use crate::refusal::Refusal;

/// Status, headers and body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
    /// Records read or written, for latency and counts.
    pub(crate) records: u64,
}

/// What the service says of its JSON.
pub(crate) const JSON: &str = "application/json; odata.metadata=minimal";

impl Reply {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn json(status: u16, body: Vec<u8>) -> Self {
        Self { status, content_type: Some(JSON.to_owned()), body, ..Self::default() }
    }

    pub(crate) fn value(status: u16, value: &serde_json::Value) -> Self {
        Self::json(status, value.to_string().into_bytes())
    }

    pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type: Some(content_type.to_owned()),
            body: body.into(),
            ..Self::default()
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn counting(mut self, records: usize) -> Self {
        self.records = u64::try_from(records).unwrap_or(u64::MAX);
        self
    }

    pub(crate) fn failed(&self) -> bool {
        self.status >= 400
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let mut body = json!({"error": {"code": refusal.code, "message": refusal.message}});
        for (name, value) in refusal.details {
            body["error"][name] = value.into();
        }
        let reply = Self::value(refusal.status, &body);
        match refusal.retry_after {
            None => reply,
            Some(seconds) => reply.with("Retry-After", seconds.to_string()),
        }
    }
}
