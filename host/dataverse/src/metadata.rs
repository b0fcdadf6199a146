//! What the service says of a table, as an [`Entity`].
//!
//! Two batches of GETs, sent at once: what the table is, and what its columns
//! of each type allow (*Query table definitions using the Web API*). A detail
//! that the service does not give is taken as absent; a table that does not
//! exist is an error with the nearest name.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use dvsync_model::{AlternateKey, Bulk, Entity, Ownership};
use serde::de::DeserializeOwned;

use crate::address;
use crate::client::Shared;
use crate::error::ClientError;
use crate::session::{Call, Session};
use crate::written::Refusal;

mod columns;
mod raw;

/// Logical names to entity sets, of all tables.
pub(crate) type EntitySets = BTreeMap<String, String>;

/// The metadata types whose columns have details of their own, and where they
/// are found.
const DETAILS: [(&str, &str); 11] = [
    ("StringAttributeMetadata", "LogicalName,MaxLength"),
    ("MemoAttributeMetadata", "LogicalName,MaxLength"),
    ("IntegerAttributeMetadata", "LogicalName,MinValue,MaxValue"),
    ("DecimalAttributeMetadata", "LogicalName,MinValue,MaxValue,Precision"),
    ("DoubleAttributeMetadata", "LogicalName,MinValue,MaxValue,Precision"),
    ("MoneyAttributeMetadata", "LogicalName,MinValue,MaxValue,Precision"),
    ("DateTimeAttributeMetadata", "LogicalName,DateTimeBehavior"),
    ("PicklistAttributeMetadata", "LogicalName&$expand=OptionSet,GlobalOptionSet"),
    ("MultiSelectPicklistAttributeMetadata", "LogicalName&$expand=OptionSet,GlobalOptionSet"),
    ("StateAttributeMetadata", "LogicalName&$expand=OptionSet"),
    ("StatusAttributeMetadata", "LogicalName&$expand=OptionSet"),
];

/// The table of that name, from the cache or the service.
pub(crate) async fn entity(shared: &Shared, name: &str) -> Result<Arc<Entity>, ClientError> {
    let mut known = shared.entities.lock().await;
    if let Some(entity) = known.get(name) {
        return Ok(entity.clone());
    }
    let session = &shared.session;
    let sets = shared.entity_sets.get_or_try_init(|| entity_sets(session)).await?;
    if !sets.contains_key(name) {
        return Err(ClientError::UnknownEntity {
            name: name.to_owned(),
            nearest: nearest(name, sets.keys()),
        });
    }
    let entity = Arc::new(fetch(session, name, sets).await?);
    known.insert(name.to_owned(), entity.clone());
    Ok(entity)
}

/// The known name that is most like `name`, if one is alike at all.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<String> {
    let lower = name.to_lowercase();
    known
        .map(|candidate| (strsim::jaro_winkler(&lower, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.clone())
}

async fn entity_sets(session: &Session) -> Result<EntitySets, ClientError> {
    let target =
        format!("{}EntityDefinitions?$select=LogicalName,EntitySetName", session.origin.root());
    let call = Call::get("the list of entities", target);
    let reply = session.read(&call).await?;
    let list: raw::List<raw::EntitySet> = json(&call.what, &reply.body)?;
    Ok(list
        .value
        .into_iter()
        .filter_map(|set| Some((set.logical_name, set.entity_set_name?)))
        .collect())
}

async fn fetch(session: &Session, name: &str, sets: &EntitySets) -> Result<Entity, ClientError> {
    let what = format!("the metadata of `{name}`");
    let root = session.origin.root();
    let definition =
        format!("{root}EntityDefinitions(LogicalName={})", address::query(&address::literal(name)));
    let table = [
        format!(
            "{definition}?$select=LogicalName,SchemaName,EntitySetName,PrimaryIdAttribute,\
             PrimaryNameAttribute,OwnershipType,ChangeTrackingEnabled,\
             IsOptimisticConcurrencyEnabled,EnforceStateTransitions"
        ),
        format!(
            "{definition}/Attributes?$select=LogicalName,SchemaName,AttributeType,\
             AttributeTypeName,IsValidForCreate,IsValidForUpdate,IsValidForRead,RequiredLevel,\
             AttributeOf,IsPrimaryId,SourceType"
        ),
        format!(
            "{definition}?$select=LogicalName&$expand=Keys($select=LogicalName,SchemaName,\
             KeyAttributes,EntityKeyIndexStatus)"
        ),
        format!(
            "{definition}/ManyToOneRelationships?$select=ReferencingAttribute,ReferencedEntity,\
             ReferencedAttribute,ReferencingEntityNavigationPropertyName"
        ),
        format!(
            "{definition}/Attributes/Microsoft.Dynamics.CRM.LookupAttributeMetadata?\
             $select=LogicalName,Targets"
        ),
        bulk_probe(root, "CreateMultiple", name),
        bulk_probe(root, "UpdateMultiple", name),
    ];
    let details: Vec<String> = DETAILS
        .iter()
        .map(|(cast, select)| {
            format!("{definition}/Attributes/Microsoft.Dynamics.CRM.{cast}?$select={select}")
        })
        .collect();
    let (table, details) = futures::future::try_join(
        session.read_many(&what, &table, &[]),
        session.read_many(&what, &details, &[]),
    )
    .await?;
    let [definition, attributes, keys, relationships, lookups, create, update] = &table[..] else {
        return Err(ClientError::Reply { what, message: "parts are missing".to_owned() });
    };
    let definition: raw::Definition = required(&what, definition)?;
    let attributes: raw::List<raw::Attribute> = required(&what, attributes)?;
    let mut described = raw::Details::default();
    let detail_lists =
        details.iter().map(|detail| optional::<raw::List<raw::Detail>>(&what, detail));
    for list in detail_lists {
        described.add(list?.unwrap_or_default().value);
    }
    described.add(optional::<raw::List<raw::Detail>>(&what, lookups)?.unwrap_or_default().value);
    let relationships: raw::List<raw::Relationship> =
        optional(&what, relationships)?.unwrap_or_default();
    let keys: raw::Keys = optional(&what, keys)?.unwrap_or_default();
    let rows = |probe| -> Result<bool, ClientError> {
        let list: Option<raw::List<serde::de::IgnoredAny>> = optional(&what, probe)?;
        Ok(list.is_some_and(|list| !list.value.is_empty()))
    };
    let bulk = Bulk { create: rows(create)?, update: rows(update)? };
    let columns = columns::columns(attributes.value, &described, &relationships.value, sets);
    let missing = |member: &str| ClientError::Reply {
        what: what.clone(),
        message: format!("there is no `{member}`"),
    };
    Ok(Entity {
        logical_name: name.to_owned(),
        entity_set: definition.entity_set_name.ok_or_else(|| missing("EntitySetName"))?,
        primary_id: definition.primary_id_attribute.ok_or_else(|| missing("PrimaryIdAttribute"))?,
        primary_name: definition.primary_name_attribute.filter(|name| !name.is_empty()),
        ownership: match definition.ownership_type.as_deref() {
            Some("UserOwned" | "TeamOwned") => Ownership::User,
            _ => Ownership::Organization,
        },
        change_tracking: definition.change_tracking_enabled.unwrap_or(false),
        optimistic_concurrency: definition.is_optimistic_concurrency_enabled.unwrap_or(false),
        enforce_transitions: definition.enforce_state_transitions.unwrap_or(false),
        bulk,
        columns,
        keys: keys
            .keys
            .into_iter()
            .map(|key| AlternateKey {
                name: key.logical_name,
                columns: key.key_attributes,
                active: key.entity_key_index_status.as_deref() == Some("Active"),
            })
            .collect(),
    })
}

/// One row back means that the table takes the message (*Use bulk operation
/// messages*).
fn bulk_probe(root: &str, message: &str, name: &str) -> String {
    format!(
        "{root}sdkmessagefilters?$select=sdkmessagefilterid&$filter={}&@m={}&@t={}",
        address::query("sdkmessageid/name eq @m and primaryobjecttypecode eq @t"),
        address::query(&address::literal(message)),
        address::query(&address::literal(name)),
    )
}

fn required<T: DeserializeOwned>(
    what: &str,
    part: &Result<Bytes, Refusal>,
) -> Result<T, ClientError> {
    match part {
        Ok(body) => json(what, body),
        Err(refusal) => {
            Err(ClientError::Refused { what: what.to_owned(), refusal: refusal.clone() })
        }
    }
}

/// `None` when the service does not know what was asked for.
fn optional<T: DeserializeOwned>(
    what: &str,
    part: &Result<Bytes, Refusal>,
) -> Result<Option<T>, ClientError> {
    match part {
        Ok(body) => json(what, body).map(Some),
        Err(refusal) if matches!(refusal.status, 400 | 404 | 501) => {
            tracing::debug!(what, status = refusal.status, "a metadata detail is not given");
            Ok(None)
        }
        Err(refusal) => {
            Err(ClientError::Refused { what: what.to_owned(), refusal: refusal.clone() })
        }
    }
}

fn json<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body)
        .map_err(|error| ClientError::Reply { what: what.to_owned(), message: error.to_string() })
}
