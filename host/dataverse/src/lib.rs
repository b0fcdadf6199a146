//! The conversation with the Dataverse Web API: who speaks, how fast, in which
//! words, and what the answers mean.
//!
//! ```text
//! Client ── Pool (principals, tokens, throttles) ── Transport ── the service
//!    │        lending, throttle, pace: who, and when    │
//!  encode (Arrow cells to JSON)          reply, disposition (what it means)
//!  read (JSON to Arrow cells)            retry (when to try again)
//! ```
//!
//! Promises: a wait that the service asks for is never shortened; a write whose
//! fate is unknown is never sent again from here; each record of a call gets
//! exactly one status; no token or body is ever in an error or a log. What is
//! deliberately not here: batches, journals, retries across calls, and any
//! knowledge of a job; those are the engine's. The only crate with an HTTP
//! client.

pub mod address;
mod cancel;
mod client;
mod clock;
mod code;
mod counts;
pub mod disposition;
mod encode;
mod error;
mod headers;
mod metadata;
mod pace;
mod principal;
mod read;
mod reply;
mod retry;
mod session;
mod settings;
#[cfg(test)]
mod tests;
pub mod throttle;
mod token;
mod transport;
mod written;

pub use cancel::Cancel;
pub use client::{Client, Form, WhoAmI};
pub use clock::Clock;
pub use code::ErrorCode;
pub use counts::{PrincipalCounts, RequestCounts};
pub use disposition::{Disposition, Facts};
pub use encode::{Address, EncodeError, Field, Operation, Write, WriteBuilder};
pub use error::ClientError;
pub use read::Select;
pub use settings::{
    Bypass, Caller, ClientSettings, Credential, DopHintScope, PaceSettings, PrincipalSettings,
    RetrySettings, WriteHeaders,
};
pub use transport::{
    HttpSettings, HttpTransport, Phase, Proxy, Transport, TransportError, TransportFault,
};
pub use written::{Doubt, NotNow, Refusal, Status, Written};
