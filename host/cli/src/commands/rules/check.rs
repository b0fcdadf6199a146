//! `dvsync rules check`: whether this program can run a rule, and whether the
//! rule fits a job. The job's target is not asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use dvsync_engine::job::{Grant, Job};
use dvsync_rules::{BindSettings, Context, HookName, Limits, Rule, RuleError};

use super::{find, tables};
use crate::args::{CheckRuleArgs, JobArgs};
use crate::commands::check::Findings;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::talk::Talk;
use crate::{load, shipped};

pub(super) fn check(args: &CheckRuleArgs, talk: Talk) -> Result<Exit, Failure> {
    let mut findings = Findings::new(args.report);
    let rule = findings.note("rule", admitted(args, talk))?;
    if let Some(path) = &args.job {
        let typed = JobArgs { job: path.clone(), set: args.set.clone(), store: None };
        let loaded = load::without_secrets(&typed).map(|job| {
            let said = format!("`{}` is well-formed", path.display());
            (job, said)
        });
        let job = findings.note("job file", loaded)?;
        if let (Some(rule), Some(job)) = (rule, job) {
            bind(&rule, &job, &mut findings)?;
        }
    }
    findings.finish(talk, "the rule can run")
}

fn admitted(args: &CheckRuleArgs, talk: Talk) -> Result<(Rule, String), Failure> {
    let found = find::Found::named(&args.rule, &args.store, talk)?;
    let rule = found.admit(&shipped::usual_sandbox()?)?.rule;
    let description = rule.description();
    let said = format!(
        "{}@{} speaks `{}`, {} bytes, {}",
        description.name,
        description.version,
        rule.surface().contract,
        found.bytes.len(),
        rule.digest()
    );
    Ok((rule, said))
}

fn bind(rule: &Rule, job: &Job, findings: &mut Findings) -> Result<(), Failure> {
    let source = dvsync_sources::open(&job.source.settings).map_err(Failure::from).map(|source| {
        let schema = source.schema();
        let said = format!("`{}` has {} columns", job.source.settings.path, schema.fields().len());
        (schema, said)
    });
    let source = findings.note("source", source)?;
    let mut granted = BTreeMap::new();
    for (name, grant) in &job.tables {
        if let Some(rows) = findings.note("table", table(name, grant))? {
            granted.insert(name.clone(), rows);
        }
    }
    let Some(source) = source else { return Ok(()) };
    if granted.len() < job.tables.len() {
        return Ok(());
    }
    let section = job.rules.as_ref();
    let context = Context {
        entity: job.target.entity.clone(),
        settings: section.map_or(serde_json::Value::Null, |section| section.settings.clone()),
        source,
        ..super::inspect::context(rule, Arc::new(Schema::empty()), serde_json::Value::Null)?
    };
    let usual = Limits::of(rule.profile());
    let limits = section.map_or(usual.clone(), |section| Limits {
        call_deadline: section.limits.time_per_call.unwrap_or(usual.call_deadline),
        memory_bytes_max: section.limits.memory.unwrap_or(usual.memory_bytes_max),
        ..usual
    });
    let bound = rule.bind(context, granted, limits, BindSettings::default());
    let failed = |error| match error {
        RuleError::Settings { rule, fault } => job.settings_error(&rule, &fault).into(),
        other => Failure::from(other),
    };
    let said = bound.map_err(failed).map(|bound| {
        let each = |hook: HookName| {
            let needs = bound.needs(hook)?;
            let (reads, writes) = (needs.reads_source.len(), needs.writes.len());
            Some(match hook {
                HookName::Transform => format!("transform reads {reads} and writes {writes}"),
                other => format!("{} reads {reads}", other.as_str()),
            })
        };
        let hooks: Vec<String> = HookName::ALL.into_iter().filter_map(each).collect();
        ((), format!("columns of the source: {}", hooks.join(", ")))
    });
    findings.note("binding", said)?;
    Ok(())
}

/// A granted table; of one that the target holds only the columns are known.
fn table(name: &str, grant: &Grant) -> Result<(RecordBatch, String), Failure> {
    match grant {
        Grant::Source(settings) => {
            let rows = tables::rows(settings)?;
            let said = format!("`{name}`: `{}` has {} rows", settings.path, rows.num_rows());
            Ok((rows, said))
        }
        Grant::Entity { entity, select, .. } => {
            let fields: Vec<Field> =
                select.iter().map(|column| Field::new(column, DataType::Utf8, true)).collect();
            let said = format!("`{name}`: records of `{entity}`, not read here");
            Ok((RecordBatch::new_empty(Arc::new(Schema::new(fields))), said))
        }
    }
}
