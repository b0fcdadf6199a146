//! The client: what the engine calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use dvsync_model::Entity;
use futures::stream::BoxStream;
use serde::Deserialize;
use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;

use crate::clock::Clock;
use crate::counts::RequestCounts;
use crate::encode::Write;
use crate::error::ClientError;
use crate::headers::Rendered;
use crate::metadata::EntitySets;
use crate::read::Select;
use crate::session::{Call, Session};
use crate::settings::ClientSettings;
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

pub(crate) struct Shared {
    pub(crate) session: Session,
    pub(crate) headers: Rendered,
    /// Metadata does not change within the life of a client.
    pub(crate) entities: Mutex<BTreeMap<String, Arc<Entity>>>,
    pub(crate) entity_sets: OnceCell<EntitySets>,
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
                headers,
                entities: Mutex::new(BTreeMap::new()),
                entity_sets: OnceCell::new(),
            }),
        })
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
        futures::future::join_all(session.pool.names().enumerate().map(async |(position, name)| {
            (name.to_owned(), session.who_am_i(Some(position)).await)
        }))
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
    async fn who_am_i(&self, only: Option<usize>) -> Result<WhoAmI, ClientError> {
        let mut call = Call::get("WhoAmI", format!("{}WhoAmI", self.origin.root()));
        call.only = only;
        let reply = self.read(&call).await?;
        serde_json::from_slice(&reply.body)
            .map_err(|error| ClientError::Reply { what: call.what, message: error.to_string() })
    }
}
