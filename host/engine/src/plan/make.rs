//! How a plan is made: metadata, rule, columns, matching, in this order, each
//! checked against the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use dvsync_dataverse::{Client, Clock};
use dvsync_model::{Entity, Kind};
use dvsync_rules::{Bound, Context, HookName, Rule};
use uuid::Uuid;

use super::columns::{Offer, columns};
use super::{Binding, From, Matching, Plan, RuleHooks, TargetColumn, grants};
use crate::blocking::unblock;
use crate::error::RunError;
use crate::job::{ColumnSource, Job, LookupWord, Match, Mode};
use crate::nearest::nearest;
use crate::swap::Swaps;

/// What a run is made from besides its job.
#[derive(Clone)]
pub struct Parts {
    /// Speaks to the job's target.
    pub client: Client,
    /// The clock of that client.
    pub clock: Clock,
    /// The job's rule, admitted; absent where the job names none.
    pub rule: Option<Rule>,
    /// The run's seed, the same for a replay.
    pub seed: u64,
    /// Other versions of the rule come through it while the run goes on; absent
    /// where the run keeps to the one that it began with.
    pub swaps: Option<Swaps>,
}

/// Makes the plan of a job: everything that can be known before a row is read.
///
/// # Errors
/// Whatever would be wrong for every row.
pub async fn make(job: &Job, parts: &Parts) -> Result<Plan, RunError> {
    let settings = job.source.settings.clone();
    let source: Arc<dyn dvsync_sources::Source> =
        Arc::from(unblock(move || dvsync_sources::open(&settings)).await??);
    let source_schema = source.schema();
    for key in &job.source.key {
        in_source(&source_schema, key, "[source] key names")?;
    }
    if let Some(by) = &job.source.duplicates.by {
        in_source(&source_schema, by, "[source] duplicates.by names")?;
    }

    let organization = parts.client.who_am_i().await?.organization_id;
    let entity = parts.client.entity(&job.target.entity).await?;
    check_modes(job, &entity)?;

    let lookups = lookup_entities(job, parts).await?;
    let (rule, binding) = match (&job.rules, &parts.rule) {
        (Some(_), Some(rule)) => {
            serves(rule, &entity)?;
            let binding = Binding {
                context: context(job, parts, &entity, organization, &source_schema),
                tables: grants::read(job, &parts.client).await?,
                lookups: lookups.clone(),
            };
            let (job, rule) = (job.clone(), rule.clone());
            let (entity, to) = (Arc::clone(&entity), binding.clone());
            let rule = unblock(move || bind(&job, &rule, &entity, &to)).await??;
            (Some(rule), Some(binding))
        }
        (Some(_), None) => return Err(RunError::Bug("the job's rule was not admitted".into())),
        (None, _) => (None, None),
    };
    let given = Given { job, organization, entity, source, binding };
    resolve(given, &lookups, rule)
}

/// What is known before the rule's needs are.
pub(super) struct Given<'a> {
    pub(super) job: &'a Job,
    pub(super) organization: Uuid,
    pub(super) entity: Arc<Entity>,
    pub(super) source: Arc<dyn dvsync_sources::Source>,
    pub(super) binding: Option<Binding>,
}

/// Columns and matching, which rest on what the rule reads and sets.
pub(super) fn resolve(
    given: Given<'_>,
    lookups: &BTreeMap<String, Arc<Entity>>,
    rule: Option<RuleHooks>,
) -> Result<Plan, RunError> {
    let Given { job, organization, entity, source, binding } = given;
    let schema = source.schema();
    let offer = offer(&schema, rule.as_ref());
    let columns = columns(job, &entity, lookups, &offer)?;
    let matching = matching(job, &entity, &columns, rule.as_ref())?;
    let retrieved = retrieved(job, &entity, &columns, rule.as_ref());
    let projection = projection(job, &schema, &columns, rule.as_ref());
    Ok(Plan {
        job: job.clone(),
        organization,
        entity,
        source,
        projection,
        masked: masked(job),
        rule,
        columns,
        matching,
        retrieved,
        binding,
        on_trial: AtomicBool::new(false),
    })
}

fn in_source(schema: &SchemaRef, name: &str, what: &str) -> Result<(), RunError> {
    if schema.field_with_name(name).is_ok() {
        return Ok(());
    }
    Err(RunError::job_hint(
        format!("{what} `{name}`, which the source does not have"),
        nearest(name, schema.fields().iter().map(|field| field.name().as_str())),
    ))
}

fn check_modes(job: &Job, entity: &Entity) -> Result<(), RunError> {
    if job.target.lookup != LookupWord::None {
        return Ok(());
    }
    if job.mode != Mode::Upsert || !matches!(job.target.matching, Match::Key(_)) {
        return Err(RunError::job_hint(
            "[target] lookup = \"none\" goes with mode = \"upsert\" and match by an alternate key",
            "use lookup = \"columns\", or match = { key = [...] }",
        ));
    }
    if job.target.filter.is_some() {
        return Err(RunError::job_hint(
            format!("[target] filter needs to look at the records of `{}`", entity.logical_name),
            "use lookup = \"columns\" or \"keys\"",
        ));
    }
    Ok(())
}

/// The rule must be for the job's entity.
pub(super) fn serves(rule: &Rule, entity: &Entity) -> Result<(), RunError> {
    let description = rule.description();
    let serves = |name: &String| name == "*" || *name == entity.logical_name;
    if description.entities.iter().any(serves) {
        return Ok(());
    }
    Err(RunError::job_hint(
        format!(
            "rule `{}` serves `{}`, not `{}`",
            description.name,
            description.entities.join("`, `"),
            entity.logical_name
        ),
        "name another rule in [rules] plugin, or another [target] entity",
    ))
}

fn context(
    job: &Job,
    parts: &Parts,
    entity: &Entity,
    organization: Uuid,
    source: &SchemaRef,
) -> Context {
    Context {
        entity: entity.logical_name.clone(),
        settings: job.rules.as_ref().map(|rules| rules.settings.clone()).unwrap_or_default(),
        source: Arc::clone(source),
        target: target_schema(job, entity, source),
        seed: parts.seed ^ seed_of(organization),
        now: parts.clock.wall(),
    }
}

/// Binds a rule to the job; takes as long as the rule does to be set up.
pub(super) fn bind(
    job: &Job,
    rule: &Rule,
    entity: &Entity,
    binding: &Binding,
) -> Result<RuleHooks, RunError> {
    let Some(section) = &job.rules else {
        return Err(RunError::Bug("a rule without a section".into()));
    };
    let (limits, settings) = crate::sandbox::limits(section, rule.profile(), crate::run::CHUNKS);
    let bound = rule.bind(binding.context.clone(), binding.tables.clone(), limits, settings)?;
    let has = |hook| bound.needs(hook).is_some();
    let (state, owner) = (has(HookName::State), has(HookName::Owner));
    Ok(RuleHooks {
        transform: has(HookName::Transform),
        state: state && entity.states().is_some(),
        owner: owner && entity.column("ownerid").is_some(),
        choose: has(HookName::Matching),
        judgement: Arc::from(bound.judgement()),
        bound: Arc::new(bound),
    })
}

fn seed_of(organization: Uuid) -> u64 {
    organization.as_u64_pair().0
}

/// Target columns as a rule sees them: the entity's, and those that the job
/// reads from the rule's output by another name.
fn target_schema(job: &Job, entity: &Entity, source: &SchemaRef) -> SchemaRef {
    let columns = entity.columns.iter().filter(|column| !matches!(column.kind, Kind::Other(_)));
    let mut fields: Vec<Field> = columns
        .map(|column| Field::new(&column.logical_name, column.kind.arrow_type(), true))
        .collect();
    let read: BTreeSet<&str> =
        job.columns.values().filter_map(|mapping| mapping.source.reads()).collect();
    for name in read {
        if entity.column(name).is_none() && source.field_with_name(name).is_err() {
            fields.push(Field::new(name, DataType::Utf8, true));
        }
    }
    Arc::new(Schema::new(fields))
}

async fn lookup_entities(
    job: &Job,
    parts: &Parts,
) -> Result<BTreeMap<String, Arc<Entity>>, RunError> {
    let mut entities = BTreeMap::new();
    for mapping in job.columns.values() {
        if let ColumnSource::Lookup(by) = &mapping.source
            && !entities.contains_key(&by.entity)
        {
            entities.insert(by.entity.clone(), parts.client.entity(&by.entity).await?);
        }
    }
    Ok(entities)
}

fn offer<'a>(source: &'a SchemaRef, rule: Option<&RuleHooks>) -> Offer<'a> {
    let mut offer = Offer { source, transform: Vec::new(), hooks: Vec::new() };
    if let Some(rule) = rule {
        if let Some(needs) = rule.bound.needs(HookName::Transform) {
            offer.transform = needs.writes.iter().map(|field| field.name.clone()).collect();
        }
        if rule.state {
            offer.hooks.extend(["statecode".to_owned(), "statuscode".to_owned()]);
        }
        if rule.owner {
            offer.hooks.push("ownerid".to_owned());
        }
    }
    offer
}

fn matching(
    job: &Job,
    entity: &Entity,
    columns: &[TargetColumn],
    rule: Option<&RuleHooks>,
) -> Result<Matching, RunError> {
    let position = |name: &String| {
        columns.iter().position(|column| column.column.logical_name == *name).ok_or_else(|| {
            RunError::job_hint(
                format!("[target] match names column `{name}`, which the job does not set"),
                nearest(name, columns.iter().map(|c| c.column.logical_name.as_str())),
            )
        })
    };
    match &job.target.matching {
        Match::Id(name) if *name != entity.primary_id => Err(RunError::job_hint(
            format!("[target] match by id names `{name}`, not the primary id"),
            format!("the primary id of `{}` is `{}`", entity.logical_name, entity.primary_id),
        )),
        Match::Id(name) => position(name).map(Matching::Id),
        Match::Key(names) => {
            let Some(key) = entity.key_over(names) else {
                let keys: Vec<String> =
                    entity.keys.iter().map(|key| key.columns.join("+")).collect();
                return Err(RunError::job_hint(
                    format!(
                        "`{}` has no alternate key over `{}`",
                        entity.logical_name,
                        names.join("`, `")
                    ),
                    if keys.is_empty() {
                        "define one in the environment, or use match = { columns = [...] }".into()
                    } else {
                        format!(
                            "its keys are `{}`; or use match = {{ columns = [...] }}",
                            keys.join("`, `")
                        )
                    },
                ));
            };
            if !key.active {
                return Err(RunError::job_hint(
                    format!("alternate key `{}` is not active yet", key.name),
                    "wait until the service has built its index, or reactivate it",
                ));
            }
            let positions = names.iter().map(position).collect::<Result<_, _>>()?;
            Ok(Matching::Columns { positions, alternate_key: true })
        }
        Match::Columns(names) => {
            for name in names {
                let readable = entity.column(name).is_some_and(|column| column.valid_for_read);
                if !readable {
                    return Err(RunError::job_hint(
                        format!(
                            "[target] match names `{name}`, which `{}` does not have",
                            entity.logical_name
                        ),
                        nearest(name, entity.columns.iter().map(|c| c.logical_name.as_str())),
                    ));
                }
            }
            let positions = names.iter().map(position).collect::<Result<_, _>>()?;
            Ok(Matching::Columns { positions, alternate_key: false })
        }
        Match::Rules => match rule {
            Some(rule) if rule.choose => Ok(Matching::Rules),
            _ => Err(RunError::job_hint(
                "[target] match = \"rules\", but the rule exports no `matching`",
                "use match = { key = [...] } or { columns = [...] }",
            )),
        },
    }
}

/// Columns of the target that are read back.
fn retrieved(
    job: &Job,
    entity: &Entity,
    columns: &[TargetColumn],
    rule: Option<&RuleHooks>,
) -> Vec<String> {
    let mut names = BTreeSet::new();
    let readable = |name: &str| {
        name != entity.primary_id && entity.column(name).is_some_and(|column| column.valid_for_read)
    };
    if job.target.lookup == LookupWord::Columns {
        names.extend(columns.iter().map(|column| column.column.logical_name.clone()));
    }
    if let Some(rule) = rule {
        for hook in [HookName::Matching, HookName::State, HookName::Owner] {
            if let Some(needs) = rule.bound.needs(hook) {
                names.extend(needs.reads_current.iter().map(|field| field.name.clone()));
            }
        }
        if rule.state {
            names.extend(["statecode".to_owned(), "statuscode".to_owned()]);
        }
    }
    names.into_iter().filter(|name| readable(name)).collect()
}

/// Source columns that somebody reads. Letters show all columns that are read,
/// so that a replay has what the run had.
fn projection(
    job: &Job,
    source: &SchemaRef,
    columns: &[TargetColumn],
    rule: Option<&RuleHooks>,
) -> Vec<String> {
    let mut wanted: BTreeSet<&str> = job.source.key.iter().map(String::as_str).collect();
    wanted.extend(columns.iter().filter_map(|column| match &column.from {
        From::Source(name) => Some(name.as_str()),
        _ => None,
    }));
    if let Some(rule) = rule {
        for hook in [HookName::Transform, HookName::Matching, HookName::State, HookName::Owner] {
            if let Some(needs) = rule.bound.needs(hook) {
                wanted.extend(needs.reads_source.iter().map(|field| field.name.as_str()));
            }
        }
    }
    let names = source.fields().iter().map(|field| field.name().clone());
    names.filter(|name| wanted.contains(name.as_str())).collect()
}

/// Source columns whose values never leave in a letter.
pub(crate) fn masked(job: &Job) -> Arc<[String]> {
    let masked = job.columns.values().filter(|mapping| mapping.mask);
    masked.filter_map(|mapping| mapping.source.reads()).map(str::to_owned).collect()
}

impl Plan {
    /// Names the rule's component and judgement, for journal and report.
    pub(crate) fn bound(&self) -> Option<&Arc<Bound>> {
        self.rule.as_ref().map(|rule| &rule.bound)
    }
}
