//! The job's words about its rule, as settings of the sandbox.

use dvsync_rules::{BindSettings, Isolation, Limits, Profile};

use crate::job::{self, Rules};

/// Bounds of each call, and how instances are shared; `workers`
/// chunks are judged at once. What the job leaves open depends on the rule.
pub(crate) fn limits(section: &Rules, profile: Profile, workers: usize) -> (Limits, BindSettings) {
    let usual = Limits::of(profile);
    let limits = Limits {
        call_deadline: section.limits.time_per_call.unwrap_or(usual.call_deadline),
        memory_bytes_max: section.limits.memory.unwrap_or(usual.memory_bytes_max),
        output_bytes_max: section.limits.output,
        log_lines_max: section.limits.log_lines,
        narrowing_calls_max: section.limits.narrowing_calls,
        ..usual
    };
    let isolation = match section.isolation {
        job::Isolation::Warm => Isolation::Warm,
        job::Isolation::Chunk => Isolation::Chunk,
    };
    (limits, BindSettings { workers, isolation, ..BindSettings::default() })
}
