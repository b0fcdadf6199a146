//! A local Dataverse that refuses what the real one refuses.
//!
//! [`Emulator::handle`] answers a request in process: no sockets, time comes
//! with the request, the same seed and the same requests give the same replies.
//! [`serve()`] puts it behind HTTP/1.1 and TLS. What the real service documents
//! is done as documented; what its documentation leaves open is a setting
//! ([`Behavior`]); what is not done is refused in words, never ignored.
//!
//! Nature: pure values and state machines, apart from the log of committed
//! changes (`store::log`), named snapshots and `serve`. Shares no code with the host crates, so
//! that a misunderstanding does not pass its own test. Not here: plug-ins,
//! roles and privileges, duplicate detection, contents of files and images.

mod admin;
mod batch;
mod body;
mod bulk;
mod bulk_delete;
mod call;
mod cell;
mod chance;
mod clock;
mod decimal;
mod emulator;
mod entra;
mod environment;
mod error;
mod faults;
mod functions;
mod instant;
mod limits;
mod metadata;
mod operation;
mod principals;
mod query;
mod recorder;
mod refusal;
mod reply;
pub mod schema;
mod seed;
mod serve;
mod servers;
mod settings;
mod store;
mod write;

pub use emulator::{Cut, Emulator, Handled, Secure, Unguarded};
pub use error::EmulatorError;
pub use faults::{Effect, FaultRule};
pub use operation::Operation;
pub use recorder::{Assertion, RequestFilter, RequestRecord, Verdict};
pub use serve::{SelfSigned, Tls, serve};
pub use servers::Spread;
pub use settings::{
    Behavior, BulkErrorDetails, Codes, Coding, CookieEncoding, CreateEntitiesReply, DeleteOwner,
    DisabledOwner, EnforcedTransitions, EntitlementSettings, FetchAllLinks, IdOrder,
    LatencySettings, Leniency, LimitSettings, Milliseconds, PrincipalSettings, RecorderSettings,
    Rounding, Settings, SpanEnds, SqlNames, TextLength, TokenSettings,
};
