//! The job's settings for a rule, taken one by one, each with what it is
//! otherwise. Pure.
//!
//! Promises: a setting of another type is refused by name with what was found; a
//! setting that nobody asked for is refused with the names that are known.

use crate::country::Country;
use crate::failure::Failure;
use crate::json::{Value, parse};
use crate::number::Number;

/// A settings document. Take what the rule knows, then [`Settings::finish`]. A
/// `null` is like a setting that is not there.
#[derive(Debug)]
pub struct Settings {
    entries: Vec<(String, Value)>,
    known: Vec<&'static str>,
}

impl Settings {
    /// Reads the document; blank text is an empty one.
    ///
    /// # Errors
    /// `misconfigured` with the position from which on it is not JSON.
    pub fn parse(json: &str) -> Result<Self, Failure> {
        let json = match json.trim_ascii() {
            "" => "{}",
            json => json,
        };
        let entries = match parse(json) {
            Ok(Value::Map(entries)) => entries,
            Ok(other) => return Err(bad(format!("expected a map, found {}", other.name()))),
            Err(position) => return Err(bad(format!("no JSON from byte {position} on"))),
        };
        Ok(Self { entries, known: Vec::new() })
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        let position = self.entries.iter().position(|(entry, _)| entry == name)?;
        Some(self.entries.remove(position).1).filter(|value| *value != Value::Null)
    }

    /// Text.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(expected(name, "text", &other)),
        }
    }

    /// Yes or no.
    ///
    /// # Errors
    /// It is something else.
    pub fn boolean(&mut self, name: &'static str) -> Result<Option<bool>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Boolean(value)) => Ok(Some(value)),
            Some(other) => Err(expected(name, "a boolean", &other)),
        }
    }

    /// A whole number of 32 bits: choices, states.
    ///
    /// # Errors
    /// It is something else.
    pub fn int32(&mut self, name: &'static str) -> Result<Option<i32>, Failure> {
        self.take(name).map(|value| int32(name, &value)).transpose()
    }

    /// One of several words, with what each stands for.
    ///
    /// # Errors
    /// It is none of them.
    pub fn word<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Failure> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let words = join(words.iter().map(|(word, _)| *word));
                Err(bad(format!("`{name}`: `{text}` is none of {words}")))
            }
        }
    }

    /// A country, by English name or ISO 3166 alpha-2 code.
    ///
    /// # Errors
    /// It is something else, or a country that is not in our list.
    pub fn country(&mut self, name: &'static str) -> Result<Option<Country>, Failure> {
        self.text(name)?.map(|text| country(name, &text)).transpose()
    }

    /// Countries by text.
    ///
    /// # Errors
    /// It is something else, or a country that is not in our list.
    pub fn countries(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Vec<(String, Country)>>, Failure> {
        self.map(name, |value| match value {
            Value::Text(text) => country(name, &text),
            other => Err(expected(name, "text in the map", &other)),
        })
    }

    /// A list of texts.
    ///
    /// # Errors
    /// It is something else.
    pub fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Failure> {
        let items = match self.take(name) {
            None => return Ok(None),
            Some(Value::List(items)) => items,
            Some(other) => return Err(expected(name, "a list of text", &other)),
        };
        let text = |item| match item {
            Value::Text(text) => Ok(text),
            other => Err(expected(name, "text in the list", &other)),
        };
        items.into_iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// Codes of the source with the number that stands for each in the target.
    ///
    /// # Errors
    /// It is something else.
    pub fn codes(&mut self, name: &'static str) -> Result<Option<Vec<(String, i32)>>, Failure> {
        self.map(name, |value| int32(name, &value))
    }

    /// Texts by text.
    ///
    /// # Errors
    /// It is something else.
    pub fn words(&mut self, name: &'static str) -> Result<Option<Vec<(String, String)>>, Failure> {
        self.map(name, |value| match value {
            Value::Text(text) => Ok(text),
            other => Err(expected(name, "text in the map", &other)),
        })
    }

    fn map<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(Value) -> Result<T, Failure>,
    ) -> Result<Option<Vec<(String, T)>>, Failure> {
        let entries = match self.take(name) {
            None => return Ok(None),
            Some(Value::Map(entries)) => entries,
            Some(other) => return Err(expected(name, "a map", &other)),
        };
        let read = |(key, value)| Ok((key, read(value)?));
        entries.into_iter().map(read).collect::<Result<_, _>>().map(Some)
    }

    /// All settings have been taken.
    ///
    /// # Errors
    /// Nobody asked for one of them: it is misspelt.
    pub fn finish(self) -> Result<(), Failure> {
        match self.entries.first() {
            None => Ok(()),
            Some((name, _)) => {
                let known = join(self.known.iter().copied());
                Err(bad(format!("`{name}` is not known, but {known} are")))
            }
        }
    }
}

fn int32(name: &str, value: &Value) -> Result<i32, Failure> {
    let number = match value {
        Value::Number(digits) => Number::parse(digits).and_then(Number::to_i64),
        other => return Err(expected(name, "a whole number", other)),
    };
    number
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| bad(format!("`{name}`: a number is not whole, or not of 32 bits")))
}

fn country(name: &str, text: &str) -> Result<Country, Failure> {
    Country::find(text).ok_or_else(|| bad(format!("`{name}`: no country `{text}` is known")))
}

fn expected(name: &str, what: &str, found: &Value) -> Failure {
    bad(format!("`{name}`: expected {what}, found {}", found.name()))
}

fn bad(message: String) -> Failure {
    Failure::misconfigured("bad-settings", format!("settings: {message}"))
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for word in words {
        text.push_str(if text.is_empty() { "`" } else { ", `" });
        text.push_str(word);
        text.push('`');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_taken_by_name_and_type() {
        let json = r#"{"t": "x", "b": true, "i": -7, "w": "two", "l": ["a"], "c": {"k": 4},
                       "m": {"k": "v"}, "n": null}"#;
        let mut settings = Settings::parse(json).unwrap();
        assert_eq!(settings.text("t").unwrap().as_deref(), Some("x"));
        assert_eq!(settings.boolean("b").unwrap(), Some(true));
        assert_eq!(settings.int32("i").unwrap(), Some(-7));
        assert_eq!(settings.word("w", &[("one", 1), ("two", 2)]).unwrap(), Some(2));
        assert_eq!(settings.texts("l").unwrap(), Some(vec!["a".to_owned()]));
        assert_eq!(settings.codes("c").unwrap(), Some(vec![("k".to_owned(), 4)]));
        assert_eq!(settings.words("m").unwrap(), Some(vec![("k".to_owned(), "v".to_owned())]));
        assert_eq!(settings.text("n").unwrap(), None);
        assert_eq!(settings.text("missing").unwrap(), None);
        settings.finish().unwrap();
        Settings::parse(" ").unwrap().finish().unwrap();
    }

    #[test]
    fn a_wrong_setting_is_told_by_name() {
        fn all(json: &str) -> Result<(), Failure> {
            let mut settings = Settings::parse(json)?;
            settings.boolean("owners")?;
            settings.int32("status")?;
            settings.word("format", &[("long", 1), ("short", 2)])?;
            settings.texts("skip")?;
            settings.codes("codes")?;
            settings.finish()
        }
        let cases = [
            (
                r#"{"owner": true}"#,
                "settings: `owner` is not known, but `owners`, `status`, `format`, `skip`, `codes` are",
            ),
            (r#"{"owners": "yes"}"#, "settings: `owners`: expected a boolean, found text"),
            (r#"{"status": 1.5}"#, "settings: `status`: a number is not whole, or not of 32 bits"),
            (
                r#"{"status": 3000000000}"#,
                "settings: `status`: a number is not whole, or not of 32 bits",
            ),
            (r#"{"format": "tall"}"#, "settings: `format`: `tall` is none of `long`, `short`"),
            (r#"{"skip": "x"}"#, "settings: `skip`: expected a list of text, found text"),
            (r#"{"codes": {"a": "b"}}"#, "settings: `codes`: expected a whole number, found text"),
            (
                r#"{"owners": true, "owners": false}"#,
                "settings: `owners` is not known, but `owners`, `status`, `format`, `skip`, `codes` are",
            ),
            ("[]", "settings: expected a map, found a list"),
            ("{\"owners\": tru}", "settings: no JSON from byte 11 on"),
        ];
        for (json, expected) in cases {
            let failure = all(json).unwrap_err();
            assert_eq!(failure.message, expected);
            assert_eq!(failure.kind, crate::FailureKind::Misconfigured);
        }
    }
}
