//! What the rule asks for, held against what source and target have.

use std::collections::{BTreeMap, BTreeSet};

use arrow_schema::Schema;

use crate::bindings::dvsync::rules::types::FieldResult;
use crate::bindings::exports::dvsync::rules::plugin;
use crate::cast::can_cast;
use crate::contract::{Field, HookName, HookNeeds, type_name};
use crate::error::RuleError;
use crate::rule::Rule;
use crate::settings::Context;

const COLUMNS_MAX: usize = 4096;

/// Checks what `needs` answered. Columns that are neither required nor there
/// stay in the lists of what is read (they come as nulls) and leave that of what
/// is written.
pub(super) fn check(
    rule: &Rule,
    context: &Context,
    hooks: Vec<plugin::Hook>,
) -> Result<BTreeMap<HookName, HookNeeds>, RuleError> {
    let target = (!context.target.fields().is_empty()).then_some(&*context.target);
    let mut all = lifted(rule, hooks)?;
    for needs in all.values_mut() {
        check_reads(rule, &needs.reads_source, &context.source, "the source")?;
        if let Some(target) = target {
            check_reads(rule, &needs.reads_target, target, "the target")?;
            check_reads(rule, &needs.reads_current, target, "the target")?;
            for field in needs.writes.iter().filter(|field| field.required) {
                find(rule, field, target, "the target")?;
            }
            needs.writes.retain(|field| target.column_with_name(&field.name).is_some());
        }
    }
    Ok(all)
}

/// The answer itself: hooks that are exported, each once, and columns that are
/// named once. A hook that it leaves out reads and sets nothing.
pub(super) fn lifted(
    rule: &Rule,
    hooks: Vec<plugin::Hook>,
) -> Result<BTreeMap<HookName, HookNeeds>, RuleError> {
    let nonsense = |reason| RuleError::Needs { rule: rule.label().to_string(), reason };
    let mut all = BTreeMap::new();
    for asked in hooks {
        let hook = HookName::from_name(&asked.name)
            .ok_or_else(|| nonsense(format!("`{}` is no hook", asked.name.escape_debug())))?;
        if !rule.hooks().has(hook) {
            return Err(nonsense(format!("it does not export the hook `{}`", hook.as_str())));
        }
        let list = |what: &str, fields: Vec<FieldResult>| {
            lift(fields)
                .map_err(|broken| nonsense(format!("{what} of `{}`: {broken}", hook.as_str())))
        };
        let needs = HookNeeds {
            reads_source: list("`reads-source`", asked.reads_source)?,
            reads_target: list("`reads-target`", asked.reads_target)?,
            reads_current: list("`reads-current`", asked.reads_current)?,
            writes: list("`writes`", asked.writes)?,
        };
        if all.insert(hook, needs).is_some() {
            return Err(nonsense(format!("`{}` comes twice", hook.as_str())));
        }
    }
    for hook in HookName::ALL.into_iter().filter(|hook| rule.hooks().has(*hook)) {
        all.entry(hook).or_default();
    }
    Ok(all)
}

fn lift(fields: Vec<FieldResult>) -> Result<Vec<Field>, String> {
    if fields.len() > COLUMNS_MAX {
        return Err(format!("{} columns, more than {COLUMNS_MAX}", fields.len()));
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = fields.iter().find(|field| !names.insert(field.name.as_str())) {
        return Err(format!("`{}` comes twice", twice.name.escape_debug()));
    }
    Ok(fields.into_iter().map(Field::lift).collect())
}

fn check_reads(
    rule: &Rule,
    fields: &[Field],
    schema: &Schema,
    side: &'static str,
) -> Result<(), RuleError> {
    for field in fields {
        if !field.required && schema.column_with_name(&field.name).is_none() {
            continue;
        }
        let found = find(rule, field, schema, side)?;
        if !can_cast(found.data_type(), field.value_type) {
            return Err(wrong_type(rule, field, found.data_type()));
        }
    }
    Ok(())
}

fn find<'a>(
    rule: &Rule,
    field: &Field,
    schema: &'a Schema,
    side: &'static str,
) -> Result<&'a arrow_schema::Field, RuleError> {
    schema.field_with_name(&field.name).map_err(|_| RuleError::Column {
        rule: rule.label().to_string(),
        column: field.name.clone(),
        side,
    })
}

pub(super) fn wrong_type(rule: &Rule, field: &Field, found: &arrow_schema::DataType) -> RuleError {
    RuleError::Type {
        rule: rule.label().to_string(),
        column: field.name.clone(),
        expected: type_name(field.value_type),
        found: found.to_string(),
    }
}
