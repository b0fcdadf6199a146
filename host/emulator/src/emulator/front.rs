//! What happens around the service: web server, faults, tokens, limits, time,
//! records.
//!
//! In this order: who asks and what goes wrong on command; the issuer of tokens;
//! the limits; the service itself; what spoils its reply.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};

use super::wire::{authority, response, service, whole_seconds};
use super::{Cut, Emulator, Handled, Secure, Unguarded};
use crate::call::{Call, Scene};
use crate::clock::Moment;
use crate::entra::{self, Asked};
use crate::faults::{Effect, Suspect, recount};
use crate::limits::{Remaining, Throttled, header_seconds};
use crate::operation::Operation;
use crate::principals::{Entrance, SignedIn, acting};
use crate::recorder::RequestRecord;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::{admin, seed};

/// Longest URL of a GET (*Query data*); in a batch twice as long.
const URL_MAX: usize = 32_768;

/// A request on its way through.
struct Visit<'r> {
    parts: &'r http::request::Parts,
    body: &'r [u8],
    /// Path and query.
    target: &'r str,
    authority: String,
    secure: bool,
    /// The client's clock.
    now: Duration,
    moment: Moment,
    number: u64,
    operation: Operation,
    server: usize,
    by_cookie: bool,
    /// Empty until somebody has signed in.
    principal: String,
    /// Of the service's time.
    delay: Duration,
    cut: Option<Cut>,
    remaining: Option<Remaining>,
    refused_by: Option<&'static str>,
    fault: Option<&'static str>,
    /// Headers on command.
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Visit<'_> {
    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    fn entrance(&self) -> Entrance<'_> {
        Entrance { scheme: self.scheme(), authority: &self.authority, moment: self.moment }
    }

    fn seconds(&self) -> i64 {
        whole_seconds(self.now)
    }
}

impl Emulator {
    /// Answers a request that came at `now`, a time since the UNIX epoch.
    pub fn handle(&self, request: Request<Bytes>, now: Duration) -> Handled {
        let (parts, body) = request.into_parts();
        let uri = &parts.uri;
        if let Some(path) = uri.path().strip_prefix(admin::PREFIX) {
            let method = parts.method.as_str();
            let query = uri.query().unwrap_or_default();
            let reply = self.administer(method, path, query, &body, now);
            return Handled { response: response(reply), delay: Duration::ZERO, cut: None };
        }
        let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        if parts.extensions.get::<Unguarded>().is_some() {
            let reply = self.unguarded(&parts, &body, target, whole_seconds(now));
            return Handled { response: response(reply), delay: Duration::ZERO, cut: None };
        }
        let met = self.servers.meet(&parts.headers);
        let secure = parts.extensions.get::<Secure>().is_some()
            || uri.scheme_str().is_some_and(|scheme| scheme == "https");
        let mut visit = Visit {
            authority: authority(&parts),
            body: &body,
            target,
            secure,
            now,
            moment: self.clock.at(now),
            number: self.next_request(),
            operation: Operation::of(&parts.method, target),
            server: met.server,
            by_cookie: met.by_cookie,
            principal: String::new(),
            delay: Duration::ZERO,
            cut: None,
            remaining: None,
            refused_by: None,
            fault: None,
            headers: Vec::new(),
            parts: &parts,
        };
        let reply = self.reply(&mut visit);
        self.answered(visit, reply)
    }

    fn unguarded(
        &self,
        parts: &http::request::Parts,
        body: &[u8],
        target: &str,
        now: i64,
    ) -> Reply {
        let Some((version, target)) = service(target) else {
            return Refusal::no_resource(target).into();
        };
        let root = format!("http://{}/api/data/{version}/", authority(parts));
        let user = self.principals.users().first().map_or(uuid::Uuid::nil(), |user| user.id);
        let scene = Scene { root, user, now, request: 0 };
        let (method, headers) = (parts.method.clone(), &parts.headers);
        let call = Call { method, target: target.to_owned(), headers, body };
        self.outer(&scene, &call).0
    }

    /// The reply, and in the visit what becomes of it.
    fn reply(&self, visit: &mut Visit<'_>) -> Reply {
        let signed_in = self.principals.sign_in(&visit.parts.headers, visit.entrance());
        let root = format!("{}://{}", visit.scheme(), visit.authority);
        let asked = (visit.operation == Operation::Token).then(|| Asked {
            method: &visit.parts.method,
            target: visit.target,
            headers: &visit.parts.headers,
            body: visit.body,
            root: &root,
            moment: visit.moment,
            number: visit.number,
        });
        visit.principal = match (&signed_in, &asked) {
            (_, Some(asked)) => entra::principal(&self.principals, asked).to_owned(),
            (Ok(signed_in), None) => signed_in.principal.name.clone(),
            (Err(_), None) => String::new(),
        };
        let struck = self.struck(visit);
        let after = match struck {
            None => None,
            Some(effect) => match self.instead(visit, effect, signed_in.as_ref().ok().copied()) {
                Ok(reply) => return reply,
                Err(after) => Some(after),
            },
        };
        let scaled = |seconds| self.clock.for_client(Duration::from_secs(seconds)).as_secs().max(1);
        let issued = asked.and_then(|asked| entra::answer(&self.principals, &scaled, &asked));
        let reply = match (issued, signed_in) {
            (Some(reply), _) => reply,
            (None, Err(challenge)) => *challenge,
            (None, Ok(signed_in)) => self.admitted(visit, signed_in),
        };
        self.spoiled(visit, reply, after)
    }

    fn struck(&self, visit: &mut Visit<'_>) -> Option<Effect> {
        let effect = self.faults().strike(&Suspect {
            method: visit.parts.method.as_str(),
            path: visit.target,
            operation: visit.operation,
            principal: &visit.principal,
            server: visit.server,
            elapsed: visit.moment.elapsed,
        });
        visit.fault = effect.as_ref().map(Effect::name);
        effect
    }

    /// The reply of an effect that stands in for the service, or the effect: it
    /// spoils what the service says.
    fn instead(
        &self,
        visit: &mut Visit<'_>,
        effect: Effect,
        signed_in: Option<SignedIn<'_>>,
    ) -> Result<Reply, Effect> {
        match effect {
            Effect::Reply { status, code, message, retry_after_seconds, headers } => {
                let mut refusal = Refusal::new(status, code, message);
                refusal.retry_after = retry_after_seconds;
                for (name, value) in headers {
                    if let (Ok(name), Ok(value)) = (name.parse(), value.parse()) {
                        visit.headers.push((name, value));
                    }
                }
                Ok(refusal.into())
            }
            Effect::Html { status } => {
                let page = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>The \
                            service is unavailable.</h1></body></html>";
                Ok(Reply::text(status, "text/html; charset=utf-8", page))
            }
            Effect::Deadlock => Ok(Refusal::new(
                500,
                "0x80044150",
                "Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: \
                 -2146232060 Sql Number: 1205",
            )
            .into()),
            Effect::ExpiredToken => {
                if let Some(signed_in) = signed_in {
                    self.principals.expire(signed_in);
                }
                Ok(self.principals.expired_reply(visit.entrance()))
            }
            Effect::CutBeforeCommit => {
                visit.cut = Some(Cut::BeforeCommit);
                Ok(Reply::empty(500))
            }
            after => Err(after),
        }
    }

    /// Past the sign-in: limits, then the service.
    fn admitted(&self, visit: &mut Visit<'_>, signed_in: SignedIn<'_>) -> Reply {
        let now = visit.moment.service;
        let admitted = self.guard().admit(signed_in.position, visit.server, now);
        if let Err(Throttled { facet, wait, code, message }) = admitted {
            visit.refused_by = Some(facet.name());
            let mut refusal = Refusal::new(429, code, message);
            refusal.retry_after = Some(self.clock.retry_after(wait));
            return refusal.into();
        }
        let (reply, operations) = self.served(visit, signed_in);
        let latency = &self.settings.latency;
        visit.delay = latency.takes(self.settings.seed, visit.number, reply.records, operations);
        let requests = reply.records.max(operations);
        visit.remaining =
            self.guard().began(signed_in.position, visit.server, now, visit.delay, requests);
        reply
    }

    /// The service's reply, and the number of operations in a batch.
    fn served(&self, visit: &Visit<'_>, signed_in: SignedIn<'_>) -> (Reply, u64) {
        let Some((version, target)) = service(visit.target) else {
            return (Refusal::no_resource(visit.target).into(), 0);
        };
        if visit.target.len() > URL_MAX {
            let message = format!("The request URL is too long for {version}.");
            return (Refusal::new(414, "", message).into(), 0);
        }
        let headers = &visit.parts.headers;
        let user = {
            let store = self.read_store();
            acting(signed_in.principal, headers, &self.environment().schema, &store)
        };
        let user = match user {
            Ok(user) => user,
            Err(refusal) => return (refusal.into(), 0),
        };
        let root = format!("{}://{}/api/data/{version}/", visit.scheme(), visit.authority);
        let scene = Scene { root, user, now: visit.seconds(), request: visit.number };
        let call = Call {
            method: visit.parts.method.clone(),
            target: target.to_owned(),
            headers,
            body: visit.body,
        };
        self.outer(&scene, &call)
    }

    fn spoiled(&self, visit: &mut Visit<'_>, mut reply: Reply, after: Option<Effect>) -> Reply {
        let earlier = if self.faults().wants_earlier() {
            self.earlier().exchange(&visit.principal, visit.operation, &reply)
        } else {
            None
        };
        match after {
            Some(Effect::CutAfterCommit) => visit.cut = Some(Cut::AfterCommit),
            Some(Effect::Truncate { bytes }) => visit.cut = Some(Cut::Truncate(bytes)),
            Some(Effect::Stall { bytes, milliseconds }) => {
                let pause = milliseconds.map(Duration::from_millis);
                let pause = pause.map(|pause| self.clock.for_client(pause));
                visit.cut = Some(Cut::Stall { bytes, pause });
            }
            Some(Effect::Delay { milliseconds }) => {
                visit.delay += Duration::from_millis(milliseconds);
            }
            Some(Effect::WrongCount { missing, extra }) => reply = recount(reply, missing, extra),
            Some(Effect::EarlierReply) => reply = earlier.unwrap_or(reply),
            _ => {}
        }
        reply
    }

    fn answered(&self, visit: Visit<'_>, mut reply: Reply) -> Handled {
        let method = &visit.parts.method;
        let target = service(visit.target).map_or(visit.target, |(_, target)| target);
        self.note(visit.number, method, target, visit.body, &reply, false);
        let retry_after = reply.headers.iter().find(|(name, _)| *name == "Retry-After");
        let record = RequestRecord {
            number: visit.number,
            at: visit.moment.elapsed.as_secs_f64(),
            time: visit.now,
            principal: visit.principal,
            server: visit.server,
            method: method.to_string(),
            path: target.to_owned(),
            operation: visit.operation,
            status: reply.status,
            records: reply.records,
            refused_by: visit.refused_by,
            fault: visit.fault,
            retry_after: retry_after.and_then(|(_, seconds)| seconds.parse().ok()),
            created: Vec::new(),
        };
        self.recorder().record(record);
        if let Some(remaining) = visit.remaining {
            reply = reply
                .with("x-ms-ratelimit-burst-remaining-xrm-requests", remaining.requests.to_string())
                .with(
                    "x-ms-ratelimit-time-remaining-xrm-requests",
                    header_seconds(remaining.seconds),
                );
        }
        if visit.operation != Operation::Token {
            reply = self.marked(reply);
            if !visit.by_cookie {
                reply = reply.with("Set-Cookie", self.servers.cookie(visit.server, visit.secure));
            }
        }
        let mut response = response(reply);
        response.headers_mut().extend(visit.headers);
        Handled { response, delay: self.clock.for_client(visit.delay), cut: visit.cut }
    }

    /// With the headers that every reply of the service has.
    fn marked(&self, reply: Reply) -> Reply {
        let hint = self.settings.latency.dop_hint.unwrap_or(52);
        let request_id = {
            let counted = self.recorder().next_id();
            seed::id(&format!("request/{}/{counted}", self.settings.seed)).to_string()
        };
        reply
            .with("x-ms-dop-hint", hint.to_string())
            .with("x-ms-service-request-id", request_id.clone())
            .with("REQ_ID", request_id)
            .with("Cache-Control", "no-cache")
            .with("OData-Version", "4.0")
    }
}
