//! What is to happen to each row, and which cells are sent.
//!
//! Pure but for the settling of rows that need no write.

use std::sync::Arc;

use arrow_array::builder::Int32Builder;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::BooleanBuffer;
use dvsync_dataverse::Field;
use dvsync_dataverse::address::{self, KeyPart};
use dvsync_model::Required;
use uuid::Uuid;

use super::diff::changed;
use super::matched::Matched;
use super::states::{self, Pair};
use super::{Action, Classified, Record};
use crate::error::RunError;
use crate::fate::{Again, Fate};
use crate::job::{CreateInactive, LookupWord, Mode};
use crate::known::Known;
use crate::plan::{Matching, Plan};
use crate::prepare::{Cells, Prepared, Values};

/// The columns of a chunk that may be sent.
struct Sending {
    fields: Vec<Field>,
    /// Cells to be sent if the record is created, updated or upserted.
    create: Vec<BooleanBuffer>,
    update: Vec<BooleanBuffer>,
    upsert: Vec<BooleanBuffer>,
    /// Cells of the second step of a record that has landed in part.
    rest: Vec<BooleanBuffer>,
}

/// Which cells of a row are sent.
#[derive(Clone, Copy)]
enum Which {
    Create,
    Update,
    Upsert,
    Rest,
}

impl From<Action> for Which {
    fn from(action: Action) -> Self {
        match action {
            Action::Create => Which::Create,
            Action::Update => Which::Update,
            Action::Upsert => Which::Upsert,
        }
    }
}

/// Decides for all rows.
pub(super) fn decide(
    plan: &Plan,
    known: &Known,
    mut prepared: Prepared,
    matched: &Matched,
) -> Result<Classified, RunError> {
    let pairs = states::pairs(plan, &mut prepared, matched);
    let initial = states::initial(&plan.entity);
    put_pairs(plan, &mut prepared, &pairs);
    require(plan, &mut prepared, matched);
    let sending = sending(plan, &prepared, matched, &pairs, initial)?;

    let now = known.now();
    let mut records = Vec::new();
    let mut actions: Vec<Option<Which>> = vec![None; prepared.rows.len()];
    for (at, decided) in actions.iter_mut().enumerate() {
        let row = usize::try_from(prepared.rows[at]).unwrap_or(usize::MAX);
        let id = matched.ids[at];
        if let Some(fate) = prepared.fates[at].take() {
            prepared.frame.settle_fate(row, &fate, id);
            continue;
        }
        let key = matched.keys.hash(at);
        // Not even unchanged: it may still become what it shall not be.
        if let Some(until) = known.holds.until(id.unwrap_or_default(), key, now) {
            let fate = Fate::deferred(
                "held",
                "a request of an earlier run, never answered, may still change its record",
            )
            .hint("the service gives up such a request after [limits] commit_within")
            .again(Again::NotBefore(until));
            prepared.frame.settle_fate(row, &fate, id);
            continue;
        }
        let unlooked = matched.current.is_none();
        let rest_only = prepared.frame.landed_partially(row) && id.is_some();
        let changes = |send: &[BooleanBuffer]| send.iter().any(|mask| mask.value(at));
        let action = match (plan.job.mode, id) {
            (Mode::Upsert, _) if unlooked => Action::Upsert,
            // Its first step has landed: only the second one is left.
            (_, Some(id)) if rest_only => {
                if !changes(&sending.rest) {
                    prepared.frame.settle(row, known.as_it_is(id), Some(id));
                    continue;
                }
                Action::Update
            }
            (Mode::Insert, Some(id)) if !prepared.frame.has_written(row, id) => {
                prepared.frame.settle(row, known.as_it_is(id), Some(id));
                continue;
            }
            (Mode::Update, None) => {
                let fate =
                    Fate::dropped("no_match", "no record has its key, and nothing is created")
                        .hint("use mode = \"upsert\" to create what is missing");
                prepared.frame.settle_fate(row, &fate, None);
                continue;
            }
            (Mode::Insert | Mode::Upsert, None) => Action::Create,
            (Mode::Insert | Mode::Update | Mode::Upsert, Some(id)) => {
                if !changes(&sending.update) {
                    prepared.frame.settle(row, known.as_it_is(id), Some(id));
                    continue;
                }
                Action::Update
            }
        };
        let mut record = Record {
            row: prepared.rows[at],
            at,
            action,
            id: id.unwrap_or_default(),
            key,
            address: None,
            then_state: None,
        };
        match action {
            Action::Create => {
                record.id = new_id(plan, matched, at);
                record.then_state = later(plan, pairs.get(at).copied().flatten(), initial);
            }
            Action::Upsert => match key_address(plan, &prepared, matched, at) {
                Ok(address) => record.address = Some(address),
                Err(fate) => {
                    prepared.frame.settle_fate(row, &fate, None);
                    continue;
                }
            },
            Action::Update => {}
        }
        *decided = Some(if rest_only { Which::Rest } else { action.into() });
        records.push(record);
    }
    let send = (0..sending.fields.len())
        .map(|field| {
            BooleanBuffer::collect_bool(actions.len(), |at| match actions[at] {
                Some(Which::Create) => sending.create[field].value(at),
                Some(Which::Update) => sending.update[field].value(at),
                Some(Which::Upsert) => sending.upsert[field].value(at),
                Some(Which::Rest) => sending.rest[field].value(at),
                None => false,
            })
        })
        .collect();
    Ok(Classified { frame: prepared.frame, records, fields: sending.fields, send })
}

/// The id of a record that does not exist yet.
fn new_id(plan: &Plan, matched: &Matched, at: usize) -> Uuid {
    let given = match &plan.matching {
        Matching::Id(_) => matched.keys.parts(at).next().flatten(),
        Matching::Columns { .. } | Matching::Rules => None,
    };
    match given.and_then(|id| Uuid::try_parse(id).ok()) {
        Some(id) => id,
        None => matched.keys.derive_id(plan.organization, &plan.entity.logical_name, at),
    }
}

/// The state that a record gets in a second step.
fn later(plan: &Plan, pair: Pair, initial: Pair) -> Option<(i32, i32)> {
    match plan.job.target.create_inactive {
        CreateInactive::TwoSteps => {
            pair.filter(|(state, _)| initial.is_some_and(|(first, _)| first != *state))
        }
        CreateInactive::One => None,
    }
}

/// Writes completed pairs back into the cells, so that both go or none.
fn put_pairs(plan: &Plan, prepared: &mut Prepared, pairs: &[Pair]) {
    if pairs.is_empty() {
        return;
    }
    for (name, second) in [("statecode", false), ("statuscode", true)] {
        let Some(position) = plan.position(name) else { continue };
        let mut out = Int32Builder::with_capacity(pairs.len());
        for pair in pairs {
            out.append_option(pair.map(|(state, status)| if second { status } else { state }));
        }
        let leave = BooleanBuffer::collect_bool(pairs.len(), |row| pairs[row].is_none());
        let values = Values { array: Arc::new(out.finish()), leave: Some(leave) };
        prepared.cells[position] = Cells::Ready(values);
    }
}

/// A null in a column that the service requires.
fn require(plan: &Plan, prepared: &mut Prepared, matched: &Matched) {
    for (column, cells) in plan.columns.iter().zip(&prepared.cells) {
        let Cells::Ready(values) = cells else { continue };
        let name = &column.column.logical_name;
        // What the service fills in by itself may be left out of a create.
        let defaulted = *name == plan.entity.primary_id
            || matches!(name.as_str(), "statecode" | "statuscode" | "ownerid");
        if column.column.required != Required::System || defaulted {
            continue;
        }
        let Some(nulls) = values.array.nulls() else { continue };
        for (row, fate) in prepared.fates.iter_mut().enumerate() {
            let left = values.leave.as_ref().is_some_and(|leave| leave.value(row));
            let exists = matched.ids[row].is_some();
            if nulls.is_null(row) && fate.is_none() && !(left && exists) {
                *fate = Some(
                    Fate::dead("required_missing", format!("column `{name}` must have a value"))
                        .at(name)
                        .hint("give it a value in the source or the rule"),
                );
            }
        }
    }
}

fn sending(
    plan: &Plan,
    prepared: &Prepared,
    matched: &Matched,
    pairs: &[Pair],
    initial: Pair,
) -> Result<Sending, RunError> {
    let rows = prepared.rows.len();
    let mut out =
        Sending { fields: vec![], create: vec![], update: vec![], upsert: vec![], rest: vec![] };
    let none = || BooleanBuffer::new_unset(rows);
    let pair_changed = pair_changed(plan, prepared, matched);
    for (column, cells) in plan.columns.iter().zip(&prepared.cells) {
        let Cells::Ready(values) = cells else { continue };
        let name = column.column.logical_name.as_str();
        if name == plan.entity.primary_id {
            continue;
        }
        let kept = values.leave.as_ref().map(|leave| !leave);
        let narrow = |mask: BooleanBuffer| kept.as_ref().map_or(mask.clone(), |kept| &mask & kept);
        let state_or_status = matches!(name, "statecode" | "statuscode");

        let mut create = match values.array.nulls() {
            Some(nulls) => narrow(nulls.inner().clone()),
            None => narrow(BooleanBuffer::new_set(rows)),
        };
        if state_or_status {
            // The initial pair is what the service takes by itself, and another
            // state may have to wait for the second step.
            let one = plan.job.target.create_inactive == CreateInactive::One;
            create = BooleanBuffer::collect_bool(rows, |row| {
                let pair = pairs.get(row).copied().flatten();
                let active = pair.map(|(state, _)| state) == initial.map(|(state, _)| state);
                pair.is_some() && pair != initial && (one || active)
            });
        }
        let update = if state_or_status {
            pair_changed.clone()
        } else {
            let differs = match matched.current.as_ref().and_then(|c| c.column_by_name(name)) {
                Some(current) if plan.job.target.lookup == LookupWord::Columns => {
                    changed(&values.array, current)
                }
                _ => BooleanBuffer::new_set(rows),
            };
            narrow(differs)
        };
        let keyed = plan.job.target.lookup == LookupWord::None && is_key(plan, name);
        let upsert = if keyed { none() } else { narrow(BooleanBuffer::new_set(rows)) };
        out.fields.push(field(column, &values.array)?);
        out.create.push(if column.column.valid_for_create { create } else { none() });
        out.update.push(if column.column.valid_for_update { update } else { none() });
        out.upsert.push(upsert);
        out.rest.push(if state_or_status { pair_changed.clone() } else { none() });
    }
    Ok(out)
}

fn field(column: &crate::plan::TargetColumn, array: &ArrayRef) -> Result<Field, RunError> {
    Field::new(&column.column, Arc::clone(array))
        .map_err(|error| RunError::Bug(format!("prepared cells cannot be encoded: {error}")))
}

/// Rows whose state or status reason differs: then both are sent.
fn pair_changed(plan: &Plan, prepared: &Prepared, matched: &Matched) -> BooleanBuffer {
    let rows = prepared.rows.len();
    let mut out = BooleanBuffer::new_unset(rows);
    for name in ["statecode", "statuscode"] {
        let Some(Cells::Ready(values)) = plan.position(name).map(|at| &prepared.cells[at]) else {
            continue;
        };
        let differs = match matched.current.as_ref().and_then(|c| c.column_by_name(name)) {
            Some(current) => changed(&values.array, current),
            None => BooleanBuffer::new_set(rows),
        };
        let differs = match &values.leave {
            Some(leave) => &differs & &!leave,
            None => differs,
        };
        out = &out | &differs;
    }
    out
}

fn is_key(plan: &Plan, name: &str) -> bool {
    match &plan.matching {
        Matching::Columns { positions, .. } => {
            positions.iter().any(|&at| plan.columns[at].column.logical_name == name)
        }
        Matching::Id(_) | Matching::Rules => false,
    }
}

/// The address by alternate key, for records that nobody looked at.
fn key_address(
    plan: &Plan,
    prepared: &Prepared,
    matched: &Matched,
    at: usize,
) -> Result<String, Fate> {
    let Matching::Columns { positions, .. } = &plan.matching else {
        return Err(Fate::dead("no_address", "its match key is no alternate key"));
    };
    let texts: Vec<&str> = matched.keys.parts(at).map(Option::unwrap_or_default).collect();
    let parts = positions.iter().zip(&texts).map(|(&position, text)| {
        let column = &plan.columns[position].column;
        let part = match (&column.kind, &prepared.cells[position]) {
            (dvsync_model::Kind::Lookup { .. }, _) => {
                KeyPart::Lookup(Uuid::try_parse(text).unwrap_or_default())
            }
            (dvsync_model::Kind::Uniqueidentifier, _) => {
                KeyPart::Guid(Uuid::try_parse(text).unwrap_or_default())
            }
            (dvsync_model::Kind::Text { .. } | dvsync_model::Kind::Memo { .. }, _) => {
                KeyPart::Text(text)
            }
            _ => KeyPart::Bare(text),
        };
        (column.logical_name.as_str(), part)
    });
    address::key(parts).map_err(|error| {
        Fate::dead("key_not_addressable", error.to_string())
            .hint("use lookup = \"columns\": it finds records by filter, which takes any key")
    })
}
