//! In whose name a request acts. Pure.

use http::HeaderMap;
use uuid::Uuid;

use super::Principal;
use crate::cell::Cell;
use crate::refusal::{Name, Refusal};
use crate::schema::Schema;
use crate::store::Store;

/// The user in whose name a request acts; 403 where there is none.
pub(crate) fn acting(
    principal: &Principal,
    headers: &HeaderMap,
    schema: &Schema,
    store: &Store,
) -> Result<Uuid, Refusal> {
    if !principal.member {
        return Err(Refusal::named(
            Name::NotAMember,
            "The user is not a member of the organization.",
        ));
    }
    let id = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().ok().and_then(|text| Uuid::try_parse(text.trim()).ok()))
    };
    let users = schema.table("systemuser");
    let rows = users.map(|users| &store.tables[users.position]);
    let (Some(users), Some(rows)) = (users, rows) else { return Ok(principal.user) };
    let unknown = || {
        Refusal::named(
            Name::NotAMember,
            "The impersonated user is not a member of the organization.",
        )
    };
    let read = |row, name: &str| {
        users.column_position(name).map_or(Cell::Null, |column| rows.layout.cell(row, column))
    };
    let row = if let Some(object) = id("callerobjectid") {
        let object = object.ok_or_else(unknown)?;
        let found = rows
            .iter()
            .find(|(_, row)| read(row, "azureactivedirectoryobjectid") == Cell::Guid(object));
        found.ok_or_else(unknown)?.1
    } else if let Some(user) = id("mscrmcallerid") {
        rows.by_id(user.ok_or_else(unknown)?).ok_or_else(unknown)?
    } else {
        rows.by_id(principal.user).ok_or_else(unknown)?
    };
    if read(row, "isdisabled") == Cell::Bool(true) {
        return Err(Refusal::named(
            Name::DisabledUser,
            format!("The user with id {} is disabled.", row.id),
        ));
    }
    Ok(row.id)
}
