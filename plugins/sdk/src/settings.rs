//! The job's settings for a rule, taken one by one, for whom [`crate::settings!`]
//! is not enough. Pure.
//!
//! Promises: a setting of another type is refused by name with what was found; a
//! setting that nobody asked for is refused with the names that are known.

use crate::country::Country;
use crate::failure::Failure;
use crate::json::{Value, parse};
use crate::setting::Setting;

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

    /// A setting of a type that settings may have.
    ///
    /// # Errors
    /// It is something else, or none of `words`, where there are any.
    pub fn typed<T: Setting>(
        &mut self,
        name: &'static str,
        words: &[&str],
    ) -> Result<Option<T>, Failure> {
        self.take(name).map(|value| T::from_value(name, value, words)).transpose()
    }

    /// Text.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, Failure> {
        self.typed(name, &[])
    }

    /// Yes or no.
    ///
    /// # Errors
    /// It is something else.
    pub fn boolean(&mut self, name: &'static str) -> Result<Option<bool>, Failure> {
        self.typed(name, &[])
    }

    /// A whole number of 32 bits: choices, states.
    ///
    /// # Errors
    /// It is something else.
    pub fn int32(&mut self, name: &'static str) -> Result<Option<i32>, Failure> {
        self.typed(name, &[])
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
        self.typed(name, &[])
    }

    /// Countries by text.
    ///
    /// # Errors
    /// It is something else, or a country that is not in our list.
    pub fn countries(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Vec<(String, Country)>>, Failure> {
        self.typed(name, &[])
    }

    /// A list of texts.
    ///
    /// # Errors
    /// It is something else.
    pub fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Failure> {
        self.typed(name, &[])
    }

    /// Codes of the source with the number that stands for each in the target.
    ///
    /// # Errors
    /// It is something else.
    pub fn codes(&mut self, name: &'static str) -> Result<Option<Vec<(String, i32)>>, Failure> {
        self.typed(name, &[])
    }

    /// Texts by text.
    ///
    /// # Errors
    /// It is something else.
    pub fn words(&mut self, name: &'static str) -> Result<Option<Vec<(String, String)>>, Failure> {
        self.typed(name, &[])
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

pub(crate) fn bad(message: String) -> Failure {
    Failure::misconfigured("bad-settings", format!("settings: {message}"))
}

pub(crate) fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
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
            (
                r#"{"status": 1.5}"#,
                "settings: `status`: expected a whole number from -2147483648 to 2147483647",
            ),
            (
                r#"{"status": 3000000000}"#,
                "settings: `status`: expected a whole number from -2147483648 to 2147483647",
            ),
            (r#"{"format": "tall"}"#, "settings: `format`: `tall` is none of `long`, `short`"),
            (r#"{"skip": "x"}"#, "settings: `skip`: expected a list, found text"),
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
