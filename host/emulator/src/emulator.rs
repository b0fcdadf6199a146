//! The emulator: a request and the time in, a reply and what spoils it out.
//!
//! In process and without sockets; all state sits behind one read-write lock,
//! so readers run together and writers one by one. Bodies are read before the
//! lock is taken.

mod change;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use crate::call::{Call, Resource, Scene, resource};
use crate::environment::Environment;
use crate::error::EmulatorError;
use crate::faults::{Effect, Faults};
use crate::limits::{Limits, Remaining, header_seconds};
use crate::principals::{Principals, acting};
use crate::query::View;
use crate::recorder::{Kind, Recorder, class};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::Schema;
use crate::settings::{LimitSettings, Settings};
use crate::store::{Store, Transaction};
pub(crate) use wire::service;
use wire::{authority, response, takes};

use crate::{admin, batch, functions, metadata, query, seed, write};

/// Longest URL of a GET (*Query data*); in a batch twice as long.
const URL_MAX: usize = 32_768;

/// A local Dataverse.
#[derive(Debug)]
pub struct Emulator {
    environment: RwLock<Arc<Environment>>,
    store: RwLock<Store>,
    principals: Principals,
    limits: Mutex<Vec<Limits>>,
    faults: Mutex<Faults>,
    recorder: Mutex<Recorder>,
    settings: Settings,
}

/// A reply, when it is due, and how the connection ends.
#[derive(Debug)]
pub struct Handled {
    /// The reply.
    pub response: Response<Bytes>,
    /// How long after the request the reply is due.
    pub delay: Duration,
    /// The connection is cut instead of answered in full.
    pub cut: Option<Cut>,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Without a reply; the request was not carried out.
    BeforeCommit,
    /// Without a reply; the request was carried out.
    AfterCommit,
    /// After so many bytes of the reply's body.
    Truncate(usize),
}

/// A service over TLS: put into a request's extensions by whoever accepted it.
#[derive(Debug, Clone, Copy)]
pub struct Secure;

impl Emulator {
    /// An emulator with these settings; reads the state on disk if there is one.
    ///
    /// # Errors
    /// A schema that contradicts itself, or a state that cannot be read.
    pub fn new(settings: Settings) -> Result<Self, EmulatorError> {
        let mut tables = settings.tables.clone();
        change::saved(&settings, &mut tables)?;
        let schema = Schema::new(&tables)?;
        let case_sensitive = settings.behavior.case_sensitive_keys;
        let store = match &settings.state {
            None => Store::new(&schema, settings.seed, case_sensitive),
            Some(folder) => Store::open(&schema, settings.seed, case_sensitive, folder)?,
        };
        let principals = Principals::new(&settings.principals);
        let emulator = Self {
            environment: RwLock::new(Arc::new(Environment {
                schema,
                behavior: settings.behavior.clone(),
                tables,
            })),
            store: RwLock::new(store),
            limits: Mutex::new(windows(&settings, principals.len())),
            principals,
            faults: Mutex::new(Faults::new(settings.faults.clone(), settings.seed)),
            recorder: Mutex::new(Recorder::default()),
            settings,
        };
        emulator.plant(0)?;
        Ok(emulator)
    }

    /// Makes what was acknowledged survive a power cut; killing the process
    /// loses nothing without it.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn flush(&self) -> Result<(), EmulatorError> {
        self.write_store().flush()
    }

    /// Answers a request that came at `now`, a time since the UNIX epoch.
    pub fn handle(&self, request: Request<Bytes>, now: Duration) -> Handled {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if let Some(path) = path.strip_prefix(admin::PREFIX) {
            let reply = self.administer(parts.method.as_str(), path, &body, seconds);
            return Handled { response: response(reply), delay: Duration::ZERO, cut: None };
        }
        let authority = authority(&parts);
        let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let signed_in = self.principals.sign_in(&parts.headers, &authority);
        let name = signed_in.as_ref().map_or("", |(_, principal)| &principal.name);
        let mut due = Due::default();
        match self.faults().strike(parts.method.as_str(), target, name) {
            Some(Effect::Reply { status, code, message, retry_after_seconds }) => {
                let mut refusal = Refusal::new(status, code, message);
                refusal.retry_after = retry_after_seconds;
                return self.answered(&parts.method, target, refusal.into(), due);
            }
            Some(Effect::Html { status }) => {
                let page = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>The \
                            service is unavailable.</h1></body></html>";
                let reply = Reply::text(status, "text/html; charset=utf-8", page);
                return self.answered(&parts.method, target, reply, due);
            }
            Some(Effect::CutBeforeCommit) => {
                due.cut = Some(Cut::BeforeCommit);
                return self.answered(&parts.method, target, Reply::empty(500), due);
            }
            Some(Effect::CutAfterCommit) => due.cut = Some(Cut::AfterCommit),
            Some(Effect::Truncate { bytes }) => due.cut = Some(Cut::Truncate(bytes)),
            Some(Effect::Delay { milliseconds }) => due.delay = Duration::from_millis(milliseconds),
            None => {}
        }
        let (position, principal) = match signed_in {
            Ok(found) => found,
            Err(reply) => return self.answered(&parts.method, target, *reply, due),
        };
        let admitted = self.limits().get_mut(position).map_or(Ok(()), |limits| limits.admit(now));
        if let Err(refusal) = admitted {
            return self.answered(&parts.method, target, refusal.into(), due);
        }
        let secure = parts.extensions.get::<Secure>().is_some()
            || parts.uri.scheme_str().is_some_and(|scheme| scheme == "https");
        let scheme = if secure { "https" } else { "http" };
        let (reply, operations) = match service(target) {
            None => (Refusal::no_resource(target).into(), 0),
            Some((version, _)) if target.len() > URL_MAX => {
                let message = format!("The request URL is too long for {version}.");
                (Refusal::new(414, "", message).into(), 0)
            }
            Some((version, target)) => {
                let user = {
                    let store = self.read_store();
                    acting(principal, &parts.headers, &self.environment().schema, &store)
                };
                match user {
                    Err(refusal) => (refusal.into(), 0),
                    Ok(user) => {
                        let root = format!("{scheme}://{authority}/api/data/{version}/");
                        let scene = Scene { root, user, now: seconds };
                        let call = Call {
                            method: parts.method.clone(),
                            target: target.to_owned(),
                            headers: &parts.headers,
                            body: &body,
                        };
                        self.outer(&scene, &call)
                    }
                }
            }
        };
        let takes = takes(&self.settings.latency, reply.records, operations);
        due.delay += takes;
        due.remaining = self.limits().get_mut(position).map(|limits| limits.began(now, due.delay));
        self.answered(&parts.method, target, reply, due)
    }

    /// A request of its own: a batch or one operation. With the number of
    /// operations in a batch.
    fn outer(&self, scene: &Scene, call: &Call<'_>) -> (Reply, u64) {
        if call.split().0 == "$batch" {
            return batch::run(self, scene, call);
        }
        (self.operate(scene, call).unwrap_or_else(Reply::from), 0)
    }

    /// One operation with a transaction of its own.
    pub(crate) fn operate(&self, scene: &Scene, call: &Call<'_>) -> Result<Reply, Refusal> {
        self.attempt(scene, call).map_err(|refusal| match call.prefer() {
            Ok(prefer) => refusal.detailed(&prefer),
            Err(_) => refusal,
        })
    }

    fn attempt(&self, scene: &Scene, call: &Call<'_>) -> Result<Reply, Refusal> {
        if !write::is_write(call) {
            return self.read(scene, call);
        }
        loop {
            let environment = self.environment();
            let resource = resource(&environment.schema, call.split().0)?;
            match &resource {
                Resource::Definitions(segments) => {
                    return self.change_metadata(scene, call, segments);
                }
                Resource::Function(name, _) if functions::publishes(call, name) => {
                    return Ok(Reply::empty(204));
                }
                _ => {}
            }
            let prepared = write::prepare(&environment, call, resource)?;
            let mut store = self.write_store();
            // A body is read before the lock: under metadata that may have changed.
            if !Arc::ptr_eq(&environment, &self.environment()) {
                continue;
            }
            let mut transaction = Transaction::begin(&mut store);
            let (reply, _) = prepared.apply(&environment, scene, &mut transaction, None)?;
            commit(transaction)?;
            return Ok(reply);
        }
    }

    fn read(&self, scene: &Scene, call: &Call<'_>) -> Result<Reply, Refusal> {
        let store = self.read_store();
        let environment = self.environment();
        let view = View { environment: &environment, store: &store, scene };
        match resource(&environment.schema, call.split().0)? {
            Resource::Root => Ok(functions::service_document(&environment, scene)),
            Resource::Csdl => metadata::document(&environment.schema, call),
            Resource::Batch => Err(Refusal::method("GET")),
            Resource::Definitions(segments) => {
                metadata::read(&environment.schema, scene, call, &segments)
            }
            Resource::Function(name, inside) => functions::call(&view, call, &name, &inside),
            resource => query::read(&view, call, resource),
        }
    }

    fn answered(&self, method: &http::Method, target: &str, mut reply: Reply, due: Due) -> Handled {
        let target = service(target).map_or(target, |(_, target)| target);
        self.note(method, target, &reply, false);
        if let Some(remaining) = due.remaining {
            reply = reply
                .with("x-ms-ratelimit-burst-remaining-xrm-requests", remaining.requests.to_string())
                .with(
                    "x-ms-ratelimit-time-remaining-xrm-requests",
                    header_seconds(remaining.seconds),
                );
        }
        let hint = self.settings.latency.dop_hint.unwrap_or(52);
        let request_id = {
            let counted = self.recorder().next_id();
            seed::id(&format!("request/{}/{counted}", self.settings.seed)).to_string()
        };
        reply = reply
            .with("x-ms-dop-hint", hint.to_string())
            .with("x-ms-service-request-id", request_id.clone())
            .with("REQ_ID", request_id)
            .with("Cache-Control", "no-cache")
            .with("OData-Version", "4.0");
        Handled { response: response(reply), delay: due.delay, cut: due.cut }
    }

    pub(crate) fn note(&self, method: &http::Method, target: &str, reply: &Reply, in_batch: bool) {
        let kind = Kind {
            method: method.to_string(),
            path: class(target),
            status: reply.status,
            in_batch,
        };
        let records = if in_batch || !target.starts_with("$batch") { reply.records } else { 0 };
        self.recorder().note(kind, records);
    }

    /// Forgets all rows, counts and faults, and begins anew.
    pub(crate) fn reset(&self, now: i64) -> Result<(), EmulatorError> {
        self.forget_changes()?;
        *self.limits() = windows(&self.settings, self.principals.len());
        *self.faults() = Faults::new(self.settings.faults.clone(), self.settings.seed);
        self.recorder().clear();
        self.plant(now)
    }

    fn plant(&self, now: i64) -> Result<(), EmulatorError> {
        let mut store = self.write_store();
        let mut transaction = Transaction::begin(&mut store);
        let environment = self.environment();
        seed::plant(&environment.schema, &mut transaction, &self.principals.users(), now);
        transaction.commit()
    }

    /// Schema and switches as they are now; whoever holds the store keeps them
    /// from changing.
    pub(crate) fn environment(&self) -> Arc<Environment> {
        Arc::clone(&self.environment.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn write_store(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(&self) -> MutexGuard<'_, Vec<Limits>> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a reply waits for and how it ends.
#[derive(Debug, Default)]
struct Due {
    delay: Duration,
    cut: Option<Cut>,
    remaining: Option<Remaining>,
}

fn windows(settings: &Settings, principals: usize) -> Vec<Limits> {
    let limits: Option<&LimitSettings> = settings.limits.as_ref();
    limits.map_or(Vec::new(), |limits| vec![Limits::new(limits); principals])
}

/// Keeps a transaction; a log that cannot be written is the service's fault.
pub(crate) fn commit(transaction: Transaction<'_>) -> Result<(), Refusal> {
    transaction.commit().map_err(|error| {
        tracing::error!(%error, "a commit was undone");
        Refusal::new(500, "0x80040216", "An unexpected error occurred.")
    })
}
