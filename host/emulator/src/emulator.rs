//! The emulator: a request and the time in, a reply and what spoils it out.
//!
//! In process and without sockets; all state sits behind one read-write lock,
//! so readers run together and writers one by one. Bodies are read before the
//! lock is taken.

mod behavior;
mod change;
mod front;
mod harm;
mod snapshot;
mod visit;
mod wire;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use bytes::Bytes;
use http::Response;

use crate::call::{Call, Resource, Scene, resource};
use crate::clock::Clock;
use crate::environment::Environment;
use crate::error::EmulatorError;
use crate::faults::{Earlier, Faults};
use crate::limits::Guard;
use crate::principals::Principals;
use crate::query::View;
use crate::recorder::{
    Assertion, Kind, Recorder, RequestFilter, RequestRecord, Verdict, class, created,
};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::{Schema, Table};
use crate::servers::Servers;
use crate::settings::Settings;
use crate::store::{Store, Transaction};
pub(crate) use wire::{service, whole_seconds};

use crate::{batch, bulk_delete, functions, metadata, query, seed, write};

/// A local Dataverse.
#[derive(Debug)]
pub struct Emulator {
    environment: RwLock<Arc<Environment>>,
    store: RwLock<Store>,
    pub(crate) principals: Principals,
    servers: Servers,
    pub(crate) clock: Clock,
    guard: Mutex<Guard>,
    faults: Mutex<Faults>,
    /// Replies that a fault may give once more.
    earlier: Mutex<Earlier>,
    /// Requests so far.
    arrived: AtomicU64,
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
    /// Not cut at once: after so many bytes of the reply's body nothing comes.
    Stall {
        /// Bytes of the body.
        bytes: usize,
        /// How long; then the rest comes. Without it, never.
        pause: Option<Duration>,
    },
}

/// A service over TLS: put into a request's extensions by whoever accepted it.
#[derive(Debug, Clone, Copy)]
pub struct Secure;

/// A request of whoever runs the emulator, in process: put into its extensions, it
/// needs no token, meets no fault and no limit, takes no time and is not recorded.
#[derive(Debug, Clone, Copy)]
pub struct Unguarded;

impl Emulator {
    /// An emulator with these settings; reads the state on disk if there is one.
    ///
    /// # Errors
    /// Settings or a schema that make no sense, or a state that cannot be read.
    pub fn new(settings: Settings) -> Result<Self, EmulatorError> {
        settings.check()?;
        let mut tables = settings.tables.clone();
        change::saved(&settings, &mut tables)?;
        let schema = Schema::new(&tables)?;
        let rules = settings.behavior.key_rules();
        let store = match &settings.state {
            None => Store::new(&schema, settings.seed, rules),
            Some(folder) => Store::open(&schema, settings.seed, rules, folder)?,
        };
        let principals = Principals::new(&settings);
        let emulator = Self {
            environment: RwLock::new(Arc::new(Environment {
                schema: Arc::new(schema),
                behavior: settings.behavior.clone(),
                tables,
            })),
            store: RwLock::new(store),
            servers: Servers::new(settings.web_servers, settings.spread, settings.seed),
            clock: Clock::new(settings.time_scale),
            guard: Mutex::new(Guard::new(&settings, principals.len())),
            principals,
            earlier: Mutex::new(Earlier::default()),
            arrived: AtomicU64::new(0),
            faults: Mutex::new(Faults::new(settings.faults.clone(), settings.seed)),
            recorder: Mutex::new(Recorder::new(settings.recorder.clone())),
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
        self.attempt(scene, call).map_err(|refusal| {
            let refusal = refusal.coded(&self.environment().behavior.codes);
            match call.prefer() {
                Ok(prefer) => refusal.detailed(&prefer),
                Err(_) => refusal,
            }
        })
    }

    fn attempt(&self, scene: &Scene, call: &Call<'_>) -> Result<Reply, Refusal> {
        self.expire(scene.now)?;
        if call.split().0 == bulk_delete::NAME {
            return bulk_delete::run(self, scene, call);
        }
        if !write::is_write(call) {
            return self.read(scene, call);
        }
        loop {
            let environment = self.environment();
            let resource = resource(&environment.schema, environment.path(call.split().0)?)?;
            match &resource {
                Resource::Definitions(segments) => {
                    return self.change_metadata(scene, call, segments);
                }
                Resource::Function(name, _) if name == metadata::CREATE_TABLES => {
                    return self.change_metadata(scene, call, std::slice::from_ref(name));
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
        match resource(&environment.schema, environment.path(call.split().0)?)? {
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

    /// Counts an operation, and remembers what it created.
    pub(crate) fn note(
        &self,
        request: u64,
        method: &http::Method,
        target: &str,
        body: &[u8],
        reply: &Reply,
        in_batch: bool,
    ) {
        let kind = Kind {
            method: method.to_string(),
            path: class(target),
            status: reply.status,
            in_batch,
        };
        let records = if in_batch || !target.starts_with("$batch") { reply.records } else { 0 };
        let mut creates = Vec::new();
        if self.settings.recorder.creates_max > 0 {
            let environment = self.environment();
            let id = |set: &str| environment.schema.set(set).map(Table::id_name);
            creates = created(request, method, target, body, reply, id);
        }
        let mut recorder = self.recorder();
        recorder.note(kind, records);
        recorder.remember(creates);
    }

    /// The requests that are meant, in order of arrival, as far as they are
    /// remembered.
    pub fn requests(&self, filter: &RequestFilter) -> Vec<RequestRecord> {
        self.recorder().requests(filter).0
    }

    /// Looks whether something holds of the requests so far.
    pub fn check(&self, assertion: &Assertion) -> Verdict {
        self.recorder().check(assertion)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The number of a request, from 1.
    fn next_request(&self) -> u64 {
        self.arrived.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Forgets all rows, counts and faults, and begins anew.
    pub(crate) fn reset(&self, now: i64) -> Result<(), EmulatorError> {
        self.forget_changes()?;
        *self.guard() = Guard::new(&self.settings, self.principals.len());
        self.clock.restart();
        self.principals.forget_expired();
        self.earlier().clear();
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

    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn earlier(&self) -> MutexGuard<'_, Earlier> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a transaction; a log that cannot be written is the service's fault.
pub(crate) fn commit(transaction: Transaction<'_>) -> Result<(), Refusal> {
    transaction.commit().map_err(|error| {
        tracing::error!(%error, "a commit was undone");
        Refusal::new(500, "0x80040216", "An unexpected error occurred.")
    })
}
