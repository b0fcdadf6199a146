//! The JSON Schema of settings, as text. Pure.

use super::{Setting, Told};

/// Writes a schema. Not for authors: see [`crate::settings!`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Writer {
    properties: Vec<String>,
    required: Vec<&'static str>,
}

impl Writer {
    /// Of no settings.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "for a macro alone")]
    pub fn new() -> Self {
        Self { properties: Vec::new(), required: Vec::new() }
    }

    /// Adds a setting.
    pub fn add<T: Setting>(
        &mut self,
        name: &'static str,
        description: &[&str],
        words: &[&str],
        told: Told,
    ) {
        let lines: Vec<&str> = description.iter().map(|line| line.trim()).collect();
        let schema = T::schema(words);
        // A schema is a map: what is said about it goes in front.
        let rest = schema.strip_prefix('{').unwrap_or_default();
        let mut about = String::new();
        if !lines.is_empty() {
            about.push_str(&format!(r#""description":{},"#, quoted(&lines.join(" "))));
        }
        if let Some(default) = told.default {
            about.push_str(&format!(r#""default":{default},"#));
        }
        if told.is_required {
            self.required.push(name);
        }
        self.properties.push(format!("{}:{{{about}{rest}", quoted(name)));
    }

    /// The schema.
    #[must_use]
    pub fn finish(self) -> String {
        format!(
            r#"{{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,"properties":{{{}}},"required":[{}]}}"#,
            self.properties.join(","),
            listed(self.required.into_iter())
        )
    }
}

pub(super) fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(quoted).collect();
    words.join(",")
}

/// A JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => json.extend(['\\', letter]),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}
