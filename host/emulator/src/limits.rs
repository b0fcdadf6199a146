//! Service-protection limits: requests, execution time and concurrency of each
//! principal in a sliding window (*Service protection API limits*).
//!
//! A state machine over values: time comes in, verdicts go out. Requests and
//! time freeze a principal until the window has room again, and each request
//! during the freeze lengthens it; concurrency bites at once and freezes nobody.
//! What is simulated latency counts as execution time, so figures are the same
//! on every machine.

mod entitlement;
mod guard;

use std::collections::VecDeque;
use std::time::Duration;

use crate::settings::LimitSettings;
pub(crate) use guard::Guard;

/// The limits of one principal at one web server.
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

/// Which limit refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facet {
    Requests,
    Time,
    Concurrency,
    Entitlement,
}

impl Facet {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Time => "time",
            Self::Concurrency => "concurrency",
            Self::Entitlement => "entitlement",
        }
    }
}

/// A request that is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Throttled {
    pub(crate) facet: Facet,
    /// When to come again, in the service's time.
    pub(crate) wait: Duration,
    /// `error.code`.
    pub(crate) code: String,
    /// `error.message`.
    pub(crate) message: String,
}

impl Throttled {
    fn new(facet: Facet, wait: Duration, code: &str, message: String) -> Self {
        Self { facet, wait, code: code.to_owned(), message }
    }
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
    pub(crate) fn admit(&mut self, now: Duration) -> Result<(), Throttled> {
        self.forget(now);
        let concurrency = u64::try_from(self.running.len()).unwrap_or(u64::MAX);
        if concurrency >= self.settings.concurrency {
            let first = self.running.iter().min().copied().unwrap_or(now);
            return Err(Throttled::new(
                Facet::Concurrency,
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

    fn throttled(&self, freeze: &Freeze, now: Duration) -> Throttled {
        let wait = freeze.until.saturating_sub(now);
        let window = self.settings.window_seconds;
        match freeze.facet {
            Facet::Time => Throttled::new(
                freeze.facet,
                wait,
                "0x80072321",
                format!(
                    "Combined execution time of incoming requests exceeded limit of {} \
                     milliseconds over time window of {window} seconds. Decrease number of \
                     concurrent requests or reduce the duration of requests and try again later.",
                    grouped(self.execution.as_millis())
                ),
            ),
            _ => Throttled::new(
                freeze.facet,
                wait,
                "0x80072322",
                format!(
                    "Number of requests exceeded the limit of {} over time window of {window} \
                     seconds.",
                    self.settings.requests
                ),
            ),
        }
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
mod tests;
