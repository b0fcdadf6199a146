//! Asking a run to end early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A wish, shared by all who may have it and all who heed it. Cheap to clone.
///
/// A run that is asked to stop reads no further, sends nothing new, waits for
/// what is in flight, journals it, and ends as `incomplete`.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    asked: AtomicBool,
    changed: Notify,
}

impl Stop {
    /// Nobody has asked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to end after what is in flight.
    pub fn ask(&self) {
        self.inner.asked.store(true, Ordering::Release);
        self.inner.changed.notify_waiters();
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.inner.asked.load(Ordering::Acquire)
    }

    /// Waits until somebody asks.
    pub async fn wait(&self) {
        let changed = self.inner.changed.notified();
        tokio::pin!(changed);
        // Registered before the flag is read, so that no wish is missed.
        changed.as_mut().enable();
        if !self.asked() {
            changed.await;
        }
    }
}
