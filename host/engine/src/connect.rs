//! The job's words about its target, as settings of the client.

use dvsync_dataverse::{ClientSettings, PaceSettings, RetrySettings};

use crate::job::Job;

/// Settings of the client that speaks to `url` for this job.
#[must_use]
pub fn client_settings(job: &Job, url: &str) -> ClientSettings {
    let target = &job.target;
    let mut settings = ClientSettings::new(url, target.principals.clone());
    settings.api_version.clone_from(&target.api_version);
    settings.headers = target.headers.clone();
    settings.retry = RetrySettings {
        attempts_max: job.retry.attempts,
        backoff_first: job.retry.base,
        backoff_max: job.retry.max,
        ..RetrySettings::default()
    };
    settings.timeout = target.timeout;
    settings.wait_max = job.limits.wait_max;
    settings.concurrency_max = target.concurrency_max;
    settings.dop_hint_scope = target.dop_hint_scope;
    settings.pace = PaceSettings {
        requests_per_second: job.limits.requests_per_second,
        records_per_day: job.limits.records_per_day,
        records_spent: 0,
    };
    settings
}
