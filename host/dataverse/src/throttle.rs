//! How many requests one principal may have in flight, and when: a pure state
//! machine that is told `now`.
//!
//! Additive growth, multiplicative shrinking: it starts at the service's hint,
//! gains one for each round of successes that used it up, and loses a share for
//! each round that was throttled. A freeze lasts as long as the service asked,
//! in full; a later and shorter demand does not shorten it. It learns from
//! replies alone: no limit of the service is written down here.

use std::time::Duration;

/// In flight before the service has hinted at anything.
const START: usize = 4;
/// What is kept of the limit after a 429.
const KEEP: f64 = 0.7;
/// First freeze when a 429 says no time; doubles with each one in a row.
const FREEZE_FIRST: Duration = Duration::from_secs(2);
/// The doubling stops here.
const FREEZE_MAX: Duration = Duration::from_mins(5);

/// One principal's throttle.
#[derive(Debug, Clone, PartialEq)]
pub struct Throttle {
    ceiling: usize,
    limit: f64,
    hinted: bool,
    in_flight: usize,
    frozen_until: Duration,
    shrunk_at: Duration,
    /// 429s without a `Retry-After`, in a row.
    streak: u32,
}

/// When the next request may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// At once.
    Now,
    /// Not before this time.
    At(Duration),
    /// When one in flight ends.
    WhenFree,
}

/// How a request ended, as far as pacing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With a reply that shows no overload.
    Fine,
    /// With a 429, and the wait that it asked for.
    Throttled(Option<Duration>),
    /// With a sign of overload: no reply in time, or the service failed.
    Overload,
    /// In a way that says nothing: not sent, or given up by us.
    Unknown,
}

impl Throttle {
    /// A throttle that never has more than `ceiling` in flight.
    #[must_use]
    pub fn new(ceiling: usize) -> Self {
        let ceiling = ceiling.max(1);
        Self {
            ceiling,
            limit: as_limit(START.min(ceiling)),
            hinted: false,
            in_flight: 0,
            frozen_until: Duration::ZERO,
            shrunk_at: Duration::ZERO,
            streak: 0,
        }
    }

    /// The service's hint of how many to send at once, this principal's share
    /// of it. The first one sets the limit; afterwards experience rules.
    pub fn hint(&mut self, share: usize) {
        if !self.hinted {
            self.hinted = true;
            self.limit = as_limit(share.clamp(1, self.ceiling));
        }
    }

    /// Whether a request may leave now.
    #[must_use]
    pub fn ready(&self, now: Duration) -> Ready {
        if now < self.frozen_until {
            Ready::At(self.frozen_until)
        } else if self.in_flight >= self.limit() {
            Ready::WhenFree
        } else {
            Ready::Now
        }
    }

    /// A request leaves.
    pub fn begin(&mut self) {
        self.in_flight += 1;
    }

    /// A request that left at `began` has ended.
    pub fn end(&mut self, began: Duration, now: Duration, ended: Ended) {
        let used_up = self.in_flight >= self.limit();
        self.in_flight = self.in_flight.saturating_sub(1);
        match ended {
            Ended::Fine => {
                self.streak = 0;
                // Requests that left before the last shrinking know nothing of
                // the limit since.
                if used_up && began >= self.shrunk_at {
                    self.limit = (self.limit + 1.0 / self.limit).min(as_limit(self.ceiling));
                }
            }
            Ended::Throttled(wait) => {
                self.shrink(began, now);
                let wait = wait.unwrap_or_else(|| {
                    let doubled = FREEZE_FIRST * 2_u32.saturating_pow(self.streak.min(10));
                    self.streak += 1;
                    doubled.min(FREEZE_MAX)
                });
                self.frozen_until = self.frozen_until.max(now + wait);
            }
            Ended::Overload => self.shrink(began, now),
            Ended::Unknown => {}
        }
    }

    /// One round of refusals shrinks once, however many it holds.
    fn shrink(&mut self, began: Duration, now: Duration) {
        if began >= self.shrunk_at {
            self.shrunk_at = now;
            self.limit = (self.limit * KEEP).max(1.0);
        }
    }

    /// Most in flight at the moment; at least 1.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the ceiling"
    )]
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// In flight now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Nothing leaves before this time.
    #[must_use]
    pub fn frozen_until(&self) -> Duration {
        self.frozen_until
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn as_limit(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Sends `count` at once at `second`; all end one second later.
    fn round(throttle: &mut Throttle, second: u64, count: usize, ended: Ended) {
        for _ in 0..count {
            throttle.begin();
        }
        for _ in 0..count {
            throttle.end(at(second), at(second + 1), ended);
        }
    }

    #[test]
    fn it_starts_at_the_first_hint_and_never_above_the_ceiling() {
        for (ceiling, hints, expected) in [
            (52, &[][..], 4),
            (2, &[][..], 2),
            (0, &[][..], 1),
            (52, &[16][..], 16),
            (52, &[16, 4][..], 16),
            (52, &[0][..], 1),
            (8, &[48][..], 8),
        ] {
            let mut throttle = Throttle::new(ceiling);
            hints.iter().for_each(|&hint| throttle.hint(hint));
            assert_eq!(throttle.limit(), expected, "ceiling {ceiling}, hints {hints:?}");
        }
    }

    #[test]
    fn a_round_that_used_the_limit_up_gains_one_and_an_idle_one_nothing() {
        let mut throttle = Throttle::new(6);
        throttle.hint(4);
        let limits: Vec<usize> = (0..8)
            .map(|second| {
                let full = throttle.limit();
                for _ in 0..full {
                    throttle.begin();
                }
                for _ in 0..full {
                    throttle.end(at(second), at(second + 1), Ended::Fine);
                    throttle.begin();
                }
                for _ in 0..full {
                    throttle.end(at(second), at(second + 1), Ended::Unknown);
                }
                throttle.limit()
            })
            .collect();
        assert_eq!(limits.last(), Some(&6), "{limits:?}");
        assert!(limits.windows(2).all(|pair| pair[1] - pair[0] <= 1), "{limits:?}");

        let mut idle = Throttle::new(52);
        (0..100).for_each(|second| round(&mut idle, second, 1, Ended::Fine));
        assert_eq!(idle.limit(), 4);
    }

    #[test]
    fn one_round_of_refusals_shrinks_once() {
        let mut throttle = Throttle::new(52);
        throttle.hint(10);
        round(&mut throttle, 1, 10, Ended::Throttled(Some(at(1))));
        assert_eq!(throttle.limit(), 7);
        round(&mut throttle, 3, 7, Ended::Throttled(Some(at(1))));
        assert_eq!(throttle.limit(), 4);
        for second in 0..50 {
            round(&mut throttle, 5 + 2 * second, 1, Ended::Overload);
        }
        assert_eq!(throttle.limit(), 1);
    }

    #[test]
    fn a_freeze_lasts_in_full_and_is_never_shortened() {
        let mut throttle = Throttle::new(52);
        round(&mut throttle, 9, 1, Ended::Throttled(Some(at(37))));
        for (now, expected) in [(10, Ready::At(at(47))), (46, Ready::At(at(47))), (47, Ready::Now)]
        {
            assert_eq!(throttle.ready(at(now)), expected);
        }
        round(&mut throttle, 10, 1, Ended::Throttled(Some(at(1))));
        assert_eq!(throttle.ready(at(20)), Ready::At(at(47)));
        round(&mut throttle, 19, 1, Ended::Throttled(Some(at(100))));
        assert_eq!(throttle.frozen_until(), at(120));
        round(&mut throttle, 21, 1, Ended::Fine);
        assert_eq!(throttle.frozen_until(), at(120));
    }

    #[test]
    fn without_a_time_the_freeze_doubles_until_something_goes_well() {
        let mut throttle = Throttle::new(52);
        let mut now = 0;
        let waits: Vec<u64> = (0..10)
            .map(|_| {
                round(&mut throttle, now, 1, Ended::Throttled(None));
                let wait = throttle.frozen_until().as_secs() - (now + 1);
                now += 1000;
                wait
            })
            .collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        round(&mut throttle, now, 1, Ended::Fine);
        round(&mut throttle, now + 10, 1, Ended::Throttled(None));
        assert_eq!(throttle.frozen_until(), at(now + 13));
    }

    #[test]
    fn when_the_limit_is_in_flight_the_next_waits_for_one_to_end() {
        let mut throttle = Throttle::new(2);
        throttle.begin();
        assert_eq!(throttle.ready(at(0)), Ready::Now);
        throttle.begin();
        assert_eq!(throttle.ready(at(0)), Ready::WhenFree);
        throttle.end(at(0), at(1), Ended::Unknown);
        assert_eq!(throttle.ready(at(1)), Ready::Now);
    }
}
