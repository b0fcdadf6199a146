//! One call, tried until it is answered: the only place that sends, and the
//! only one that waits to send again.
//!
//! What is certain is tried again here: a request that was not sent, a throttle
//! (after the full wait, or by another principal), a refused token (once), a
//! refused principal (by another one), what the disposition table calls
//! transient. What is not certain is not: a write that may have landed is
//! handed back as in doubt. Dropping a call before it is sent leaves no trace.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use uuid::Uuid;

use crate::clock::Clock;
use crate::counts::{Tally, count};
use crate::disposition::{Disposition, Facts, judge};
use crate::encode::Operation;
use crate::error::ClientError;
use crate::principal::{Lease, Pool, Refused};
use crate::reply::{self, Problem, Reply, statuses};
use crate::retry::{Budget, Jitter, backoff};
use crate::settings::ClientSettings;
use crate::throttle::Ended;
use crate::token::Token;
use crate::transport::{Phase, Transport, TransportError, TransportFault};
use crate::written::{Doubt, NotNow, Refusal};

mod many;
mod origin;

pub(crate) use origin::Origin;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// For errors: `the read of accounts`.
    pub(crate) what: String,
    pub(crate) method: Method,
    /// From the root on, with the query: `/api/data/v9.2/WhoAmI`.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// `None` is a read.
    pub(crate) operation: Option<Operation>,
    pub(crate) records: usize,
    /// The principal that must send it, where it matters.
    pub(crate) only: Option<usize>,
}

impl Call {
    /// A read of `target`.
    pub(crate) fn get(what: impl Into<String>, target: String) -> Self {
        Self {
            what: what.into(),
            method: Method::GET,
            target,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            operation: None,
            records: 0,
            only: None,
        }
    }
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Answer {
    /// With a 2xx, or with the parts of a batch.
    Reply { reply: Reply, attempt: u32, sent_at: Duration },
    /// With a refusal: nothing landed, unless it says to look.
    Refused(Refusal),
    /// Without a reply, and it may have landed.
    InDoubt(Doubt),
    /// It would have to wait too long.
    NotNow(NotNow),
    /// The run cannot go on.
    Stop(ClientError),
}

/// What all calls of a client share.
pub(crate) struct Session {
    pub(crate) settings: ClientSettings,
    pub(crate) origin: Origin,
    pub(crate) clock: Clock,
    pub(crate) pool: Pool,
    pub(crate) tally: Tally,
    transport: Arc<dyn Transport>,
    headers: HeaderMap,
    budget: Budget,
    jitter: Jitter,
}

/// How far one call has come.
struct Progress {
    started: Duration,
    /// Attempts that count: throttled ones do not.
    attempts: u32,
    /// Tries of any kind.
    tries: u32,
    /// The token that was refused last.
    refused_token: Option<(String, Token)>,
    /// What the last throttle said.
    throttled: Option<(String, String)>,
}

/// What follows an attempt.
enum Next {
    Again,
    Ended(Answer),
}

impl Session {
    pub(crate) fn new(
        settings: ClientSettings,
        transport: Arc<dyn Transport>,
        clock: Clock,
    ) -> Result<Self, ClientError> {
        let origin = Origin::new(&settings.url, &settings.api_version)?;
        if settings.principals.is_empty() {
            return Err(ClientError::Settings {
                setting: "principals",
                message: "at least one is needed".to_owned(),
            });
        }
        let pool = Pool::new(&settings, &origin.scope(), &transport, clock);
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for name in ["odata-version", "odata-maxversion"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("4.0"));
        }
        let seed = settings.seed.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0);
        let budget = Budget::new(settings.retry.budget);
        Ok(Self {
            settings,
            origin,
            clock,
            pool,
            tally: Tally::default(),
            transport,
            headers,
            budget,
            jitter: Jitter::new(seed),
        })
    }

    /// Makes a call.
    pub(crate) async fn call(&self, call: &Call) -> Answer {
        let mut progress = Progress {
            started: self.clock.now(),
            attempts: 0,
            tries: 0,
            refused_token: None,
            throttled: None,
        };
        let answer = loop {
            match self.attempt(call, &mut progress).await {
                Next::Again => {}
                Next::Ended(answer) => break answer,
            }
        };
        if matches!(answer, Answer::Reply { .. }) {
            self.budget.earn();
        } else {
            count(&self.tally.failed);
        }
        answer
    }

    /// Makes a call that reads.
    pub(crate) async fn read(&self, call: &Call) -> Result<Reply, ClientError> {
        let what = || call.what.clone();
        match self.call(call).await {
            Answer::Reply { reply, .. } => Ok(reply),
            Answer::Stop(error) => Err(error),
            Answer::Refused(refusal) => Err(ClientError::Refused { what: what(), refusal }),
            Answer::NotNow(not_now) => Err(ClientError::Throttled {
                what: what(),
                wait: not_now.until.saturating_sub(self.clock.now()),
                until: not_now.until,
                message: not_now.message,
            }),
            Answer::InDoubt(doubt) => {
                Err(ClientError::Reply { what: what(), message: doubt.message })
            }
        }
    }

    async fn attempt(&self, call: &Call, progress: &mut Progress) -> Next {
        let give_up = (self.clock.now() + self.settings.wait_max)
            .min(progress.started + self.settings.retry.deadline);
        let mut lease = match self.pool.lend(give_up, call.only).await {
            Ok(lease) => lease,
            Err(Refused::Frozen(until)) => {
                return Next::Ended(Answer::NotNow(not_now(until, progress)));
            }
            Err(Refused::AllOut(error)) => return Next::Ended(Answer::Stop(error)),
        };
        let principal = lease.principal().clone();
        let refused_before = progress
            .refused_token
            .as_ref()
            .filter(|(name, _)| *name == principal.name)
            .map(|(_, token)| token.clone());
        let token = match &refused_before {
            Some(refused) => principal.tokens.renewed(refused, &self.clock).await,
            None => principal.tokens.token(&self.clock).await,
        };
        let token = match token {
            Ok(token) => token,
            Err(error) if error.is_transient() => {
                lease.end(Ended::Unknown);
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
                lease.end(Ended::Unknown);
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
        match result {
            Err(error) => {
                tracing::debug!(principal = principal.name, what = call.what, phase = ?error.phase,
                    kind = ?error.kind, ?took, "no reply");
                self.without_reply(call, progress, lease, error, sent_at).await
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
                if let Some(dop) = reply::dop_hint(&reply.headers) {
                    lease.hint(dop);
                }
                let renewed = refused_before.is_some();
                self.with_reply(call, progress, lease, reply, token, renewed, sent_at).await
            }
        }
    }

    async fn without_reply(
        &self,
        call: &Call,
        progress: &mut Progress,
        lease: Lease<'_>,
        error: TransportError,
        sent_at: Duration,
    ) -> Next {
        if error.phase != Phase::NotSent {
            count(&self.tally.sent);
        }
        let slow = error.kind == TransportFault::Timeout && error.phase != Phase::NotSent;
        lease.end(if slow { Ended::Overload } else { Ended::Unknown });
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

    #[expect(clippy::too_many_arguments, reason = "one attempt's facts, used once")]
    async fn with_reply(
        &self,
        call: &Call,
        progress: &mut Progress,
        lease: Lease<'_>,
        reply: Reply,
        token: Token,
        renewed: bool,
        sent_at: Duration,
    ) -> Next {
        let throttled = reply.status == StatusCode::TOO_MANY_REQUESTS;
        let batch = reply.boundary().is_some() && !throttled;
        if reply.status.is_success() || batch {
            let within = reply.throttled_within();
            if within.is_some() {
                count(&self.tally.throttled);
            }
            lease.end(within.map_or(Ended::Fine, Ended::Throttled));
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
                progress.refused_token = Some((lease.principal().name.clone(), token));
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
                lease.end(Ended::Throttled(wait));
                Next::Again
            }
            disposition => {
                lease.end(match wait {
                    Some(wait) if status >= 500 => Ended::Throttled(Some(wait)),
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

    /// Waits after `attempts` attempts; `false` if there may be no further one.
    pub(crate) async fn pause(&self, attempts: u32) -> bool {
        let now = self.clock.now();
        let wait = self.jitter.below(backoff(&self.settings.retry, attempts));
        if attempts >= self.settings.retry.attempts_max || !self.budget.spend() {
            return false;
        }
        self.clock.sleep_until(now + wait).await;
        true
    }

    /// Waits before the next attempt, if there may be one.
    async fn again(&self, progress: &Progress, otherwise: impl FnOnce() -> Answer) -> Next {
        let bound = backoff(&self.settings.retry, progress.attempts);
        let deadline = progress.started + self.settings.retry.deadline;
        if self.clock.now() + bound <= deadline && self.pause(progress.attempts).await {
            Next::Again
        } else {
            Next::Ended(otherwise())
        }
    }

    fn request(&self, call: &Call, token: &Token) -> Result<http::Request<Bytes>, ClientError> {
        let bad = |error: String| ClientError::Reply { what: call.what.clone(), message: error };
        let url = format!("{}{}", self.origin.as_str(), call.target);
        let uri: Uri =
            url.parse().map_err(|error| bad(format!("`{}` is no URL: {error}", call.target)))?;
        let mut request = http::Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.extend(call.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        headers.insert(AUTHORIZATION, token.header.clone());
        let id = HeaderValue::from_str(
            Uuid::new_v4().hyphenated().encode_lower(&mut Uuid::encode_buffer()),
        )
        .map_err(|error| bad(error.to_string()))?;
        headers.insert(HeaderName::from_static("x-ms-client-request-id"), id);
        Ok(request)
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

fn not_now(until: Duration, progress: &mut Progress) -> NotNow {
    let (code, message) = progress.throttled.take().unwrap_or_else(|| {
        let message = "all principals are throttled for longer than may be waited";
        ("throttled".to_owned(), message.to_owned())
    });
    NotNow { until, code, message }
}
