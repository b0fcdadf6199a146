//! Whether requests take longer than they used to. Pure.
//!
//! Like is compared with like: requests of one kind and about as many records.
//! The baseline of each follows quicker replies soon and slower ones hardly, so
//! that it stands for a service that is not pressed; a service that has become
//! slower for good is got used to within an hour.

use std::collections::BTreeMap;
use std::time::Duration;

/// Weight of a reply in the averages.
const WEIGHT: f64 = 0.05;
/// Replies that a baseline is made of.
const FIRST: u32 = 5;
/// How soon the baseline follows when replies get quicker.
const DOWN: f64 = 0.05;
/// Growth of the baseline in a minute while replies are slower.
const UP: f64 = 0.01;
/// So many deviations of the average are chance.
const CHANCE: f64 = 4.0;

/// What a request asks for, as far as its duration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class {
    /// Create, update and so on; any number, as long as like is like.
    kind: u8,
    /// Records that it carries, as a power of two.
    size: u32,
}

impl Class {
    /// Of requests of this kind with so many records.
    #[must_use]
    pub fn new(kind: u8, records: usize) -> Self {
        Self { kind, size: records.checked_ilog2().map_or(0, |power| power + 1) }
    }
}

/// Durations by class. As many classes as there are kinds times ten.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Latency {
    classes: BTreeMap<Class, Average>,
    /// Of all classes, in seconds; 0 if none is known.
    overall: f64,
}

#[derive(Debug, Clone, PartialEq)]
struct Average {
    seen: u32,
    /// In seconds.
    mean: f64,
    /// The others are of logarithms, which a few slow replies do not carry away.
    current: f64,
    variance: f64,
    base: f64,
    at: Duration,
}

impl Latency {
    /// How long a request of this class takes, in seconds; 0 if unknown.
    pub(super) fn expected(&self, class: Class) -> f64 {
        self.classes.get(&class).map_or(self.overall, |average| average.mean)
    }

    /// Notes a reply; says how many times its baseline such requests take now,
    /// beyond what may be chance.
    pub(super) fn note(&mut self, class: Class, now: Duration, took: Duration) -> f64 {
        let took = took.as_secs_f64().max(1e-6);
        let overall = if self.overall > 0.0 { self.overall } else { took };
        self.overall = overall + WEIGHT * (took - overall);
        let average = self.classes.entry(class).or_insert(Average {
            seen: 0,
            mean: took,
            current: took.ln(),
            variance: 0.0,
            base: took.ln(),
            at: now,
        });
        average.note(now, took)
    }

    /// After a reaction: what was seen before says only half as much.
    pub(super) fn reacted(&mut self) {
        for average in self.classes.values_mut() {
            average.current = f64::midpoint(average.current, average.base);
        }
    }
}

impl Average {
    fn note(&mut self, now: Duration, took: f64) -> f64 {
        self.seen = self.seen.saturating_add(1);
        let weight = WEIGHT.max(1.0 / f64::from(self.seen));
        self.mean += weight * (took - self.mean);
        let off = took.ln() - self.current;
        self.current += weight * off;
        self.variance += weight * (off * off - self.variance);
        let minutes = now.saturating_sub(self.at).as_secs_f64() / 60.0;
        self.at = now;
        if self.seen <= FIRST {
            self.base = self.current;
            return 1.0;
        }
        if self.current < self.base {
            self.base += DOWN * (self.current - self.base);
        } else {
            self.base = (self.base + UP * minutes).min(self.current);
        }
        let chance = CHANCE * (self.variance * WEIGHT / (2.0 - WEIGHT)).sqrt();
        (self.current - self.base - chance).max(0.0).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(latency: &mut Latency, class: Class, from: u64, count: u64, millis: u64) -> f64 {
        (from..from + count)
            .map(|n| latency.note(class, Duration::from_secs(n), Duration::from_millis(millis)))
            .last()
            .unwrap()
    }

    #[test]
    fn slower_replies_show_against_the_baseline_of_their_class() {
        let (small, large) = (Class::new(0, 1), Class::new(0, 200));
        let mut latency = Latency::default();
        assert!((ratio(&mut latency, small, 0, 20, 100) - 1.0).abs() < 0.01);
        assert!((ratio(&mut latency, large, 20, 20, 2000) - 1.0).abs() < 0.01);
        assert!((ratio(&mut latency, small, 40, 20, 100) - 1.0).abs() < 0.02);
        assert!(ratio(&mut latency, large, 60, 60, 6000) > 2.0);
        let before = ratio(&mut latency, large, 120, 1, 6000);
        latency.reacted();
        assert!(ratio(&mut latency, large, 121, 1, 6000) < 0.7 * before);
        assert_eq!(Class::new(0, 130), large);
        assert_ne!(Class::new(1, 200), large);
    }

    #[test]
    fn the_baseline_gets_used_to_a_slower_service_within_the_hour() {
        let class = Class::new(0, 1);
        let mut latency = Latency::default();
        ratio(&mut latency, class, 0, 20, 100);
        let soon = ratio(&mut latency, class, 20, 300, 150);
        assert!(soon > 1.35, "{soon}");
        let later = ratio(&mut latency, class, 320, 3600, 150);
        assert!(later < 1.01, "{later}");
    }

    #[test]
    fn durations_that_vary_a_lot_are_no_slower_service() {
        let class = Class::new(0, 1);
        let mut latency = Latency::default();
        let mut most = 1.0_f64;
        for n in 0..20_000_u64 {
            // From 10 ms to 10 s, by chance.
            let chance = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
            let millis =
                10.0 * 10_f64.powf(3.0 * f64::from(u16::try_from(chance).unwrap()) / 65_536.0);
            let took = Duration::from_secs_f64(millis / 1000.0);
            most = most.max(latency.note(class, Duration::from_millis(100 * n), took));
        }
        assert!(most < 1.75, "{most}");
    }
}
