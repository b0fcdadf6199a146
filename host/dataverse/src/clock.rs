//! The client's one source of time.
//!
//! Over tokio's clock, so a test that pauses it moves all waits; nothing else
//! in this crate reads a clock or sleeps.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Time since the clock was made, and the wall's.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    wall_at_start: Timestamp,
}

impl Clock {
    /// A clock that starts now. Must be called within a tokio runtime only if
    /// that runtime's clock is paused.
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// A clock whose wall shows `wall` now: for simulations.
    #[must_use]
    pub fn starting_at(wall: Timestamp) -> Self {
        Self { start: Instant::now(), wall_at_start: wall }
    }

    /// Time since the clock was made; never goes back.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// The wall's time: for tokens and `Retry-After` dates, never for waits.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        self.wall_at_start.saturating_add(self.now()).unwrap_or(Timestamp::MAX)
    }

    /// Waits until the clock shows `when`. May be dropped at any time.
    pub async fn sleep_until(&self, when: Duration) {
        tokio::time::sleep_until(self.start + when).await;
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
