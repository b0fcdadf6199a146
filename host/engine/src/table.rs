//! Records of one table of the service, found by key, in bounded memory.
//!
//! Two ways to the same answers, chosen once ([`reach`]): the whole table is
//! read page by page into a [`Snapshot`] that spills to disk, or each chunk
//! asks the service for the keys it holds. Used for the target itself, for
//! lookups and for owners.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{Field, Schema, SchemaRef};
use dvsync_dataverse::{Client, Select};
use dvsync_model::{Entity, KeyHash};
use dvsync_rules::{Bound, Side};
use futures::TryStreamExt;

use crate::blocking::unblock;
use crate::error::RunError;
use crate::job::Retrieve;
use crate::keys::KeyColumns;
use crate::spill::{Matches, Room, Snapshot, SnapshotBuilder};

/// By what records are found.
#[derive(Clone)]
pub(crate) enum KeyOf {
    /// The primary id.
    Id,
    /// Columns; they are among the selected ones.
    Columns(Vec<String>),
    /// What the rule derives from the record.
    Rule(Arc<Bound>),
}

/// How the records are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The whole table, page by page.
    Pages,
    /// By the keys of each chunk.
    Keys,
}

/// Which way is cheaper, in rows that travel: all `records` of the table, or
/// for each of `rows` source rows its key there and its record back.
pub(crate) fn reach(wish: Retrieve, rows: Option<u64>, records: Option<u64>) -> Reach {
    /// Below this a table is read whole: one or two requests.
    const SMALL: u64 = 10_000;
    match (wish, rows, records) {
        (Retrieve::Pages, _, _) => Reach::Pages,
        (Retrieve::Keys, _, _) => Reach::Keys,
        (Retrieve::Auto, Some(rows), Some(records)) if rows.saturating_mul(2) < records => {
            if records <= SMALL {
                Reach::Pages
            } else {
                Reach::Keys
            }
        }
        (Retrieve::Auto, Some(rows), None) if rows <= SMALL => Reach::Keys,
        (Retrieve::Auto, None, Some(records)) if records > 100 * SMALL => Reach::Keys,
        (Retrieve::Auto, _, _) => Reach::Pages,
    }
}

/// Records of one table, found by key.
pub(crate) struct Table {
    client: Client,
    select: Select,
    by: KeyOf,
    room: Room,
    /// Absent where each chunk asks.
    snapshot: Option<Arc<Snapshot>>,
}

impl Table {
    /// Opens the table; reads it whole where that is the way.
    pub(crate) async fn open(
        client: &Client,
        mut select: Select,
        by: KeyOf,
        reach: Reach,
        room: Room,
    ) -> Result<Self, RunError> {
        if let KeyOf::Columns(columns) = &by {
            for column in columns {
                if !select.columns.contains(column) && *column != select.entity.primary_id {
                    select.columns.push(column.clone());
                }
            }
        }
        // What a rule derives cannot be asked for.
        let whole = reach == Reach::Pages || matches!(by, KeyOf::Rule(_));
        let mut table = Self { client: client.clone(), select, by, room, snapshot: None };
        if whole {
            table.snapshot = Some(Arc::new(table.read_whole().await?));
        }
        Ok(table)
    }

    /// Finds the records of each key. `keys` are the key's columns, aligned
    /// with `hashes`; a row without a hash finds nothing.
    pub(crate) async fn find(
        &self,
        hashes: Vec<Option<KeyHash>>,
        keys: Vec<ArrayRef>,
    ) -> Result<Matches, RunError> {
        let snapshot = match &self.snapshot {
            Some(snapshot) => Arc::clone(snapshot),
            None => Arc::new(self.ask(&hashes, &keys).await?),
        };
        unblock(move || snapshot.lookup(&hashes)).await?.map_err(RunError::from)
    }

    /// Records known, where the table was read whole.
    pub(crate) fn len(&self) -> Option<u64> {
        self.snapshot.as_ref().map(|snapshot| snapshot.len())
    }

    async fn read_whole(&self) -> Result<Snapshot, RunError> {
        let mut builder = SnapshotBuilder::new(self.schema(), &self.room)?;
        let mut pages = self.client.pages(&self.select);
        while let Some(page) = pages.try_next().await? {
            let by = self.by.clone();
            builder = unblock(move || {
                let hashes = hashes_of(&by, &page)?;
                builder.push(&page, &hashes)?;
                Ok::<_, RunError>(builder)
            })
            .await??;
        }
        unblock(move || builder.finish()).await?.map_err(RunError::from)
    }

    async fn ask(
        &self,
        hashes: &[Option<KeyHash>],
        keys: &[ArrayRef],
    ) -> Result<Snapshot, RunError> {
        let distinct = distinct(hashes);
        let mut builder = SnapshotBuilder::new(self.schema(), &self.room)?;
        if !distinct.is_empty() {
            let asked = keys
                .iter()
                .map(|column| arrow_select::take::take(column, &distinct, None))
                .collect::<Result<Vec<_>, _>>()?;
            let by = match &self.by {
                KeyOf::Columns(columns) => columns.clone(),
                KeyOf::Id | KeyOf::Rule(_) => vec![self.select.entity.primary_id.clone()],
            };
            for page in self.client.find(&self.select, &by, &asked).await? {
                builder.push(&page, &hashes_of(&self.by, &page)?)?;
            }
        }
        Ok(builder.finish()?)
    }

    /// Primary id, then the selected columns.
    fn schema(&self) -> SchemaRef {
        schema_of(&self.select.entity, &self.select.columns)
    }
}

/// The schema in which records of a table are read: primary id, then `columns`.
pub(crate) fn schema_of(entity: &Entity, columns: &[String]) -> SchemaRef {
    let id = Field::new(&entity.primary_id, arrow_schema::DataType::FixedSizeBinary(16), false);
    let rest = columns.iter().filter_map(|name| {
        let column = entity.column(name)?;
        Some(Field::new(name, column.kind.arrow_type(), true))
    });
    Arc::new(Schema::new(std::iter::once(id).chain(rest).collect::<Vec<_>>()))
}

/// The position of the first row of each key.
fn distinct(hashes: &[Option<KeyHash>]) -> UInt32Array {
    let mut first: Vec<(KeyHash, u32)> =
        (0_u32..).zip(hashes).filter_map(|(row, hash)| Some(((*hash)?, row))).collect();
    first.sort_unstable();
    first.dedup_by_key(|(hash, _)| *hash);
    let mut rows: Vec<u32> = first.into_iter().map(|(_, row)| row).collect();
    rows.sort_unstable();
    rows.into()
}

fn hashes_of(by: &KeyOf, page: &RecordBatch) -> Result<Vec<Option<KeyHash>>, RunError> {
    match by {
        KeyOf::Id => Ok(KeyColumns::of([page.column(0)])
            .map(|keys| keys.hashes())
            .unwrap_or_else(|| vec![None; page.num_rows()])),
        KeyOf::Columns(columns) => {
            let found: Option<Vec<&ArrayRef>> =
                columns.iter().map(|name| page.column_by_name(name)).collect();
            Ok(found
                .and_then(KeyColumns::of)
                .map(|keys| keys.hashes())
                .unwrap_or_else(|| vec![None; page.num_rows()]))
        }
        KeyOf::Rule(bound) => {
            let derived = bound.derive(Side::Current, page)?;
            for fault in &derived.faults {
                tracing::warn!(
                    row = fault.row,
                    code = fault.code,
                    "the rule failed on a record of the target, which matches nothing: {}",
                    fault.message
                );
            }
            Ok(KeyColumns::ready(derived.keys).hashes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheaper_way_is_taken() {
        for (wish, rows, records, expect) in [
            (Retrieve::Auto, Some(1_000_000), Some(0), Reach::Pages),
            (Retrieve::Auto, Some(10), Some(5_000), Reach::Pages),
            (Retrieve::Auto, Some(10), Some(5_000_000), Reach::Keys),
            (Retrieve::Auto, Some(4_000_000), Some(5_000_000), Reach::Pages),
            (Retrieve::Auto, Some(10), None, Reach::Keys),
            (Retrieve::Auto, Some(1_000_000), None, Reach::Pages),
            (Retrieve::Auto, None, Some(9_000_000), Reach::Keys),
            (Retrieve::Auto, None, None, Reach::Pages),
            (Retrieve::Keys, Some(9), Some(1), Reach::Keys),
            (Retrieve::Pages, Some(9), Some(1_000_000), Reach::Pages),
        ] {
            assert_eq!(reach(wish, rows, records), expect, "{wish:?} {rows:?} {records:?}");
        }
    }

    #[test]
    fn each_key_is_asked_for_once() {
        let hash = |n: u128| Some(KeyHash(n));
        let rows = distinct(&[hash(9), None, hash(1), hash(9), hash(1), hash(2)]);
        assert_eq!(rows.values(), &[0, 2, 5]);
        assert_eq!(distinct(&[None, None]).len(), 0);
    }
}
