//! Records of the target that a run knows, found by key.

use std::collections::BTreeMap;
use std::sync::Arc;

use dvsync_dataverse::{Client, Select};
use dvsync_model::{Entity, Outcome};
use jiff::Timestamp;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::error::RunError;
use crate::holds::Holds;
use crate::job::{LookupWord, Retrieve};
use crate::plan::{Matching, Plan};
use crate::progress::Progress;
use crate::spill::Room;
use crate::table::{KeyOf, Reach, Table, reach};

/// Records of the target that a run knows.
pub(crate) struct Known {
    client: Client,
    room: Room,
    /// The target's own records; absent where none are looked at.
    pub(crate) target: Option<Table>,
    /// Records that the job's filter lets be written, by id; absent where all.
    pub(crate) writable: Option<Table>,
    /// By target column.
    pub(crate) lookups: BTreeMap<String, Table>,
    /// Records that must not be written yet.
    pub(crate) holds: Arc<Holds>,
    /// Records that an earlier process of the run may have written.
    pub(crate) unsettled: Arc<BTreeMap<Uuid, Outcome>>,
    owners: Mutex<BTreeMap<(OwnerTable, String), Arc<Table>>>,
}

/// Where owners are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OwnerTable {
    /// `systemuser`.
    Users,
    /// `team`.
    Teams,
}

impl OwnerTable {
    /// Logical name of the table.
    pub(crate) fn entity(self) -> &'static str {
        match self {
            OwnerTable::Users => "systemuser",
            OwnerTable::Teams => "team",
        }
    }
}

impl Known {
    /// Reads what has to be read beforehand; `rows` is the size of the source.
    pub(crate) async fn open(
        plan: &Plan,
        client: &Client,
        room: Room,
        rows: u64,
        progress: &Progress,
        holds: Arc<Holds>,
    ) -> Result<Self, RunError> {
        let mut known = Self {
            client: client.clone(),
            room,
            target: None,
            writable: None,
            lookups: BTreeMap::new(),
            holds,
            unsettled: Arc::default(),
            owners: Mutex::default(),
        };
        for column in &plan.columns {
            let Some(lookup) = &column.lookup else { continue };
            let by = lookup.by.logical_name.clone();
            let way = known.way(&lookup.entity, Retrieve::Auto, Some(rows)).await?;
            let by =
                if by == lookup.entity.primary_id { KeyOf::Id } else { KeyOf::Columns(vec![by]) };
            let table = known.table(&lookup.entity, Vec::new(), None, by, way).await?;
            known.lookups.insert(column.column.logical_name.clone(), table);
        }
        if plan.job.target.lookup != LookupWord::None {
            let way = known.way(&plan.entity, plan.job.target.retrieve, Some(rows)).await?;
            let by = match (&plan.matching, plan.bound()) {
                (Matching::Id(_), _) => KeyOf::Id,
                (Matching::Columns { positions, .. }, _) => {
                    let name = |&at: &usize| plan.columns[at].column.logical_name.clone();
                    KeyOf::Columns(positions.iter().map(name).collect())
                }
                (Matching::Rules, Some(bound)) => KeyOf::Rule(Arc::clone(bound)),
                (Matching::Rules, None) => {
                    return Err(RunError::Bug("matching by rules without a rule".into()));
                }
            };
            let retrieved = plan.retrieved.clone();
            let table = known.table(&plan.entity, retrieved, None, by, way).await?;
            progress.retrieved(table.len().unwrap_or(0));
            known.target = Some(table);
            if let Some(filter) = plan.job.target.filter.clone() {
                let by = KeyOf::Id;
                let table = known.table(&plan.entity, Vec::new(), Some(filter), by, way).await?;
                known.writable = Some(table);
            }
        }
        Ok(known)
    }

    /// The wall's time, by the client's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.client.clock().wall()
    }

    /// What a row is whose record is already as it is to be: unchanged, unless
    /// an earlier process of this run has written it.
    pub(crate) fn as_it_is(&self, id: Uuid) -> Outcome {
        self.unsettled.get(&id).copied().unwrap_or(Outcome::Unchanged)
    }

    /// Users or teams by one of their columns.
    pub(crate) async fn owners(&self, from: OwnerTable, by: &str) -> Result<Arc<Table>, RunError> {
        let mut owners = self.owners.lock().await;
        if let Some(table) = owners.get(&(from, by.to_owned())) {
            return Ok(Arc::clone(table));
        }
        let entity = self.client.entity(from.entity()).await?;
        let key = if by == "id" || by == entity.primary_id {
            KeyOf::Id
        } else if entity.column(by).is_some_and(|column| column.valid_for_read) {
            KeyOf::Columns(vec![by.to_owned()])
        } else {
            return Err(RunError::job_hint(
                format!("the rule names owners by `{by}`, which `{}` does not have", from.entity()),
                "a rule names owners by `id` or by a column of systemuser or team",
            ));
        };
        // Users and teams are few, and each chunk asks for the same ones.
        let table = Arc::new(self.table(&entity, Vec::new(), None, key, Reach::Pages).await?);
        owners.insert((from, by.to_owned()), Arc::clone(&table));
        Ok(table)
    }

    async fn way(
        &self,
        entity: &Entity,
        wish: Retrieve,
        rows: Option<u64>,
    ) -> Result<Reach, RunError> {
        let records = match wish {
            Retrieve::Auto => self.client.count(entity).await?,
            Retrieve::Pages | Retrieve::Keys => None,
        };
        Ok(reach(wish, rows, records))
    }

    async fn table(
        &self,
        entity: &Arc<Entity>,
        columns: Vec<String>,
        filter: Option<String>,
        by: KeyOf,
        way: Reach,
    ) -> Result<Table, RunError> {
        let select = Select { entity: Arc::clone(entity), columns, filter };
        Table::open(&self.client, select, by, way, self.room.clone()).await
    }
}
