//! `dvsync rules inspect`: what a rule is, without a job.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use dvsync_rules::{Context, Field, HookName, HookNeeds, Limits, Rule, RuleError};
use serde_json::{Value, json};

use super::find::{Admitted, Found};
use super::tables;
use crate::args::{Format, InspectArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::shipped;
use crate::summary::out;
use crate::talk::Talk;

type Needs = BTreeMap<HookName, HookNeeds>;

pub(super) fn inspect(args: &InspectArgs, talk: Talk) -> Result<Exit, Failure> {
    let found = Found::named(&args.rule, &args.store, talk)?;
    let admitted = found.admit(&shipped::usual_sandbox()?)?;
    let source = match &args.source {
        Some(path) => tables::columns(path)?,
        None => Arc::new(Schema::empty()),
    };
    let settings = match &args.settings {
        Some(path) => settings(path)?,
        None => Value::Null,
    };
    let limits = Limits::of(admitted.rule.profile());
    let asked = match admitted.rule.needs(context(&admitted.rule, source, settings)?, &limits) {
        Ok(needs) => Ok(needs),
        // Without settings that is an answer, not a fault.
        Err(error @ RuleError::Misconfigured { .. }) if args.settings.is_none() => {
            Err(error.to_string())
        }
        Err(error) => return Err(error.into()),
    };
    let signed: Vec<String> =
        found.signatures()?.iter().map(|signature| signature.key_id.to_string()).collect();
    match args.report {
        Format::Json => {
            let text = serde_json::to_string_pretty(&as_json(&found, &admitted, &asked, &signed))
                .map_err(|error| Failure::bug("cannot write JSON", error))?;
            out(&format!("{text}\n"))?;
        }
        Format::Text => out(&as_text(&found, &admitted, &asked, args.source.is_none(), &signed))?,
    }
    Ok(Exit::Complete)
}

/// What a rule is told where there is no job; the same each time.
pub(super) fn context(rule: &Rule, source: SchemaRef, settings: Value) -> Result<Context, Failure> {
    let named = rule.description().entities.iter().find(|name| *name != "*");
    Ok(Context {
        entity: named.map_or_else(|| "account".to_owned(), Clone::clone),
        settings,
        source,
        target: Arc::new(Schema::empty()),
        seed: 1,
        now: super::case::NOW
            .parse()
            .map_err(|error| Failure::bug("the clock of fixtures is no instant", error))?,
    })
}

/// Settings of a rule, from TOML or JSON.
pub(super) fn settings(path: &Path) -> Result<Value, Failure> {
    let said = || format!("cannot read the settings `{}`", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| Failure::because(said(), error))?;
    if path.extension().is_some_and(|ending| ending == "json") {
        return serde_json::from_str(&text).map_err(|error| Failure::because(said(), error));
    }
    toml::from_str(&text).map_err(|error| Failure::because(said(), error))
}

fn as_text(
    found: &Found,
    admitted: &Admitted,
    asked: &Result<Needs, String>,
    is_without_source: bool,
    signed: &[String],
) -> String {
    let rule = &admitted.rule;
    let (description, surface) = (rule.description(), rule.surface());
    let hooks: Vec<&str> = hooks(rule).collect();
    let mut lines = vec![format!("{}@{}", description.name, description.version)];
    let mut say = |what: &str, text: String| lines.push(format!("  {what:<9} {text}"));
    say("from", found.origin.clone());
    say("contract", surface.contract.clone());
    say("language", surface.language.clone().unwrap_or_else(|| "not said".to_owned()));
    say("entities", description.entities.join(", "));
    say("hooks", hooks.join(", "));
    say("imports", or_nothing(&surface.imports));
    say("tables", or_nothing(&description.tables));
    say("settings", schema_words(description.settings_schema.as_deref()));
    say("signed", or_nothing(signed));
    say("digest", rule.digest().to_owned());
    say("size", format!("{} bytes", found.bytes.len()));
    say("compiled", if admitted.was_cached { "in the cache" } else { "just now" }.to_owned());
    match asked {
        Err(why) => lines.push(format!("needs settings: {why}; name some with --settings FILE")),
        Ok(needs) => {
            for (hook, needs) in needs {
                lines.push(hook.as_str().to_owned());
                for (what, fields) in lists(needs) {
                    for field in fields {
                        let required = if field.required { ", required" } else { "" };
                        lines.push(format!(
                            "  {what:<15} {} ({}{required})",
                            field.name,
                            field.type_name()
                        ));
                    }
                }
            }
            if is_without_source {
                lines.push(
                    "a rule may read more where the source has it: see with --source FILE"
                        .to_owned(),
                );
            }
        }
    }
    lines.join("\n") + "\n"
}

fn as_json(
    found: &Found,
    admitted: &Admitted,
    asked: &Result<Needs, String>,
    signed: &[String],
) -> Value {
    let rule = &admitted.rule;
    let (description, surface) = (rule.description(), rule.surface());
    let columns = |fields: &[Field]| -> Vec<Value> {
        let column = |field: &Field| {
            json!({"name": field.name, "type": field.type_name(), "required": field.required,
                   "nullable": field.nullable})
        };
        fields.iter().map(column).collect()
    };
    let needs = asked.as_ref().ok().map(|needs| {
        let hook = |(hook, needs): (&HookName, &HookNeeds)| {
            let lists =
                lists(needs).map(|(what, fields)| (what.replace(' ', "_"), columns(fields)));
            (hook.as_str().to_owned(), json!(BTreeMap::from(lists)))
        };
        needs.iter().map(hook).collect::<serde_json::Map<_, _>>()
    });
    let schema = description.settings_schema.as_deref();
    json!({
        "name": description.name,
        "version": description.version,
        "from": found.origin,
        "contract": surface.contract,
        "language": surface.language,
        "entities": description.entities,
        "hooks": hooks(rule).collect::<Vec<_>>(),
        "imports": surface.imports,
        "exports": surface.exports,
        "tables": description.tables,
        "settings_schema": schema.and_then(|text| serde_json::from_str::<Value>(text).ok()),
        "signed_by": signed,
        "digest": rule.digest(),
        "bytes": found.bytes.len(),
        "was_cached": admitted.was_cached,
        "needs": needs,
        "needs_settings": asked.as_ref().err(),
    })
}

fn hooks(rule: &Rule) -> impl Iterator<Item = &'static str> {
    HookName::ALL.into_iter().filter(|hook| rule.hooks().has(*hook)).map(HookName::as_str)
}

fn lists(needs: &HookNeeds) -> [(&'static str, &[Field]); 4] {
    [
        ("reads source", &needs.reads_source),
        ("reads target", &needs.reads_target),
        ("reads current", &needs.reads_current),
        ("writes", &needs.writes),
    ]
}

fn or_nothing(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Names of the settings; those that must be there are marked.
fn schema_words(schema: Option<&str>) -> String {
    let Some(schema) = schema.and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return "no schema".to_owned();
    };
    let required = |name: &str| {
        let list = schema["required"].as_array();
        list.is_some_and(|names| names.iter().any(|required| required == name))
    };
    let Some(properties) = schema["properties"].as_object() else {
        return "a schema: see --report json".to_owned();
    };
    let name = |name: &String| match required(name) {
        true => format!("{name} (required)"),
        false => name.clone(),
    };
    properties.keys().map(name).collect::<Vec<_>>().join(", ")
}
