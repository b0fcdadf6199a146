//! Tables from metadata that a real environment exported: `EntityDefinitions`
//! as the service returns them.
//!
//! Pure. Takes one definition, a list of them (`{"value":[...]}`), lists of
//! attributes with their option sets (the casts that carry them), and several of
//! these in a JSON list. What cannot be taken over is a note that names it, or
//! an error; nothing is dropped in silence.

mod column;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::raw::{
    KeySettings, KeyStatus, KeyTable, ManyToManySettings, OwnershipWord, SchemaSettings,
    StateSettings, TableSettings,
};
use crate::error::EmulatorError;
pub(crate) use column::{Attribute, attribute, logical_name, overlay};

/// Columns that the service adds to a table by itself.
const SERVICE: &[&str] = &[
    "createdon",
    "modifiedon",
    "createdby",
    "modifiedby",
    "overriddencreatedon",
    "versionnumber",
    "ownerid",
    "owningbusinessunit",
    "owninguser",
    "owningteam",
    "statecode",
    "statuscode",
];

/// What came out of an export.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    pub(crate) tables: SchemaSettings,
    /// What was not taken over, one line each.
    pub(crate) notes: Vec<String>,
}

/// Whether a text is exported metadata and not a schema of the emulator's own.
pub(crate) fn is_export(text: &str) -> bool {
    let text = text.trim_start();
    let Ok(value) = serde_json::from_str::<Value>(text) else { return false };
    match &value {
        Value::Array(_) => true,
        Value::Object(object) => object.contains_key("value") || object.contains_key("LogicalName"),
        _ => false,
    }
}

/// Option sets by table and column.
type OptionSets = BTreeMap<(String, String), Value>;

/// Reads an export. `known`: tables that are there besides.
pub(crate) fn import(text: &str, known: &BTreeSet<String>) -> Result<Imported, EmulatorError> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| EmulatorError::Settings(format!("exported metadata: {error}")))?;
    let documents = match value {
        Value::Array(documents) => documents,
        document => vec![document],
    };
    let (mut entities, mut sets) = (Vec::new(), OptionSets::new());
    for document in &documents {
        sort(document, &mut entities, &mut sets)?;
    }
    let mut names = known.clone();
    names.extend(entities.iter().filter_map(|entity| text_of(entity, "LogicalName")));
    let mut imported = Imported::default();
    // The tables of pairs are made by their relationships.
    let (intersects, entities): (Vec<_>, Vec<_>) =
        entities.into_iter().partition(|entity| entity["IsIntersect"] == true);
    let exported: BTreeSet<String> =
        entities.iter().filter_map(|entity| text_of(entity, "LogicalName")).collect();
    for entity in entities {
        let (name, mut table) = table(entity, &sets, &names, &mut imported.notes)?;
        many_to_many(&name, entity, (&names, &exported), &mut table, &mut imported.notes);
        imported.tables.tables.insert(name, table);
    }
    once_each(&mut imported.tables);
    for table in imported.tables.tables.values_mut() {
        for one in table.many_to_many.values_mut() {
            let pairs = intersects
                .iter()
                .find(|entity| one.intersect.as_deref() == entity["LogicalName"].as_str());
            one.set = pairs.and_then(|entity| text_of(entity, "EntitySetName"));
        }
    }
    Ok(imported)
}

/// Definitions and option sets of a document.
fn sort<'v>(
    document: &'v Value,
    entities: &mut Vec<&'v Value>,
    sets: &mut OptionSets,
) -> Result<(), EmulatorError> {
    let context = document["@odata.context"].as_str().unwrap_or_default();
    let items: Vec<&Value> = match &document["value"] {
        Value::Array(items) => items.iter().collect(),
        _ => vec![document],
    };
    for item in items {
        let logical = text_of(item, "LogicalName").ok_or_else(|| {
            EmulatorError::Settings(
                "exported metadata: a definition has no `LogicalName`".to_owned(),
            )
        })?;
        if item.get("OptionSet").is_some() || item.get("AttributeType").is_some() {
            let table = text_of(item, "EntityLogicalName").or_else(|| context_table(context));
            let Some(table) = table else {
                return Err(EmulatorError::Settings(format!(
                    "exported metadata: the column `{logical}` does not say of which table it is"
                )));
            };
            for name in ["GlobalOptionSet", "OptionSet"] {
                if item[name].is_object() {
                    sets.insert((table.clone(), logical.clone()), item[name].clone());
                }
            }
        } else {
            entities.push(item);
        }
    }
    Ok(())
}

/// `...#EntityDefinitions('account')/Attributes/...` and its other spellings.
fn context_table(context: &str) -> Option<String> {
    let (_, rest) = context.split_once("EntityDefinitions(")?;
    let (inside, _) = rest.split_once(')')?;
    let inside = inside.strip_prefix("LogicalName=").unwrap_or(inside);
    Some(inside.trim_matches('\'').to_owned())
}

fn text_of(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().map(str::to_owned)
}

/// The text of a label in the user's language.
pub(crate) fn label(value: &Value) -> Option<String> {
    let user = value["UserLocalizedLabel"]["Label"].as_str();
    user.or_else(|| value["LocalizedLabels"][0]["Label"].as_str()).map(str::to_owned)
}

fn table(
    entity: &Value,
    sets: &OptionSets,
    names: &BTreeSet<String>,
    notes: &mut Vec<String>,
) -> Result<(String, TableSettings), EmulatorError> {
    let name = text_of(entity, "LogicalName").unwrap_or_default();
    let Some(attributes) = entity["Attributes"].as_array() else {
        let message = "the definition has no `Attributes`: export it with $expand=Attributes";
        return Err(EmulatorError::schema(&name, message));
    };
    let ownership = match entity["OwnershipType"].as_str() {
        Some("UserOwned" | "TeamOwned") => OwnershipWord::User,
        Some("OrganizationOwned") => OwnershipWord::Organization,
        None | Some("None") => OwnershipWord::None,
        Some(other) => {
            notes.push(format!("table `{name}`: ownership `{other}` is taken as none"));
            OwnershipWord::None
        }
    };
    let has = |wanted: &str| attributes.iter().any(|one| one["LogicalName"] == wanted);
    let flag = |name: &str| entity[name].as_bool();
    let mut settings = TableSettings {
        set: text_of(entity, "EntitySetName"),
        schema_name: text_of(entity, "SchemaName"),
        display: label(&entity["DisplayName"]),
        primary_id: text_of(entity, "PrimaryIdAttribute"),
        primary_name: text_of(entity, "PrimaryNameAttribute").filter(|name| has(name)),
        object_type_code: entity["ObjectTypeCode"].as_i64().and_then(|code| code.try_into().ok()),
        ownership: Some(ownership),
        stateful: Some(has("statecode")),
        elastic: entity["TableType"].as_str().map(|kind| kind == "Elastic"),
        activity: flag("IsActivity"),
        change_tracking: flag("ChangeTrackingEnabled"),
        optimistic_concurrency: flag("IsOptimisticConcurrencyEnabled"),
        enforce_transitions: flag("EnforceStateTransitions"),
        ..TableSettings::default()
    };
    if entity["TableType"] == "Virtual" {
        notes.push(format!("table `{name}`: virtual, and taken over as a standard table"));
    }
    states(&name, attributes, sets, &mut settings, notes);
    columns(&name, entity, attributes, sets, names, &mut settings, notes)?;
    keys(&name, entity, &mut settings, notes);
    Ok((name, settings))
}

fn columns(
    table: &str,
    entity: &Value,
    attributes: &[Value],
    sets: &OptionSets,
    names: &BTreeSet<String>,
    settings: &mut TableSettings,
    notes: &mut Vec<String>,
) -> Result<(), EmulatorError> {
    let money = attributes.iter().any(|one| one["AttributeType"] == "Money");
    let empty = Vec::new();
    let relationships = entity["ManyToOneRelationships"].as_array().unwrap_or(&empty);
    let mut parts = Vec::new();
    for one in attributes {
        let Some(name) = logical_name(one) else {
            return Err(EmulatorError::schema(table, "a column has no `LogicalName`"));
        };
        let base = money
            && name.strip_suffix("_base").is_some_and(|of| {
                attributes
                    .iter()
                    .any(|one| one["LogicalName"] == of && one["AttributeType"] == "Money")
            });
        let added = SERVICE.contains(&name.as_str())
            || Some(&name) == settings.primary_id.as_ref()
            || (money && matches!(name.as_str(), "transactioncurrencyid" | "exchangerate"))
            || (settings.elastic == Some(true)
                && matches!(name.as_str(), "partitionid" | "ttlinseconds"))
            || base;
        if added {
            continue;
        }
        if one["AttributeOf"].is_string() {
            parts.push(name);
            continue;
        }
        let set = sets.get(&(table.to_owned(), name.clone()));
        match attribute(one, relationships, set, names) {
            Ok(Attribute { column, notes: more }) => {
                notes.extend(more.iter().map(|n| format!("table `{table}`: column `{name}`: {n}")));
                settings.columns.insert(name, column);
            }
            Err(why) => notes.push(format!("table `{table}`: column `{name}` left out: {why}")),
        }
    }
    if !parts.is_empty() {
        notes.push(format!(
            "table `{table}`: {} columns that are parts of others left out: `{}`",
            parts.len(),
            parts.join("`, `")
        ));
    }
    Ok(())
}

fn states(
    table: &str,
    attributes: &[Value],
    sets: &OptionSets,
    settings: &mut TableSettings,
    notes: &mut Vec<String>,
) {
    if settings.stateful != Some(true) {
        return;
    }
    let options = |name: &str| -> Option<Vec<Value>> {
        let set = sets.get(&(table.to_owned(), name.to_owned()));
        let inline = attributes.iter().find(|one| one["LogicalName"] == name);
        let set = set.or_else(|| inline.map(|one| &one["OptionSet"]))?;
        set["Options"].as_array().filter(|options| !options.is_empty()).cloned()
    };
    let (Some(states), Some(statuses)) = (options("statecode"), options("statuscode")) else {
        notes.push(format!(
            "table `{table}`: no option sets of `statecode` and `statuscode`, taken as Active and \
             Inactive"
        ));
        return;
    };
    let whole = |value: &Value| value.as_i64().and_then(|value| i32::try_from(value).ok());
    let mut all = Vec::new();
    let mut transitions = BTreeMap::new();
    for state in &states {
        let value = whole(&state["Value"]).unwrap_or_default();
        let own = statuses.iter().filter(|status| whole(&status["State"]) == Some(value));
        let mut labels = BTreeMap::new();
        for status in own {
            let key = status["Value"].to_string();
            labels.insert(key.clone(), label(&status["Label"]).unwrap_or_default());
            if let Some(data) = status["TransitionData"].as_str() {
                transitions.insert(key, allowed(data));
            }
        }
        all.push(StateSettings {
            value,
            label: label(&state["Label"]).unwrap_or_default(),
            statuses: labels,
            default_status: whole(&state["DefaultStatus"]),
        });
    }
    settings.states = Some(all);
    settings.transitions = (!transitions.is_empty()).then_some(transitions);
}

/// `tostatusid` of each allowed transition.
fn allowed(data: &str) -> Vec<i32> {
    let Ok(document) = roxmltree::Document::parse(data) else { return Vec::new() };
    let nodes = document.descendants().filter_map(|node| node.attribute("tostatusid"));
    nodes.filter_map(|to| to.parse().ok()).collect()
}

fn keys(table: &str, entity: &Value, settings: &mut TableSettings, notes: &mut Vec<String>) {
    for key in entity["Keys"].as_array().into_iter().flatten() {
        let name = text_of(key, "LogicalName").or_else(|| text_of(key, "SchemaName"));
        let Some(name) = name.map(|name| name.to_lowercase()) else { continue };
        if name == "keyfornosqlentitywithpkpartitionid" {
            continue;
        }
        let columns: Vec<String> = key["KeyAttributes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|column| column.as_str().map(str::to_owned))
            .collect();
        let there = |column: &String| {
            settings.columns.contains_key(column) || SERVICE.contains(&column.as_str())
        };
        if let Some(missing) = columns.iter().find(|column| !there(column)) {
            notes.push(format!(
                "table `{table}`: key `{name}` left out: its column `{missing}` is not there"
            ));
            continue;
        }
        let status = match key["EntityKeyIndexStatus"].as_str() {
            Some("Pending") => KeyStatus::Pending,
            Some("InProgress") => KeyStatus::InProgress,
            Some("Failed") => KeyStatus::Failed,
            _ => KeyStatus::Active,
        };
        settings.keys.insert(name, KeySettings::Full(KeyTable { columns, status }));
    }
}

fn many_to_many(
    table: &str,
    entity: &Value,
    (names, exported): (&BTreeSet<String>, &BTreeSet<String>),
    settings: &mut TableSettings,
    notes: &mut Vec<String>,
) {
    for one in entity["ManyToManyRelationships"].as_array().into_iter().flatten() {
        let Some(name) = text_of(one, "SchemaName") else { continue };
        let first = one["Entity1LogicalName"] == table;
        // The first of its tables has it, where both are here.
        let other = text_of(one, "Entity1LogicalName").unwrap_or_default();
        if !first && exported.contains(&other) {
            continue;
        }
        let (here, there) = if first { ("1", "2") } else { ("2", "1") };
        let get = |what: &str, side: &str| text_of(one, &format!("Entity{side}{what}"));
        let with = get("LogicalName", there).unwrap_or_default();
        if !names.contains(&with) {
            notes.push(format!(
                "table `{table}`: many-to-many relationship `{name}` left out: `{with}` is not a \
                 table here"
            ));
            continue;
        }
        let settings_of = ManyToManySettings {
            with,
            intersect: text_of(one, "IntersectEntityName"),
            set: None,
            navigation: get("NavigationPropertyName", here),
            with_navigation: get("NavigationPropertyName", there),
        };
        settings.many_to_many.insert(name, settings_of);
    }
}

/// A many-to-many relationship is exported at both of its tables; those between
/// standard tables are there already.
fn once_each(tables: &mut SchemaSettings) {
    let mut seen: BTreeSet<String> = super::standard_pairs();
    for table in tables.tables.values_mut() {
        table.many_to_many.retain(|name, _| seen.insert(name.clone()));
    }
}
