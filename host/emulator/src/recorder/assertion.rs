//! What can be asserted of the requests so far. Pure.

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use super::Recorder;
use super::log::{RequestFilter, RequestRecord, number};
use crate::operation::Operation;

/// Something that should hold of the requests so far.
#[derive(Debug, Clone, PartialEq)]
pub enum Assertion {
    /// None of these was sent.
    NoRequest(RequestFilter),
    /// No record was created twice: neither under one id, nor from one body
    /// under two.
    NoCreateTwice,
    /// No principal sent anything before the `Retry-After` of a refusal had
    /// passed. What comes within the grace was under way when it was refused.
    RetryAfterKept {
        /// How long after a refusal requests may still come in.
        grace: Duration,
    },
}

/// What became of an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What speaks against it, in words, up to 100.
    pub violations: Vec<String>,
    /// What it should have looked at and is no longer remembered: requests, or
    /// created records.
    pub forgotten: u64,
}

impl Verdict {
    /// It holds, as far as is remembered.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Most violations that are told.
const VIOLATIONS_MAX: usize = 100;

impl Assertion {
    /// From a query string: `that=no_request` with the names of a filter,
    /// `that=no_create_twice`, `that=retry_after_kept` with `grace_seconds`.
    pub(crate) fn read(query: &str) -> Result<Self, String> {
        let (filter, rest) = RequestFilter::read(query)?;
        let mut that = None;
        let mut grace = None;
        for (name, value) in rest {
            match name {
                "that" => that = Some(value),
                "grace_seconds" => grace = Some(number::<f64>(name, &value)?),
                _ => return Err(format!("`{name}` is not known")),
            }
        }
        let words = "`no_request`, `no_create_twice` or `retry_after_kept`";
        match that.as_deref() {
            Some("no_request") if grace.is_none() => Ok(Self::NoRequest(filter)),
            Some("no_create_twice") if filter == RequestFilter::default() && grace.is_none() => {
                Ok(Self::NoCreateTwice)
            }
            Some("retry_after_kept") if filter == RequestFilter::default() => {
                let grace = Duration::try_from_secs_f64(grace.unwrap_or(0.0));
                let grace = grace.map_err(|error| format!("`grace_seconds`: {error}"))?;
                Ok(Self::RetryAfterKept { grace })
            }
            Some("no_request" | "no_create_twice" | "retry_after_kept") => {
                Err("it has a name that does not go with `that`".to_owned())
            }
            Some(other) => Err(format!("`that` must be {words}, found `{other}`")),
            None => Err(format!("`that` is missing: {words}")),
        }
    }

    pub(super) fn check(&self, recorder: &Recorder) -> Verdict {
        let requests = recorder.in_order();
        let (mut violations, forgotten) = match self {
            Self::NoRequest(filter) => {
                let sent = requests.iter().filter(|one| filter.fits(one));
                (sent.map(|one| told(one)).collect(), recorder.forgotten_requests)
            }
            Self::NoCreateTwice => (twice(recorder), recorder.forgotten_creates),
            Self::RetryAfterKept { grace } => {
                (too_early(&requests, *grace), recorder.forgotten_requests)
            }
        };
        violations.truncate(VIOLATIONS_MAX);
        Verdict { violations, forgotten }
    }
}

fn told(one: &RequestRecord) -> String {
    let RequestRecord { number, at, principal, method, path, status, .. } = one;
    format!("request {number} of `{principal}` at {at:.3} s: {method} {path}: {status}")
}

fn twice(recorder: &Recorder) -> Vec<String> {
    let mut ids: HashMap<Uuid, u64> = HashMap::new();
    let mut bodies: HashMap<u64, (u64, Uuid)> = HashMap::new();
    let mut violations = Vec::new();
    for create in &recorder.creates {
        if let Some(first) = ids.insert(create.id, create.request) {
            let (id, second) = (create.id, create.request);
            violations.push(format!("record {id} was created by requests {first} and {second}"));
        } else if let Some((first, id)) = bodies.insert(create.digest, (create.request, create.id))
        {
            let (other, second) = (create.id, create.request);
            violations.push(format!(
                "one record was created as {id} by request {first} and as {other} by request {second}"
            ));
        }
    }
    violations
}

fn too_early(requests: &[&RequestRecord], grace: Duration) -> Vec<String> {
    /// The wait of a principal that ends last.
    struct Wait {
        number: u64,
        began: Duration,
        ends: Duration,
    }
    // The issuer of tokens is another service.
    let from = |one: &RequestRecord| one.operation == Operation::Token;
    let mut waits: HashMap<(&str, bool), Wait> = HashMap::new();
    let mut violations = Vec::new();
    for one in requests {
        let whose = (one.principal.as_str(), from(one));
        if let Some(wait) = waits.get(&whose)
            && one.time < wait.ends
            && one.time > wait.began + grace
        {
            let early = (wait.ends - one.time).as_secs_f64();
            violations.push(format!(
                "{}: {early:.3} s before the wait of request {} had passed",
                told(one),
                wait.number
            ));
        }
        if let Some(seconds) = one.retry_after {
            let ends = one.time + Duration::from_secs(seconds);
            let last = waits.get(&whose).is_none_or(|wait| ends > wait.ends);
            if last {
                let wait = Wait { number: one.number, began: one.time, ends };
                waits.insert(whose, wait);
            }
        }
    }
    violations
}
