//! What one principal has spent in the service's sliding window: requests and
//! execution time, as far as they can be seen from here. Pure.
//!
//! It only observes. Bounded: the window is cut into slices, and a slice leaves
//! as a whole, when its youngest moment does; so what it says is never less
//! than what was spent.

use std::time::Duration;

/// Slices of the window.
const SLICES: u64 = 300;

/// What a request costs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Spent {
    pub(super) requests: f64,
    /// Execution time, in seconds.
    pub(super) seconds: f64,
}

impl Spent {
    pub(super) fn of(self, facet: Facet) -> f64 {
        match facet {
            Facet::Requests => self.requests,
            Facet::Seconds => self.seconds,
        }
    }

    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.seconds += other.seconds;
    }
}

/// What a window limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facet {
    Requests,
    Seconds,
}

/// The sliding window.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    slice: u128,
    /// One slot for each slice that may be within; by slice number.
    ring: Vec<Spent>,
    /// Number of the youngest slice.
    current: u64,
    sum: Spent,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        let slice = (length.as_nanos() / u128::from(SLICES)).max(1);
        let slots = usize::try_from(SLICES + 1).unwrap_or(1);
        Self { slice, ring: vec![Spent::default(); slots], current: 0, sum: Spent::default() }
    }

    /// Lets go of what has left.
    pub(super) fn advance(&mut self, now: Duration) {
        let number = self.number(now);
        if number <= self.current {
            return;
        }
        let fresh = (number - self.current).min(SLICES + 1);
        for step in 0..fresh {
            let slot = self.slot(number - step);
            self.ring[slot] = Spent::default();
        }
        self.current = number;
        // Anew, so that no rounding adds up.
        self.sum = Spent::default();
        for spent in &self.ring {
            self.sum.add(*spent);
        }
    }

    /// Spent in the window; `advance` first.
    pub(super) fn spent(&self) -> Spent {
        self.sum
    }

    /// Notes what a request cost that left at `at`; negative gives back.
    pub(super) fn note(&mut self, at: Duration, cost: Spent) {
        let number = self.number(at);
        if number + SLICES < self.current || number > self.current {
            return;
        }
        let slot = self.slot(number);
        self.ring[slot].add(cost);
        self.sum.add(cost);
    }

    /// When no more than `left` of what is spent now is still in the window.
    pub(super) fn falls_to(&self, facet: Facet, left: f64) -> Duration {
        let mut rest = self.sum.of(facet);
        let oldest = self.current.saturating_sub(SLICES);
        for number in oldest..=self.current {
            if rest <= left {
                return self.leaves(number.saturating_sub(1));
            }
            rest -= self.ring[self.slot(number)].of(facet);
        }
        self.leaves(self.current)
    }

    /// When a slice has left.
    fn leaves(&self, number: u64) -> Duration {
        let nanos = u128::from(number + 1 + SLICES) * self.slice;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn number(&self, at: Duration) -> u64 {
        u64::try_from(at.as_nanos() / self.slice).unwrap_or(u64::MAX)
    }

    fn slot(&self, number: u64) -> usize {
        usize::try_from(number % (SLICES + 1)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn cost(seconds: f64) -> Spent {
        Spent { requests: 1.0, seconds }
    }

    #[test]
    fn what_was_spent_leaves_after_the_window_and_not_before() {
        let mut window = Window::new(at(300));
        window.advance(at(10));
        window.note(at(10), cost(2.0));
        window.advance(at(200));
        window.note(at(200), cost(3.0));
        for (now, requests, seconds) in
            [(200, 2.0, 5.0), (310, 2.0, 5.0), (311, 1.0, 3.0), (501, 0.0, 0.0), (9000, 0.0, 0.0)]
        {
            window.advance(at(now));
            assert_eq!(window.spent(), Spent { requests, seconds }, "{now}");
        }
    }

    #[test]
    fn a_cost_is_corrected_where_it_was_noted_and_forgotten_when_that_has_left() {
        let mut window = Window::new(at(300));
        window.advance(at(5));
        window.note(at(5), cost(1.0));
        window.advance(at(50));
        window.note(at(5), Spent { requests: 0.0, seconds: 6.5 });
        assert_eq!(window.spent().seconds, 7.5);
        window.advance(at(400));
        window.note(at(5), Spent { requests: -1.0, seconds: -9.0 });
        assert_eq!(window.spent(), Spent::default());
    }

    #[test]
    fn it_says_when_there_will_be_room() {
        let mut window = Window::new(at(300));
        for second in 0..10 {
            window.advance(at(second));
            window.note(at(second), cost(2.0));
        }
        for (left, expected) in [(9.0, 301), (5.5, 305), (0.0, 310)] {
            assert_eq!(window.falls_to(Facet::Requests, left), at(expected), "{left}");
            assert_eq!(window.falls_to(Facet::Seconds, 2.0 * left), at(expected), "{left}");
        }
    }
}
