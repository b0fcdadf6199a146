//! The wish that calls end early.
//!
//! It interrupts waits: for a principal, for a token, between two attempts. A
//! request that has left is never interrupted: its fate would be unknown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A wish, shared by whoever may have it and all who heed it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    asked: AtomicBool,
    changed: Notify,
}

impl Cancel {
    /// Nobody has asked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks; for good.
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

    /// The outcome of a wait, unless somebody asks first. What is waited for
    /// must be safe to drop.
    pub(crate) async fn or<T>(&self, waiting: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.wait() => None,
            outcome = waiting => Some(outcome),
        }
    }
}
