//! Metadata as the service sends it: names are Microsoft's, everything that is
//! not an identifier may be missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) value: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { value: Vec::new() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EntitySet {
    pub(super) logical_name: String,
    pub(super) entity_set_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Definition {
    pub(super) entity_set_name: Option<String>,
    pub(super) primary_id_attribute: Option<String>,
    pub(super) primary_name_attribute: Option<String>,
    pub(super) ownership_type: Option<String>,
    pub(super) change_tracking_enabled: Option<bool>,
    pub(super) is_optimistic_concurrency_enabled: Option<bool>,
    pub(super) enforce_state_transitions: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attribute {
    pub(super) logical_name: String,
    pub(super) attribute_type: Option<String>,
    pub(super) attribute_type_name: Option<Wrapped>,
    pub(super) is_valid_for_create: Option<bool>,
    pub(super) is_valid_for_update: Option<bool>,
    pub(super) is_valid_for_read: Option<bool>,
    pub(super) required_level: Option<Wrapped>,
    pub(super) attribute_of: Option<String>,
    pub(super) source_type: Option<i64>,
}

/// `{"Value":"..."}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Wrapped {
    pub(super) value: Option<String>,
}

/// What columns of one type say besides; the members of all types in one.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Detail {
    pub(super) logical_name: String,
    pub(super) max_length: Option<u32>,
    pub(super) min_value: Option<f64>,
    pub(super) max_value: Option<f64>,
    pub(super) precision: Option<u8>,
    pub(super) date_time_behavior: Option<Wrapped>,
    pub(super) option_set: Option<OptionSet>,
    pub(super) global_option_set: Option<OptionSet>,
    #[serde(deserialize_with = "or_default")]
    pub(super) targets: Vec<String>,
}

impl Detail {
    /// Options, of the column's own list or of a shared one.
    pub(super) fn options(&self) -> impl Iterator<Item = &RawOption> {
        let own = self.option_set.as_ref().filter(|set| !set.options.is_empty());
        own.or(self.global_option_set.as_ref()).into_iter().flat_map(|set| &set.options)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct OptionSet {
    #[serde(deserialize_with = "or_default")]
    pub(super) options: Vec<RawOption>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct RawOption {
    pub(super) value: Option<i32>,
    /// Of a status reason.
    pub(super) state: Option<i32>,
    /// Of a state.
    pub(super) default_status: Option<i32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Relationship {
    pub(super) referencing_attribute: Option<String>,
    pub(super) referenced_entity: Option<String>,
    pub(super) referencing_entity_navigation_property_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Keys {
    #[serde(deserialize_with = "or_default")]
    pub(super) keys: Vec<Key>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Key {
    pub(super) logical_name: String,
    pub(super) key_attributes: Vec<String>,
    pub(super) entity_key_index_status: Option<String>,
}

/// Details by the column's logical name.
#[derive(Debug, Default)]
pub(super) struct Details(BTreeMap<String, Detail>);

impl Details {
    pub(super) fn add(&mut self, details: Vec<Detail>) {
        self.0.extend(details.into_iter().map(|detail| (detail.logical_name.clone(), detail)));
    }

    pub(super) fn of(&self, column: &str) -> Option<&Detail> {
        self.0.get(column)
    }
}

/// Null is as good as absent.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
