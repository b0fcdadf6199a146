//! When to try again: pure arithmetic, told the time.
//!
//! Full jitter (a wait between nothing and a bound that doubles), and a budget
//! over all calls, so that retries cannot multiply the load on a service that
//! is down. Waits that the service asks for are none of its business: they are
//! the throttle's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::settings::RetrySettings;

/// A retry costs this much of the budget; a success earns one.
const COST: u64 = 10;

/// What retries may still be spent, over all calls of a client.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU64,
    full: u64,
}

impl Budget {
    pub(crate) fn new(retries: u32) -> Self {
        let full = u64::from(retries) * COST;
        Self { left: AtomicU64::new(full), full }
    }

    /// Takes a retry out; `false` when there is none.
    pub(crate) fn spend(&self) -> bool {
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(COST))
            .is_ok()
    }

    /// A call went well.
    pub(crate) fn earn(&self) {
        // An update that finds the budget full fails, as it should.
        let _full = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            (left < self.full).then_some(left + 1)
        });
    }
}

/// Numbers that look random, from a seed (SplitMix64).
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Between nothing and `bound`.
    pub(crate) fn below(&self, bound: Duration) -> Duration {
        let state = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mut mixed = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let nanos = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
        let scaled = (u128::from(mixed) * u128::from(nanos)) >> 64;
        Duration::from_nanos(u64::try_from(scaled).unwrap_or(nanos))
    }
}

/// The bound of the wait after `attempt` attempts (from 1).
pub(crate) fn backoff(settings: &RetrySettings, attempt: u32) -> Duration {
    let factor = 2_u32.saturating_pow(attempt.saturating_sub(1).min(31));
    settings.backoff_first.saturating_mul(factor).min(settings.backoff_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_its_maximum() {
        let settings = RetrySettings {
            backoff_first: Duration::from_millis(500),
            backoff_max: Duration::from_secs(60),
            ..RetrySettings::default()
        };
        for (attempt, millis) in
            [(1, 500), (2, 1000), (3, 2000), (7, 32_000), (8, 60_000), (u32::MAX, 60_000)]
        {
            assert_eq!(backoff(&settings, attempt), Duration::from_millis(millis), "{attempt}");
        }
    }

    #[test]
    fn jitter_fills_the_whole_range_and_repeats_for_a_seed() {
        let bound = Duration::from_secs(1);
        let draw = |seed| {
            let jitter = Jitter::new(seed);
            (0..1000).map(|_| jitter.below(bound)).collect::<Vec<_>>()
        };
        let draws = draw(7);
        assert_eq!(draws, draw(7));
        assert!(draws.iter().all(|&wait| wait < bound));
        assert!(draws.iter().any(|&wait| wait < bound / 10));
        assert!(draws.iter().any(|&wait| wait > bound * 9 / 10));
    }

    #[test]
    fn a_budget_runs_out_and_successes_earn_a_tenth_back() {
        let budget = Budget::new(2);
        assert!(budget.spend() && budget.spend() && !budget.spend());
        (0..9).for_each(|_| budget.earn());
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend() && !budget.spend());
        (0..1000).for_each(|_| budget.earn());
        assert!(budget.spend() && budget.spend() && !budget.spend());
    }
}
