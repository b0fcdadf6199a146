//! State and status reason as the consistent pair that the service wants.
//!
//! Pure. The service never infers a state from a status reason (0x80048408),
//! and a state without a status reason takes the state's default.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, Int32Array};
use dvsync_model::Entity;

use super::matched::Matched;
use crate::fate::Fate;
use crate::plan::Plan;
use crate::prepare::{Cells, Prepared};

/// What a row's state shall be; `None` where nobody says.
pub(super) type Pair = Option<(i32, i32)>;

/// The pairs of all rows; empty where the job sets no state. Rows whose status
/// reason does not belong to their state get a fate.
pub(super) fn pairs(plan: &Plan, prepared: &mut Prepared, matched: &Matched) -> Vec<Pair> {
    let state = wanted(plan, prepared, "statecode");
    let status = wanted(plan, prepared, "statuscode");
    if state.is_none() && status.is_none() {
        return Vec::new();
    }
    let now_state = current(matched, "statecode");
    let now_status = current(matched, "statuscode");
    let mut pairs = vec![None; prepared.rows.len()];
    for (row, pair) in pairs.iter_mut().enumerate() {
        let said = (at(state.as_ref(), row), at(status.as_ref(), row));
        let now = at(now_state.as_ref(), row).zip(at(now_status.as_ref(), row));
        match complete(&plan.entity, said, now) {
            Ok(complete) => *pair = complete,
            Err(fate) if prepared.fates[row].is_none() => prepared.fates[row] = Some(fate),
            Err(_) => {}
        }
    }
    pairs
}

/// Completes what is said of a row to a pair.
fn complete(
    entity: &Entity,
    said: (Option<i32>, Option<i32>),
    now: Option<(i32, i32)>,
) -> Result<Pair, Fate> {
    match said {
        (None, None) => Ok(None),
        (Some(state), Some(status)) => match entity.state_of_status(status) {
            Some(owner) if owner == state => Ok(Some((state, status))),
            _ => Err(Fate::dead(
                "state_mismatch",
                format!("status reason `{status}` does not belong to state `{state}`"),
            )
            .at("statuscode")
            .hint("set a status reason of that state")),
        },
        (None, Some(status)) => match entity.state_of_status(status) {
            Some(state) => Ok(Some((state, status))),
            None => Err(Fate::dead(
                "state_mismatch",
                format!("status reason `{status}` belongs to no state"),
            )
            .at("statuscode")),
        },
        (Some(state), None) => {
            if let Some((now_state, now_status)) = now
                && now_state == state
            {
                return Ok(Some((state, now_status)));
            }
            let options = entity.states().unwrap_or_default();
            match options.iter().find(|option| option.value == state) {
                Some(option) => Ok(Some((state, option.default_status))),
                None => Err(Fate::dead(
                    "state_mismatch",
                    format!("`{}` has no state `{state}`", entity.logical_name),
                )
                .at("statecode")),
            }
        }
    }
}

/// The state in which the service creates a record.
pub(super) fn initial(entity: &Entity) -> Pair {
    let options = entity.states()?;
    let first = options.iter().min_by_key(|option| option.value)?;
    Some((first.value, first.default_status))
}

fn wanted(plan: &Plan, prepared: &Prepared, name: &str) -> Option<Int32Array> {
    match &prepared.cells[plan.position(name)?] {
        Cells::Ready(values) => {
            let array = values.array.as_primitive_opt::<Int32Type>()?.clone();
            match &values.leave {
                None => Some(array),
                Some(leave) => Some(
                    array
                        .iter()
                        .enumerate()
                        .map(|(row, value)| value.filter(|_| !leave.value(row)))
                        .collect(),
                ),
            }
        }
        Cells::Absent | Cells::Sought(_) => None,
    }
}

fn current(matched: &Matched, name: &str) -> Option<Int32Array> {
    let column = matched.current.as_ref()?.column_by_name(name)?;
    column.as_primitive_opt::<Int32Type>().cloned()
}

fn at(array: Option<&Int32Array>, row: usize) -> Option<i32> {
    array.and_then(|array| array.is_valid(row).then(|| array.value(row)))
}

#[cfg(test)]
mod tests {
    use dvsync_model::entity::{StateOption, StatusOption};
    use dvsync_model::{Bulk, Column, Kind, Ownership, Required};

    use super::*;

    fn entity() -> Entity {
        let column = |name: &str, kind| Column {
            logical_name: name.into(),
            kind,
            required: Required::No,
            valid_for_create: true,
            valid_for_update: true,
            valid_for_read: true,
        };
        let state = |value, default_status| StateOption { value, default_status };
        let status = |value, state| StatusOption { value, state };
        Entity {
            logical_name: "account".into(),
            entity_set: "accounts".into(),
            primary_id: "accountid".into(),
            primary_name: None,
            ownership: Ownership::User,
            change_tracking: false,
            optimistic_concurrency: false,
            enforce_transitions: false,
            bulk: Bulk::default(),
            columns: vec![
                column("statecode", Kind::State { options: vec![state(0, 1), state(1, 2)] }),
                column(
                    "statuscode",
                    Kind::Status { options: vec![status(1, 0), status(2, 1), status(3, 1)] },
                ),
            ],
            keys: vec![],
        }
    }

    #[test]
    fn what_is_said_becomes_a_consistent_pair() {
        let entity = entity();
        for (said, now, expect) in [
            ((None, None), None, Some(None)),
            ((Some(1), Some(3)), None, Some(Some((1, 3)))),
            ((Some(0), Some(3)), None, None),
            ((None, Some(3)), None, Some(Some((1, 3)))),
            ((None, Some(9)), None, None),
            ((Some(1), None), None, Some(Some((1, 2)))),
            ((Some(1), None), Some((1, 3)), Some(Some((1, 3)))),
            ((Some(1), None), Some((0, 1)), Some(Some((1, 2)))),
            ((Some(7), None), None, None),
        ] {
            assert_eq!(complete(&entity, said, now).ok(), expect, "{said:?} {now:?}");
        }
        assert_eq!(initial(&entity), Some((0, 1)));
    }
}
