//! `BulkDelete`: deletes what queries find (*Delete data in bulk*).
//!
//! The service does it in a job of its own, some time later; here it is done when
//! the reply comes. Each record is deleted by itself: one that cannot be, stays.
//! Made of the requests that a client would send, so that it needs no rules of its
//! own. What a query may say besides columns and conditions is refused with 501.

use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::{Call, Scene};
use crate::emulator::Emulator;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::Table;
use crate::seed;

/// The action's name.
pub(crate) const NAME: &str = "BulkDelete";
/// Nested filters that no sane query has.
const DEPTH_MAX: usize = 20;

#[derive(Debug, Deserialize)]
struct Body {
    #[serde(rename = "QuerySet")]
    queries: Vec<Query>,
}

#[derive(Debug, Deserialize)]
struct Query {
    #[serde(rename = "EntityName")]
    table: String,
    #[serde(rename = "Criteria")]
    criteria: Option<Filter>,
    #[serde(rename = "LinkEntities", default)]
    links: Vec<Value>,
    #[serde(rename = "TopCount")]
    top: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Filter {
    #[serde(rename = "FilterOperator", default)]
    operator: Option<String>,
    #[serde(rename = "Conditions", default)]
    conditions: Vec<Condition>,
    #[serde(rename = "Filters", default)]
    filters: Vec<Filter>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    #[serde(rename = "AttributeName")]
    column: String,
    #[serde(rename = "Operator")]
    operator: String,
    #[serde(rename = "Values", default)]
    values: Vec<Typed>,
}

#[derive(Debug, Deserialize)]
struct Typed {
    #[serde(rename = "Value")]
    value: Value,
    #[serde(rename = "Type", default)]
    kind: String,
}

/// Carries it out; the reply counts the records that were deleted.
pub(crate) fn run(emulator: &Emulator, scene: &Scene, call: &Call<'_>) -> Result<Reply, Refusal> {
    if call.method != Method::POST {
        return Err(Refusal::method(call.method.as_str()));
    }
    let body: Body =
        serde_json::from_slice(call.body).map_err(|error| Refusal::malformed(&error))?;
    let environment = emulator.environment();
    let mut work = Vec::new();
    for query in &body.queries {
        let table = environment.schema.table(&query.table);
        let table = table.ok_or_else(|| Refusal::unknown_table(&query.table))?;
        if !query.links.is_empty() || query.top.is_some() {
            return Err(Refusal::unsupported("a query with links or a limit in BulkDelete"));
        }
        let filter = match &query.criteria {
            None => String::new(),
            Some(criteria) => filter(criteria, 0)?,
        };
        work.push((table, filter));
    }
    let mut deleted = 0;
    for (table, filter) in work {
        for id in found(emulator, scene, table, &filter)? {
            let target = format!("{}({id})", table.set);
            deleted += usize::from(ask(emulator, scene, Method::DELETE, target).is_ok());
        }
    }
    let job = seed::id(&format!("bulkdelete/{}", emulator.recorder().next_id()));
    let context = format!("{}$metadata#Microsoft.Dynamics.CRM.{NAME}Response", scene.root);
    Ok(Reply::value(200, &json!({"@odata.context": context, "JobId": job})).counting(deleted))
}

fn ask(
    emulator: &Emulator,
    scene: &Scene,
    method: Method,
    target: String,
) -> Result<Reply, Refusal> {
    let (headers, body) = (HeaderMap::new(), Bytes::new());
    emulator.operate(scene, &Call { method, target, headers: &headers, body: &body })
}

/// The ids of all records that a filter finds.
fn found(
    emulator: &Emulator,
    scene: &Scene,
    table: &Table,
    filter: &str,
) -> Result<Vec<String>, Refusal> {
    let id = table.id_name();
    let mut target = format!("{}?$select={id}", table.set);
    if !filter.is_empty() {
        target.push_str(&format!("&$filter={}", utf8_percent_encode(filter, NON_ALPHANUMERIC)));
    }
    let mut ids = Vec::new();
    loop {
        let reply = ask(emulator, scene, Method::GET, target)?;
        let page: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let rows = page["value"].as_array().into_iter().flatten();
        ids.extend(rows.filter_map(|row| row[id].as_str().map(str::to_owned)));
        match page["@odata.nextLink"].as_str().and_then(|link| link.strip_prefix(&scene.root)) {
            Some(next) => target = next.to_owned(),
            None => return Ok(ids),
        }
    }
}

/// A filter in the words of `$filter`.
fn filter(filter: &Filter, depth: usize) -> Result<String, Refusal> {
    if depth > DEPTH_MAX {
        return Err(Refusal::invalid_argument("The criteria are nested too deeply."));
    }
    let joint = match filter.operator.as_deref() {
        None | Some("And") => " and ",
        Some("Or") => " or ",
        Some(other) => {
            return Err(Refusal::payload(format!("'{other}' is no FilterOperator.")));
        }
    };
    let conditions = filter.conditions.iter().map(condition);
    let filters = filter.filters.iter().map(|inner| self::filter(inner, depth + 1));
    let all: Vec<String> = conditions.chain(filters).collect::<Result<_, _>>()?;
    let said = all.into_iter().filter(|one| !one.is_empty()).map(|one| format!("({one})"));
    Ok(said.collect::<Vec<_>>().join(joint))
}

fn condition(condition: &Condition) -> Result<String, Refusal> {
    let Condition { column, operator, values } = condition;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !column.chars().all(plain) {
        return Err(Refusal::invalid_argument(format!("'{column}' is no column.")));
    }
    let word = match operator.as_str() {
        "Equal" => "eq",
        "NotEqual" => "ne",
        "GreaterThan" => "gt",
        "GreaterEqual" => "ge",
        "LessThan" => "lt",
        "LessEqual" => "le",
        "Null" => return Ok(format!("{column} eq null")),
        "NotNull" => return Ok(format!("{column} ne null")),
        "In" | "NotIn" => {
            let joint = if operator == "In" { " or " } else { " and " };
            let word = if operator == "In" { "eq" } else { "ne" };
            let each = values.iter().map(|value| format!("{column} {word} {}", literal(value)));
            return match values.is_empty() {
                true => Err(Refusal::invalid_argument(format!("'{operator}' has no values."))),
                false => Ok(each.collect::<Vec<_>>().join(joint)),
            };
        }
        other => {
            return Err(Refusal::unsupported(&format!("the operator '{other}' in BulkDelete")));
        }
    };
    match values.as_slice() {
        [value] => Ok(format!("{column} {word} {}", literal(value))),
        _ => Err(Refusal::invalid_argument(format!("'{operator}' takes one value."))),
    }
}

fn literal(typed: &Typed) -> String {
    match (&typed.value, typed.kind.as_str()) {
        (Value::String(text), "System.String" | "") => format!("'{}'", text.replace('\'', "''")),
        (Value::String(text), _) => text.clone(),
        (value, _) => value.to_string(),
    }
}
