//! Types that a setting may have. Pure.

use super::writer::{listed, quoted};
use super::{Setting, Word};
use crate::country::Country;
use crate::failure::Failure;
use crate::json::Value;
use crate::number::Number;
use crate::phone;
use crate::settings::{bad, join};

impl Word for phone::Format {
    const WORDS: &'static [(&'static str, Self)] = Self::WORDS;
}

impl Word for phone::Otherwise {
    const WORDS: &'static [(&'static str, Self)] = Self::WORDS;
}

impl<W: Word> Setting for W {
    fn schema(_: &[&str]) -> String {
        let words = W::WORDS.iter().map(|(word, _)| *word);
        format!(r#"{{"type":"string","enum":[{}]}}"#, listed(words))
    }

    fn from_value(name: &str, value: Value, _: &[&str]) -> Result<Self, Failure> {
        let text = text(name, value, "text")?;
        match W::WORDS.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => Ok(*meaning),
            None => Err(none_of(name, &text, W::WORDS.iter().map(|(word, _)| *word))),
        }
    }

    fn shown(&self) -> Option<String> {
        W::WORDS.iter().find(|(_, meaning)| meaning == self).map(|(word, _)| quoted(word))
    }
}

impl Setting for bool {
    fn schema(_: &[&str]) -> String {
        r#"{"type":"boolean"}"#.to_owned()
    }

    fn from_value(name: &str, value: Value, _: &[&str]) -> Result<Self, Failure> {
        match value {
            Value::Boolean(value) => Ok(value),
            other => Err(expected(name, "a boolean", &other)),
        }
    }

    fn shown(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Whole numbers: choices, states, counts.
macro_rules! whole {
    ($($type:ty),*) => { $(
        impl Setting for $type {
            fn schema(_: &[&str]) -> String {
                let (least, most) = (<$type>::MIN, <$type>::MAX);
                format!(r#"{{"type":"integer","minimum":{least},"maximum":{most}}}"#)
            }

            fn from_value(name: &str, value: Value, _: &[&str]) -> Result<Self, Failure> {
                let number = match &value {
                    Value::Number(digits) => Number::parse(digits).and_then(Number::to_i64),
                    other => return Err(expected(name, "a whole number", other)),
                };
                number.and_then(|number| <$type>::try_from(number).ok()).ok_or_else(|| {
                    let (least, most) = (<$type>::MIN, <$type>::MAX);
                    bad(format!("`{name}`: expected a whole number from {least} to {most}"))
                })
            }

            fn shown(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )* };
}
whole!(i32, u32, i64);

impl Setting for f64 {
    fn schema(_: &[&str]) -> String {
        r#"{"type":"number"}"#.to_owned()
    }

    fn from_value(name: &str, value: Value, _: &[&str]) -> Result<Self, Failure> {
        let number = match &value {
            Value::Number(digits) => digits.parse::<f64>().ok().filter(|number| number.is_finite()),
            _ => None,
        };
        number.ok_or_else(|| expected(name, "a number", &value))
    }

    fn shown(&self) -> Option<String> {
        self.is_finite().then(|| self.to_string())
    }
}

impl Setting for String {
    fn schema(words: &[&str]) -> String {
        match words {
            [] => r#"{"type":"string"}"#.to_owned(),
            words => format!(r#"{{"type":"string","enum":[{}]}}"#, listed(words.iter().copied())),
        }
    }

    fn from_value(name: &str, value: Value, words: &[&str]) -> Result<Self, Failure> {
        let text = text(name, value, "text")?;
        if words.is_empty() || words.contains(&text.as_str()) {
            return Ok(text);
        }
        Err(none_of(name, &text, words.iter().copied()))
    }

    fn shown(&self) -> Option<String> {
        Some(quoted(self))
    }
}

/// By English name or ISO 3166 alpha-2 code.
impl Setting for Country {
    fn schema(_: &[&str]) -> String {
        r#"{"type":"string"}"#.to_owned()
    }

    fn from_value(name: &str, value: Value, _: &[&str]) -> Result<Self, Failure> {
        let text = text(name, value, "text")?;
        Country::find(&text).ok_or_else(|| bad(format!("`{name}`: no country `{text}` is known")))
    }

    fn shown(&self) -> Option<String> {
        None
    }
}

/// Not given or null is `None`.
impl<T: Setting> Setting for Option<T> {
    const ABSENT: Option<&'static str> = Some("null");

    fn schema(words: &[&str]) -> String {
        format!(r#"{{"anyOf":[{},{{"type":"null"}}]}}"#, T::schema(words))
    }

    fn from_value(name: &str, value: Value, words: &[&str]) -> Result<Self, Failure> {
        T::from_value(name, value, words).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn shown(&self) -> Option<String> {
        self.as_ref().map_or_else(|| Some("null".to_owned()), Setting::shown)
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn schema(words: &[&str]) -> String {
        format!(r#"{{"type":"array","items":{}}}"#, T::schema(words))
    }

    fn from_value(name: &str, value: Value, words: &[&str]) -> Result<Self, Failure> {
        match value {
            Value::List(items) => {
                items.into_iter().map(|item| T::from_value(name, item, words)).collect()
            }
            other => Err(expected(name, "a list", &other)),
        }
    }

    fn shown(&self) -> Option<String> {
        let items: Option<Vec<String>> = self.iter().map(Setting::shown).collect();
        Some(format!("[{}]", items?.join(",")))
    }
}

/// A map, in the order in which it is written.
impl<T: Setting> Setting for Vec<(String, T)> {
    fn schema(words: &[&str]) -> String {
        format!(r#"{{"type":"object","additionalProperties":{}}}"#, T::schema(words))
    }

    fn from_value(name: &str, value: Value, words: &[&str]) -> Result<Self, Failure> {
        match value {
            Value::Map(entries) => {
                let read = |(key, value)| Ok((key, T::from_value(name, value, words)?));
                entries.into_iter().map(read).collect()
            }
            other => Err(expected(name, "a map", &other)),
        }
    }

    fn shown(&self) -> Option<String> {
        let entry =
            |(key, value): &(String, T)| Some(format!("{}:{}", quoted(key), value.shown()?));
        let entries: Option<Vec<String>> = self.iter().map(entry).collect();
        Some(format!("{{{}}}", entries?.join(",")))
    }
}

fn text(name: &str, value: Value, what: &str) -> Result<String, Failure> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(expected(name, what, &other)),
    }
}

fn expected(name: &str, what: &str, found: &Value) -> Failure {
    bad(format!("`{name}`: expected {what}, found {}", found.name()))
}

fn none_of<'a>(name: &str, text: &str, words: impl Iterator<Item = &'a str>) -> Failure {
    bad(format!("`{name}`: `{text}` is none of {}", join(words)))
}
