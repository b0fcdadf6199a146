//! What the service protects itself with.

use serde::Deserialize;

/// *Service protection API limits*, for each principal at each web server.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Requests in a window.
    pub requests: u64,
    /// Combined execution time in a window, seconds.
    pub execution_seconds: f64,
    /// Requests at the same time.
    pub concurrency: u64,
    /// The sliding window, seconds.
    pub window_seconds: f64,
    /// A request during a freeze lengthens it by so much, seconds.
    pub penalty_seconds: f64,
    /// A freeze is never longer than this, seconds.
    pub freeze_max_seconds: f64,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            requests: 6000,
            execution_seconds: 1200.0,
            concurrency: 52,
            window_seconds: 300.0,
            penalty_seconds: 2.0,
            freeze_max_seconds: 300.0,
        }
    }
}

/// *Request limits and allocations*: records and operations of a principal in a
/// day, at all web servers together.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EntitlementSettings {
    /// Requests in a day; each record of a bulk call and each operation of a
    /// batch counts.
    pub requests: u64,
    /// How long a day is, hours; it begins with a principal's first request.
    pub day_hours: f64,
    /// `error.code` of what is refused. The service's own is not documented.
    pub code: String,
}

impl Default for EntitlementSettings {
    fn default() -> Self {
        Self { requests: 40_000, day_hours: 24.0, code: "0x80072328".to_owned() }
    }
}
