//! The job's words about its rule, as settings of the sandbox.

use dvsync_rules::{BindSettings, Isolation, Limits};

use crate::job::{self, Rules};

/// Bounds of each call, and how instances are shared; `workers`
/// chunks are judged at once.
pub(crate) fn limits(section: &Rules, workers: usize) -> (Limits, BindSettings) {
    let limits = Limits {
        call_deadline: section.limits.time_per_call,
        memory_bytes_max: section.limits.memory,
        output_bytes_max: section.limits.output,
        log_lines_max: section.limits.log_lines,
        narrowing_calls_max: section.limits.narrowing_calls,
        ..Limits::default()
    };
    let isolation = match section.isolation {
        job::Isolation::Warm => Isolation::Warm,
        job::Isolation::Chunk => Isolation::Chunk,
    };
    (limits, BindSettings { workers, isolation, ..BindSettings::default() })
}
