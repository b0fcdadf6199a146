//! How many requests one principal may have in flight, and when: a pure state
//! machine that is told `now`.
//!
//! What it does, in the order in which it bites:
//!
//! - A **freeze** lasts as long as the service asked, in full; a later and
//!   shorter demand does not shorten it.
//! - **Concurrency** is learned: it doubles each round up to the share of the
//!   service's hint, so that a baseline of durations is seen; then it gains one
//!   for each round that used it up. It loses a share when replies take much
//!   longer than their baseline, when they fail as an overloaded service's do,
//!   and when a 429 says nothing else.
//! - **Ceilings** of requests and execution time in the sliding window exist
//!   only once a 429 has shown them ([`Limit`]); then requests are spread over
//!   the window, and the ceiling is probed upward again (`throttle/ceiling.rs`).
//!
//! No amount of the service is written down here, only the length of its window
//! (*Service protection API limits*). What is left according to its headers is a
//! hint: each web server tells of itself alone, so it slows down and bounds
//! nothing.

use std::time::Duration;

mod ceiling;
mod latency;
mod window;

use ceiling::Ceiling;
use latency::Latency;
use window::{Facet, Spent, Window};

pub use latency::Class;

/// In flight before the service has hinted at anything.
const START: usize = 4;
/// What is kept of the limit after a 429, and when the service is overloaded.
const KEEP: f64 = 0.7;
/// What is kept at least when replies take longer.
const KEEP_LEAST: f64 = 0.5;
/// What is kept at most then.
const KEEP_MOST: f64 = 0.9;
/// So many times its baseline a reply may take.
const SLOWER_MAX: f64 = 1.5;
/// Replies that a judgement is based on at least.
const ROUND_LEAST: usize = 10;
/// Share of a round's replies that fail when a service is overloaded.
const OVERLOADED: f64 = 0.1;
/// Near a concurrency that was refused, growth is so much slower.
const CAREFUL: f64 = 0.02;
/// Nearer than this share of it.
const NEAR: f64 = 0.9;
/// First freeze when a 429 says no time; doubles with each one in a row.
const FREEZE_FIRST: Duration = Duration::from_secs(2);
/// Waits are told in whole seconds.
const WAIT_LEAST: f64 = 1.0;
/// The doubling stops here.
const FREEZE_MAX: Duration = Duration::from_mins(5);
/// Share that is left when the headers slow us down.
const LITTLE: f64 = 0.05;
/// In flight then, as a share of the limit.
const SLOWLY: f64 = 0.25;
/// Share of a window for which headers are believed without a refusal.
const BELIEVED: f64 = 0.1;

/// One principal's throttle.
#[derive(Debug, Clone, PartialEq)]
pub struct Throttle {
    concurrency_max: usize,
    limit: f64,
    /// Up to here the limit doubles each round; 0 after the first shrinking.
    ramp: f64,
    in_flight: usize,
    /// When as many were in flight as may be.
    full_at: Option<Duration>,
    frozen_until: Duration,
    shrunk_at: Duration,
    /// 429s without a `Retry-After`, in a row; those that were under way
    /// together are one.
    streak: u32,
    throttled_at: Duration,
    /// Something that left after the last 429 went well.
    thawed: bool,
    /// What was in flight when that was too much.
    refused_at: Option<f64>,
    round: Round,
    latency: Latency,
    window_length: Duration,
    window: Window,
    requests: Option<Ceiling>,
    seconds: Option<Ceiling>,
    left: Left,
}

/// Replies since the last judgement.
#[derive(Debug, Clone, PartialEq, Default)]
struct Round {
    replies: usize,
    overloads: usize,
    /// Sum of how many times their baselines they took.
    slower: f64,
}

/// What the headers say is left.
#[derive(Debug, Clone, PartialEq, Default)]
struct Left {
    requests_most: f64,
    seconds_most: f64,
    slow_since: Option<Duration>,
    slow_until: Duration,
}

/// When the next request may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// At once.
    Now,
    /// Not before this time.
    At(Duration),
    /// When one in flight ends.
    WhenFree,
}

/// A request that was let go; needed when it ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ticket {
    class: Class,
    /// When it was let go.
    began: Duration,
    /// When it left, which may be later: a token may have been fetched first.
    pub left: Duration,
    /// How long it was expected to take, in seconds.
    expected: f64,
}

/// How a request ended, as far as pacing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With a reply that shows no overload.
    Fine,
    /// With a demand to wait.
    Throttled {
        /// How long, if it said so.
        wait: Option<Duration>,
        /// Which limit was met.
        limit: Limit,
    },
    /// With a sign of overload: no reply in time, or the service failed.
    Overload,
    /// It never left.
    NotSent,
    /// In a way that says nothing: given up by us.
    Unknown,
}

/// Which limit a 429 tells of (*Service protection API limits*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Requests in the window: 0x80072322.
    Requests,
    /// Execution time in the window: 0x80072321.
    Seconds,
    /// Requests at the same time: 0x80072326.
    Concurrency,
    /// Another one: the daily entitlement, a table's, customizations.
    Other,
}

impl Limit {
    /// By the error code of the refusal.
    #[must_use]
    pub fn of(code: Option<crate::ErrorCode>) -> Self {
        match code.map(|code| code.0) {
            Some(0x8007_2322) => Self::Requests,
            Some(0x8007_2321) => Self::Seconds,
            Some(0x8007_2326) => Self::Concurrency,
            _ => Self::Other,
        }
    }
}

impl Throttle {
    /// A throttle that never has more than `concurrency_max` in flight, for a
    /// service whose limits count over `window`.
    #[must_use]
    pub fn new(concurrency_max: usize, window: Duration) -> Self {
        let concurrency_max = concurrency_max.max(1);
        let start = as_limit(START.min(concurrency_max));
        Self {
            concurrency_max,
            limit: start,
            ramp: 0.0,
            in_flight: 0,
            full_at: None,
            frozen_until: Duration::ZERO,
            shrunk_at: Duration::ZERO,
            streak: 0,
            throttled_at: Duration::ZERO,
            thawed: true,
            refused_at: None,
            round: Round::default(),
            latency: Latency::default(),
            window_length: window,
            window: Window::new(window),
            requests: None,
            seconds: None,
            left: Left::default(),
        }
    }

    /// The service's hint of how many to send at once, this principal's share
    /// of it: the limit goes there quickly, and not at once beyond it. Once
    /// something was refused or slow, experience rules.
    pub fn hint(&mut self, share: usize) {
        if self.shrunk_at > Duration::ZERO || self.refused_at.is_some() {
            return;
        }
        let share = as_limit(share.clamp(1, self.concurrency_max));
        if self.ramp == 0.0 {
            self.limit = self.limit.min(share);
        }
        self.ramp = share;
    }

    /// What the headers say is left of requests and of seconds: on the web
    /// server that answered, so it is a hint to slow down and no more.
    pub fn remaining(&mut self, now: Duration, requests: Option<f64>, seconds: Option<f64>) {
        let left = &mut self.left;
        let mut little = false;
        for (told, most, known) in [
            (requests, &mut left.requests_most, self.requests.is_some()),
            (seconds, &mut left.seconds_most, self.seconds.is_some()),
        ] {
            if let Some(told) = told.filter(|told| told.is_finite()) {
                *most = most.max(told);
                // A known ceiling knows better.
                little |= !known && *most > 0.0 && told <= LITTLE * *most;
            }
        }
        if !little {
            left.slow_since = None;
            left.slow_until = now;
            return;
        }
        let since = *left.slow_since.get_or_insert(now);
        let second = self.window_length / 300;
        if now.saturating_sub(since) < self.window_length.mul_f64(BELIEVED) {
            left.slow_until = now + second;
        }
    }

    /// Whether a request of this class may leave now.
    #[must_use]
    pub fn ready(&mut self, now: Duration, class: Class) -> Ready {
        if now < self.frozen_until {
            return Ready::At(self.frozen_until);
        }
        if self.in_flight >= self.limit_at(now) {
            return Ready::WhenFree;
        }
        self.window.advance(now);
        let cost = self.cost(class);
        let (mut when, mut full) = (now, now);
        for (ceiling, facet) in self.ceilings() {
            if let Some(due) = ceiling.due(now) {
                when = when.max(due);
            }
            let spent = self.window.spent().of(facet);
            if let Some(room) = ceiling.room(spent, cost.of(facet)) {
                full = full.max(self.window.falls_to(facet, room));
            }
        }
        if full > now {
            when = when.max(full);
            for ceiling in [&mut self.requests, &mut self.seconds].into_iter().flatten() {
                ceiling.full(full);
            }
        }
        if when > now { Ready::At(when) } else { Ready::Now }
    }

    /// A request of this class leaves.
    pub fn begin(&mut self, now: Duration, class: Class) -> Ticket {
        self.window.advance(now);
        self.in_flight += 1;
        if self.in_flight >= self.limit() {
            self.full_at = Some(now);
        }
        let cost = self.cost(class);
        let spent = self.window.spent();
        if let Some(ceiling) = &mut self.requests {
            ceiling.left(now, spent.requests, cost.requests);
        }
        if let Some(ceiling) = &mut self.seconds {
            ceiling.left(now, spent.seconds, cost.seconds);
        }
        self.window.note(now, cost);
        Ticket { class, began: now, left: now, expected: cost.seconds }
    }

    /// A request has ended.
    pub fn end(&mut self, ticket: Ticket, now: Duration, ended: Ended) {
        self.window.advance(now);
        // While it was under way, that is.
        let used_up = self.full_at.is_some_and(|full| full >= ticket.began);
        self.in_flight = self.in_flight.saturating_sub(1);
        let took = now.saturating_sub(ticket.left);
        let costs = |seconds: f64| Spent { requests: 0.0, seconds: seconds - ticket.expected };
        match ended {
            Ended::NotSent | Ended::Throttled { .. } => {
                self.correct(ticket, Spent { requests: -1.0, ..costs(0.0) });
            }
            Ended::Fine | Ended::Overload | Ended::Unknown => {
                self.correct(ticket, costs(took.as_secs_f64()));
            }
        }
        // Requests that left before the last shrinking know nothing of the
        // limit since.
        let knows = ticket.left >= self.shrunk_at;
        match ended {
            Ended::Fine => {
                self.streak = 0;
                self.thawed |= ticket.left >= self.throttled_at;
                let slower = self.latency.note(ticket.class, now, took);
                if knows {
                    self.round.slower += slower;
                    self.round.replies += 1;
                    if used_up {
                        self.grow();
                    }
                    self.judge_round(now);
                }
            }
            Ended::Throttled { wait, limit } => {
                self.lesson(ticket, now, limit, wait);
                self.freeze(ticket, now, wait);
            }
            Ended::Overload if knows => {
                self.round.overloads += 1;
                self.round.slower += 1.0;
                self.round.replies += 1;
                self.judge_round(now);
            }
            Ended::Overload | Ended::NotSent | Ended::Unknown => {}
        }
    }

    fn freeze(&mut self, ticket: Ticket, now: Duration, wait: Option<Duration>) {
        let wait = match wait {
            Some(wait) => wait,
            // Under way together with one that has frozen us already.
            None if self.streak > 0 && ticket.left < self.throttled_at => Duration::ZERO,
            None => {
                let doubled = FREEZE_FIRST * 2_u32.saturating_pow(self.streak.min(10));
                self.streak += 1;
                doubled.min(FREEZE_MAX)
            }
        };
        self.throttled_at = now;
        self.thawed = false;
        self.frozen_until = self.frozen_until.max(now + wait);
        for ceiling in [&mut self.requests, &mut self.seconds].into_iter().flatten() {
            ceiling.frozen(self.frozen_until);
        }
    }

    /// What a 429 teaches. Whoever may come again after a wait may do so after
    /// each such wait: that many requests are in a window at least, however few
    /// had been sent when the service refused.
    fn lesson(&mut self, ticket: Ticket, now: Duration, limit: Limit, wait: Option<Duration>) {
        let spent = self.window.spent();
        let length = self.window_length;
        let waits = wait.map_or(1.0, |wait| {
            (length.as_secs_f64() / wait.as_secs_f64().max(WAIT_LEAST)).max(1.0)
        });
        match limit {
            // It has not let anything in since it refused us last.
            Limit::Requests | Limit::Seconds
                if !self.thawed && ticket.left >= self.throttled_at => {}
            Limit::Requests => match &mut self.requests {
                Some(ceiling) => ceiling.refused(ticket.left, now, spent.requests, waits),
                None => {
                    self.requests = Some(Ceiling::found(now, length, spent.requests, waits));
                }
            },
            Limit::Seconds => {
                let least = ticket.expected.max(1e-3) * waits;
                match &mut self.seconds {
                    Some(ceiling) => ceiling.refused(ticket.left, now, spent.seconds, least),
                    None => {
                        self.seconds = Some(Ceiling::found(now, length, spent.seconds, least));
                    }
                }
            }
            Limit::Concurrency | Limit::Other => {
                if ticket.left >= self.shrunk_at {
                    if limit == Limit::Concurrency {
                        self.refused_at = Some(as_limit(self.in_flight.max(1)));
                        self.limit = self.limit.min(as_limit(self.in_flight.max(1)));
                    }
                    self.shrink(now, KEEP);
                }
            }
        }
    }

    /// One for each round that used the limit up; twice as many while it is on
    /// its way to the hint; slowly where it was refused before.
    fn grow(&mut self) {
        let gain = if self.limit < self.ramp {
            1.0
        } else if self.refused_at.is_some_and(|refused| self.limit >= NEAR * refused) {
            CAREFUL / self.limit
        } else {
            1.0 / self.limit
        };
        self.limit = (self.limit + gain).min(as_limit(self.concurrency_max));
    }

    /// Whether the replies of a round show that there is too much in flight.
    fn judge_round(&mut self, now: Duration) {
        let round = &self.round;
        let size = self.limit().max(ROUND_LEAST);
        let failed = as_limit(round.overloads);
        if failed >= (OVERLOADED * as_limit(size)).max(2.0) {
            self.refused_at = Some(self.limit);
            self.shrink(now, KEEP);
        } else if round.replies >= size {
            let slower = round.slower / as_limit(round.replies);
            if slower > SLOWER_MAX {
                self.shrink(now, (SLOWER_MAX / slower).clamp(KEEP_LEAST, KEEP_MOST));
                self.latency.reacted();
            }
            self.round = Round::default();
        }
    }

    fn shrink(&mut self, now: Duration, keep: f64) {
        self.shrunk_at = now;
        self.ramp = 0.0;
        self.limit = (self.limit * keep).max(1.0);
        self.round = Round::default();
    }

    fn correct(&mut self, ticket: Ticket, more: Spent) {
        self.window.note(ticket.began, more);
        if let Some(ceiling) = &mut self.requests {
            ceiling.correct(more.requests);
        }
        if let Some(ceiling) = &mut self.seconds {
            ceiling.correct(more.seconds);
        }
    }

    fn cost(&self, class: Class) -> Spent {
        Spent { requests: 1.0, seconds: self.latency.expected(class) }
    }

    fn ceilings(&self) -> impl Iterator<Item = (&Ceiling, Facet)> {
        let requests = self.requests.as_ref().map(|ceiling| (ceiling, Facet::Requests));
        let seconds = self.seconds.as_ref().map(|ceiling| (ceiling, Facet::Seconds));
        requests.into_iter().chain(seconds)
    }

    /// Most in flight at the moment; at least 1.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the maximum"
    )]
    pub fn limit(&self) -> usize {
        // Rounding must not cost one: 5.999... stands for 6.
        (self.limit + 1e-9) as usize
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the maximum"
    )]
    fn limit_at(&self, now: Duration) -> usize {
        if now < self.left.slow_until {
            (self.limit * SLOWLY).max(1.0) as usize
        } else {
            self.limit()
        }
    }

    /// In flight now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Nothing leaves before this time.
    #[must_use]
    pub fn frozen_until(&self) -> Duration {
        self.frozen_until
    }

    /// Requests in a window that the service is known to take, once a refusal
    /// has shown it.
    #[must_use]
    pub fn requests_known(&self) -> Option<f64> {
        self.requests.as_ref().map(Ceiling::amount)
    }

    /// Seconds of execution in a window that the service is known to take, once
    /// a refusal has shown it.
    #[must_use]
    pub fn seconds_known(&self) -> Option<f64> {
        self.seconds.as_ref().map(Ceiling::amount)
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn as_limit(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
