//! `EntityDefinitions` and what lies below: the queries that a loader makes.
//!
//! Not a hot path: definitions are JSON values, cut down by `$select`,
//! `$filter` and `$expand` afterwards. There is no paging.

mod attribute;
mod change;
mod changes;
mod csdl;
mod entity;
mod shape;

use serde_json::{Value, json};

use crate::call::{Call, Options, Scene};
use crate::query::expression;
use crate::refusal::{Name, Refusal};
use crate::reply::Reply;
use crate::schema::{Column, Schema, Table};
use crate::seed;

pub(crate) use change::{CREATE_TABLES, Made, change};
pub(crate) use changes::retrieve;

/// `$metadata`.
pub(crate) fn document(schema: &Schema, call: &Call<'_>) -> Result<Reply, Refusal> {
    let annotations = call.options()?.annotations;
    Ok(Reply::text(200, "application/xml", csdl::document(schema, annotations)))
}

/// Answers a GET below `EntityDefinitions`; `segments` are the whole path.
pub(crate) fn read(
    schema: &Schema,
    scene: &Scene,
    call: &Call<'_>,
    segments: &[String],
) -> Result<Reply, Refusal> {
    let options = call.options()?;
    let (first, rest) = segments.split_first().ok_or_else(|| Refusal::no_segment(""))?;
    let path = call.split().0;
    let context = format!("{}$metadata#{path}", scene.root);
    if first.starts_with("RelationshipDefinitions") {
        return relationships(schema, first, rest, &context, &options);
    }
    let Some(inside) = inside(first, "EntityDefinitions") else {
        return match rest {
            [] => {
                let all = schema.tables.iter().filter(|table| !table.internal);
                let all = all.map(|table| entity::definition(schema, table, &options)).collect();
                list(&context, all, &options)
            }
            [further, ..] => Err(Refusal::no_segment(further)),
        };
    };
    let table = named(schema, inside)?;
    match rest {
        [] => one(&context, entity::definition(schema, table, &options), &options),
        [segment] => match segment.as_str() {
            "Keys" => list(&context, entity::keys(table), &options),
            "ManyToOneRelationships" => {
                list(&context, entity::many_to_one(schema, table), &options)
            }
            "OneToManyRelationships" => {
                list(&context, entity::one_to_many(schema, table), &options)
            }
            "ManyToManyRelationships" => {
                list(&context, entity::many_to_many(schema, table), &options)
            }
            segment => attributes(schema, table, segment, None, &context, &options),
        },
        [segment, cast] => attributes(schema, table, segment, Some(cast), &context, &options),
        [segment, cast, property] if property == "OptionSet" => {
            let set = options_of(schema, table, segment, cast)?;
            one(&context, set, &options)
        }
        [_, _, further, ..] => Err(Refusal::no_segment(further)),
    }
}

/// `RelationshipDefinitions`, with a cast or by id.
fn relationships(
    schema: &Schema,
    first: &str,
    rest: &[String],
    context: &str,
    options: &Options,
) -> Result<Reply, Refusal> {
    let tables = || schema.tables.iter().filter(|table| !table.internal);
    let mut all: Vec<Value> = tables().flat_map(|one| entity::many_to_one(schema, one)).collect();
    for table in tables() {
        let pairs = entity::many_to_many(schema, table);
        // At the first of its tables.
        all.extend(pairs.into_iter().filter(|one| one["Entity1LogicalName"] == *table.name));
    }
    if let [cast] = rest {
        let wanted = cast.strip_prefix("Microsoft.Dynamics.CRM.").unwrap_or_default();
        let wanted = wanted.strip_suffix("Metadata").ok_or_else(|| Refusal::no_segment(cast))?;
        all.retain(|one| one["RelationshipType"] == *wanted);
    }
    let Some(inside) = inside(first, "RelationshipDefinitions") else {
        return list(context, all, options);
    };
    let name = inside.strip_prefix("SchemaName='").and_then(|name| name.strip_suffix('\''));
    let found = all.into_iter().find(|one| {
        one["MetadataId"] == *inside || name.is_some_and(|name| one["SchemaName"] == *name)
    });
    match found {
        Some(one_of) => one(context, one_of, options),
        None => {
            let text = format!("There is no relationship with id {inside}.");
            Err(Refusal::named(Name::UnknownDefinition, text))
        }
    }
}

fn options_of(schema: &Schema, table: &Table, segment: &str, cast: &str) -> Result<Value, Refusal> {
    let column = inside(segment, "Attributes")
        .and_then(|inside| column(table, inside))
        .ok_or_else(|| Refusal::no_segment(segment))?;
    attribute::cast_name(cast).ok_or_else(|| Refusal::no_segment(cast))?;
    match attribute::definition(schema, table, column).get("OptionSet") {
        Some(set) => Ok(set.clone()),
        None => Err(Refusal::no_segment("OptionSet")),
    }
}

/// `Attributes`, `Attributes(LogicalName='x')`, each with or without a cast.
fn attributes(
    schema: &Schema,
    table: &Table,
    segment: &str,
    cast: Option<&String>,
    context: &str,
    options: &Options,
) -> Result<Reply, Refusal> {
    let wanted = match cast {
        None => None,
        Some(cast) => Some(attribute::cast_name(cast).ok_or_else(|| Refusal::no_segment(cast))?),
    };
    let fits = |column: &&Column| {
        wanted.is_none_or(|wanted| attribute::metadata_name(&column.kind) == wanted)
    };
    let show = |column: &Column| {
        let mut value = attribute::definition(schema, table, column);
        if let (None, Some(object)) = (wanted, value.as_object_mut()) {
            // Navigation properties of derived types need the cast.
            object.retain(|name, _| !attribute::DERIVED.contains(&name.as_str()));
        }
        value
    };
    if segment == "Attributes" {
        let all = table.described().filter(fits).map(show).collect();
        return list(context, all, options);
    }
    let Some(inside) = inside(segment, "Attributes") else {
        return Err(Refusal::no_segment(segment));
    };
    match column(table, inside).filter(fits) {
        Some(column) => one(context, show(column), options),
        None => Err(Refusal::named(
            Name::UnknownDefinition,
            format!("Could not find an attribute with specified name: {inside}"),
        )),
    }
}

/// `X(inside)` without the wrapping.
fn inside<'s>(segment: &'s str, name: &str) -> Option<&'s str> {
    segment.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

fn logical_name(inside: &str) -> Option<&str> {
    inside.strip_prefix("LogicalName='")?.strip_suffix('\'')
}

fn column<'t>(table: &'t Table, inside: &str) -> Option<&'t Column> {
    match logical_name(inside) {
        Some(name) => table.described().find(|column| column.name == name),
        None => {
            let id = crate::query::literal::guid(inside)?;
            let key = |column: &Column| attribute::metadata_id(table, column);
            table.described().find(|column| key(column) == id)
        }
    }
}

fn named<'s>(schema: &'s Schema, inside: &str) -> Result<&'s Table, Refusal> {
    let found = match logical_name(inside) {
        Some(name) => schema.table(name),
        None => crate::query::literal::guid(inside)
            .and_then(|id| schema.tables.iter().find(|table| metadata_id(table) == id)),
    };
    found
        .filter(|table| !table.internal)
        .ok_or_else(|| Refusal::unknown_table(logical_name(inside).unwrap_or(inside)))
}

/// `MetadataId` of a table.
pub(crate) fn metadata_id(table: &Table) -> uuid::Uuid {
    seed::id(&format!("metadata/{}", table.name))
}

fn list(context: &str, mut all: Vec<Value>, options: &Options) -> Result<Reply, Refusal> {
    if options.orderby.is_some() || options.top.is_some() {
        return Err(Refusal::odata("$orderby and $top are not supported for metadata."));
    }
    if let Some(filter) = &options.filter {
        let condition = expression::parse(filter, &options.aliases)?;
        let mut kept = Vec::new();
        for value in all {
            if shape::matches(&condition, &value)? {
                kept.push(value);
            }
        }
        all = kept;
    }
    let all = all
        .into_iter()
        .map(|value| shape::shaped(value, options.select.as_deref(), options.expand.as_deref()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut body = json!({"@odata.context": context});
    if options.count {
        body["@odata.count"] = json!(all.len());
    }
    body["value"] = Value::Array(all);
    Ok(Reply::value(200, &body))
}

fn one(context: &str, value: Value, options: &Options) -> Result<Reply, Refusal> {
    let shaped = shape::shaped(value, options.select.as_deref(), options.expand.as_deref())?;
    let mut body = json!({"@odata.context": context});
    if let (Value::Object(body), Value::Object(shaped)) = (&mut body, shaped) {
        body.extend(shaped);
    }
    Ok(Reply::value(200, &body))
}
