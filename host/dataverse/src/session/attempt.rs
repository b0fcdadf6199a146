//! One attempt, and what follows from how it ended.

use std::collections::HashMap;
use std::time::Duration;

use http::StatusCode;

use super::{Answer, Call, Session};
use crate::counts::count;
use crate::disposition::{Disposition, Facts, judge};
use crate::error::ClientError;
use crate::principal::{Lease, Refused};
use crate::reply::{self, Problem, Reply, statuses};
use crate::retry::backoff;
use crate::throttle::{Ended, Limit};
use crate::token::Token;
use crate::transport::{Phase, TransportError, TransportFault};
use crate::written::{Doubt, NotNow, Refusal};

/// How far one call has come.
pub(super) struct Progress {
    started: Duration,
    /// Attempts that count: throttled ones do not.
    attempts: u32,
    /// Tries of any kind.
    tries: u32,
    /// The token of each principal that was refused last: with the last of all
    /// alone, principals whose tokens have ended would take turns without an end.
    refused_tokens: HashMap<String, Token>,
    /// What the last throttle said.
    throttled: Option<(String, String)>,
}

/// What follows an attempt.
pub(super) enum Next {
    Again,
    Ended(Answer),
}

impl Progress {
    pub(super) fn new(started: Duration) -> Self {
        Self { started, attempts: 0, tries: 0, refused_tokens: HashMap::new(), throttled: None }
    }
}

/// A request that has left.
struct Flight<'a> {
    call: &'a Call,
    lease: Lease<'a>,
    token: Token,
    /// The token is already the second one.
    renewed: bool,
    sent_at: Duration,
}

impl Session {
    pub(super) async fn attempt(&self, call: &Call, progress: &mut Progress) -> Next {
        let give_up = (self.clock.now() + self.settings.wait_max)
            .min(progress.started + self.settings.retry.deadline);
        let lent = self.cancel.or(self.pool.lend(give_up, call.load(), call.only)).await;
        let mut lease = match lent {
            None => return Next::Ended(self.cancelled()),
            Some(Ok(lease)) => lease,
            Some(Err(Refused::Frozen(until))) => {
                return Next::Ended(Answer::NotNow(not_now(until, progress)));
            }
            Some(Err(Refused::Spent(until))) => {
                return Next::Ended(Answer::NotNow(NotNow {
                    until,
                    code: "records_per_day".to_owned(),
                    message: "the job has written as many records as it may in 24 hours".to_owned(),
                    cancelled: false,
                }));
            }
            Some(Err(Refused::AllOut(error))) => return Next::Ended(Answer::Stop(error)),
        };
        let principal = lease.principal().clone();
        let refused_before = progress.refused_tokens.get(&principal.name).cloned();
        let token = self.cancel.or(async {
            match &refused_before {
                Some(refused) => principal.tokens.renewed(refused, &self.clock).await,
                None => principal.tokens.token(&self.clock).await,
            }
        });
        let Some(token) = token.await else { return Next::Ended(self.cancelled()) };
        let token = match token {
            Ok(token) => token,
            Err(error) if error.is_transient() => {
                lease.end(Ended::NotSent);
                progress.attempts += 1;
                return self.again(progress, || Answer::Stop(error)).await;
            }
            Err(error) => {
                lease.refused(error);
                return Next::Again;
            }
        };
        let request = match self.request(call, &token) {
            Ok(request) => request,
            Err(error) => {
                lease.end(Ended::NotSent);
                return Next::Ended(Answer::Stop(error));
            }
        };

        progress.attempts += 1;
        progress.tries += 1;
        if progress.tries > 1 {
            count(&self.tally.retried);
        }
        let sent_at = lease.leave();
        let result = self.transport.send(request, self.settings.timeout).await;
        let took = self.clock.now().saturating_sub(sent_at);
        let renewed = refused_before.is_some();
        let flight = Flight { call, lease, token, renewed, sent_at };
        match result {
            Err(error) => {
                tracing::debug!(principal = principal.name, what = call.what, phase = ?error.phase,
                    kind = ?error.kind, ?took, "no reply");
                self.without_reply(progress, flight, error).await
            }
            Ok(response) => {
                let (parts, body) = response.into_parts();
                let reply = Reply { status: parts.status, headers: parts.headers, body };
                count(&self.tally.sent);
                tracing::debug!(
                    principal = principal.name,
                    what = call.what,
                    status = reply.status.as_u16(),
                    ?took,
                    request_id = reply::request_id(&reply.headers),
                    "reply"
                );
                let (requests, seconds) = reply::remaining(&reply.headers);
                flight.lease.hints(reply::dop_hint(&reply.headers), requests, seconds);
                self.with_reply(progress, flight, reply).await
            }
        }
    }

    async fn without_reply(
        &self,
        progress: &mut Progress,
        flight: Flight<'_>,
        error: TransportError,
    ) -> Next {
        let Flight { call, lease, sent_at, .. } = flight;
        if error.phase != Phase::NotSent {
            count(&self.tally.sent);
        }
        let slow = error.kind == TransportFault::Timeout && error.phase != Phase::NotSent;
        lease.end(match error.phase {
            Phase::NotSent => Ended::NotSent,
            _ if slow => Ended::Overload,
            _ => Ended::Unknown,
        });
        let facts = Facts {
            phase: error.phase,
            status: 0,
            code: None,
            sql_number: None,
            operation: call.operation,
            records: call.records,
            attempt: progress.attempts,
        };
        match judge(&facts) {
            (Disposition::LookBeforeResend, reason) => Next::Ended(Answer::InDoubt(Doubt {
                phase: error.phase,
                status: None,
                message: format!("{reason}: {error}"),
                request_id: None,
                sent_at,
            })),
            _ => {
                let attempts = progress.attempts;
                let url = self.settings.url.clone();
                let gone =
                    || Answer::Stop(ClientError::Unreachable { url, attempts, source: error });
                self.again(progress, gone).await
            }
        }
    }

    async fn with_reply(&self, progress: &mut Progress, flight: Flight<'_>, reply: Reply) -> Next {
        let Flight { call, mut lease, token, renewed, sent_at } = flight;
        let throttled = reply.status == StatusCode::TOO_MANY_REQUESTS;
        let batch = reply.boundary().is_some() && !throttled;
        if reply.status.is_success() || batch {
            if call.operation.is_some() {
                lease.landed();
            }
            let within = reply.throttled_within();
            if within.is_some() {
                count(&self.tally.throttled);
            }
            lease.end(within.map_or(Ended::Fine, |wait| held_back(wait, Limit::Other)));
            if call.operation.is_none() && reply.body.trim_ascii_start().starts_with(b"<") {
                let problem = reply::problem(&reply.body);
                return Next::Ended(Answer::Stop(self.not_dataverse(&reply, &problem)));
            }
            let attempt = progress.attempts;
            return Next::Ended(Answer::Reply { reply, attempt, sent_at });
        }

        let problem = reply::problem(&reply.body);
        let request_id = reply::request_id(&reply.headers);
        let status = reply.status.as_u16();
        let mut facts =
            statuses::facts(status, &problem, call.operation, call.records, progress.attempts);
        if status == 401 {
            // "Once" is once per principal, whatever else was tried before.
            facts.attempt = if renewed { 2 } else { 1 };
        }
        let refusal = statuses::refusal(&facts, problem.clone(), request_id);
        let wait =
            reply::retry_after(&reply.headers, self.clock.wall()).filter(|wait| !wait.is_zero());
        match refusal.disposition {
            Disposition::RefreshToken if lease.principal().tokens.renewable() => {
                progress.refused_tokens.insert(lease.principal().name.clone(), token);
                lease.end(Ended::Unknown);
                Next::Again
            }
            Disposition::RefreshToken | Disposition::OtherPrincipal => {
                let principal = lease.principal().name.clone();
                lease.refused(ClientError::Denied { principal, refusal });
                Next::Again
            }
            _ if throttled => {
                count(&self.tally.throttled);
                // The wait is the throttle's: the next attempt takes another
                // principal, or waits for this one in full.
                progress.attempts -= 1;
                progress.throttled = Some((refusal.code_text(), refusal.message));
                lease.end(held_back(wait, Limit::of(refusal.code)));
                Next::Again
            }
            disposition => {
                lease.end(match wait {
                    Some(wait) if status >= 500 => held_back(Some(wait), Limit::Other),
                    None if matches!(status, 502..=504) => Ended::Overload,
                    _ => Ended::Fine,
                });
                match disposition {
                    Disposition::RetryNow | Disposition::RetryAfter => {
                        let refusal = Refusal { disposition: Disposition::Defer, ..refusal };
                        self.again(progress, || Answer::Refused(refusal)).await
                    }
                    Disposition::StopRun => {
                        Next::Ended(Answer::Stop(self.stop(call, &reply, &problem, refusal)))
                    }
                    Disposition::LookBeforeResend if status >= 500 || status == 408 => {
                        Next::Ended(Answer::InDoubt(Doubt {
                            phase: Phase::Replied,
                            status: Some(status),
                            message: refusal.message,
                            request_id: refusal.request_id,
                            sent_at,
                        }))
                    }
                    _ => Next::Ended(Answer::Refused(refusal)),
                }
            }
        }
    }

    /// Somebody asked to end early; nothing is under way.
    fn cancelled(&self) -> Answer {
        Answer::NotNow(NotNow {
            until: self.clock.now(),
            code: "cancelled".to_owned(),
            message: "it was asked to stop while it waited".to_owned(),
            cancelled: true,
        })
    }

    /// Waits before the next attempt, if there may be one.
    async fn again(&self, progress: &Progress, otherwise: impl FnOnce() -> Answer) -> Next {
        let bound = backoff(&self.settings.retry, progress.attempts);
        let deadline = progress.started + self.settings.retry.deadline;
        if self.clock.now() + bound <= deadline && self.pause(progress.attempts).await {
            Next::Again
        } else if self.cancel.asked() {
            Next::Ended(self.cancelled())
        } else {
            Next::Ended(otherwise())
        }
    }

    fn stop(&self, call: &Call, reply: &Reply, problem: &Problem, refusal: Refusal) -> ClientError {
        let status = reply.status.as_u16();
        let no_api_error = problem.code.is_none() && problem.message.is_empty();
        if problem.html || reply.status.is_redirection() || (status == 404 && no_api_error) {
            return self.not_dataverse(reply, problem);
        }
        ClientError::Refused { what: call.what.clone(), refusal }
    }

    fn not_dataverse(&self, reply: &Reply, problem: &Problem) -> ClientError {
        let status = reply.status.as_u16();
        let message = if problem.message.is_empty() {
            format!("HTTP {status}")
        } else {
            format!("HTTP {status} with {}", problem.message)
        };
        ClientError::NotDataverse { url: self.settings.url.clone(), message }
    }
}

/// A demand to wait.
fn held_back(wait: Option<Duration>, limit: Limit) -> Ended {
    Ended::Throttled { wait, limit }
}

fn not_now(until: Duration, progress: &mut Progress) -> NotNow {
    let (code, message) = progress.throttled.take().unwrap_or_else(|| {
        let message = "all principals are throttled for longer than may be waited";
        ("throttled".to_owned(), message.to_owned())
    });
    NotNow { until, code, message, cancelled: false }
}
