//! One record: found, checked, created, updated.

use uuid::Uuid;

use super::lay::Touched;
use super::{Contents, derived, owner, state};
use crate::body::Draft;
use crate::call::{Address, Condition, Key, Scene};
use crate::cell::Cell;
use crate::environment::Environment;
use crate::refusal::{Name, Refusal};
use crate::schema::{Kind, RequiredWord, Table};
use crate::settings::Leniency;
use crate::store::{Clash, Row, Transaction, encode};

/// Writes records in the name of a user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'e> {
    pub(crate) environment: &'e Environment,
    pub(crate) scene: &'e Scene,
    pub(crate) contents: Option<&'e Contents>,
    /// By table: records in slots from this one on may not be referred to.
    pub(crate) frozen: Option<&'e [u32]>,
}

/// Cells of a row while it is being made, by position.
pub(super) type Cells<'c> = Vec<Cell<'c>>;

impl Writer<'_> {
    pub(super) fn table(&self, position: usize) -> &Table {
        &self.environment.schema.tables[position]
    }

    /// The slot of the record, or why there is none.
    pub(crate) fn find(&self, tx: &Transaction<'_>, address: &Address) -> Result<u32, Refusal> {
        let table = self.table(address.table);
        address.slot(table, tx.rows(address.table)).ok_or_else(|| address.missing(table))
    }

    /// Whether the record may be written under the request's condition.
    pub(super) fn check(
        &self,
        tx: &Transaction<'_>,
        table: usize,
        slot: u32,
        condition: &Condition,
    ) -> Result<(), Refusal> {
        let row = tx.rows(table).row(slot);
        let version = row.map(|row| self.table(table).etag(row.version)).unwrap_or_default();
        match condition {
            Condition::Always | Condition::Exists => Ok(()),
            Condition::Missing => Err(Refusal::id_taken(false)),
            Condition::Version(_) if !self.table(table).optimistic_concurrency => {
                Err(Refusal::named(
                    Name::NoOptimisticConcurrency,
                    format!(
                        "Optimistic concurrency isn't enabled for entity type {}. The \
                         IfVersionMatches behavior can only be used if optimistic concurrency is \
                         enabled.",
                        self.table(table).name
                    ),
                ))
            }
            Condition::Version(wanted) if *wanted != version => Err(Refusal::version_mismatch()),
            Condition::NotVersion(unwanted) if *unwanted == version => {
                Err(Refusal::version_mismatch())
            }
            Condition::Version(_) | Condition::NotVersion(_) => Ok(()),
        }
    }

    /// Creates a record; returns its id.
    pub(crate) fn create(
        &self,
        tx: &mut Transaction<'_>,
        position: usize,
        draft: Draft<'_>,
        bulk: bool,
    ) -> Result<Uuid, Refusal> {
        if !draft.nested.is_empty() {
            return self.create_deep(tx, position, draft, bulk);
        }
        let table = self.table(position);
        let mut cells: Cells<'_> = match self.environment.behavior.defaults_on_create {
            true => table.columns.iter().map(|column| default(&column.kind)).collect(),
            false => vec![Cell::Null; table.columns.len()],
        };
        let given = draft.id;
        let mut touched = Touched::default();
        self.lay(tx, table, &mut cells, draft, true, &mut touched)?;
        owner::settle(self, tx, table, &mut cells, touched.owner)?;
        state::on_create(self.environment, table, &mut cells, touched.state, touched.status)?;
        derived::on_create(self, tx, table, &mut cells);
        required(table, &cells, self.environment.behavior.application_required)?;
        let version = tx.next_version();
        let id = given.unwrap_or_else(|| tx.store().id_for(version));
        if let Some(partition) = table.partition().filter(|&column| cells[column].is_null()) {
            cells[partition] = Cell::Text(id.to_string().into());
        }
        match tx.clash(position, id, &cells, None) {
            None => {}
            Some(Clash::Id) => return Err(Refusal::id_taken(bulk)),
            Some(Clash::Key(key)) => return Err(Refusal::key_violated(table, &table.keys[key])),
        }
        tx.insert(position, Row { id, version, bytes: encode(&cells) });
        Ok(id)
    }

    /// Changes a record that exists.
    pub(crate) fn update(
        &self,
        tx: &mut Transaction<'_>,
        position: usize,
        slot: u32,
        draft: Draft<'_>,
    ) -> Result<(), Refusal> {
        let lenient = self.environment.behavior.nested_in_update == Leniency::Ignore;
        if !draft.nested.is_empty() && !lenient {
            let text = "Records within a record are created with it, and not by an update.";
            return Err(Refusal::payload(text).renamed(Name::NestedInUpdate));
        }
        let table = self.table(position);
        let version = tx.next_version();
        let row = {
            let rows = tx.rows(position);
            let Some(row) = rows.row(slot) else {
                return Err(Refusal::odata("The record is gone."));
            };
            let mut cells = rows.layout.cells(row);
            let before = state::pair(table, &cells);
            let mut touched = Touched::default();
            let behavior = &self.environment.behavior;
            let unchanged = (!behavior.unchanged_updates_count).then(|| cells.clone());
            self.lay(tx, table, &mut cells, draft, false, &mut touched)?;
            if unchanged.is_some_and(|old| old == cells) {
                return Ok(());
            }
            if behavior.inactive_records_are_read_only && !touched.state {
                state::writable(table, before)?;
            }
            if touched.owner {
                owner::settle(self, tx, table, &mut cells, true)?;
            }
            let touch = (touched.state, touched.status);
            state::on_update(self.environment, table, &mut cells, before, touch)?;
            derived::on_update(self, tx, table, &mut cells, &touched.names);
            required(table, &cells, self.environment.behavior.application_required)?;
            if let Some(Clash::Key(key)) = tx.clash(position, row.id, &cells, Some(slot)) {
                return Err(Refusal::key_violated(table, &table.keys[key]));
            }
            Row { id: row.id, version, bytes: encode(&cells) }
        };
        tx.replace(position, slot, row);
        Ok(())
    }

    /// `PUT` or `DELETE` of one property: not for lookups and read-only columns.
    pub(super) fn set_column(
        &self,
        tx: &mut Transaction<'_>,
        table: usize,
        slot: u32,
        draft: Draft<'_>,
    ) -> Result<(), Refusal> {
        for (column, _) in &draft.cells {
            let column = &self.table(table).columns[*column];
            if matches!(column.kind, Kind::Lookup { .. }) {
                return Err(Refusal::lookup_as_value());
            }
            if !column.update {
                return Err(Refusal::read_only(self.table(table), column));
            }
        }
        self.update(tx, table, slot, draft)
    }

    /// Update if it is there, create if it is not (*Upsert a table row*).
    /// Returns the id, and whether it was created.
    pub(crate) fn upsert(
        &self,
        tx: &mut Transaction<'_>,
        address: &Address,
        mut draft: Draft<'_>,
        condition: &Condition,
    ) -> Result<(Uuid, bool), Refusal> {
        let table = self.table(address.table);
        let address = &self.partition(table, address, &mut draft);
        let key = address.key.columns(table);
        if let Some(slot) = address.slot(table, tx.rows(address.table)) {
            self.check(tx, address.table, slot, condition)?;
            // The key that the record was found by is not changed by it.
            draft.cells.retain(|(column, _)| !key.contains(column));
            draft.links.retain(|(column, _)| !key.contains(column));
            let id = tx.rows(address.table).row(slot).map_or(Uuid::nil(), |row| row.id);
            if table.elastic && *condition == Condition::Always {
                self.replace(tx, address, slot, draft)?;
            } else {
                self.update(tx, address.table, slot, draft)?;
            }
            return Ok((id, false));
        }
        if matches!(condition, Condition::Exists | Condition::Version(_)) {
            return Err(address.missing(table));
        }
        match &address.key {
            Key::Id(id) => draft.id = Some(*id),
            Key::Partitioned(id, partition) => {
                draft.id = Some(*id);
                let column = table.partition().unwrap_or(table.primary_id);
                draft.cells.push((column, Cell::Text(partition.clone().into())));
            }
            Key::Alternate(_, values) => {
                for (column, value) in key.iter().zip(values) {
                    let body = draft.cells.iter().any(|(c, _)| c == column)
                        || draft.links.iter().any(|(c, _)| c == column);
                    // The body wins, even when different.
                    if !body {
                        draft.cells.push((*column, value.clone()));
                    }
                }
            }
        }
        Ok((self.create(tx, address.table, draft, false)?, true))
    }
}

fn default(kind: &Kind) -> Cell<'static> {
    match kind {
        Kind::Boolean { default } => Cell::Bool(*default),
        Kind::Choice { default: Some(value), .. } => Cell::Int(i64::from(*value)),
        _ => Cell::Null,
    }
}

/// `application`: columns that the application requires may not be null either.
fn required(table: &Table, cells: &Cells<'_>, application: Leniency) -> Result<(), Refusal> {
    let least = match application {
        Leniency::Refuse => RequiredWord::Application,
        Leniency::Ignore => RequiredWord::System,
    };
    let missing = table.columns.iter().zip(cells).enumerate().find(|(position, (column, cell))| {
        column.required >= least && cell.is_null() && *position != table.primary_id
    });
    missing.map_or(Ok(()), |(_, (column, _))| Err(Refusal::null_required(column)))
}
