//! What judging a chunk came to, and how many rows a version stops. Values only.

use std::ops::AddAssign;

use crate::judged::codes;

/// What judging one part of a chunk came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows judged.
    pub rows: u64,
    /// Rows that do not go on, for whatever reason; failed ones among them.
    pub stopped: u64,
    /// Rows that a trap, lack of memory or a failure told by the rule costs.
    pub trapped: u64,
    /// Rows that a deadline costs.
    pub timed_out: u64,
    /// Rows that a broken answer costs.
    pub invalid: u64,
}

impl Tally {
    /// Counts a row that does not go on, by its code.
    pub fn stop(&mut self, code: &str) {
        self.stopped += 1;
        match code {
            codes::TRAP | codes::MEMORY | codes::FAILED => self.trapped += 1,
            // What is given up is given up for its time, nearly always.
            codes::TIMEOUT | codes::BUDGET => self.timed_out += 1,
            codes::INVALID_OUTPUT => self.invalid += 1,
            _ => {}
        }
    }

    /// So many rows, none of which could be judged at all.
    #[must_use]
    pub fn broken(rows: u64) -> Self {
        Self { rows, stopped: rows, trapped: rows.max(1), ..Self::default() }
    }

    /// The version itself failed, on one row at least.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.trapped + self.timed_out + self.invalid > 0
    }
}

/// Rows, and how many of them were stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// Rows judged.
    pub rows: u64,
    /// Of these, rows that did not go on.
    pub stopped: u64,
}

impl AddAssign<Tally> for Rate {
    fn add_assign(&mut self, tally: Tally) {
        self.rows += tally.rows;
        self.stopped += tally.stopped;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share")]
impl Rate {
    /// Stopped rows in a hundred; 0 where nothing was judged.
    #[must_use]
    pub fn percent(self) -> f64 {
        if self.rows == 0 { 0.0 } else { self.stopped as f64 * 100.0 / self.rows as f64 }
    }

    /// More rows are stopped than `points` percentage points above the other
    /// rate and chance (three standard deviations of so many rows) explain.
    #[must_use]
    pub fn exceeds(self, other: Rate, points: f64) -> bool {
        let share = ((other.percent() + points) / 100.0).clamp(0.0, 1.0);
        let rows = self.rows as f64;
        let expected = rows * share;
        let chance = 3.0 * (expected * (1.0 - share)).sqrt();
        self.stopped as f64 > expected + chance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_too_high_when_points_and_chance_do_not_explain_it() {
        let rate = |rows, stopped| Rate { rows, stopped };
        for (new, old, expect) in [
            (rate(1, 1), rate(1000, 0), true),
            (rate(10, 2), rate(1000, 0), false),
            (rate(10, 4), rate(1000, 0), true),
            (rate(1000, 60), rate(1000, 0), false),
            (rate(1000, 80), rate(1000, 0), true),
            (rate(1000, 180), rate(1000, 100), false),
            (rate(1000, 200), rate(1000, 100), true),
            (rate(1000, 1000), rate(1000, 1000), false),
            (rate(0, 0), rate(0, 0), false),
        ] {
            assert_eq!(new.exceeds(old, 5.0), expect, "{new:?} against {old:?}");
        }
    }

    #[test]
    fn codes_of_the_sandbox_are_failures_and_others_are_not() {
        let mut tally = Tally { rows: 5, ..Tally::default() };
        tally.stop("no-name");
        assert!(!tally.has_failed());
        tally.stop(codes::TIMEOUT);
        tally.stop(codes::INVALID_OUTPUT);
        tally.stop(codes::BUDGET);
        let expect = Tally { rows: 5, stopped: 4, trapped: 0, timed_out: 2, invalid: 1 };
        assert_eq!(tally, expect);
    }
}
