//! What happens around the service: web server, faults, tokens, limits, time,
//! records.
//!
//! In this order: who asks and what goes wrong on command; the issuer of tokens;
//! the limits; the service itself; what spoils its reply.

use std::time::Duration;

use bytes::Bytes;
use http::Request;

use super::visit::Visit;
use super::wire::{authority, response, service, whole_seconds};
use super::{Cut, Emulator, Handled, Secure, Unguarded};
use crate::call::{Call, Scene};
use crate::entra::{self, Asked};
use crate::limits::{Throttled, header_seconds};
use crate::operation::Operation;
use crate::principals::{SignedIn, acting};
use crate::recorder::RequestRecord;
use crate::refusal::{Name, Refusal};
use crate::reply::Reply;
use crate::{admin, seed};

/// Longest URL of a GET (*Query data*); in a batch twice as long.
const URL_MAX: usize = 32_768;

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
            return self.refused(Refusal::no_resource(target));
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
        let environment = self.environment();
        let behavior = &environment.behavior;
        let headers = &visit.parts.headers;
        let signed_in = self.principals.sign_in(headers, visit.entrance(), behavior);
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
                Ok(reply) => {
                    self.noted(visit, &reply);
                    return reply;
                }
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
        // What was done, whatever the client is told.
        self.noted(visit, &reply);
        self.spoiled(visit, reply, after)
    }

    fn noted(&self, visit: &Visit<'_>, reply: &Reply) {
        let target = service(visit.target).map_or(visit.target, |(_, target)| target);
        self.note(visit.number, &visit.parts.method, target, visit.body, reply, false);
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
            return (self.refused(Refusal::no_resource(visit.target)), 0);
        };
        if visit.target.len() > URL_MAX {
            let message = format!("The request URL is too long for {version}.");
            return (self.refused(Refusal::named(Name::UrlTooLong, message)), 0);
        }
        let headers = &visit.parts.headers;
        let user = {
            let store = self.read_store();
            acting(signed_in.principal, headers, &self.environment().schema, &store)
        };
        let user = match user {
            Ok(user) => user,
            Err(refusal) => return (self.refused(refusal), 0),
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

    fn answered(&self, visit: Visit<'_>, mut reply: Reply) -> Handled {
        let method = &visit.parts.method;
        let target = service(visit.target).map_or(visit.target, |(_, target)| target);
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
            // Nobody has read it where no reply went out.
            retry_after: retry_after
                .filter(|_| !matches!(visit.cut, Some(Cut::BeforeCommit | Cut::AfterCommit)))
                .and_then(|(_, seconds)| seconds.parse().ok()),
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
