//! Who signs in: bearer tokens, and the user behind each.

use std::collections::BTreeMap;

use http::HeaderMap;
use uuid::Uuid;

use crate::cell::Cell;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::Schema;
use crate::seed;
use crate::settings::PrincipalSettings;
use crate::store::Store;

/// An application user that may sign in.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    pub(crate) name: String,
    token: String,
    pub(crate) user: Uuid,
    pub(crate) member: bool,
}

/// All principals, in order of their names.
#[derive(Debug)]
pub(crate) struct Principals(Vec<Principal>);

impl Principals {
    pub(crate) fn new(settings: &BTreeMap<String, PrincipalSettings>) -> Self {
        let principal = |(name, settings): (&String, &PrincipalSettings)| Principal {
            name: name.clone(),
            token: settings.token.clone(),
            user: settings.user.unwrap_or_else(|| seed::id(&format!("systemuser/{name}"))),
            member: settings.member,
        };
        Self(settings.iter().map(principal).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Users to plant: id and name.
    pub(crate) fn users(&self) -> Vec<(Uuid, String)> {
        let members = self.0.iter().filter(|principal| principal.member);
        members.map(|principal| (principal.user, principal.name.clone())).collect()
    }

    /// Position and principal of the request's token; else 401.
    pub(crate) fn sign_in(
        &self,
        headers: &HeaderMap,
        authority: &str,
    ) -> Result<(usize, &Principal), Box<Reply>> {
        let token = headers
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let found = self.0.iter().enumerate().find(|(_, one)| Some(one.token.as_str()) == token);
        found.ok_or_else(|| {
            let challenge = format!(
                "Bearer authorization_uri=https://login.microsoftonline.com/{}/oauth2/authorize, \
                 resource_id=https://{authority}/",
                seed::id("tenant")
            );
            Box::new(Reply::empty(401).with("WWW-Authenticate", challenge))
        })
    }
}

/// The user in whose name a request acts; 403 where there is none.
pub(crate) fn acting(
    principal: &Principal,
    headers: &HeaderMap,
    schema: &Schema,
    store: &Store,
) -> Result<Uuid, Refusal> {
    if !principal.member {
        return Err(Refusal::new(
            403,
            "0x80072560",
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
        Refusal::new(
            403,
            "0x80072560",
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
        return Err(Refusal::new(
            403,
            "0x80041d1f",
            format!("The user with id {} is disabled.", row.id),
        ));
    }
    Ok(row.id)
}
