//! The columns that the service adds to a table.

use std::collections::BTreeMap;

use super::{DECIMAL_MAX, MONEY_MAX, Positions, lookup, option_value, read_only, system};
use crate::schema::column::{Column, Kind, LookupWord, Origin, State, Status};
use crate::schema::raw::{OwnershipWord, RequiredWord, StateSettings, TableSettings};

/// Who and when, owner, state.
pub(super) fn service_columns(
    settings: &TableSettings,
    positions: &Positions<'_>,
    columns: &mut Vec<Column>,
) -> Result<(), String> {
    let ownership = settings.ownership.unwrap_or(OwnershipWord::User);
    let user = |name: &str| lookup(name, &["systemuser"], LookupWord::Lookup, positions);
    let instant = || Kind::DateTime { independent: false };
    columns.push(read_only(system("createdon", instant())));
    columns.push(read_only(system("modifiedon", instant())));
    columns.push(read_only(system("createdby", user("createdby")?)));
    columns.push(read_only(system("modifiedby", user("modifiedby")?)));
    columns.push(Column { update: false, ..system("overriddencreatedon", instant()) });
    columns.push(Column {
        origin: Origin::Version,
        ..read_only(system("versionnumber", Kind::BigInt))
    });
    if ownership == OwnershipWord::User {
        let owner = lookup("ownerid", &["systemuser", "team"], LookupWord::Owner, positions)?;
        let unit = lookup("owningbusinessunit", &["businessunit"], LookupWord::Lookup, positions)?;
        let team = lookup("owningteam", &["team"], LookupWord::Lookup, positions)?;
        columns.push(Column { required: RequiredWord::System, ..system("ownerid", owner) });
        columns.push(read_only(system("owningbusinessunit", unit)));
        columns.push(Column {
            origin: Origin::OwningUser,
            ..read_only(system("owninguser", user("owninguser")?))
        });
        columns
            .push(Column { origin: Origin::OwningTeam, ..read_only(system("owningteam", team)) });
    }
    if settings.stateful.unwrap_or(true) {
        let (states, statuses) = states(settings)?;
        columns.push(Column {
            required: RequiredWord::System,
            ..system("statecode", Kind::State { states })
        });
        columns.push(system("statuscode", Kind::Status { statuses }));
    }
    Ok(())
}

/// Partition and time to live (*Create elastic tables using code*).
pub(super) fn elastic_columns(columns: &mut Vec<Column>) {
    let text = Kind::Text { length_max: 100, format: "Text".to_owned() };
    columns.push(Column { update: false, ..system("partitionid", text) });
    let seconds = Kind::Integer { min: 0, max: i64::from(i32::MAX) };
    columns.push(system("ttlinseconds", seconds));
}

/// Currency, rate, and base amounts.
pub(super) fn money_columns(
    positions: &Positions<'_>,
    columns: &mut Vec<Column>,
) -> Result<(), String> {
    let currency =
        lookup("transactioncurrencyid", &["transactioncurrency"], LookupWord::Lookup, positions)?;
    let max = i128::from(MONEY_MAX) * 10_000;
    let mut added = vec![
        system("transactioncurrencyid", currency),
        read_only(system(
            "exchangerate",
            Kind::Decimal { precision: 10, min: 0, max: i128::from(DECIMAL_MAX) * 10_000_000_000 },
        )),
    ];
    for column in columns.iter().filter(|column| matches!(column.kind, Kind::Money { .. })) {
        let base = Kind::Money { precision: 4, min: -max, max };
        added.push(read_only(system(&format!("{}_base", column.name), base)));
    }
    added.retain(|new| !columns.iter().any(|column| column.name == new.name));
    columns.extend(added);
    Ok(())
}

fn states(settings: &TableSettings) -> Result<(Vec<State>, Vec<Status>), String> {
    let pair = |value: i32, label: &str| StateSettings {
        value,
        label: label.to_owned(),
        statuses: BTreeMap::from([((value + 1).to_string(), label.to_owned())]),
        default_status: None,
    };
    let standard = || vec![pair(0, "Active"), pair(1, "Inactive")];
    let typed = settings.states.clone().unwrap_or_else(standard);
    let (mut states, mut statuses) = (Vec::new(), Vec::new());
    for state in typed {
        let mut values = Vec::new();
        for (value, label) in &state.statuses {
            let value = option_value(value)?;
            values.push(value);
            let transitions = settings.transitions.as_ref();
            let transitions =
                transitions.map(|all| all.get(&value.to_string()).cloned().unwrap_or_default());
            statuses.push(Status { value, label: label.clone(), state: state.value, transitions });
        }
        let smallest = values.iter().min().copied();
        let default_status = state
            .default_status
            .or(smallest)
            .filter(|status| values.contains(status))
            .ok_or_else(|| format!("state {} has no such default status", state.value))?;
        states.push(State { value: state.value, label: state.label, default_status });
    }
    states.sort_by_key(|state| state.value);
    statuses.sort_by_key(|status| status.value);
    if states.is_empty() {
        return Err("`states` is empty".to_owned());
    }
    if let Some(pair) = statuses.windows(2).find(|pair| pair[0].value == pair[1].value) {
        return Err(format!("status reason {} belongs to two states", pair[0].value));
    }
    Ok((states, statuses))
}
