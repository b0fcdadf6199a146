//! Settings held against the JSON Schema that a rule publishes. Pure.
//!
//! What of JSON Schema is understood: `type`, `enum`, `const`, `properties`,
//! `required`, `additionalProperties`, `items`, bounds of numbers, texts and
//! lists, `anyOf`, `oneOf`, `allOf`, `$ref` within the document. The rest is left
//! to the rule, whose `configure` has the last word. Promises: an end, whatever
//! the schema says (a rule wrote it); the fault is told with the path to it.

use std::fmt;

use serde_json::{Map, Value};

/// Schemas within schemas, at most.
const DEPTH_MAX: usize = 64;
/// Comparisons of a value with a schema, at most: beyond it the rule decides.
const STEPS_MAX: usize = 100_000;

/// One step into the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathStep {
    /// An entry of a table.
    Key(String),
    /// An item of a list, from 0.
    Item(usize),
}

/// What is wrong with the settings, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFault {
    /// From the settings down; empty = the settings themselves.
    pub path: Vec<PathStep>,
    /// The key itself is at fault, not its value.
    pub at_key: bool,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl SettingsFault {
    fn new(message: String) -> Self {
        Self { path: Vec::new(), at_key: false, message, hint: None }
    }

    fn hint(mut self, hint: String) -> Self {
        self.hint = Some(hint);
        self
    }

    fn under(mut self, step: PathStep) -> Self {
        self.path.insert(0, step);
        self
    }
}

impl fmt::Display for SettingsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            f.write_str("`")?;
            for (position, step) in self.path.iter().enumerate() {
                match step {
                    PathStep::Key(name) if position == 0 => f.write_str(name)?,
                    PathStep::Key(name) => write!(f, ".{name}")?,
                    PathStep::Item(item) => write!(f, "[{item}]")?,
                }
            }
            f.write_str("`: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Holds settings against a schema.
///
/// # Errors
/// The first fault, in the order of the settings.
pub(crate) fn check(schema: &Value, settings: &Value) -> Result<(), SettingsFault> {
    let empty = Value::Object(Map::new());
    let settings = if settings.is_null() { &empty } else { settings };
    Checker { root: schema, steps: 0 }.check(schema, settings, 0)
}

struct Checker<'a> {
    root: &'a Value,
    steps: usize,
}

impl<'a> Checker<'a> {
    fn check(
        &mut self,
        schema: &'a Value,
        value: &Value,
        depth: usize,
    ) -> Result<(), SettingsFault> {
        self.steps += 1;
        if depth > DEPTH_MAX || self.steps > STEPS_MAX {
            return Ok(());
        }
        let Some(schema) = schema.as_object() else {
            return match schema {
                Value::Bool(false) => Err(SettingsFault::new("nothing may stand here".to_owned())),
                _ => Ok(()),
            };
        };
        let depth = depth + 1;
        if let Some(referred) = schema.get("$ref").and_then(|at| self.referred(at)) {
            self.check(referred, value, depth)?;
        }
        one_of_types(schema, value)?;
        one_of_values(schema, value)?;
        self.combined(schema, value, depth)?;
        match value {
            Value::Object(entries) => self.table(schema, entries, depth),
            Value::Array(items) => self.list(schema, items, depth),
            Value::String(text) => {
                let count = text.chars().count();
                bounds(schema, "minLength", "maxLength", count, "characters")
            }
            Value::Number(_) => number(schema, value),
            Value::Null | Value::Bool(_) => Ok(()),
        }
    }

    /// What `#/$defs/name` leads to; others are left to the rule.
    fn referred(&self, at: &Value) -> Option<&'a Value> {
        self.root.pointer(at.as_str()?.strip_prefix('#')?)
    }

    fn combined(
        &mut self,
        schema: &'a Map<String, Value>,
        value: &Value,
        depth: usize,
    ) -> Result<(), SettingsFault> {
        let list = |key: &str| schema.get(key).and_then(Value::as_array);
        for part in list("allOf").into_iter().flatten() {
            self.check(part, value, depth)?;
        }
        for parts in [list("anyOf"), list("oneOf")].into_iter().flatten() {
            let mut faults = Vec::new();
            for part in parts {
                match self.check(part, value, depth) {
                    Ok(()) => faults.clear(),
                    Err(fault) => {
                        // Nobody misses the null that may stand here, too.
                        if parts.len() == 1 || part["type"] != "null" {
                            faults.push(fault);
                        }
                        continue;
                    }
                }
                break;
            }
            if faults.is_empty() {
                continue;
            }
            // The alternative that was meant is the one that went furthest.
            let deepest = faults.iter().map(|fault| fault.path.len()).max().unwrap_or(0);
            let mut meant = faults.into_iter().filter(|fault| fault.path.len() == deepest);
            return Err(match (meant.next(), meant.next()) {
                (Some(fault), None) => fault,
                (Some(fault), Some(_)) if deepest > 0 => fault,
                _ => SettingsFault::new(format!(
                    "expected one of {} forms, found {}",
                    parts.len(),
                    shown(value)
                )),
            });
        }
        Ok(())
    }

    fn table(
        &mut self,
        schema: &'a Map<String, Value>,
        entries: &Map<String, Value>,
        depth: usize,
    ) -> Result<(), SettingsFault> {
        let properties = schema.get("properties").and_then(Value::as_object);
        // Keywords that may allow what `properties` does not name.
        let others = ["patternProperties", "allOf", "anyOf", "oneOf", "$ref", "if"];
        let is_all = !others.iter().any(|keyword| schema.contains_key(*keyword));
        for (name, value) in entries {
            let below = |fault: SettingsFault| fault.under(PathStep::Key(name.clone()));
            if let Some(property) = properties.and_then(|all| all.get(name)) {
                self.check(property, value, depth).map_err(below)?;
                continue;
            }
            match schema.get("additionalProperties") {
                Some(Value::Bool(false)) if is_all => {
                    let known = properties.into_iter().flat_map(|all| all.keys());
                    return Err(below(unknown(name, known.map(String::as_str).collect())));
                }
                Some(rest @ Value::Object(_)) if is_all => {
                    self.check(rest, value, depth).map_err(below)?;
                }
                _ => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !entries.contains_key(name) {
                let about = properties.and_then(|all| all.get(name)?.get("description")?.as_str());
                let fault = SettingsFault::new(format!("key `{name}` is missing"));
                return Err(match about {
                    Some(about) => fault.hint(format!("`{name}`: {about}")),
                    None => fault,
                });
            }
        }
        bounds(schema, "minProperties", "maxProperties", entries.len(), "entries")
    }

    fn list(
        &mut self,
        schema: &'a Map<String, Value>,
        items: &[Value],
        depth: usize,
    ) -> Result<(), SettingsFault> {
        bounds(schema, "minItems", "maxItems", items.len(), "items")?;
        let Some(each @ Value::Object(_)) = schema.get("items") else { return Ok(()) };
        for (position, item) in items.iter().enumerate() {
            self.check(each, item, depth).map_err(|fault| fault.under(PathStep::Item(position)))?;
        }
        Ok(())
    }
}

fn unknown(name: &str, known: Vec<&str>) -> SettingsFault {
    let near = known
        .iter()
        .map(|one| (strsim::damerau_levenshtein(name, one), one))
        .filter(|(distance, one)| *distance <= name.len().max(one.len()) / 3 + 1)
        .min_by_key(|(distance, _)| *distance);
    let mut fault = SettingsFault::new(format!("unknown key `{name}`"));
    fault.at_key = true;
    match near {
        Some((_, near)) => fault.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => fault,
        None => fault.hint(format!("known here: {}", listed(known.into_iter()))),
    }
}

fn one_of_types(schema: &Map<String, Value>, value: &Value) -> Result<(), SettingsFault> {
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    // A type that is not known here is left to the rule.
    if names.is_empty() || names.iter().any(|name| is_of(value, name).unwrap_or(true)) {
        return Ok(());
    }
    let words: Vec<&str> = names.iter().filter_map(|name| word(name)).collect();
    Err(SettingsFault::new(format!("expected {}, found {}", words.join(" or "), shown(value))))
}

fn is_of(value: &Value, name: &str) -> Option<bool> {
    Some(match name {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64()
                || value.is_u64()
                || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => return None,
    })
}

/// The words of the job file for a type of JSON; nothing for what TOML lacks.
fn word(name: &str) -> Option<&'static str> {
    Some(match name {
        "string" => "text",
        "boolean" => "`true` or `false`",
        "number" => "a number",
        "integer" => "a whole number",
        "array" => "a list",
        "object" => "a table",
        _ => return None,
    })
}

fn one_of_values(schema: &Map<String, Value>, value: &Value) -> Result<(), SettingsFault> {
    let allowed: Vec<&Value> = match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(all)), _) => all.iter().collect(),
        (_, Some(one)) => vec![one],
        _ => return Ok(()),
    };
    if allowed.contains(&value) {
        return Ok(());
    }
    let texts: Vec<String> = allowed.iter().map(|one| plain(one)).collect();
    Err(SettingsFault::new(format!(
        "expected {}, found {}",
        listed(texts.iter().map(String::as_str)),
        shown(value)
    )))
}

fn bounds(
    schema: &Map<String, Value>,
    least: &str,
    most: &str,
    count: usize,
    of: &str,
) -> Result<(), SettingsFault> {
    let bound = |key: &str| {
        schema.get(key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap_or(usize::MAX))
    };
    match (bound(least), bound(most)) {
        (Some(least), _) if count < least => {
            Err(SettingsFault::new(format!("expected {least} {of} at least, found {count}")))
        }
        (_, Some(most)) if count > most => {
            Err(SettingsFault::new(format!("expected {most} {of} at most, found {count}")))
        }
        _ => Ok(()),
    }
}

fn number(schema: &Map<String, Value>, value: &Value) -> Result<(), SettingsFault> {
    let Some(number) = value.as_f64() else { return Ok(()) };
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    type Breaks = fn(f64, f64) -> bool;
    let table: [(&str, Breaks, &str); 4] = [
        ("minimum", |number, bound| number < bound, "at least"),
        ("exclusiveMinimum", |number, bound| number <= bound, "more than"),
        ("maximum", |number, bound| number > bound, "at most"),
        ("exclusiveMaximum", |number, bound| number >= bound, "less than"),
    ];
    for (key, breaks, words) in table {
        if let Some(limit) = bound(key)
            && breaks(number, limit)
        {
            let limit = schema.get(key).map(plain).unwrap_or_default();
            return Err(SettingsFault::new(format!("expected {words} {limit}, found `{value}`")));
        }
    }
    Ok(())
}

/// A value in a message.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "a table".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Null => "nothing".to_owned(),
        other => format!("`{}`", plain(other)),
    }
}

/// Without the quotes of a text; a long one is cut.
fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// `a`, `b` or `c`.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(schema: &Value, settings: &Value) -> String {
        match check(schema, settings) {
            Ok(()) => "ok".to_owned(),
            Err(fault) => match &fault.hint {
                Some(hint) => format!("{fault} ({hint})"),
                None => fault.to_string(),
            },
        }
    }

    #[test]
    fn each_fault_is_told_with_its_path() {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["country"],
            "properties": {
                "country": {"type": ["string", "null"], "minLength": 2, "description": "of rows"},
                "format": {"enum": ["long", "short"]},
                "codes": {"type": "object", "additionalProperties": {"type": "integer", "maximum": 9}},
                "skip": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
                "owners": {"type": "boolean"},
                "share": {"type": "number", "exclusiveMinimum": 0},
            }
        });
        let with = |name: &str, value: Value| json!({"country": "US", name: value});
        for (settings, expect) in [
            (json!({"country": "US"}), "ok"),
            (json!({"country": null}), "ok"),
            (Value::Null, "key `country` is missing (`country`: of rows)"),
            (json!({"country": "U"}), "`country`: expected 2 characters at least, found 1"),
            (json!({"country": 5}), "`country`: expected text, found `5`"),
            (
                with("fromat", json!("long")),
                "`fromat`: unknown key `fromat` (did you mean `format`?)",
            ),
            (
                with("xyzzy", json!(1)),
                "`xyzzy`: unknown key `xyzzy` (known here: `codes`, `country`, `format`, `owners`, \
                 `share` or `skip`)",
            ),
            (with("format", json!("tall")), "`format`: expected `long` or `short`, found `tall`"),
            (with("codes", json!({"a": 1, "b": 2.0})), "ok"),
            (with("codes", json!({"a": "x"})), "`codes.a`: expected a whole number, found `x`"),
            (with("codes", json!({"a": 10})), "`codes.a`: expected at most 9, found `10`"),
            (with("codes", json!([])), "`codes`: expected a table, found a list"),
            (with("skip", json!(["a", {}])), "`skip[1]`: expected text, found a table"),
            (with("skip", json!(["a", "b", "c"])), "`skip`: expected 2 items at most, found 3"),
            (with("owners", json!("yes")), "`owners`: expected `true` or `false`, found `yes`"),
            (with("share", json!(0)), "`share`: expected more than 0, found `0`"),
            (json!([]), "expected a table, found a list"),
        ] {
            assert_eq!(said(&schema, &settings), expect, "{settings}");
        }
    }

    #[test]
    fn alternatives_are_told_by_the_one_that_was_meant() {
        let schema = json!({
            "properties": {"owner": {"anyOf": [
                {"type": "string"},
                {"$ref": "#/$defs/team"},
            ]}},
            "$defs": {"team": {"type": "object", "required": ["team"], "properties": {
                "team": {"type": "string"}}, "additionalProperties": false}},
        });
        for (owner, expect) in [
            (json!("ann"), "ok"),
            (Value::Null, "`owner`: expected one of 2 forms, found nothing"),
            (json!({"team": "sales"}), "ok"),
            (json!({"team": 7}), "`owner.team`: expected text, found `7`"),
            (json!(7), "`owner`: expected one of 2 forms, found `7`"),
        ] {
            assert_eq!(said(&schema, &json!({"owner": owner})), expect, "{owner}");
        }
    }

    #[test]
    fn of_what_may_be_null_the_other_form_is_told() {
        let schema = json!({"properties": {"country": {"anyOf": [
            {"type": "string"}, {"type": "null"}]}}});
        assert_eq!(said(&schema, &json!({"country": null})), "ok");
        let told = "`country`: expected text, found `5`";
        assert_eq!(said(&schema, &json!({"country": 5})), told);
    }

    #[test]
    fn what_is_not_understood_is_left_to_the_rule() {
        for schema in [
            json!(true),
            json!("nonsense"),
            json!({"type": "colour", "enum": 5, "required": 7, "properties": []}),
            json!({"patternProperties": {"^x": {}}, "additionalProperties": false}),
            json!({"$ref": "https://example.invalid/schema"}),
            json!({"additionalProperties": {"$ref": "#/$defs/none"}}),
        ] {
            assert_eq!(said(&schema, &json!({"x": 1})), "ok", "{schema}");
        }
        assert_eq!(said(&json!(false), &json!({})), "nothing may stand here");
    }

    #[test]
    fn a_schema_that_refers_to_itself_comes_to_an_end() {
        let each = json!({"$ref": "#"});
        let parts: Vec<Value> = (0..1000).map(|_| each.clone()).collect();
        for schema in [json!({"$ref": "#"}), json!({"allOf": parts}), json!({"anyOf": parts})] {
            assert_eq!(said(&schema, &json!({"x": 1})), "ok");
        }
    }
}
