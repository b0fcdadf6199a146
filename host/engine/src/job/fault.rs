//! A fault and the path to it, before it has a line.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use super::error::nearest;

/// One step into the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Item(usize),
}

/// Something wrong at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Innermost step first: it is put together on the way out.
    pub(super) steps: Vec<Step>,
    /// The key itself is at fault, not its value.
    pub(super) at_key: bool,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { steps: Vec::new(), at_key: false, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same fault, seen from one level up.
    pub(super) fn under(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// A fault of the key `name` of the table here.
    pub(super) fn at_key(mut self, name: &str) -> Self {
        self.at_key = true;
        self.under(Step::Key(name.to_owned()))
    }

    /// A fault at a dotted path from the root: `target.match`; a number is a
    /// position in a list.
    pub(super) fn at(path: &str, message: impl Into<String>) -> Self {
        let mut fault = Self::new(message);
        fault.steps = path
            .rsplit('.')
            .filter(|step| !step.is_empty())
            .map(|step| match step.parse() {
                Ok(index) => Step::Item(index),
                Err(_) => Step::Key(step.to_owned()),
            })
            .collect();
        fault
    }
}

/// The words of a Rust type or a derived visitor, for people.
fn words(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a string" => "text".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        "a character" => "one character".to_owned(),
        _ => text,
    }
}

fn shown(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("`{value}`"),
        Unexpected::Float(value) => format!("`{value}`"),
        Unexpected::Str(text) => format!("`{text}`"),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a table".to_owned(),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        other => other.to_string(),
    }
}

/// `a`, `b` or `c`.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}

fn known_hint(typed: &str, known: &[&str]) -> Option<String> {
    match nearest(typed, known.iter().copied()) {
        Some(name) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known here: {}", listed(known.iter().copied()))),
    }
}

impl Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {}, found {}", words(expected), shown(unexpected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        let mut fault = Self::new(format!("unknown key `{field}`"));
        fault.hint = known_hint(field, known);
        fault
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let mut fault = Self::new(format!("unknown value `{variant}`"));
        fault.hint = known_hint(variant, known);
        fault
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("key `{field}` is missing"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
