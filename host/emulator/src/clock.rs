//! The emulator's clock: the client's time, or faster.
//!
//! Pure but for the moment at which it began, the first request's. Windows,
//! freezes, latencies and the lives of tokens are measured in the service's
//! time; what a client is told to wait, and what it waits for a reply, is in its
//! own.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Turns the client's time into the service's.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Service seconds in a second of the client.
    scale: f64,
    /// When the first request came.
    origin: Mutex<Option<Duration>>,
}

/// One moment, as the service counts it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Since the UNIX epoch.
    pub(crate) service: Duration,
    /// Since the first request.
    pub(crate) elapsed: Duration,
}

impl Clock {
    pub(crate) fn new(scale: f64) -> Self {
        Self { scale, origin: Mutex::new(None) }
    }

    /// The next request is the first.
    pub(crate) fn restart(&self) {
        *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Since the first request, in the service's time, when it is `now` for the
    /// client; nought before it. Does not begin anything.
    pub(crate) fn elapsed(&self, now: Duration) -> Duration {
        let origin = *self.origin.lock().unwrap_or_else(PoisonError::into_inner);
        origin.map_or(Duration::ZERO, |origin| self.times(now.saturating_sub(origin), self.scale))
    }

    /// What time it is for the service when it is `now` for the client.
    pub(crate) fn at(&self, now: Duration) -> Moment {
        let origin = {
            let mut origin = self.origin.lock().unwrap_or_else(PoisonError::into_inner);
            *origin.get_or_insert(now)
        };
        let elapsed = self.times(now.saturating_sub(origin), self.scale);
        Moment { service: origin.saturating_add(elapsed), elapsed }
    }

    /// A span of the service's time in the client's.
    pub(crate) fn for_client(&self, span: Duration) -> Duration {
        self.times(span, 1.0 / self.scale)
    }

    /// The same in whole seconds, rounded up, at least one: who waits them has
    /// waited long enough.
    pub(crate) fn retry_after(&self, wait: Duration) -> u64 {
        let wait = self.for_client(wait);
        (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
    }

    fn times(&self, span: Duration, factor: f64) -> Duration {
        if self.scale == 1.0 {
            return span;
        }
        Duration::try_from_secs_f64(span.as_secs_f64() * factor).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_unscaled_clock_is_the_clients() {
        let clock = Clock::new(1.0);
        let now = Duration::new(1_900_000_000, 123_456_789);
        assert_eq!(clock.at(now).service, now);
        assert_eq!(clock.at(now + at(5)).elapsed, at(5));
        assert_eq!(clock.retry_after(Duration::from_millis(4001)), 5);
        assert_eq!(clock.retry_after(Duration::ZERO), 1);
    }

    #[test]
    fn a_fast_clock_begins_with_the_first_request_and_runs_ahead() {
        let clock = Clock::new(60.0);
        assert_eq!(clock.elapsed(at(1_800_000_000)), at(0));
        assert_eq!(clock.at(at(1_900_000_000)).service, at(1_900_000_000));
        assert_eq!(clock.at(at(1_900_000_005)).service, at(1_900_000_300));
        assert_eq!(clock.elapsed(at(1_900_000_002)), at(120));
        assert_eq!(clock.for_client(at(300)), at(5));
        // 61 seconds of the service are 1.02 of the client.
        assert_eq!(clock.retry_after(at(61)), 2);
    }
}
