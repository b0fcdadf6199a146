//! The client: what the engine calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use dvsync_model::Entity;
use futures::stream::BoxStream;
use serde::Deserialize;
use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;

use crate::cancel::Cancel;
use crate::clock::Clock;
use crate::counts::{PrincipalCounts, RequestCounts};
use crate::encode::Write;
use crate::error::ClientError;
use crate::headers::Rendered;
use crate::metadata::EntitySets;
use crate::principal::Id;
use crate::read::Select;
use crate::session::{Call, Session};
use crate::settings::{ClientSettings, PrincipalSettings};
use crate::transport::Transport;
use crate::written::Written;

mod write;

/// How records are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One bulk message: all or nothing.
    Bulk,
    /// One `$batch` of single operations, at most 1,000: each for itself.
    Batch {
        /// Off, the batch stops at the first refusal.
        continue_on_error: bool,
    },
}

/// Who the service says we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct WhoAmI {
    /// The environment; part of what ids are derived from.
    #[serde(rename = "OrganizationId")]
    pub organization_id: Uuid,
    /// The application user's `systemuserid`.
    #[serde(rename = "UserId")]
    pub user_id: Uuid,
    /// Its business unit.
    #[serde(rename = "BusinessUnitId")]
    pub business_unit_id: Uuid,
}

/// A conversation with one environment. Cheap to clone; all clones share
/// principals, throttles and caches.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) session: Session,
    pub(crate) headers: Arc<Rendered>,
    /// Metadata does not change within the life of a client.
    pub(crate) entities: Arc<Mutex<BTreeMap<String, Arc<Entity>>>>,
    pub(crate) entity_sets: Arc<OnceCell<EntitySets>>,
}

impl Client {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// A setting makes no sense.
    pub fn new(
        settings: ClientSettings,
        transport: Arc<dyn Transport>,
        clock: Clock,
    ) -> Result<Self, ClientError> {
        let headers = Rendered::new(&settings.headers)?;
        let session = Session::new(settings, transport, clock)?;
        Ok(Self {
            shared: Arc::new(Shared {
                session,
                headers: Arc::new(headers),
                entities: Arc::default(),
                entity_sets: Arc::default(),
            }),
        })
    }

    /// The same client for somebody who may want to end early: once `cancel` is
    /// asked, waits of its calls end at once, with [`Written::NotNow`] or an
    /// error. A request that has left is never interrupted.
    #[must_use]
    pub fn heeding(&self, cancel: Cancel) -> Self {
        let mut shared = Shared::clone(&self.shared);
        shared.session.cancel = cancel;
        Self { shared: Arc::new(shared) }
    }

    /// Who we are, as whichever principal is free.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn who_am_i(&self) -> Result<WhoAmI, ClientError> {
        self.shared.session.who_am_i(None).await
    }

    /// Who each principal is, by name, in the order of the settings: for
    /// checks.
    pub async fn who_am_i_each(&self) -> Vec<(String, Result<WhoAmI, ClientError>)> {
        let session = &self.shared.session;
        let working = session.pool.working();
        futures::future::join_all(
            working.into_iter().map(async |(id, name)| (name, session.who_am_i(Some(id)).await)),
        )
        .await
    }

    /// A table by logical name; asked for once in the life of the client.
    ///
    /// # Errors
    /// [`ClientError::UnknownEntity`], and see [`ClientError`].
    pub async fn entity(&self, logical_name: &str) -> Result<Arc<Entity>, ClientError> {
        crate::metadata::entity(&self.shared, logical_name).await
    }

    /// How many records the table has: an estimate, up to a day old. `None`
    /// when the service gives none.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn count(&self, entity: &Entity) -> Result<Option<u64>, ClientError> {
        crate::read::count(&self.shared.session, entity).await
    }

    /// All records that the filter lets through, page by page (at most 5,000),
    /// in the service's order. Ends after the first error.
    #[must_use]
    pub fn pages(&self, select: &Select) -> BoxStream<'static, Result<RecordBatch, ClientError>> {
        crate::read::pages(self.shared.clone(), select)
    }

    /// The records whose columns `by` equal one of the keys: `keys` holds one
    /// canonical array per column of `by`, all of one length; keys with a null
    /// part match nothing. A record may come twice if two keys are equal to
    /// the service; others may come too (the service ignores case, and honours
    /// wildcards): match by value.
    ///
    /// # Errors
    /// [`ClientError::UnknownColumn`], and see [`ClientError`].
    pub async fn find(
        &self,
        select: &Select,
        by: &[String],
        keys: &[ArrayRef],
    ) -> Result<Vec<RecordBatch>, ClientError> {
        crate::read::find(&self.shared, select, by, keys).await
    }

    /// Sends records and says what became of each. What is certain is tried
    /// again within; a write of unknown fate never is. Dropping the future
    /// before the request leaves is safe; afterwards its fate is unknown.
    pub async fn write(&self, write: &Write, form: Form) -> Written {
        write::write(&self.shared, write, form).await
    }

    /// Requests so far, over all principals.
    #[must_use]
    pub fn counts(&self) -> RequestCounts {
        self.shared.session.tally.read()
    }

    /// What each principal did so far, drained ones included.
    #[must_use]
    pub fn principals(&self) -> Vec<PrincipalCounts> {
        self.shared.session.pool.counts()
    }

    /// Records that others, or an earlier process, have written of what the job
    /// may write in 24 hours: see [`crate::PaceSettings`].
    pub fn note_spent(&self, records: u64) {
        self.shared.session.pool.note_spent(records);
    }

    /// One more principal, from the next request on; one that was drained works
    /// again, with this credential.
    ///
    /// # Errors
    /// One of this name is working already.
    pub fn add(&self, principal: &PrincipalSettings) -> Result<(), ClientError> {
        self.shared.session.pool.add(principal)
    }

    /// A new credential for the principal of that name, from the next request
    /// on: a rotated secret. Requests under way end with the old one; what is
    /// known of the user's limits stays.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn replace(&self, principal: &PrincipalSettings) -> Result<(), ClientError> {
        self.shared.session.pool.replace(principal)
    }

    /// Sends nothing more as this principal, and returns when what is under way
    /// has ended; the others do the work. With all drained, calls are refused
    /// until one is added. Dropping the future leaves it drained.
    ///
    /// # Errors
    /// There is none of this name.
    pub async fn drain(&self, name: &str) -> Result<(), ClientError> {
        self.shared.session.pool.drain(name).await
    }

    /// The clock that waits and `until`s are told by.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.shared.session.clock
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("url", &self.shared.session.settings.url)
            .finish_non_exhaustive()
    }
}

impl Session {
    async fn who_am_i(&self, only: Option<Id>) -> Result<WhoAmI, ClientError> {
        let mut call = Call::get("WhoAmI", format!("{}WhoAmI", self.origin.root()));
        call.only = only;
        let reply = self.read(&call).await?;
        serde_json::from_slice(&reply.body)
            .map_err(|error| ClientError::Reply { what: call.what, message: error.to_string() })
    }
}
