//! Who sends: application users, each with its own token and throttle.
//!
//! The pool lends the principal that can send soonest. Callers are served in
//! the order in which they came; one that stops waiting leaves no trace. A
//! principal that was refused stays out for a while; when all are out, the
//! first refusal is the answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, Notify};

use crate::clock::Clock;
use crate::error::ClientError;
use crate::settings::{ClientSettings, DopHintScope};
use crate::throttle::{Ended, Ready, Throttle};
use crate::token::Tokens;
use crate::transport::Transport;

/// An application user.
pub(crate) struct Principal {
    pub(crate) name: String,
    pub(crate) tokens: Tokens,
}

/// All principals of a client.
pub(crate) struct Pool {
    principals: Vec<Arc<Principal>>,
    /// In the order of `principals`. Never held across an await.
    states: Mutex<Vec<State>>,
    /// Held by the caller who is next; a fair queue for the others.
    turn: Turn<()>,
    /// Something ended or changed: whoever holds the turn looks again.
    changed: Notify,
    clock: Clock,
    quarantine: Duration,
    dop_hint_scope: DopHintScope,
}

struct State {
    throttle: Throttle,
    /// Out until then, because of that.
    out: Option<(Duration, ClientError)>,
    /// Requests that it has been lent for: breaks ties evenly.
    lent: u64,
}

/// Why nobody was lent.
#[derive(Debug, Clone)]
pub(crate) enum Refused {
    /// All are frozen for longer than the caller waits.
    Frozen(Duration),
    /// All are out; why the first one is.
    AllOut(ClientError),
}

impl Pool {
    pub(crate) fn new(
        settings: &ClientSettings,
        scope: &str,
        transport: &Arc<dyn Transport>,
        clock: Clock,
    ) -> Self {
        let principals = settings
            .principals
            .iter()
            .map(|principal| {
                let tokens = Tokens::new(principal, scope.to_owned(), transport.clone());
                Arc::new(Principal { name: principal.name.clone(), tokens })
            })
            .collect();
        let states = settings
            .principals
            .iter()
            .map(|_| State {
                throttle: Throttle::new(settings.concurrency_max),
                out: None,
                lent: 0,
            })
            .collect();
        Self {
            principals,
            states: Mutex::new(states),
            turn: Turn::new(()),
            changed: Notify::new(),
            clock,
            quarantine: settings.quarantine,
            dop_hint_scope: settings.dop_hint_scope,
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.principals.iter().map(|principal| principal.name.as_str())
    }

    /// Waits for a principal that may send, at most until `give_up`; `only` is
    /// the one to use, if it matters. May be dropped at any time.
    pub(crate) async fn lend(
        &self,
        give_up: Duration,
        only: Option<usize>,
    ) -> Result<Lease<'_>, Refused> {
        let _turn = self.turn.lock().await;
        loop {
            let changed = self.changed.notified();
            match self.choose(only)? {
                Choice::Lent(position) => {
                    return Ok(Lease { pool: self, position, began: self.clock.now(), open: true });
                }
                Choice::Wait { thaw: Some(when), busy: false } if when > give_up => {
                    return Err(Refused::Frozen(when));
                }
                Choice::Wait { thaw: Some(when), .. } => {
                    tokio::select! {
                        () = self.clock.sleep_until(when) => {}
                        () = changed => {}
                    }
                }
                Choice::Wait { thaw: None, .. } => changed.await,
            }
        }
    }

    fn choose(&self, only: Option<usize>) -> Result<Choice, Refused> {
        let now = self.clock.now();
        let mut states = self.lock();
        for state in states.iter_mut() {
            if state.out.as_ref().is_some_and(|(until, _)| *until <= now) {
                state.out = None;
            }
        }
        let asked = |position: usize| only.is_none_or(|only| only == position);
        let candidates = || {
            states
                .iter()
                .enumerate()
                .filter(|(position, state)| asked(*position) && state.out.is_none())
        };
        if candidates().next().is_none() {
            let why = states.iter().enumerate().find_map(|(position, state)| {
                state.out.as_ref().filter(|_| asked(position)).map(|(_, error)| error.clone())
            });
            return Err(Refused::AllOut(why.unwrap_or_else(|| ClientError::Settings {
                setting: "principals",
                message: "there is none".to_owned(),
            })));
        }
        let ready = candidates()
            .filter(|(_, state)| state.throttle.ready(now) == Ready::Now)
            .min_by_key(|(position, state)| (load(&state.throttle), state.lent, *position))
            .map(|(position, _)| position);
        if let Some(position) = ready {
            if let Some(state) = states.get_mut(position) {
                state.throttle.begin();
                state.lent += 1;
            }
            return Ok(Choice::Lent(position));
        }
        // Nobody can send now: either the soonest thaw, or an end.
        let thaw = candidates()
            .filter_map(|(_, state)| match state.throttle.ready(now) {
                Ready::At(when) => Some(when),
                Ready::Now | Ready::WhenFree => None,
            })
            .min();
        let busy = candidates().any(|(_, state)| state.throttle.ready(now) == Ready::WhenFree);
        Ok(Choice::Wait { thaw, busy })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, position: usize, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.lock().get_mut(position) {
            change(state);
        }
        self.changed.notify_one();
    }
}

enum Choice {
    Lent(usize),
    /// Until the soonest thaw, or until something ends or changes; `busy` when
    /// somebody is not frozen but has all that it may have in flight.
    Wait {
        thaw: Option<Duration>,
        busy: bool,
    },
}

/// Share of its limit that a principal uses, in thousandths.
fn load(throttle: &Throttle) -> usize {
    throttle.in_flight() * 1000 / throttle.limit()
}

/// One request's right to be sent, as one principal. Dropped without
/// [`Lease::end`], it says that the request's end is unknown.
pub(crate) struct Lease<'a> {
    pool: &'a Pool,
    position: usize,
    began: Duration,
    open: bool,
}

impl Lease<'_> {
    pub(crate) fn principal(&self) -> &Arc<Principal> {
        &self.pool.principals[self.position]
    }

    /// The request leaves now: what was spent on waiting for a token is not
    /// part of it.
    pub(crate) fn leave(&mut self) -> Duration {
        self.began = self.pool.clock.now();
        self.began
    }

    /// The service's hint of how many to send at once.
    pub(crate) fn hint(&self, dop: usize) {
        let share = match self.pool.dop_hint_scope {
            DopHintScope::Environment => dop / self.pool.principals.len().max(1),
            DopHintScope::Principal => dop,
        };
        self.pool.change(self.position, |state| state.throttle.hint(share));
    }

    /// The request has ended.
    pub(crate) fn end(mut self, ended: Ended) {
        self.close(ended);
    }

    /// The service refuses this principal.
    pub(crate) fn refused(mut self, why: ClientError) {
        self.close(Ended::Unknown);
        let until = self.pool.clock.now() + self.pool.quarantine;
        tracing::warn!(principal = self.principal().name, "refused: out for a while");
        self.pool.change(self.position, |state| state.out = Some((until, why)));
    }

    fn close(&mut self, ended: Ended) {
        if self.open {
            self.open = false;
            let (began, now) = (self.began, self.pool.clock.now());
            self.pool.change(self.position, |state| state.throttle.end(began, now, ended));
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.close(Ended::Unknown);
    }
}
