//! Which target columns the job sets, and from what.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow_schema::SchemaRef;
use dvsync_model::{Column, Entity, Kind};

use super::{From, Lookup, TargetColumn};
use crate::error::RunError;
use crate::job::{ColumnMapping, ColumnSource, Job, LookupBy, Mode, WhenNull};
use crate::nearest::nearest;
use crate::prepare::cast::{CellRules, to_canonical};

/// What columns may be filled from.
pub(super) struct Offer<'a> {
    /// Columns of the source.
    pub(super) source: &'a SchemaRef,
    /// Columns that the rule's transform may set.
    pub(super) transform: Vec<String>,
    /// Columns that its state and owner hooks set.
    pub(super) hooks: Vec<String>,
}

/// The target columns, by name.
pub(super) fn columns(
    job: &Job,
    entity: &Entity,
    lookup_entities: &BTreeMap<String, Arc<Entity>>,
    offer: &Offer<'_>,
) -> Result<Vec<TargetColumn>, RunError> {
    let mut columns: BTreeMap<String, TargetColumn> = BTreeMap::new();
    let taken: Vec<&str> =
        job.columns.values().filter_map(|mapping| mapping.source.reads()).collect();
    for name in &offer.transform {
        if job.columns.contains_key(name) {
            continue;
        }
        match entity.column(name) {
            Some(column) => {
                let column = writable(job, entity, column)?;
                columns.insert(name.clone(), plain(column, From::Rule(name.clone())));
            }
            // Set for a `[columns.x] from` to read.
            None if taken.contains(&name.as_str()) => {}
            None => return Err(unknown_column(entity, name, "the rule sets")),
        }
    }
    for name in &offer.hooks {
        if !job.columns.contains_key(name) && !columns.contains_key(name) {
            let column =
                entity.column(name).ok_or_else(|| unknown_column(entity, name, "the rule sets"))?;
            columns.insert(name.clone(), plain(writable(job, entity, column)?, From::Hook));
        }
    }
    for (name, mapping) in &job.columns {
        let column = entity
            .column(name)
            .ok_or_else(|| unknown_column(entity, name, &format!("[columns.{name}] sets")))?;
        let column = writable(job, entity, column)?;
        let mapped = mapped(name, column, mapping, lookup_entities, offer)?;
        columns.insert(name.clone(), mapped);
    }
    Ok(columns.into_values().collect())
}

fn plain(column: Column, from: From) -> TargetColumn {
    TargetColumn { column, from, rules: CellRules::default(), leave_null: false, lookup: None }
}

fn mapped(
    name: &str,
    column: Column,
    mapping: &ColumnMapping,
    lookup_entities: &BTreeMap<String, Arc<Entity>>,
    offer: &Offer<'_>,
) -> Result<TargetColumn, RunError> {
    let rules = CellRules {
        sanitize: mapping.sanitize.clone(),
        too_long: mapping.too_long,
        options: mapping.options.clone(),
        format: mapping.format.clone(),
        lookup_target: 0,
    };
    let mut lookup = None;
    let from = match &mapping.source {
        ColumnSource::Rule if offer.transform.iter().any(|set| set == name) => {
            From::Rule(name.to_owned())
        }
        ColumnSource::Rule if offer.hooks.iter().any(|set| set == name) => From::Hook,
        ColumnSource::Rule => From::Source(source_column(offer, name, name)?),
        ColumnSource::From(from) => value_of(offer, name, from)?,
        ColumnSource::Constant(value) => From::Constant(constant(&column, &rules, value)?),
        ColumnSource::Lookup(by) => {
            lookup = Some(lookup_in(name, &column, by, lookup_entities)?);
            value_of(offer, name, &by.from)?
        }
    };
    let leave_null = mapping.when_null == WhenNull::Leave;
    Ok(TargetColumn { column, from, rules, leave_null, lookup })
}

/// The rule's output where it sets one, the source else.
fn value_of(offer: &Offer<'_>, target: &str, from: &str) -> Result<From, RunError> {
    if offer.transform.iter().any(|set| set == from) {
        Ok(From::Rule(from.to_owned()))
    } else {
        source_column(offer, target, from).map(From::Source)
    }
}

fn source_column(offer: &Offer<'_>, target: &str, from: &str) -> Result<String, RunError> {
    if offer.source.field_with_name(from).is_ok() {
        return Ok(from.to_owned());
    }
    let names = offer.source.fields().iter().map(|field| field.name().as_str());
    let names = names.chain(offer.transform.iter().map(String::as_str));
    Err(RunError::job_hint(
        format!("[columns.{target}] reads `{from}`, which the source does not have"),
        nearest(from, names),
    ))
}

fn lookup_in(
    name: &str,
    column: &Column,
    by: &LookupBy,
    entities: &BTreeMap<String, Arc<Entity>>,
) -> Result<Lookup, RunError> {
    let Kind::Lookup { targets } = &column.kind else {
        return Err(RunError::job(format!(
            "[columns.{name}] looks up a record, but `{name}` is a {} column",
            column.kind.name()
        )));
    };
    let target = targets.iter().position(|target| target.entity == by.entity);
    let Some(target) = target.and_then(|target| u8::try_from(target).ok()) else {
        return Err(RunError::job_hint(
            format!("lookup column `{name}` cannot point to `{}`", by.entity),
            nearest(&by.entity, targets.iter().map(|target| target.entity.as_str())),
        ));
    };
    let entity = entities
        .get(&by.entity)
        .ok_or_else(|| RunError::Bug(format!("table `{}` was not read", by.entity)))?;
    let found = entity
        .column(&by.by)
        .filter(|found| found.valid_for_read)
        .ok_or_else(|| unknown_column(entity, &by.by, &format!("[columns.{name}] looks by")))?;
    Ok(Lookup { entity: Arc::clone(entity), target, on_missing: by.on_missing, by: found.clone() })
}

/// Refuses columns that the service would refuse or ignore.
fn writable(job: &Job, entity: &Entity, column: &Column) -> Result<Column, RunError> {
    let name = &column.logical_name;
    if let Kind::Other(kind) = &column.kind {
        return Err(RunError::job(format!("column `{name}` is of type `{kind}`, not supported")));
    }
    let allowed = match job.mode {
        _ if *name == entity.primary_id => true,
        Mode::Insert => column.valid_for_create,
        Mode::Update => column.valid_for_update,
        Mode::Upsert => column.valid_for_create || column.valid_for_update,
    };
    if allowed {
        return Ok(column.clone());
    }
    Err(RunError::job_hint(
        format!("column `{name}` of `{}` cannot be written", entity.logical_name),
        "remove it from the job; the service computes it",
    ))
}

fn unknown_column(entity: &Entity, name: &str, what: &str) -> RunError {
    RunError::job_hint(
        format!("{what} column `{name}`, which `{}` does not have", entity.logical_name),
        nearest(name, entity.columns.iter().map(|column| column.logical_name.as_str())),
    )
}

/// One canonical cell.
fn constant(
    column: &Column,
    rules: &CellRules,
    value: &serde_json::Value,
) -> Result<ArrayRef, RunError> {
    use serde_json::Value;
    let array: ArrayRef = match value {
        Value::Null => Arc::new(arrow_array::NullArray::new(1)),
        Value::Bool(value) => Arc::new(BooleanArray::from(vec![*value])),
        Value::String(text) => Arc::new(StringArray::from(vec![text.as_str()])),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Arc::new(Int64Array::from(vec![whole])),
            None => Arc::new(Float64Array::from(vec![number.as_f64().unwrap_or(f64::NAN)])),
        },
        Value::Array(_) | Value::Object(_) => {
            return Err(RunError::job(format!(
                "[columns.{}] value `{value}` is no text, number or boolean",
                column.logical_name
            )));
        }
    };
    let (cell, misfits) = to_canonical(column, rules, &array)?;
    match misfits.first() {
        None => Ok(cell),
        Some(misfit) => Err(RunError::job(format!(
            "[columns.{}] value does not fit: {}",
            column.logical_name, misfit.message
        ))),
    }
}
