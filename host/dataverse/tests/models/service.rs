//! A service with limits, for tests of the throttle: what it does with a
//! request, when, and how long that takes. Pure; repeatable by its seed.
//!
//! Written apart from the throttle, which knows nothing of these amounts: each
//! principal has its requests, its execution time and its concurrency limited
//! on each web server alone, and requests go to the servers by chance. A
//! request during a freeze lengthens it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Deserialize;

/// What a service is like.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Spec {
    pub(crate) seed: u64,
    /// Web servers.
    pub(crate) servers: usize,
    /// Each request takes this (the median of a lognormal distribution).
    pub(crate) latency_ms: f64,
    /// Its deviation, in logarithms.
    pub(crate) sigma: f64,
    /// And this for each record.
    pub(crate) record_ms: f64,
    /// On the way there and back; no execution time.
    pub(crate) network_ms: f64,
    pub(crate) dop_hint: Option<usize>,
    /// Says what is left in its headers.
    pub(crate) tells_remaining: bool,
    pub(crate) window_seconds: f64,
    pub(crate) requests: f64,
    pub(crate) execution_seconds: f64,
    pub(crate) concurrency: usize,
    /// What a 429 asks for: until there is room, these seconds, or nothing.
    pub(crate) retry_after: RetryAfter,
    /// Execution takes longer in proportion from so many in flight on, over all
    /// principals.
    pub(crate) knee: Option<usize>,
    /// Requests fail from so many in flight on.
    pub(crate) cliff: Option<usize>,
    /// Share of requests that fail for no reason.
    pub(crate) fails: f64,
    /// What is different for a while.
    pub(crate) spell: Vec<Spell>,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            seed: 1,
            servers: 1,
            latency_ms: 150.0,
            sigma: 0.5,
            record_ms: 6.0,
            network_ms: 20.0,
            dop_hint: Some(52),
            tells_remaining: true,
            window_seconds: 300.0,
            requests: 6000.0,
            execution_seconds: 1200.0,
            concurrency: 52,
            retry_after: RetryAfter::Room,
            knee: None,
            cliff: None,
            fails: 0.0,
            spell: Vec::new(),
        }
    }
}

/// From one time to another.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Spell {
    pub(crate) from: f64,
    pub(crate) until: f64,
    /// For this principal only.
    pub(crate) principal: Option<usize>,
    pub(crate) requests: Option<f64>,
    pub(crate) execution_seconds: Option<f64>,
    pub(crate) concurrency: Option<usize>,
    /// So many times slower.
    pub(crate) slower: f64,
    /// Somebody else's requests as the same principal, each second, of as many
    /// records.
    pub(crate) others_per_second: f64,
    /// Everything is answered with this status.
    pub(crate) status: Option<u16>,
    /// Everything is refused with a 429 of another code until the end of it.
    pub(crate) entitlement: bool,
}

impl Default for Spell {
    fn default() -> Self {
        Self {
            from: 0.0,
            until: f64::MAX,
            principal: None,
            requests: None,
            execution_seconds: None,
            concurrency: None,
            slower: 1.0,
            others_per_second: 0.0,
            status: None,
            entitlement: false,
        }
    }
}

/// What a 429 asks for.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RetryAfter {
    Room,
    Seconds(f64),
    Nothing,
}

/// A reply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Answer {
    pub(crate) after: Duration,
    pub(crate) status: u16,
    /// Of a 429.
    pub(crate) code: &'static str,
    pub(crate) retry_after: Option<u64>,
    /// Requests and seconds.
    pub(crate) remaining: Option<(f64, f64)>,
}

/// One principal on one web server.
#[derive(Debug, Clone, Default)]
struct Account {
    /// When requests came, and what they took.
    window: VecDeque<(f64, f64)>,
    seconds: f64,
    running: Vec<f64>,
    frozen_until: f64,
    why: &'static str,
}

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) spec: Spec,
    random: u64,
    accounts: BTreeMap<(usize, usize), Account>,
    others_at: BTreeMap<usize, f64>,
}

impl Service {
    pub(crate) fn new(spec: Spec) -> Self {
        let random = spec.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66;
        Self { spec, random, accounts: BTreeMap::new(), others_at: BTreeMap::new() }
    }

    /// Answers a request of so many records that comes at `now`.
    pub(crate) fn receive(&mut self, now: Duration, principal: usize, records: usize) -> Answer {
        let now = now.as_secs_f64();
        self.others(now, principal, records);
        let server = self.below(self.spec.servers);
        self.at(now, principal, server, records)
    }

    /// As `receive`, for one who knows on which server there is room: when
    /// there is some on none, that says when to come again.
    pub(crate) fn receive_where_there_is_room(
        &mut self,
        now: Duration,
        principal: usize,
        records: usize,
    ) -> Result<Answer, Duration> {
        let at = now.as_secs_f64();
        let mut soonest = f64::MAX;
        let start = self.below(self.spec.servers);
        for step in 0..self.spec.servers {
            let server = (start + step) % self.spec.servers;
            let limits = self.limits(at, principal);
            let account = self.accounts.entry((principal, server)).or_default();
            account.forget(at, self.spec.window_seconds);
            match account.full_until(at, &limits, self.spec.window_seconds) {
                None => return Ok(self.at(at, principal, server, records)),
                Some((until, _)) => soonest = soonest.min(until),
            }
        }
        Err(Duration::from_secs_f64(soonest + 1e-6))
    }

    /// Requests of this principal that no other answer was given to.
    fn at(&mut self, now: f64, principal: usize, server: usize, records: usize) -> Answer {
        let network = self.spec.network_ms / 1000.0;
        let quick = Duration::from_secs_f64(network);
        let refused = |status, code, retry_after| Answer {
            after: quick,
            status,
            code,
            retry_after,
            remaining: None,
        };
        let in_flight = self.in_flight(now);
        let spells: Vec<Spell> = self.spells(now, principal).cloned().collect();
        if let Some(status) = spells.iter().find_map(|spell| spell.status) {
            return refused(status, "", None);
        }
        if let Some(spell) = spells.iter().find(|spell| spell.entitlement) {
            return refused(429, "0x8007ffff", Some(whole(spell.until - now)));
        }
        if self.spec.cliff.is_some_and(|cliff| in_flight >= cliff)
            || (self.spec.fails > 0.0 && self.uniform() < self.spec.fails)
        {
            return refused(503, "", None);
        }
        let limits = self.limits(now, principal);
        let (window, asks) = (self.spec.window_seconds, self.spec.retry_after);
        let account = self.accounts.entry((principal, server)).or_default();
        account.forget(now, window);
        if account.frozen_until > now {
            // Sent although it was told to wait, to this server at least.
            account.frozen_until = (account.frozen_until + 2.0).min(now + window);
        }
        if let Some((until, code)) = account.full_until(now, &limits, window) {
            if code != "0x80072326" {
                account.frozen_until = account.frozen_until.max(until);
                account.why = code;
            }
            let retry_after = match asks {
                RetryAfter::Room => Some(whole(until - now)),
                RetryAfter::Seconds(seconds) => Some(whole(seconds)),
                RetryAfter::Nothing => None,
            };
            return refused(429, code, retry_after);
        }
        let slower: f64 = spells.iter().map(|spell| spell.slower).product();
        let pressed =
            self.spec.knee.map_or(1.0, |knee| (count(in_flight + 1) / count(knee.max(1))).max(1.0));
        let base = self.spec.latency_ms * (self.spec.sigma * self.normal()).exp();
        let takes = (base + self.spec.record_ms * count(records)) / 1000.0 * slower * pressed;
        let account = self.accounts.entry((principal, server)).or_default();
        account.window.push_back((now, takes));
        account.seconds += takes;
        account.running.push(now + takes);
        let left = (limits.0 - count(account.window.len()), limits.1 - account.seconds);
        Answer {
            after: Duration::from_secs_f64(takes + network),
            status: 204,
            code: "",
            retry_after: None,
            remaining: self.spec.tells_remaining.then_some((left.0.max(0.0), left.1.max(0.0))),
        }
    }

    /// What somebody else has sent as this principal since the last look.
    fn others(&mut self, now: f64, principal: usize, records: usize) {
        let last = self.others_at.insert(principal, now).unwrap_or(now);
        let rate: f64 = self.spells(now, principal).map(|spell| spell.others_per_second).sum();
        if rate <= 0.0 {
            return;
        }
        let mut at = last;
        while at + 1.0 / rate <= now {
            at += 1.0 / rate;
            let server = self.below(self.spec.servers);
            let takes = (self.spec.latency_ms + self.spec.record_ms * count(records)) / 1000.0;
            let limits = self.limits(at, principal);
            let window = self.spec.window_seconds;
            let account = self.accounts.entry((principal, server)).or_default();
            account.forget(at, window);
            // They are let in as long as there is room, and wait like us.
            if account.full_until(at, &limits, window).is_none() {
                account.window.push_back((at, takes));
                account.seconds += takes;
            }
        }
        self.others_at.insert(principal, at);
    }

    fn spells(&self, now: f64, principal: usize) -> impl Iterator<Item = &Spell> {
        self.spec.spell.iter().filter(move |spell| {
            spell.from <= now
                && now < spell.until
                && spell.principal.is_none_or(|only| only == principal)
        })
    }

    /// Requests, seconds, concurrency.
    fn limits(&self, now: f64, principal: usize) -> (f64, f64, usize) {
        let mut limits = (self.spec.requests, self.spec.execution_seconds, self.spec.concurrency);
        for spell in self.spells(now, principal) {
            limits.0 = spell.requests.unwrap_or(limits.0);
            limits.1 = spell.execution_seconds.unwrap_or(limits.1);
            limits.2 = spell.concurrency.unwrap_or(limits.2);
        }
        limits
    }

    fn in_flight(&mut self, now: f64) -> usize {
        self.accounts
            .values_mut()
            .map(|account| {
                account.running.retain(|end| *end > now);
                account.running.len()
            })
            .sum()
    }

    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// In (0, 1].
    fn uniform(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).unwrap_or(0);
        (f64::from(bits) + 1.0) / 4_294_967_296.0
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform(), self.uniform());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

impl Account {
    fn forget(&mut self, now: f64, window: f64) {
        while let Some(&(came, took)) = self.window.front() {
            if came + window > now {
                break;
            }
            self.seconds -= took;
            self.window.pop_front();
        }
        self.running.retain(|end| *end > now);
    }

    /// Until when there is no room, and which limit says so.
    fn full_until(
        &self,
        now: f64,
        limits: &(f64, f64, usize),
        window: f64,
    ) -> Option<(f64, &'static str)> {
        if self.running.len() >= limits.2 {
            let first = self.running.iter().copied().fold(f64::MAX, f64::min);
            return Some((first, "0x80072326"));
        }
        if self.frozen_until > now {
            return Some((self.frozen_until, self.why));
        }
        let surplus = count(self.window.len()) + 1.0 - limits.0;
        if surplus > 0.0 {
            let mut left = surplus;
            let leaves = self.window.iter().find(|_| {
                left -= 1.0;
                left <= 0.0
            });
            return Some((leaves.map_or(now, |entry| entry.0) + window, "0x80072322"));
        }
        if self.seconds >= limits.1 {
            let mut left = self.seconds;
            let leaves = self.window.iter().find(|entry| {
                left -= entry.1;
                left < limits.1
            });
            return Some((leaves.map_or(now, |entry| entry.0) + window, "0x80072321"));
        }
        None
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn count(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn whole(seconds: f64) -> u64 {
    seconds.ceil().clamp(1.0, 1e6) as u64
}

/// How many requests one lands by `end` who knows the limits and on which
/// server there is room, and sends as soon as there is any: no client can do
/// better.
pub(crate) fn oracle(spec: &Spec, principals: usize, records: usize, end: Duration) -> usize {
    let mut service = Service::new(spec.clone());
    let mut landed = 0;
    for principal in 0..principals {
        let mut now = Duration::ZERO;
        while now < end {
            match service.receive_where_there_is_room(now, principal, records) {
                Ok(answer) => {
                    landed += usize::from(answer.status == 204 && now + answer.after <= end);
                }
                Err(later) => now = later,
            }
        }
    }
    landed
}
