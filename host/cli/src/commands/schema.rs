//! `dvsync schema`

use serde_json::Value;

use super::rules::settings_schema;
use crate::args::SchemaArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::summary::out;
use crate::talk::Talk;

pub(crate) fn schema(args: &SchemaArgs, talk: Talk) -> Result<Exit, Failure> {
    let mut schema = dvsync_engine::job::schema();
    if let Some(rule) = &args.rule {
        let settings = settings_schema(rule, &args.store, talk)?;
        let place = schema.pointer_mut("/$defs/RulesSection/properties/settings");
        match (place, settings) {
            (Some(place), Some(settings)) => *place = embedded(settings),
            (_, None) => talk.say(format!("`{}` publishes no schema", rule.display())),
            (None, _) => return Err(Failure::usage("the schema of the job file has no settings")),
        }
    }
    let schema = serde_json::to_string_pretty(&schema)
        .map_err(|error| Failure::bug("cannot write the schema as JSON", error))?;
    out(&format!("{schema}\n"))?;
    Ok(Exit::Complete)
}

/// A document within another is none: its `$ref`s start at itself by an `$id`.
fn embedded(mut settings: Value) -> Value {
    if let Some(object) = settings.as_object_mut() {
        object.remove("$schema");
        if object.contains_key("$defs") {
            object.entry("$id").or_insert_with(|| "urn:dvsync:rule-settings".into());
        }
    }
    settings
}
