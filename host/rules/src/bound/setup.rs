//! What each instance of a binding starts from: the context as the contract
//! passes it, and the granted tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use serde_json::Value;

use crate::bindings::exports::dvsync::rules::plugin;
use crate::contract::{CONTRACT, HookName, HookNeeds, fields};
use crate::digest::Parts;
use crate::error::RuleError;
use crate::instance::{CallError, Instance};
use crate::rule::Rule;
use crate::settings::{Context, Limits};
use crate::store::Holdings;
use crate::tables::Tables;

pub(super) struct Setup {
    context: Context,
    /// Settings as text, keys in order.
    settings: String,
    tables: Arc<Tables>,
}

/// The rule must be for the job's entity.
pub(super) fn check_entity(rule: &Rule, entity: &str) -> Result<(), RuleError> {
    let entities = &rule.description().entities;
    if entities.iter().any(|name| name == "*" || name == entity) {
        return Ok(());
    }
    Err(RuleError::Entity {
        rule: rule.label().to_string(),
        entity: entity.to_owned(),
        entities: entities.clone(),
    })
}

/// What `needs` answers when nobody holds it against source and target.
pub(crate) fn asked(
    rule: &Rule,
    context: Context,
    limits: &Limits,
) -> Result<BTreeMap<HookName, HookNeeds>, RuleError> {
    rule.check_settings(&context.settings)?;
    let setup = Setup::of(context, Tables::default());
    let mut instance = setup.unconfigured(rule, limits)?;
    let hooks = setup.ask(rule, limits, &mut instance)?;
    super::needs::lifted(rule, hooks)
}

impl Setup {
    pub(super) fn new(
        rule: &Rule,
        context: Context,
        tables: &BTreeMap<String, RecordBatch>,
    ) -> Result<Self, RuleError> {
        if let Some(table) =
            rule.description().tables.iter().find(|name| !tables.contains_key(*name))
        {
            return Err(RuleError::Table { rule: rule.label().to_string(), table: table.clone() });
        }
        let tables = Tables::new(tables)
            .map_err(|(table, reason)| RuleError::TableContent { table, reason })?;
        Ok(Self::of(context, tables))
    }

    fn of(context: Context, tables: Tables) -> Self {
        let settings = match &context.settings {
            Value::Null => "{}".to_owned(),
            settings => sorted(settings).to_string(),
        };
        Self { context, settings, tables: Arc::new(tables) }
    }

    /// Digest of all that a judgement depends on apart from the row.
    pub(super) fn judgement(&self, rule: &Rule) -> String {
        let mut parts = Parts::default();
        for part in [CONTRACT, rule.digest(), &self.context.entity, &self.settings] {
            parts.push(part.as_bytes());
        }
        for (table, digest) in self.tables.digests() {
            parts.push(table.as_bytes());
            parts.push(digest.as_bytes());
        }
        parts.finish()
    }

    /// The first instance: it also says what the rule needs.
    pub(super) fn first_instance(
        &self,
        rule: &Rule,
        limits: &Limits,
    ) -> Result<(BTreeMap<HookName, HookNeeds>, Instance), RuleError> {
        let mut instance = self.unconfigured(rule, limits)?;
        let hooks = self.ask(rule, limits, &mut instance)?;
        let needs = super::needs::check(rule, &self.context, hooks)?;
        self.configure(rule, limits, &mut instance)?;
        Ok((needs, instance))
    }

    fn ask(
        &self,
        rule: &Rule,
        limits: &Limits,
        instance: &mut Instance,
    ) -> Result<Vec<plugin::Hook>, RuleError> {
        self.with_context(|context| instance.needs(limits.setup_deadline, context))
            .map_err(|error| failed_in(rule, "needs", error))
    }

    /// A fresh instance, configured.
    pub(super) fn instance(&self, rule: &Rule, limits: &Limits) -> Result<Instance, RuleError> {
        let mut instance = self.unconfigured(rule, limits)?;
        self.configure(rule, limits, &mut instance)?;
        Ok(instance)
    }

    fn unconfigured(&self, rule: &Rule, limits: &Limits) -> Result<Instance, RuleError> {
        let holdings = Holdings::new(rule.who(), Arc::clone(&self.tables), limits);
        let instance = rule.prepared().instantiate(holdings, limits);
        instance.map_err(|error| failed_in(rule, "its start", error))
    }

    fn configure(
        &self,
        rule: &Rule,
        limits: &Limits,
        instance: &mut Instance,
    ) -> Result<(), RuleError> {
        self.with_context(|context| instance.configure(limits.setup_deadline, context))
            .map_err(|error| failed_in(rule, "configure", error))?;
        // Setting up is no call of a hook.
        instance.calls = 0;
        Ok(())
    }

    fn with_context<R>(&self, call: impl FnOnce(plugin::Context<'_>) -> R) -> R {
        let Context { entity, source, target, seed, now, .. } = &self.context;
        let (source, target) = (fields(source), fields(target));
        call(plugin::Context {
            entity,
            settings: &self.settings,
            source: &source,
            target: &target,
            seed: *seed,
            now_us: now.as_microsecond(),
        })
    }
}

fn failed_in(rule: &Rule, call: &'static str, error: CallError) -> RuleError {
    let rule = rule.label().to_string();
    match error {
        CallError::Misconfigured { code, message } => {
            RuleError::Misconfigured { rule, code, message }
        }
        CallError::Failed(_) => RuleError::Setup { rule, call, reason: error.to_string() },
    }
}

/// The same value with the keys of each object in order, so that equal settings
/// have equal text.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let ordered: BTreeMap<_, _> = entries.iter().collect();
            let sorted = ordered.into_iter().map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(sorted.collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
