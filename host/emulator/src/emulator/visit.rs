//! What is known of a request on its way through, and what becomes of its reply.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::Cut;
use super::wire::whole_seconds;
use crate::clock::Moment;
use crate::limits::Remaining;
use crate::operation::Operation;
use crate::principals::Entrance;

/// A request on its way through.
pub(super) struct Visit<'r> {
    pub(super) parts: &'r http::request::Parts,
    pub(super) body: &'r [u8],
    /// Path and query.
    pub(super) target: &'r str,
    pub(super) authority: String,
    pub(super) secure: bool,
    /// The client's clock.
    pub(super) now: Duration,
    pub(super) moment: Moment,
    pub(super) number: u64,
    pub(super) operation: Operation,
    pub(super) server: usize,
    pub(super) by_cookie: bool,
    /// Empty until somebody has signed in.
    pub(super) principal: String,
    /// Of the service's time.
    pub(super) delay: Duration,
    pub(super) cut: Option<Cut>,
    pub(super) remaining: Option<Remaining>,
    pub(super) refused_by: Option<&'static str>,
    pub(super) fault: Option<&'static str>,
    /// Headers on command.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Visit<'_> {
    pub(super) fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    pub(super) fn entrance(&self) -> Entrance<'_> {
        Entrance { scheme: self.scheme(), authority: &self.authority, moment: self.moment }
    }

    pub(super) fn seconds(&self) -> i64 {
        whole_seconds(self.now)
    }
}
