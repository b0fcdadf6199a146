//! `RetrieveMetadataChanges`: tables with their columns, keys and relationships in
//! one reply (*Query schema definitions*).
//!
//! Pure. Everything is told, as a first request has it: what has changed since a
//! `ClientVersionStamp` is not kept here, and asking for it is refused.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{attribute, entity};
use crate::call::{Call, Options};
use crate::instant;
use crate::query::View;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::{Schema, Table};

/// Nested filters that no sane query has.
const DEPTH_MAX: usize = 20;
/// Told whatever is asked for.
const ALWAYS: [&str; 3] = ["MetadataId", "LogicalName", "HasChanged"];

/// `EntityQueryExpression` and those of the parts of a table.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
struct Query {
    properties: Properties,
    criteria: Criteria,
    attribute_query: Option<Box<Query>>,
    key_query: Option<Box<Query>>,
    relationship_query: Option<Box<Query>>,
    /// Languages: there is one here.
    label_query: Value,
    metadata_id: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Properties {
    all_properties: Value,
    property_names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Criteria {
    filter_operator: Option<String>,
    conditions: Vec<Condition>,
    filters: Vec<Criteria>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    property_name: String,
    condition_operator: String,
    #[serde(default)]
    value: Option<Typed>,
}

#[derive(Debug, Deserialize)]
struct Typed {
    #[serde(rename = "Value")]
    value: Value,
}

/// Answers the function; `inside` stands in its parentheses.
pub(crate) fn retrieve(
    view: &View<'_>,
    call: &Call<'_>,
    inside: &str,
    context: &str,
) -> Result<Reply, Refusal> {
    let options = call.options()?;
    let mut query = Query::default();
    for argument in inside.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        let alias = options.aliases.iter().find(|(alias, _)| alias == value);
        let text = alias.map_or(value, |(_, text)| text.as_str());
        match name {
            "Query" => {
                query = serde_json::from_str(text).map_err(|error| {
                    Refusal::odata(format!("The parameter 'Query' cannot be read: {error}."))
                })?;
            }
            "ClientVersionStamp" | "DeletedMetadataFilters" if text != "null" => {
                return Err(Refusal::unsupported(&format!(
                    "the parameter {name} of RetrieveMetadataChanges"
                )));
            }
            "ClientVersionStamp" | "DeletedMetadataFilters" => {}
            _ => {
                let text = format!("RetrieveMetadataChanges has no parameter '{name}'.");
                return Err(Refusal::odata(text));
            }
        }
    }
    let schema = &view.environment.schema;
    let mut found = Vec::new();
    for table in schema.tables.iter().filter(|table| !table.internal) {
        let definition = entity::definition(schema, table, &Options::default());
        if query.criteria.holds(&definition, 0)? {
            found.push(shown(schema, table, definition, &query)?);
        }
    }
    let stamp = format!("{}!{}", view.store.version(), instant::american(view.scene.now));
    let body = json!({
        "@odata.context": context,
        "ServerVersionStamp": stamp,
        "DeletedMetadata": {"Count": 0, "IsReadOnly": false, "Keys": [], "Values": []},
        "EntityMetadata": found,
    });
    Ok(Reply::value(200, &body))
}

/// A table with the parts that are asked for.
fn shown(
    schema: &Schema,
    table: &Table,
    definition: Value,
    query: &Query,
) -> Result<Value, Refusal> {
    let mut object = query.properties.cut(definition, true);
    let attributes = || -> Vec<Value> {
        table
            .described()
            .map(|column| {
                let mut one = attribute::definition(schema, table, column);
                let kind = attribute::metadata_name(&column.kind);
                one["@odata.type"] = json!(format!("#Microsoft.Dynamics.CRM.Complex{kind}"));
                one
            })
            .collect()
    };
    let relations = &query.relationship_query;
    for (name, part) in [
        ("Attributes", &query.attribute_query),
        ("Keys", &query.key_query),
        ("ManyToOneRelationships", relations),
        ("OneToManyRelationships", relations),
        ("ManyToManyRelationships", relations),
    ] {
        if !query.properties.wants(name) {
            continue;
        }
        let all = match name {
            "Attributes" => attributes(),
            "Keys" => entity::keys(table),
            "ManyToOneRelationships" => entity::many_to_one(schema, table),
            "OneToManyRelationships" => entity::one_to_many(schema, table),
            _ => entity::many_to_many(schema, table),
        };
        let mut list = Vec::new();
        for one in all {
            list.push(match part {
                None => one,
                Some(part) if part.criteria.holds(&one, 0)? => {
                    part.properties.cut(one, false).into()
                }
                Some(_) => continue,
            });
        }
        object.insert(name.to_owned(), Value::Array(list));
    }
    Ok(Value::Object(object))
}

impl Properties {
    fn all(&self) -> bool {
        is_true(&self.all_properties)
    }

    fn wants(&self, name: &str) -> bool {
        self.all() || self.property_names.iter().any(|one| one == name)
    }

    /// What is asked for. `nulls`: the others are there and null, as the page shows
    /// it of tables.
    fn cut(&self, definition: Value, nulls: bool) -> Map<String, Value> {
        let Value::Object(mut object) = definition else { return Map::new() };
        object.insert("HasChanged".to_owned(), Value::Null);
        let keep = |name: &str| name.starts_with('@') || ALWAYS.contains(&name) || self.wants(name);
        if !nulls {
            object.retain(|name, _| keep(name));
        }
        for (name, value) in &mut object {
            if !keep(name) {
                *value = Value::Null;
            }
        }
        object
    }
}

impl Criteria {
    fn holds(&self, definition: &Value, depth: usize) -> Result<bool, Refusal> {
        if depth > DEPTH_MAX {
            return Err(Refusal::odata("The criteria are nested too deeply."));
        }
        let any = match self.filter_operator.as_deref() {
            None | Some("And") => false,
            Some("Or") => true,
            Some(other) => {
                return Err(Refusal::odata(format!("'{other}' is no FilterOperator.")));
            }
        };
        let mut judged = Vec::new();
        for condition in &self.conditions {
            judged.push(condition.holds(definition)?);
        }
        for inner in &self.filters {
            judged.push(inner.holds(definition, depth + 1)?);
        }
        Ok(match any && !judged.is_empty() {
            true => judged.contains(&true),
            false => !judged.contains(&false),
        })
    }
}

impl Condition {
    fn holds(&self, definition: &Value) -> Result<bool, Refusal> {
        let found = &definition[&self.property_name];
        // Of managed properties and names of types the value counts.
        let found = found.get("Value").unwrap_or(found);
        let wanted = self.value.as_ref().map_or(&Value::Null, |typed| &typed.value);
        let equal = || text_of(found).eq_ignore_ascii_case(&text_of(wanted));
        let number = |value: &Value| text_of(value).parse::<f64>().ok();
        let order = number(found).zip(number(wanted)).and_then(|(a, b)| a.partial_cmp(&b));
        Ok(match self.condition_operator.as_str() {
            "Equals" => equal(),
            "NotEquals" => !equal(),
            "In" => listed(wanted).any(|one| one.eq_ignore_ascii_case(&text_of(found))),
            "NotIn" => !listed(wanted).any(|one| one.eq_ignore_ascii_case(&text_of(found))),
            "GreaterThan" => order.is_some_and(std::cmp::Ordering::is_gt),
            "LessThan" => order.is_some_and(std::cmp::Ordering::is_lt),
            other => {
                return Err(Refusal::odata(format!("'{other}' is no MetadataConditionOperator.")));
            }
        })
    }
}

fn is_true(value: &Value) -> bool {
    text_of(value).eq_ignore_ascii_case("true")
}

/// Values come as text, whatever their type.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `['a','b']` in a text.
fn listed(value: &Value) -> impl Iterator<Item = String> {
    let text = text_of(value);
    let inside = text.trim().trim_start_matches('[').trim_end_matches(']').to_owned();
    let items: Vec<String> = inside
        .split(',')
        .map(|one| one.trim().trim_matches(['\'', '"']).to_owned())
        .filter(|one| !one.is_empty())
        .collect();
    items.into_iter()
}
