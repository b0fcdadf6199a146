//! Who sends: application users, each with its own token and throttle.
//!
//! The pool waits; who is lent is decided in `principal/lending.rs`. Callers
//! are served in the order in which they came; one that stops waiting leaves no
//! trace. When all principals are refused, the first refusal is the answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, Notify};

use crate::clock::Clock;
use crate::counts::PrincipalCounts;
use crate::error::ClientError;
use crate::settings::{ClientSettings, PrincipalSettings};
use crate::throttle::Ended;
use crate::token::Tokens;
use crate::transport::Transport;

mod lending;

pub(crate) use lending::{Choice, Id, Lending, Load, Loan, Refused};

/// An application user.
pub(crate) struct Principal {
    pub(crate) name: String,
    pub(crate) tokens: Tokens,
}

/// All principals of a client.
pub(crate) struct Pool {
    /// Never held across an await.
    state: Mutex<State>,
    /// Held by the caller who is next; a fair queue for the others.
    turn: Turn<()>,
    /// Something ended or changed: whoever holds the turn looks again.
    changed: Notify,
    /// Something ended: whoever drains looks again.
    ended: Notify,
    clock: Clock,
    scope: String,
    transport: Arc<dyn Transport>,
}

type State = Lending<Arc<Principal>>;

impl Pool {
    pub(crate) fn new(
        settings: &ClientSettings,
        scope: String,
        transport: Arc<dyn Transport>,
        clock: Clock,
    ) -> Result<Self, ClientError> {
        let pool = Self {
            state: Mutex::new(Lending::new(settings)),
            turn: Turn::new(()),
            changed: Notify::new(),
            ended: Notify::new(),
            clock,
            scope,
            transport,
        };
        for principal in &settings.principals {
            pool.add(principal)?;
        }
        Ok(pool)
    }

    fn principal(&self, settings: &PrincipalSettings) -> Arc<Principal> {
        let tokens = Tokens::new(settings, self.scope.clone(), self.transport.clone());
        Arc::new(Principal { name: settings.name.clone(), tokens })
    }

    /// One more principal, from now on; one that was drained works again.
    pub(crate) fn add(&self, settings: &PrincipalSettings) -> Result<(), ClientError> {
        let principal = self.principal(settings);
        self.change(|state| match state.named(&settings.name) {
            Some((_, true)) => Err(not_named(&settings.name, "is there already")),
            Some((id, false)) => {
                state.renew(id, principal);
                Ok(())
            }
            None => {
                state.add(&settings.name, principal);
                Ok(())
            }
        })
    }

    /// A new credential for the principal of this name: for requests from now
    /// on; those under way end with the old one.
    pub(crate) fn replace(&self, settings: &PrincipalSettings) -> Result<(), ClientError> {
        let principal = self.principal(settings);
        self.change(|state| {
            let id = named(state, &settings.name)?;
            state.renew(id, principal);
            Ok(())
        })
    }

    /// Nothing new as the principal of this name; returns when what is under
    /// way has ended. Dropped earlier, it stays drained.
    pub(crate) async fn drain(&self, name: &str) -> Result<(), ClientError> {
        let id = self.change(|state| {
            let id = named(state, name)?;
            state.drain(id);
            Ok(id)
        })?;
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            // Registered before the count is read, so that no end is missed.
            ended.as_mut().enable();
            if self.lock().in_flight(id) == 0 {
                return Ok(());
            }
            ended.await;
        }
    }

    /// Names and ids of those that work.
    pub(crate) fn working(&self) -> Vec<(Id, String)> {
        self.lock().working().map(|(id, name)| (id, name.to_owned())).collect()
    }

    /// Records that others have written of what the job wants to spend.
    pub(crate) fn note_spent(&self, records: u64) {
        let now = self.clock.now();
        self.change(|state| state.note_spent(now, records));
    }

    /// What each principal did.
    pub(crate) fn counts(&self) -> Vec<PrincipalCounts> {
        let now = self.clock.now();
        self.lock().counts(now)
    }

    /// Waits for a principal that may send, at most until `give_up`; `only` is
    /// the one to use, if it matters. May be dropped at any time.
    pub(crate) async fn lend(
        &self,
        give_up: Duration,
        load: Load,
        only: Option<Id>,
    ) -> Result<Lease<'_>, Refused> {
        let _turn = self.turn.lock().await;
        loop {
            let changed = self.changed.notified();
            let choice = self.lock().choose(self.clock.now(), load, only);
            let wait = match choice {
                Ok(Choice::Lent(loan, principal)) => {
                    return Ok(Lease { pool: self, principal, loan, left: false, open: true });
                }
                Ok(Choice::Wait { when, busy }) => (when, busy),
                Err(Refused::Spent(when)) if when <= give_up => (Some(when), false),
                Err(refused) => return Err(refused),
            };
            match wait {
                (Some(when), false) if when > give_up => return Err(Refused::Frozen(when)),
                (Some(when), _) => {
                    tokio::select! {
                        () = self.clock.sleep_until(when) => {}
                        () = changed => {}
                    }
                }
                (None, _) => changed.await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let outcome = change(&mut self.lock());
        self.changed.notify_one();
        outcome
    }
}

fn named(state: &State, name: &str) -> Result<Id, ClientError> {
    state.named(name).map(|(id, _)| id).ok_or_else(|| not_named(name, "is not there"))
}

fn not_named(name: &str, problem: &str) -> ClientError {
    ClientError::Settings { setting: "principals", message: format!("`{name}` {problem}") }
}

/// One request's right to be sent, as one principal. Dropped without
/// [`Lease::end`], it says that the request's end is unknown, or that it never
/// left.
pub(crate) struct Lease<'a> {
    pool: &'a Pool,
    principal: Arc<Principal>,
    loan: Loan,
    left: bool,
    open: bool,
}

impl Lease<'_> {
    /// Whoever sends.
    pub(crate) fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }

    /// The request leaves now: what was spent on waiting for a token is not
    /// part of it.
    pub(crate) fn leave(&mut self) -> Duration {
        self.left = true;
        self.loan.ticket.left = self.pool.clock.now();
        self.loan.ticket.left
    }

    /// What the headers of the reply hint at: how many to send at once, and
    /// what is left of requests and of seconds.
    pub(crate) fn hints(&self, dop: Option<usize>, requests: Option<f64>, seconds: Option<f64>) {
        let now = self.pool.clock.now();
        self.pool.change(|state| {
            if let Some(dop) = dop {
                state.hint(dop);
            }
            state.remaining(self.loan.id, now, requests, seconds);
        });
    }

    /// The records of this request were written.
    pub(crate) fn landed(&mut self) {
        self.loan.landed = true;
    }

    /// The request has ended.
    pub(crate) fn end(mut self, ended: Ended) {
        self.close(ended);
    }

    /// The service refuses this principal.
    pub(crate) fn refused(mut self, why: ClientError) {
        self.open = false;
        tracing::warn!(principal = self.principal.name, error = %why, "refused: out for a while");
        let (now, loan, left) = (self.pool.clock.now(), self.loan, self.left);
        self.pool.change(|state| state.refuse(loan, now, why, left));
        self.pool.ended.notify_waiters();
    }

    fn close(&mut self, ended: Ended) {
        if self.open {
            self.open = false;
            let (now, loan) = (self.pool.clock.now(), self.loan);
            self.pool.change(|state| state.end(loan, now, ended));
            self.pool.ended.notify_waiters();
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.close(if self.left { Ended::Unknown } else { Ended::NotSent });
    }
}
