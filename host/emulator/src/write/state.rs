//! `statecode` and `statuscode`: a pair, and moves between pairs.

use crate::cell::Cell;
use crate::environment::Environment;
use crate::refusal::{Name, Refusal};
use crate::schema::{Kind, State, StateOnCreate, Status, Table};
use crate::settings::EnforcedTransitions;

/// State and status reason of a row.
pub(super) type Pair = Option<(i64, i64)>;

pub(super) fn pair(table: &Table, cells: &[Cell<'_>]) -> Pair {
    let read = |column: Option<usize>| match cells.get(column?)? {
        Cell::Int(value) => Some(*value),
        _ => None,
    };
    Some((read(table.known.statecode)?, read(table.known.statuscode)?))
}

struct Model<'t> {
    table: &'t Table,
    states: &'t [State],
    statuses: &'t [Status],
    columns: (usize, usize),
}

fn model(table: &Table) -> Option<Model<'_>> {
    let columns = (table.known.statecode?, table.known.statuscode?);
    let (Kind::State { states }, Kind::Status { statuses }) =
        (&table.columns[columns.0].kind, &table.columns[columns.1].kind)
    else {
        return None;
    };
    Some(Model { table, states, statuses, columns })
}

impl Model<'_> {
    fn default_status(&self, state: i64) -> Result<i64, Refusal> {
        let found = self.states.iter().find(|known| i64::from(known.value) == state);
        found.map(|state| i64::from(state.default_status)).ok_or_else(|| {
            let accepted: Vec<String> =
                self.states.iter().map(|state| state.value.to_string()).collect();
            Refusal::named(
                Name::UnknownChoice,
                format!(
                    "A validation error occurred. The value {state} of 'statecode' on record of \
                     type '{}' is outside the valid range. Accepted Values: {}",
                    self.table.name,
                    accepted.join(",")
                ),
            )
        })
    }

    fn belongs(&self, state: i64, status: i64) -> Result<(), Refusal> {
        let belongs = self
            .statuses
            .iter()
            .any(|known| i64::from(known.value) == status && i64::from(known.state) == state);
        if belongs { Ok(()) } else { Err(self.mismatch(state, status)) }
    }

    fn mismatch(&self, state: i64, status: i64) -> Refusal {
        let label = self
            .states
            .iter()
            .find(|known| i64::from(known.value) == state)
            .map_or_else(|| state.to_string(), |state| state.label.clone());
        Refusal::named(
            Name::StatusMismatch,
            format!(
                "{status} is not a valid status code for state code {}State.{label} on {}.",
                self.table.schema_name, self.table.name
            ),
        )
    }

    fn put(&self, cells: &mut [Cell<'_>], state: i64, status: i64) {
        cells[self.columns.0] = Cell::Int(state);
        cells[self.columns.1] = Cell::Int(status);
    }

    /// What the draft gave, where it gave something.
    fn given(
        &self,
        cells: &[Cell<'_>],
        state: bool,
        status: bool,
    ) -> Result<(Option<i64>, Option<i64>), Refusal> {
        let read = |given: bool, column: usize| match (&cells[column], given) {
            (_, false) => Ok(None),
            (Cell::Int(value), true) => Ok(Some(*value)),
            _ => Err(Refusal::null_required(&self.table.columns[column])),
        };
        Ok((read(state, self.columns.0)?, read(status, self.columns.1)?))
    }
}

/// A new record: active, unless the table lets it begin elsewhere.
pub(super) fn on_create(
    environment: &Environment,
    table: &Table,
    cells: &mut [Cell<'_>],
    state: bool,
    status: bool,
) -> Result<(), Refusal> {
    let Some(model) = model(table) else { return Ok(()) };
    let (state, status) = model.given(cells, state, status)?;
    let first = model.states.first().map_or(0, |state| i64::from(state.value));
    if let Some(state) = state {
        model.default_status(state)?;
    }
    let policy = table.state_on_create.unwrap_or(environment.behavior.state_on_create);
    let state = match (policy, state) {
        (StateOnCreate::Accept, Some(state)) => state,
        (StateOnCreate::Refuse, Some(state)) if state != first => {
            let status = status.map_or_else(|| model.default_status(state), Ok)?;
            return Err(model.mismatch(first, status));
        }
        _ => first,
    };
    let status = match status {
        Some(status) => status,
        None => model.default_status(state)?,
    };
    model.belongs(state, status)?;
    model.put(cells, state, status);
    Ok(())
}

/// Refuses a record that is not in the first state of its table.
pub(super) fn writable(table: &Table, before: Pair) -> Result<(), Refusal> {
    let (Some(model), Some((state, _))) = (model(table), before) else { return Ok(()) };
    let first = model.states.first().map_or(0, |state| i64::from(state.value));
    if state == first {
        return Ok(());
    }
    Err(Refusal::named(
        Name::InactiveRecord,
        format!("A record of '{}' in state {state} cannot be changed.", table.name),
    ))
}

/// A record that changes: the status never moves the state.
pub(super) fn on_update(
    environment: &Environment,
    table: &Table,
    cells: &mut [Cell<'_>],
    before: Pair,
    (state, status): (bool, bool),
) -> Result<(), Refusal> {
    let (Some(model), Some((old_state, old_status))) = (model(table), before) else {
        return Ok(());
    };
    let (state, status) = model.given(cells, state, status)?;
    let state = state.unwrap_or(old_state);
    let default = model.default_status(state)?;
    let status = match status {
        Some(status) => status,
        None if state == old_state => old_status,
        None if environment.behavior.status_follows_state => default,
        None => old_status,
    };
    model.belongs(state, status)?;
    let all = environment.behavior.enforced_transitions == EnforcedTransitions::All;
    if table.enforce_transitions && (state != old_state || all && status != old_status) {
        let from = model.statuses.iter().find(|known| i64::from(known.value) == old_status);
        let allowed = from.and_then(|from| from.transitions.as_ref());
        if allowed.is_some_and(|list| !list.iter().any(|&to| i64::from(to) == status)) {
            return Err(Refusal::named(
                Name::TransitionRefused,
                format!(
                    "The state transition from status {old_status} to status {status} is not \
                     valid for {}.",
                    table.name
                ),
            ));
        }
    }
    model.put(cells, state, status);
    Ok(())
}
