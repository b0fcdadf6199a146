//! One request out, one reply in: the seam between the client and the network.
//!
//! A trait because two real implementations exist: [`HttpTransport`] over the
//! network, and the emulator's in process. An implementation sends once: it
//! never retries, never follows a redirect, keeps no cookies (the affinity
//! cookie would pin all work to one web server) and answers within `timeout`.
//! What it must say of a failure is whether the service can have seen the
//! request; in doubt it says [`Phase::Sent`].

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;

mod http;

pub use self::http::{HttpSettings, HttpTransport, Proxy};

/// Sends requests.
pub trait Transport: Send + Sync + 'static {
    /// Sends a request once and reads the whole reply. Any status is a reply.
    ///
    /// The future may be dropped at any time.
    fn send(
        &self,
        request: ::http::Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<::http::Response<Bytes>, TransportError>>;
}

/// How far a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The service cannot have seen it: certain.
    NotSent,
    /// It may have been seen, and acted upon; no reply came.
    Sent,
    /// The reply began and did not end.
    ReplyCut,
    /// The whole reply was read. Never in a [`TransportError`].
    Replied,
}

/// No whole reply came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// How far the request came.
    pub phase: Phase,
    /// What went wrong.
    pub kind: TransportFault,
    /// For people; never holds a header or a body.
    pub message: String,
}

/// What went wrong on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportFault {
    /// No connection: refused, no route, name not found.
    Connect,
    /// The time-out passed.
    Timeout,
    /// The connection broke.
    Reset,
    /// The reply is shorter than announced.
    Truncated,
    /// The certificate or the handshake was refused.
    Tls,
    /// Anything else.
    Other,
}
