//! The table that tests read and write.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use dvsync_model::entity::{StateOption, StatusOption};
use dvsync_model::{AlternateKey, Bulk, Column, Entity, Kind, LookupTarget, Ownership, Required};
use uuid::Uuid;

use crate::{Address, Field, Operation, Write, WriteBuilder};

pub(super) fn target(entity: &str, set: &str, property: &str) -> LookupTarget {
    LookupTarget {
        entity: entity.to_owned(),
        entity_set: set.to_owned(),
        navigation_property: property.to_owned(),
    }
}

pub(super) fn account() -> Arc<Entity> {
    let kinds = [
        ("accountid", Kind::Uniqueidentifier),
        ("name", Kind::Text { length_max: 160 }),
        ("description", Kind::Memo { length_max: 2000 }),
        ("numberofemployees", Kind::Integer { min: 0, max: 1_000_000_000 }),
        ("versionnumber", Kind::BigInt),
        ("new_rate", Kind::Decimal { precision: 3, min: -1e11, max: 1e11 }),
        ("address1_latitude", Kind::Double { precision: 5, min: -90.0, max: 90.0 }),
        ("revenue", Kind::Money { precision: 2, min: -9.2e14, max: 9.2e14 }),
        ("donotphone", Kind::Boolean),
        ("lastonholdtime", Kind::DateTime),
        ("new_since", Kind::DateOnly),
        ("accountcategorycode", Kind::Choice { options: vec![1, 2] }),
        ("new_tags", Kind::MultiChoice { options: vec![1, 4] }),
        ("statecode", Kind::State { options: vec![StateOption { value: 0, default_status: 1 }] }),
        ("statuscode", Kind::Status { options: vec![StatusOption { value: 1, state: 0 }] }),
        (
            "primarycontactid",
            Kind::Lookup { targets: vec![target("contact", "contacts", "primarycontactid")] },
        ),
        (
            "ownerid",
            Kind::Lookup {
                targets: vec![
                    target("systemuser", "systemusers", "ownerid"),
                    target("team", "teams", "ownerid"),
                ],
            },
        ),
        ("accountnumber", Kind::Text { length_max: 20 }),
        ("entityimage", Kind::Other("Image".to_owned())),
    ];
    let mut columns: Vec<Column> = kinds
        .into_iter()
        .map(|(name, kind)| Column {
            logical_name: name.to_owned(),
            kind,
            required: Required::No,
            valid_for_create: true,
            valid_for_update: true,
            valid_for_read: name != "entityimage",
        })
        .collect();
    columns.sort_by(|a, b| a.logical_name.cmp(&b.logical_name));
    Arc::new(Entity {
        logical_name: "account".to_owned(),
        entity_set: "accounts".to_owned(),
        primary_id: "accountid".to_owned(),
        primary_name: Some("name".to_owned()),
        ownership: Ownership::User,
        change_tracking: true,
        optimistic_concurrency: true,
        enforce_transitions: false,
        bulk: Bulk { create: true, update: true },
        columns,
        keys: vec![AlternateKey {
            name: "new_number".to_owned(),
            columns: vec!["accountnumber".to_owned()],
            active: true,
        }],
    })
}

pub(super) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(super) fn names(names: &[&str]) -> Vec<Field> {
    let array: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
    vec![Field::new(account().column("name").unwrap(), array).unwrap()]
}

/// So many accounts with ids from 1 and names `A`, `B`, ...
pub(super) fn write(operation: Operation, records: usize) -> Write {
    let letters: Vec<String> = ('A'..='Z').take(records).map(String::from).collect();
    let fields = names(&letters.iter().map(String::as_str).collect::<Vec<_>>());
    let mut builder = WriteBuilder::new(account(), operation);
    for row in 0..records {
        builder.push(Address::Id(id(row as u128 + 1)), &fields, row, &|_| true);
    }
    builder.finish()
}

/// The reply of `CreateMultiple` for ids 1 to `records`.
pub(super) fn ids(records: u128) -> String {
    let ids: Vec<String> = (1..=records).map(|number| format!("\"{}\"", id(number))).collect();
    format!(r#"{{"@odata.context":"x","Ids":[{}]}}"#, ids.join(","))
}
