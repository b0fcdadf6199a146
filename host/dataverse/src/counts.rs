//! How many requests a client has made.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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

/// What one principal did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrincipalCounts {
    /// Its name.
    pub name: String,
    /// Requests that it was lent for, those that never left included.
    pub lent: u64,
    /// Requests that left, or may have left.
    pub sent: u64,
    /// Replies that asked to wait, 429 above all.
    pub throttled: u64,
    /// Those that named the number of requests as the reason.
    pub throttled_requests: u64,
    /// Those that named execution time.
    pub throttled_seconds: u64,
    /// Those that named concurrency.
    pub throttled_concurrency: u64,
    /// Records of its writes that were answered and not refused as a whole.
    pub records: u64,
    /// How long it had to wait because the service asked for it.
    pub frozen: Duration,
    /// How often it was refused and put out for a while.
    pub quarantined: u64,
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
