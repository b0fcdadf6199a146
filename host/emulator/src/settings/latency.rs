//! How long requests take, apart from their real work.

use std::time::Duration;

use serde::Deserialize;

use crate::chance::chance;

/// Latency of a request, in the service's time.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatencySettings {
    /// Every request, milliseconds.
    pub base_ms: Milliseconds,
    /// Every operation of a batch besides, milliseconds.
    pub per_operation_ms: Milliseconds,
    /// Every record read or written, milliseconds.
    pub per_record_ms: Milliseconds,
    /// `x-ms-dop-hint`; default 52.
    pub dop_hint: Option<u32>,
}

/// A number of milliseconds, or how it is spread.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected a number, `{ min = .., max = .. }` or `{ median = .., sigma = .. }`"
)]
pub enum Milliseconds {
    /// Always so much.
    Fixed(f64),
    /// Anything between, all alike.
    Uniform {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// Log-normal: half are below the median, few are far above.
    Lognormal {
        /// Half are below.
        median: f64,
        /// Standard deviation of the logarithm; 0.5 puts one in twenty above
        /// 2.3 medians.
        sigma: f64,
    },
}

impl Default for Milliseconds {
    fn default() -> Self {
        Self::Fixed(0.0)
    }
}

impl From<f64> for Milliseconds {
    fn from(milliseconds: f64) -> Self {
        Self::Fixed(milliseconds)
    }
}

impl Milliseconds {
    /// Milliseconds by the seed and a name.
    fn sample(self, seed: u64, name: &str) -> f64 {
        match self {
            Self::Fixed(milliseconds) => milliseconds,
            Self::Uniform { min, max } => min + (max - min) * chance(seed, name),
            Self::Lognormal { median, sigma } => {
                // Box and Muller; never the logarithm of nought.
                let far = chance(seed, &format!("{name}/far")).max(1e-9);
                let turn = chance(seed, &format!("{name}/turn"));
                let normal = (-2.0 * far.ln()).sqrt() * (std::f64::consts::TAU * turn).cos();
                median * (sigma * normal).exp()
            }
        }
    }
}

impl LatencySettings {
    /// How long request `number` takes.
    pub(crate) fn takes(&self, seed: u64, number: u64, records: u64, operations: u64) -> Duration {
        let count = |value: u64| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
        let sample = |of: Milliseconds, what: &str| of.sample(seed, &format!("{what}/{number}"));
        let milliseconds = sample(self.base_ms, "base")
            + sample(self.per_operation_ms, "operation") * count(operations)
            + sample(self.per_record_ms, "record") * count(records);
        Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(of: &str) -> Vec<Duration> {
        let latency: LatencySettings = toml::from_str(&format!("base_ms = {of}")).unwrap();
        let mut all: Vec<Duration> = (0..2000).map(|n| latency.takes(3, n, 0, 0)).collect();
        all.sort();
        all
    }

    #[track_caller]
    fn near(found: Duration, milliseconds: f64) {
        let found = found.as_secs_f64() * 1000.0;
        assert!((found / milliseconds - 1.0).abs() < 0.1, "{found} is not near {milliseconds}");
    }

    #[test]
    fn latencies_are_spread_as_said() {
        let fixed = sorted("20");
        assert_eq!((fixed[0], fixed[1999]), (fixed[1000], Duration::from_millis(20)));
        let uniform = sorted("{ min = 10, max = 30 }");
        near(uniform[0], 10.0);
        near(uniform[1000], 20.0);
        near(uniform[1999], 30.0);
        let lognormal = sorted("{ median = 20, sigma = 0.5 }");
        near(lognormal[1000], 20.0);
        near(lognormal[1900], 45.5);
        assert_eq!(lognormal, sorted("{ median = 20, sigma = 0.5 }"));
    }

    #[test]
    fn a_spread_that_is_not_known_is_told_with_those_that_are() {
        let error = toml::from_str::<LatencySettings>("base_ms = { mean = 3 }").unwrap_err();
        assert!(error.to_string().contains("median"), "{error}");
    }

    #[test]
    fn records_and_operations_add_up() {
        let latency: LatencySettings =
            toml::from_str("base_ms = 1\nper_operation_ms = 10\nper_record_ms = 100").unwrap();
        assert_eq!(latency.takes(0, 0, 3, 2), Duration::from_millis(321));
    }
}
