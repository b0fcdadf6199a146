//! A limit of the service that a refusal has shown, and the pace that uses it
//! up without meeting it again. Pure.
//!
//! What it is is what had been spent in the window when the service refused. It
//! is lowered by a small step each time the service refuses again, and rises
//! slowly while it is used up and nothing is refused, faster the longer that
//! lasts: limits change, other clients come and go, and several web servers
//! have a limit each. Requests are spread over the window: a refusal then costs
//! a second, while after a burst it costs the rest of the window.

use std::time::Duration;

/// What a refusal takes off.
const STEP: f64 = 0.01;
/// Share of requests that may be refused: what probing upward costs. With
/// several web servers the fullest one refuses first, while the others have
/// room.
const REFUSED: f64 = 0.0015;
/// At most, when refusals follow each other although the ceiling was kept.
const STEP_MAX: f64 = 0.3;
/// What one refusal leaves at least: it may be a hiccup of one web server.
const KEEP_LEAST: f64 = 0.5;
/// Share of a window within which a refusal follows another.
const SOON: f64 = 0.1;
/// Growth in a window at least; doubles with each window without a refusal.
const GROWTH_LEAST: f64 = 0.04;
/// Growth in a window at most.
const GROWTH_MAX: f64 = 0.8;
/// Used up to this share, there is reason to grow in the first window.
const USED_UP: f64 = 0.97;
/// And afterwards, when use runs after a ceiling that grows quickly.
const USED_UP_LATER: f64 = 0.8;
/// Share of a window that may be made up for at once.
const CREDIT: f64 = 1.0 / 100.0;
/// Rounding of times.
const TOLERANCE: f64 = 1e-6;

/// One ceiling.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ceiling {
    /// In a window: requests, or seconds.
    amount: f64,
    /// The window, in seconds.
    window: f64,
    /// When the first refusal came, in seconds.
    found: f64,
    /// When a refusal last told something, or the freeze after it ended.
    lesson: f64,
    /// When the next request is due at an even pace.
    due: f64,
    step: f64,
}

impl Ceiling {
    /// The first refusal, with so much spent in the window.
    pub(super) fn found(now: Duration, window: Duration, spent: f64, least: f64) -> Self {
        let now = now.as_secs_f64();
        Self {
            amount: spent.max(least),
            window: window.as_secs_f64().max(f64::MIN_POSITIVE),
            found: now,
            lesson: now,
            due: now,
            step: STEP,
        }
    }

    /// In a window.
    pub(super) fn amount(&self) -> f64 {
        self.amount
    }

    /// A request that left at `left` was refused, with so much spent.
    pub(super) fn refused(&mut self, left: Duration, now: Duration, spent: f64, least: f64) {
        let now = now.as_secs_f64();
        let left = left.as_secs_f64();
        if left < self.found {
            // Counted as spent when the ceiling was found, wrongly.
            self.amount = self.amount.min(spent).max(least);
        }
        // It left before the last lesson: it knows nothing new.
        if left < self.lesson {
            return;
        }
        let kept = spent <= self.amount * (1.0 + 1e-9);
        self.step = if kept && now - self.lesson < SOON * self.window {
            (self.step * 2.0).min(STEP_MAX)
        } else {
            STEP
        };
        let lowered = self.amount.min(spent) * (1.0 - self.step);
        self.amount = lowered.max(self.amount * KEEP_LEAST).max(least);
        self.lesson = now;
    }

    /// The service lets nothing in before this time: what was missed until then
    /// is no credit, for the window is as good as full.
    pub(super) fn frozen(&mut self, until: Duration) {
        let until = until.as_secs_f64();
        self.lesson = self.lesson.max(until);
        // A short one is made up for.
        if until > self.due + CREDIT * self.window {
            self.due = until;
        }
    }

    /// The window is full until then.
    pub(super) fn full(&mut self, until: Duration) {
        self.due = self.due.max(until.as_secs_f64());
    }

    /// When the next request may leave by the pace.
    pub(super) fn due(&self, now: Duration) -> Option<Duration> {
        let due = self.due.max(0.0);
        (due > now.as_secs_f64() + TOLERANCE)
            .then(|| Duration::try_from_secs_f64(due).unwrap_or(Duration::MAX))
    }

    /// How much may be spent before a request of this cost, if it has to wait
    /// for room.
    pub(super) fn room(&self, spent: f64, cost: f64) -> Option<f64> {
        (spent > 0.0 && spent + cost > self.amount).then(|| (self.amount - cost).max(0.0))
    }

    /// A request leaves.
    pub(super) fn left(&mut self, now: Duration, spent: f64, cost: f64) {
        let now = now.as_secs_f64();
        self.grow(now, spent, cost);
        self.due = self.due.max(now - CREDIT * self.window);
        self.due += cost / self.amount * self.window;
    }

    /// It cost so much more than was thought.
    pub(super) fn correct(&mut self, more: f64) {
        self.due += more / self.amount * self.window;
    }

    /// What a refusal takes off is regained by as many requests as may go for
    /// each refusal.
    fn grow(&mut self, now: f64, spent: f64, cost: f64) {
        let windows = ((now - self.lesson) / self.window).floor().clamp(0.0, 16.0);
        let used_up = if windows < 1.0 { USED_UP } else { USED_UP_LATER };
        if spent < used_up * self.amount {
            return;
        }
        let share = cost / self.amount;
        let growth = (STEP * REFUSED).max(GROWTH_LEAST * share) * windows.exp2();
        self.amount *= 1.0 + growth.min(GROWTH_MAX * share);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn requests_are_spread_evenly_and_lost_time_is_made_up_for_in_part() {
        let mut ceiling = Ceiling::found(at(0.0), WINDOW, 300.0, 1.0);
        let sent = |ceiling: &mut Ceiling, from: f64, count: u32| {
            let mut now = from;
            for _ in 0..count {
                now = ceiling.due(at(now)).map_or(now, |due| due.as_secs_f64());
                ceiling.left(at(now), 280.0, 1.0);
            }
            now
        };
        // One a second; and five of the hundred that were missed.
        let end = sent(&mut ceiling, 0.0, 101);
        assert!((98.0..=100.1).contains(&end), "{end}");
        let end = sent(&mut ceiling, 200.0, 11);
        assert!((203.0..=207.0).contains(&end), "{end}");
    }

    #[test]
    fn a_refusal_lowers_it_once_and_refusals_in_a_row_lower_it_more() {
        let mut ceiling = Ceiling::found(at(0.0), WINDOW, 6000.0, 1.0);
        let mut amounts = Vec::new();
        for (left, now, spent) in [
            (100.0, 100.1, 6000.0),
            (100.0, 100.2, 6000.0),
            (105.0, 105.1, 5940.0),
            (110.0, 110.1, 5821.2),
            (300.0, 300.1, 5193.0),
            (350.0, 350.1, 100.0),
        ] {
            ceiling.refused(at(left), at(now), spent, 1.0);
            amounts.push(ceiling.amount().round());
        }
        assert_eq!(amounts, [5940.0, 5940.0, 5821.0, 5588.0, 5141.0, 2571.0]);
        for second in 0..1000 {
            let now = 400.0 + f64::from(second);
            ceiling.refused(at(now), at(now), 0.0, 1.0);
        }
        assert_eq!(ceiling.amount(), 1.0);
    }

    #[test]
    fn it_rises_only_when_used_up_and_faster_the_longer_nothing_is_refused() {
        let rise = |share: f64| {
            let mut ceiling = Ceiling::found(at(0.0), WINDOW, 1000.0, 1.0);
            let amounts: Vec<f64> = (0..2400)
                .map(|second| {
                    let spent = share * ceiling.amount();
                    ceiling.left(at(f64::from(second)), spent, ceiling.amount() / 300.0);
                    ceiling.amount()
                })
                .collect();
            [amounts[299], amounts[599], amounts[2399]].map(f64::round)
        };
        assert_eq!(rise(0.5), [1000.0; 3]);
        let [first, second, last] = rise(1.0);
        assert!((1036.0..=1044.0).contains(&first), "{first}");
        assert!((1115.0..=1130.0).contains(&second), "{second}");
        assert!(last > 3.0 * second, "{last}");
    }
}
