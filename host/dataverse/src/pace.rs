//! What a job or tenant itself wants to spend, whatever the service allows:
//! pure, told `now`.
//!
//! Requests a second are paced by `governor`; records a day are counted in a
//! sliding window of 24 hours, so that no 24 hours see more (a bucket that
//! fills again while it is emptied would let twice as many through).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::settings::PaceSettings;

/// Share of a second that requests may come early, after a lull.
const BURST_SECONDS: f64 = 0.1;
const DAY: Duration = Duration::from_hours(24);
/// Records are counted by slices of this length.
const SLICE: Duration = Duration::from_mins(10);

/// The job's own ceilings.
#[derive(Debug)]
pub(crate) struct Pace {
    requests: Option<Requests>,
    records: Option<Records>,
}

/// Whether a request may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spare {
    Yes,
    /// Not before this time.
    At(Duration),
    /// Today's records are spent, until then.
    NotToday(Duration),
}

impl Pace {
    pub(crate) fn new(settings: &PaceSettings) -> Self {
        let day = settings.records_per_day.map(|most| {
            let mut records = Records { most, slices: Vec::new() };
            records.slices.push((Duration::ZERO, settings.records_spent));
            records
        });
        Self { requests: settings.requests_per_second.and_then(Requests::new), records: day }
    }

    /// Takes a request with so many records out, if there is room for it.
    pub(crate) fn spend(&mut self, now: Duration, records: usize) -> Spare {
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        if let Some(day) = &mut self.records
            && let Some(when) = day.full_until(now, records)
        {
            return Spare::NotToday(when);
        }
        if let Some(requests) = &self.requests
            && let Some(when) = requests.take(now)
        {
            return Spare::At(when);
        }
        if let Some(day) = &mut self.records {
            day.note(now, records);
        }
        Spare::Yes
    }

    /// A request that was taken out has written nothing.
    pub(crate) fn give_back(&mut self, records: usize) {
        if let Some(day) = &mut self.records {
            day.give_back(u64::try_from(records).unwrap_or(0));
        }
    }

    /// Records that others have written.
    pub(crate) fn note_spent(&mut self, now: Duration, records: u64) {
        if let Some(day) = &mut self.records {
            day.note(now, records);
        }
    }
}

/// Requests a second.
#[derive(Debug)]
struct Requests {
    clock: Told,
    limiter: RateLimiter<NotKeyed, InMemoryState, Told, NoOpMiddleware<Duration>>,
}

impl Requests {
    fn new(per_second: f64) -> Option<Self> {
        let period = Duration::try_from_secs_f64(1.0 / per_second).ok()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to what fits"
        )]
        let burst = (per_second * BURST_SECONDS).ceil().clamp(1.0, 1e6) as u32;
        let burst = NonZeroU32::new(burst)?;
        let quota = Quota::with_period(period)?.allow_burst(burst);
        let clock = Told::default();
        let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
        Some(Self { clock, limiter })
    }

    /// Takes one out; when there will be one, if there is none.
    fn take(&self, now: Duration) -> Option<Duration> {
        self.clock.tell(now);
        self.limiter.check().err().map(|not_until| {
            let wait = not_until.wait_time_from(now);
            now + wait.max(Duration::from_micros(1))
        })
    }
}

/// A clock for `governor` that shows what it was told last.
#[derive(Debug, Clone, Default)]
struct Told(Arc<AtomicU64>);

impl Told {
    fn tell(&self, now: Duration) {
        self.0.store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl GovernorClock for Told {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// Records in 24 hours.
#[derive(Debug)]
struct Records {
    most: u64,
    /// When a slice began, and what it holds; oldest first, a day's worth.
    slices: Vec<(Duration, u64)>,
}

impl Records {
    /// When there is room for so many; `None` is now.
    fn full_until(&mut self, now: Duration, records: u64) -> Option<Duration> {
        self.slices.retain(|(began, _)| *began + SLICE + DAY > now);
        let spent: u64 = self.slices.iter().map(|(_, count)| count).sum();
        if records == 0 || spent == 0 || spent.saturating_add(records) <= self.most {
            // A batch larger than a whole day's worth goes alone.
            return None;
        }
        let mut left = spent;
        let leaves = self.slices.iter().find_map(|(began, count)| {
            left -= count;
            (left == 0 || left.saturating_add(records) <= self.most).then_some(*began + SLICE + DAY)
        });
        Some(leaves.unwrap_or(now + DAY))
    }

    fn note(&mut self, now: Duration, records: u64) {
        match self.slices.last_mut() {
            Some((began, count)) if *began + SLICE > now => *count += records,
            _ => self.slices.push((now, records)),
        }
    }

    fn give_back(&mut self, records: u64) {
        let mut records = records;
        for (_, count) in self.slices.iter_mut().rev() {
            let taken = records.min(*count);
            *count -= taken;
            records -= taken;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(requests: Option<f64>, records: Option<u64>, spent: u64) -> Pace {
        Pace::new(&PaceSettings {
            requests_per_second: requests,
            records_per_day: records,
            records_spent: spent,
        })
    }

    fn hours(hours: u64) -> Duration {
        Duration::from_hours(hours)
    }

    #[test]
    fn requests_are_spread_over_each_second() {
        for per_second in [0.5, 1.0, 7.0, 100.0] {
            let mut pace = pace(Some(per_second), None, 0);
            let (mut now, mut left) = (Duration::ZERO, 0_u32);
            while now < Duration::from_secs(100) {
                match pace.spend(now, 200) {
                    Spare::Yes => left += 1,
                    Spare::At(when) => {
                        assert!(when > now);
                        now = when;
                    }
                    Spare::NotToday(_) => unreachable!(),
                }
            }
            let expected = 100.0 * per_second;
            assert!((f64::from(left) - expected).abs() <= expected * 0.11 + 1.0, "{left}");
        }
    }

    #[test]
    fn no_24_hours_see_more_records_than_a_day_may() {
        let mut pace = pace(None, Some(1000), 300);
        assert_eq!(pace.spend(hours(1), 700), Spare::Yes);
        let until = hours(24) + SLICE;
        assert_eq!(pace.spend(hours(2), 200), Spare::NotToday(until));
        assert_eq!(pace.spend(until, 200), Spare::Yes);
        assert_eq!(pace.spend(until, 200), Spare::NotToday(hours(25) + SLICE));
        pace.give_back(200);
        assert_eq!(pace.spend(until, 300), Spare::Yes);
    }

    #[test]
    fn a_batch_larger_than_a_day_goes_alone_and_reads_are_free() {
        let mut pace = pace(None, Some(100), 0);
        assert_eq!(pace.spend(hours(0), 500), Spare::Yes);
        assert!(matches!(pace.spend(hours(1), 1), Spare::NotToday(_)));
        assert_eq!(pace.spend(hours(1), 0), Spare::Yes);
    }

    #[test]
    fn without_settings_nothing_is_held_back() {
        let mut pace = pace(None, None, 0);
        assert!((0..10_000).all(|_| pace.spend(Duration::ZERO, 1000) == Spare::Yes));
    }
}
