//! Who may own a record (*Assign*, section 9 of our notes on the service).

use super::record::{Cells, Writer};
use crate::cell::Cell;
use crate::refusal::{Name, Refusal};
use crate::schema::Table;
use crate::settings::DisabledOwner;
use crate::store::Transaction;

/// `teamtype` of access teams, which never own.
const ACCESS_TEAM: i64 = 1;

/// The owner of a row that is being written: given or the acting user; checked;
/// with its business unit.
pub(super) fn settle(
    writer: &Writer<'_>,
    tx: &Transaction<'_>,
    table: &Table,
    cells: &mut Cells<'_>,
    given: bool,
) -> Result<(), Refusal> {
    let Some(column) = table.known.ownerid else { return Ok(()) };
    if !given {
        cells[column] = Cell::Lookup(0, writer.scene.user);
    }
    let schema = &writer.environment.schema;
    let (name, id) = match cells[column] {
        Cell::Lookup(0, id) => ("systemuser", id),
        Cell::Lookup(_, id) => ("team", id),
        _ => {
            return Err(Refusal::named(Name::NoOwner, "The record does not have an owner."));
        }
    };
    let Some(owners) = schema.table(name) else { return Ok(()) };
    let rows = tx.rows(owners.position);
    let Some(row) = rows.by_id(id) else { return Err(Refusal::missing(owners, id)) };
    let read = |name: &str| {
        owners.column_position(name).map_or(Cell::Null, |column| rows.layout.cell(row, column))
    };
    if name == "team" && read("teamtype") == Cell::Int(ACCESS_TEAM) {
        return Err(Refusal::named(
            Name::AccessTeamOwner,
            "Cannot assign the record to an access team. Only owner teams can own records.",
        ));
    }
    let refuse = writer.environment.behavior.disabled_owner == DisabledOwner::Refuse;
    if given && refuse && name == "systemuser" && read("isdisabled") == Cell::Bool(true) {
        return Err(Refusal::named(
            Name::DisabledOwner,
            format!("The specified user(Id = {id}) is disabled. Consider enabling this user."),
        ));
    }
    if let (Some(column), Cell::Lookup(_, unit)) =
        (table.known.owningbusinessunit, read("businessunitid"))
    {
        cells[column] = Cell::Lookup(0, unit);
    }
    Ok(())
}
