//! One run: read, prepare, classify, pack, send, settle.
//!
//! ```text
//! Source -read-> Frame -prepare-> Prepared -classify-> Classified -pack-> Batch -send-> fates -settle-> Report
//! ```
//!
//! [`run()`] tells the whole story on one screen; each verb has a file of its
//! name. Promises: every row read ends in exactly one outcome; a request is in
//! the journal before it leaves; memory does not grow with the number of rows.
//! Deliberately not here: HTTP and its retries (`dvsync-dataverse`), the sandbox
//! (`dvsync-rules`), terminals and exit codes (the program).

mod blocking;
mod classify;
mod closing;
mod connect;
mod deferral;
mod error;
mod fate;
mod flight;
mod frame;
mod holds;
pub mod job;
pub mod journal;
mod keeping;
mod keys;
mod known;
mod letter_row;
mod letters;
mod nearest;
mod opening;
mod pack;
mod pending;
mod plan;
mod prepare;
mod progress;
mod read;
mod report;
mod rounds;
mod run;
mod sandbox;
mod send;
mod settle;
mod spent;
pub mod spill;
mod stop;
mod survey;
pub mod swap;
mod table;

pub use connect::client_settings;
pub use error::{Cause as ErrorCause, RunError};
pub use letters::LeftAlone;
pub use opening::RulesOnResume;
pub use plan::{Parts, Plan, make as plan};
pub use prepare::cast::Unfit;
pub use progress::{Progress, Stage};
pub use report::{Cause, PrincipalUsed, Report};
pub use run::{replay, resume, run};
pub use stop::Stop;
