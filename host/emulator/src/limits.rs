//! Service-protection limits: requests, execution time and concurrency of each
//! principal in a sliding window (*Service protection API limits*).
//!
//! A state machine over values: time comes in, verdicts go out. Requests and
//! time freeze a principal until the window has room again, and each request
//! during the freeze lengthens it; concurrency bites at once and freezes nobody.
//! What is simulated latency counts as execution time, so figures are the same
//! on every machine.

use std::collections::VecDeque;
use std::time::Duration;

use crate::refusal::Refusal;
use crate::settings::LimitSettings;

/// The limits of one principal.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    settings: LimitSettings,
    window: Duration,
    execution: Duration,
    /// Requests in the window: when they began, how long they take.
    requests: VecDeque<(Duration, Duration)>,
    spent: Duration,
    /// When the requests that are under way end.
    running: Vec<Duration>,
    frozen: Option<Freeze>,
}

#[derive(Debug, Clone)]
struct Freeze {
    until: Duration,
    facet: Facet,
}

#[derive(Debug, Clone, Copy)]
enum Facet {
    Requests,
    Time,
}

/// What is left after a request was let in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Remaining {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or(Duration::ZERO)
}

impl Limits {
    pub(crate) fn new(settings: &LimitSettings) -> Self {
        Self {
            window: seconds(settings.window_seconds),
            execution: seconds(settings.execution_seconds),
            settings: settings.clone(),
            requests: VecDeque::new(),
            spent: Duration::ZERO,
            running: Vec::new(),
            frozen: None,
        }
    }

    /// Lets a request in, or says with 429 when to come again.
    pub(crate) fn admit(&mut self, now: Duration) -> Result<(), Refusal> {
        self.forget(now);
        let concurrency = u64::try_from(self.running.len()).unwrap_or(u64::MAX);
        if concurrency >= self.settings.concurrency {
            let first = self.running.iter().min().copied().unwrap_or(now);
            return Err(self.refusal(
                first.saturating_sub(now),
                "0x80072326",
                format!(
                    "Number of concurrent requests exceeded the limit of {}.",
                    self.settings.concurrency
                ),
            ));
        }
        match &mut self.frozen {
            Some(freeze) if freeze.until > now => {
                let max = now + seconds(self.settings.freeze_max_seconds);
                freeze.until = (freeze.until + seconds(self.settings.penalty_seconds)).min(max);
            }
            _ => self.frozen = self.exceeded(now),
        }
        match self.frozen.clone() {
            None => Ok(()),
            Some(freeze) => Err(self.throttled(&freeze, now)),
        }
    }

    /// Counts a request that was let in, and how long it takes.
    pub(crate) fn began(&mut self, now: Duration, takes: Duration) -> Remaining {
        self.requests.push_back((now, takes));
        self.spent += takes;
        if takes > Duration::ZERO {
            self.running.push(now + takes);
        }
        self.remaining()
    }

    pub(crate) fn remaining(&self) -> Remaining {
        let used = u64::try_from(self.requests.len()).unwrap_or(u64::MAX);
        Remaining {
            requests: self.settings.requests.saturating_sub(used),
            seconds: self.execution.saturating_sub(self.spent).as_secs_f64(),
        }
    }

    fn forget(&mut self, now: Duration) {
        while let Some(&(began, took)) = self.requests.front() {
            if began + self.window > now {
                break;
            }
            self.spent = self.spent.saturating_sub(took);
            self.requests.pop_front();
        }
        self.running.retain(|end| *end > now);
    }

    fn exceeded(&self, now: Duration) -> Option<Freeze> {
        let used = u64::try_from(self.requests.len()).unwrap_or(u64::MAX);
        if used >= self.settings.requests {
            // Until enough of the oldest have left the window.
            let surplus = usize::try_from(used - self.settings.requests).unwrap_or(0);
            let began = self.requests.get(surplus).map_or(now, |request| request.0);
            return Some(Freeze { until: began + self.window, facet: Facet::Requests });
        }
        if self.spent >= self.execution {
            let mut left = self.spent;
            let began = self.requests.iter().find_map(|(began, took)| {
                left = left.saturating_sub(*took);
                (left < self.execution).then_some(*began)
            });
            let until = began.unwrap_or(now) + self.window;
            return Some(Freeze { until, facet: Facet::Time });
        }
        None
    }

    fn throttled(&self, freeze: &Freeze, now: Duration) -> Refusal {
        let wait = freeze.until.saturating_sub(now);
        let window = self.settings.window_seconds;
        match freeze.facet {
            Facet::Requests => self.refusal(
                wait,
                "0x80072322",
                format!(
                    "Number of requests exceeded the limit of {} over time window of {window} \
                     seconds.",
                    self.settings.requests
                ),
            ),
            Facet::Time => self.refusal(
                wait,
                "0x80072321",
                format!(
                    "Combined execution time of incoming requests exceeded limit of {} \
                     milliseconds over time window of {window} seconds. Decrease number of \
                     concurrent requests or reduce the duration of requests and try again later.",
                    grouped(self.execution.as_millis())
                ),
            ),
        }
    }

    fn refusal(&self, wait: Duration, code: &'static str, message: String) -> Refusal {
        let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Refusal { retry_after: Some(whole.max(1)), ..Refusal::new(429, code, message) }
    }
}

fn grouped(value: u128) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1,200.00`: what `x-ms-ratelimit-time-remaining-xrm-requests` looks like.
pub(crate) fn header_seconds(seconds: f64) -> String {
    let text = format!("{seconds:.2}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "00"));
    format!("{}.{fraction}", grouped(whole.parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn verdict(limits: &mut Limits, now: Duration, takes: Duration) -> Result<(), (String, u64)> {
        limits
            .admit(now)
            .map(|()| {
                limits.began(now, takes);
            })
            .map_err(|refusal| (refusal.code.to_string(), refusal.retry_after.unwrap()))
    }

    fn limits(requests: u64, execution_seconds: f64, concurrency: u64) -> Limits {
        Limits::new(&LimitSettings {
            requests,
            execution_seconds,
            concurrency,
            ..LimitSettings::default()
        })
    }

    #[test]
    fn the_request_after_the_limit_waits_for_the_oldest_to_leave_the_window() {
        let mut limits = limits(2, 1e6, 100);
        let zero = Duration::ZERO;
        assert_eq!(verdict(&mut limits, at(0), zero), Ok(()));
        assert_eq!(verdict(&mut limits, at(10), zero), Ok(()));
        assert_eq!(verdict(&mut limits, at(20), zero), Err(("0x80072322".to_owned(), 280)));
        assert_eq!(verdict(&mut limits, at(302), zero), Ok(()));
    }

    #[test]
    fn sending_during_a_freeze_lengthens_it() {
        let mut limits = limits(1, 1e6, 100);
        assert_eq!(verdict(&mut limits, at(0), Duration::ZERO), Ok(()));
        let waits: Vec<u64> =
            (1..4).map(|_| verdict(&mut limits, at(100), Duration::ZERO).unwrap_err().1).collect();
        assert_eq!(waits, [200, 202, 204]);
        assert!(verdict(&mut limits, at(303), Duration::ZERO).is_err());
        assert_eq!(verdict(&mut limits, at(307), Duration::ZERO), Ok(()));
    }

    #[test]
    fn execution_time_is_combined_over_the_window() {
        let mut limits = limits(1000, 10.0, 100);
        assert_eq!(verdict(&mut limits, at(0), at(6)), Ok(()));
        assert_eq!(verdict(&mut limits, at(1), at(6)), Ok(()));
        assert_eq!(verdict(&mut limits, at(2), at(6)), Err(("0x80072321".to_owned(), 298)));
        assert_eq!(verdict(&mut limits, at(301), at(6)), Ok(()));
    }

    #[test]
    fn concurrency_bites_at_once_and_ends_with_a_request() {
        let mut limits = limits(1000, 1e6, 2);
        assert_eq!(verdict(&mut limits, at(0), at(5)), Ok(()));
        assert_eq!(verdict(&mut limits, at(0), at(9)), Ok(()));
        assert_eq!(verdict(&mut limits, at(1), at(1)), Err(("0x80072326".to_owned(), 4)));
        assert_eq!(verdict(&mut limits, at(5), at(1)), Ok(()));
    }

    #[test]
    fn seconds_are_written_with_thousands_and_two_decimals() {
        assert_eq!(header_seconds(1200.0), "1,200.00");
        assert_eq!(header_seconds(7.456), "7.46");
    }
}
