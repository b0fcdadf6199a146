//! Which principal may send now, or when one may: pure, told `now`.
//!
//! The one that can send soonest is lent; of several that can send now, the one
//! that uses the smallest share of its limit, then the one that was lent least.
//! One that was refused stays out, longer each time; afterwards a single
//! request tries whether it is taken again. One that is drained is lent no
//! more. What the job itself wants to spend (`pace.rs`) holds all of them back.

use std::time::Duration;

use crate::counts::PrincipalCounts;
use crate::error::ClientError;
use crate::pace::{Pace, Spare};
use crate::settings::{ClientSettings, DopHintScope};
use crate::throttle::{Class, Ended, Limit, Ready, Throttle, Ticket};

/// No refused principal stays out for longer, unless the setting says so.
const OUT_MAX: Duration = Duration::from_hours(1);

/// A principal, as long as its client lives. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u64);

/// All principals of a client; `W` is what stands behind each.
#[derive(Debug)]
pub(crate) struct Lending<W> {
    members: Vec<Member<W>>,
    next: u64,
    dop_hint: Option<usize>,
    scope: DopHintScope,
    concurrency_max: usize,
    window: Duration,
    quarantine: Duration,
    pace: Pace,
}

#[derive(Debug)]
struct Member<W> {
    id: Id,
    name: String,
    who: W,
    throttle: Throttle,
    health: Health,
    draining: bool,
    counts: PrincipalCounts,
}

/// Whether the service takes a principal.
#[derive(Debug, Clone)]
enum Health {
    Taken,
    /// Refused so many times in a row: out until then, because of that.
    Out {
        until: Duration,
        why: ClientError,
        times: u32,
    },
    /// One request tries whether it is taken again.
    OnTrial {
        why: ClientError,
        times: u32,
    },
}

/// What is to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) class: Class,
    /// Records that it writes.
    pub(crate) records: usize,
}

/// The right to send one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loan {
    pub(crate) id: Id,
    pub(crate) ticket: Ticket,
    records: usize,
    on_trial: bool,
    /// Its records were written.
    pub(crate) landed: bool,
}

#[derive(Debug)]
pub(crate) enum Choice<W> {
    Lent(Loan, W),
    /// Until then, or until something ends or changes; `busy` when somebody is
    /// neither frozen nor paced but has all that it may have in flight.
    Wait {
        when: Option<Duration>,
        busy: bool,
    },
}

/// Why nobody is lent.
#[derive(Debug, Clone)]
pub(crate) enum Refused {
    /// All are frozen for longer than the caller waits.
    Frozen(Duration),
    /// The job has spent what it wants to spend, for longer than the caller
    /// waits.
    Spent(Duration),
    /// All are out or drained; why the first one is.
    AllOut(ClientError),
}

impl<W: Clone> Lending<W> {
    pub(crate) fn new(settings: &ClientSettings) -> Self {
        Self {
            members: Vec::new(),
            next: 0,
            dop_hint: None,
            scope: settings.dop_hint_scope,
            concurrency_max: settings.concurrency_max,
            window: settings.limits_window,
            quarantine: settings.quarantine,
            pace: Pace::new(&settings.pace),
        }
    }

    /// One more.
    pub(crate) fn add(&mut self, name: &str, who: W) -> Id {
        let id = Id(self.next);
        self.next += 1;
        self.members.push(Member {
            id,
            name: name.to_owned(),
            who,
            throttle: Throttle::new(self.concurrency_max, self.window),
            health: Health::Taken,
            draining: false,
            counts: PrincipalCounts { name: name.to_owned(), ..PrincipalCounts::default() },
        });
        self.share_hint();
        id
    }

    /// No new requests as this one.
    pub(crate) fn drain(&mut self, id: Id) {
        if let Some(member) = self.member(id) {
            member.draining = true;
        }
        self.share_hint();
    }

    /// It has a new credential: what was held against the old one is forgotten,
    /// the limits of the user behind it are not. One that was drained works
    /// again.
    pub(crate) fn renew(&mut self, id: Id, who: W) {
        if let Some(member) = self.member(id) {
            member.who = who;
            member.draining = false;
            member.health = Health::Taken;
        }
        self.share_hint();
    }

    /// Who may send a request like this, or when somebody may.
    pub(crate) fn choose(
        &mut self,
        now: Duration,
        load: Load,
        only: Option<Id>,
    ) -> Result<Choice<W>, Refused> {
        for member in &mut self.members {
            if let Health::Out { until, why, times } = &member.health
                && *until <= now
            {
                member.health = Health::OnTrial { why: why.clone(), times: *times };
            }
        }
        let mut best: Option<((usize, u64), usize)> = None;
        let (mut when, mut busy, mut candidates) = (None::<Duration>, false, false);
        for (position, member) in self.members.iter_mut().enumerate() {
            if !member.may_be_lent() || only.is_some_and(|only| only != member.id) {
                continue;
            }
            candidates = true;
            let tried =
                matches!(member.health, Health::OnTrial { .. }) && member.throttle.in_flight() > 0;
            let ready =
                if tried { Ready::WhenFree } else { member.throttle.ready(now, load.class) };
            match ready {
                Ready::Now => {
                    let rank = (member.load(), member.counts.lent);
                    if best.is_none_or(|(known, _)| rank < known) {
                        best = Some((rank, position));
                    }
                }
                Ready::At(at) => when = Some(when.map_or(at, |known| known.min(at))),
                Ready::WhenFree => busy = true,
            }
        }
        if !candidates {
            return Err(Refused::AllOut(self.why_all_out(only)));
        }
        let Some((_, position)) = best else { return Ok(Choice::Wait { when, busy }) };
        match self.pace.spend(now, load.records) {
            Spare::Yes => {}
            Spare::At(when) => return Ok(Choice::Wait { when: Some(when), busy: false }),
            Spare::NotToday(when) => return Err(Refused::Spent(when)),
        }
        let member = &mut self.members[position];
        let ticket = member.throttle.begin(now, load.class);
        member.counts.lent += 1;
        let on_trial = matches!(member.health, Health::OnTrial { .. });
        let loan = Loan { id: member.id, ticket, records: load.records, on_trial, landed: false };
        Ok(Choice::Lent(loan, member.who.clone()))
    }

    fn why_all_out(&self, only: Option<Id>) -> ClientError {
        let asked = |member: &&Member<W>| only.is_none_or(|only| only == member.id);
        let why = self.members.iter().filter(asked).find_map(|member| match &member.health {
            Health::Out { why, .. } | Health::OnTrial { why, .. } => Some(why.clone()),
            Health::Taken => None,
        });
        why.unwrap_or_else(|| ClientError::Settings {
            setting: "principals",
            message: "none is left: all are drained".to_owned(),
        })
    }

    /// A request has ended.
    pub(crate) fn end(&mut self, loan: Loan, now: Duration, ended: Ended) {
        match ended {
            Ended::NotSent | Ended::Throttled { .. } => self.pace.give_back(loan.records),
            Ended::Fine if !loan.landed => self.pace.give_back(loan.records),
            // It may have been written.
            Ended::Fine | Ended::Overload | Ended::Unknown => {}
        }
        let Some(member) = self.member(loan.id) else { return };
        if loan.landed {
            member.counts.records += u64::try_from(loan.records).unwrap_or(u64::MAX);
        }
        let counts = &mut member.counts;
        match ended {
            Ended::NotSent => {}
            Ended::Throttled { limit, .. } => {
                counts.sent += 1;
                counts.throttled += 1;
                match limit {
                    Limit::Requests => counts.throttled_requests += 1,
                    Limit::Seconds => counts.throttled_seconds += 1,
                    Limit::Concurrency => counts.throttled_concurrency += 1,
                    Limit::Other => {}
                }
            }
            Ended::Fine | Ended::Overload | Ended::Unknown => counts.sent += 1,
        }
        let before = member.throttle.frozen_until().max(now);
        member.throttle.end(loan.ticket, now, ended);
        let after = member.throttle.frozen_until();
        member.counts.frozen += after.saturating_sub(before);
        // Whatever it says, it is said to a principal that is taken.
        if loan.on_trial && matches!(ended, Ended::Fine | Ended::Throttled { .. }) {
            member.health = Health::Taken;
        }
    }

    /// The service refuses this principal; the request has ended by that.
    pub(crate) fn refuse(&mut self, loan: Loan, now: Duration, why: ClientError, sent: bool) {
        let quarantine = self.quarantine;
        self.end(loan, now, if sent { Ended::Unknown } else { Ended::NotSent });
        let Some(member) = self.member(loan.id) else { return };
        let times = match &member.health {
            Health::Taken => 1,
            Health::OnTrial { times, .. } => times.saturating_add(1),
            // One of several that were under way together.
            Health::Out { .. } => return,
        };
        let out =
            quarantine.saturating_mul(2_u32.saturating_pow(times - 1)).min(OUT_MAX.max(quarantine));
        member.counts.quarantined += 1;
        member.health = Health::Out { until: now + out, why, times };
    }

    /// The service's hint of how many requests to send at once.
    pub(crate) fn hint(&mut self, dop: usize) {
        if self.dop_hint != Some(dop) {
            self.dop_hint = Some(dop);
            self.share_hint();
        }
    }

    /// What is left of this principal's limits, as the service hints.
    pub(crate) fn remaining(
        &mut self,
        id: Id,
        now: Duration,
        requests: Option<f64>,
        seconds: Option<f64>,
    ) {
        if let Some(member) = self.member(id) {
            member.throttle.remaining(now, requests, seconds);
        }
    }

    fn share_hint(&mut self) {
        let Some(dop) = self.dop_hint else { return };
        let working = self.members.iter().filter(|member| !member.draining).count().max(1);
        let share = match self.scope {
            DopHintScope::Environment => dop / working,
            DopHintScope::Principal => dop,
        };
        for member in &mut self.members {
            member.throttle.hint(share);
        }
    }

    fn member(&mut self, id: Id) -> Option<&mut Member<W>> {
        self.members.iter_mut().find(|member| member.id == id)
    }

    /// Requests of this principal that are under way.
    pub(crate) fn in_flight(&self, id: Id) -> usize {
        let found = self.members.iter().find(|member| member.id == id);
        found.map_or(0, |member| member.throttle.in_flight())
    }

    /// Those that are not drained, in the order in which they came.
    pub(crate) fn working(&self) -> impl Iterator<Item = (Id, &str)> {
        let working = self.members.iter().filter(|member| !member.draining);
        working.map(|member| (member.id, member.name.as_str()))
    }

    /// The one of this name, and whether it works.
    pub(crate) fn named(&self, name: &str) -> Option<(Id, bool)> {
        let found = self.members.iter().find(|member| member.name == name);
        found.map(|member| (member.id, !member.draining))
    }

    /// Records that others have written of what the job wants to spend.
    pub(crate) fn note_spent(&mut self, now: Duration, records: u64) {
        self.pace.note_spent(now, records);
    }

    /// What each did, in the order in which they came; time that it is frozen
    /// for from now on is left out.
    pub(crate) fn counts(&self, now: Duration) -> Vec<PrincipalCounts> {
        let each = self.members.iter().map(|member| {
            let ahead = member.throttle.frozen_until().saturating_sub(now);
            PrincipalCounts {
                frozen: member.counts.frozen.saturating_sub(ahead),
                ..member.counts.clone()
            }
        });
        each.collect()
    }
}

impl<W> Member<W> {
    fn may_be_lent(&self) -> bool {
        !self.draining && !matches!(self.health, Health::Out { .. })
    }

    /// Share of its limit that it uses, in thousandths.
    fn load(&self) -> usize {
        self.throttle.in_flight() * 1000 / self.throttle.limit()
    }
}

#[cfg(test)]
mod tests;
