//! Columns from their raw metadata.

use dvsync_model::entity::{StateOption, StatusOption};
use dvsync_model::{Column, Kind, LookupTarget, Required};

use super::EntitySets;
use super::raw::{Attribute, Detail, Details, Relationship};

/// Limits that the service documents, where metadata gives none (*Data types
/// and format names*).
const TEXT_LENGTH_MAX: u32 = 4000;
const MEMO_LENGTH_MAX: u32 = 1_048_576;
const DECIMAL_MAX: f64 = 100_000_000_000.0;
const MONEY_MAX: f64 = 922_337_203_685_477.0;

/// All columns that stand for themselves, sorted by logical name.
pub(super) fn columns(
    attributes: Vec<Attribute>,
    details: &Details,
    relationships: &[Relationship],
    sets: &EntitySets,
) -> Vec<Column> {
    let none = Detail::default();
    let mut columns: Vec<Column> = attributes
        .into_iter()
        // The name, type and so on of another column: read-only shadows.
        .filter(|attribute| attribute.attribute_of.is_none())
        .map(|attribute| {
            let detail = details.of(&attribute.logical_name).unwrap_or(&none);
            let kind = kind(&attribute, detail, relationships, sets);
            // Calculated, rollup and formula columns are never written.
            let simple = attribute.source_type.unwrap_or(0) == 0;
            Column {
                kind,
                required: required(&attribute),
                valid_for_create: simple && attribute.is_valid_for_create.unwrap_or(false),
                valid_for_update: simple && attribute.is_valid_for_update.unwrap_or(false),
                valid_for_read: attribute.is_valid_for_read.unwrap_or(true),
                logical_name: attribute.logical_name,
            }
        })
        .collect();
    columns.sort_by(|a, b| a.logical_name.cmp(&b.logical_name));
    columns
}

fn required(attribute: &Attribute) -> Required {
    match attribute.required_level.as_ref().and_then(|level| level.value.as_deref()) {
        Some("SystemRequired") => Required::System,
        Some("ApplicationRequired") => Required::Application,
        _ => Required::No,
    }
}

fn kind(
    attribute: &Attribute,
    detail: &Detail,
    relationships: &[Relationship],
    sets: &EntitySets,
) -> Kind {
    // `AttributeTypeName` tells more (multi-select, file, image); the older
    // `AttributeType` says `Virtual` for these.
    let named = attribute.attribute_type_name.as_ref().and_then(|name| name.value.as_deref());
    let name = named
        .map(|name| name.strip_suffix("Type").unwrap_or(name))
        .or(attribute.attribute_type.as_deref())
        .unwrap_or_default();
    let (min, max) = (detail.min_value, detail.max_value);
    match name {
        "String" => Kind::Text { length_max: detail.max_length.unwrap_or(TEXT_LENGTH_MAX) },
        "Memo" => Kind::Memo { length_max: detail.max_length.unwrap_or(MEMO_LENGTH_MAX) },
        "Integer" => Kind::Integer {
            min: min.map_or(i64::from(i32::MIN), whole),
            max: max.map_or(i64::from(i32::MAX), whole),
        },
        "BigInt" => Kind::BigInt,
        "Decimal" => Kind::Decimal {
            precision: detail.precision.unwrap_or(10).min(10),
            min: min.unwrap_or(-DECIMAL_MAX),
            max: max.unwrap_or(DECIMAL_MAX),
        },
        "Double" => Kind::Double {
            precision: detail.precision.unwrap_or(5),
            min: min.unwrap_or(-DECIMAL_MAX),
            max: max.unwrap_or(DECIMAL_MAX),
        },
        "Money" => Kind::Money {
            precision: detail.precision.unwrap_or(4).min(4),
            min: min.unwrap_or(-MONEY_MAX),
            max: max.unwrap_or(MONEY_MAX),
        },
        "Boolean" => Kind::Boolean,
        "DateTime" => match detail.date_time_behavior.as_ref().and_then(|b| b.value.as_deref()) {
            Some("DateOnly") => Kind::DateOnly,
            _ => Kind::DateTime,
        },
        "Picklist" => Kind::Choice { options: values(detail) },
        "MultiSelectPicklist" => Kind::MultiChoice { options: values(detail) },
        "State" => Kind::State {
            options: detail
                .options()
                .filter_map(|option| {
                    let value = option.value?;
                    // Custom tables: Active 1, Inactive 2.
                    let default_status = option.default_status.unwrap_or(value + 1);
                    Some(StateOption { value, default_status })
                })
                .collect(),
        },
        "Status" => Kind::Status {
            options: detail
                .options()
                .filter_map(|option| {
                    Some(StatusOption { value: option.value?, state: option.state? })
                })
                .collect(),
        },
        "Lookup" | "Customer" | "Owner" => Kind::Lookup {
            targets: targets(&attribute.logical_name, name, detail, relationships, sets),
        },
        "Uniqueidentifier" => Kind::Uniqueidentifier,
        other => Kind::Other(other.to_owned()),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a 32-bit limit; `as` saturates")]
fn whole(limit: f64) -> i64 {
    limit as i64
}

fn values(detail: &Detail) -> Vec<i32> {
    let mut values: Vec<i32> = detail.options().filter_map(|option| option.value).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// The tables that a lookup may point to. A target without an entity set or a
/// navigation property cannot be bound and is left out.
fn targets(
    column: &str,
    kind: &str,
    detail: &Detail,
    relationships: &[Relationship],
    sets: &EntitySets,
) -> Vec<LookupTarget> {
    let of_column = || {
        relationships
            .iter()
            .filter(|relationship| relationship.referencing_attribute.as_deref() == Some(column))
    };
    let property = |target: Option<&str>| {
        of_column()
            .find(|relationship| relationship.referenced_entity.as_deref() == target)
            .and_then(|found| found.referencing_entity_navigation_property_name.clone())
    };
    let owner = ["systemuser".to_owned(), "team".to_owned()];
    let referenced: Vec<String> =
        of_column().filter_map(|relationship| relationship.referenced_entity.clone()).collect();
    let names: &[String] = match (&detail.targets[..], kind) {
        ([], "Owner") => &owner,
        ([], _) => &referenced,
        // The base table of users and teams, where metadata names only it.
        ([one], "Owner") if one == "owner" => &owner,
        (names, _) => names,
    };
    names
        .iter()
        .filter_map(|name| {
            let navigation_property = property(Some(name))
                // Users and teams share `owner` and its one property.
                .or_else(|| property(Some("owner")))
                .or_else(|| (kind == "Owner").then(|| column.to_owned()))?;
            Some(LookupTarget {
                entity: name.clone(),
                entity_set: sets.get(name)?.clone(),
                navigation_property,
            })
        })
        .take(usize::from(u8::MAX) + 1)
        .collect()
}
