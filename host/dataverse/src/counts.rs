//! How many requests a client has made.

use std::sync::atomic::{AtomicU64, Ordering};

/// Requests, over all principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestCounts {
    /// Requests that left, or may have left.
    pub sent: u64,
    /// Attempts after the first of a call, throttled ones included.
    pub retried: u64,
    /// Replies with status 429.
    pub throttled: u64,
    /// Calls that ended without what they were made for: refused, in doubt,
    /// given up.
    pub failed: u64,
}

/// The counting.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: AtomicU64,
    pub(crate) retried: AtomicU64,
    pub(crate) throttled: AtomicU64,
    pub(crate) failed: AtomicU64,
}

impl Tally {
    pub(crate) fn read(&self) -> RequestCounts {
        RequestCounts {
            sent: self.sent.load(Ordering::Relaxed),
            retried: self.retried.load(Ordering::Relaxed),
            throttled: self.throttled.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
