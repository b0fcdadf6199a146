//! Text, and the lists of choices that are written as text.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{Array, ArrayRef, StringArray};

use super::raw::clean;
use super::whole::listed;
use super::{CellRules, Misfit};
use crate::job::TooLong;

/// Text of at most so many UTF-16 units; empty is null.
pub(super) fn texts(
    values: &StringArray,
    rules: &CellRules,
    length_max: u32,
    misfits: &mut Vec<Misfit>,
) -> ArrayRef {
    let length_max = usize::try_from(length_max).unwrap_or(usize::MAX);
    let mut out = StringBuilder::with_capacity(values.len(), values.value_data().len());
    for row in 0..values.len() {
        if values.is_null(row) {
            out.append_null();
            continue;
        }
        match clean(rules, values.value(row)) {
            None => out.append_null(),
            Some(text) => match fit(text, length_max, rules.too_long) {
                Ok(text) => out.append_value(text),
                Err((code, message)) => {
                    misfits.push(Misfit { row, code, message });
                    out.append_null();
                }
            },
        }
    }
    Arc::new(out.finish())
}

fn fit(
    text: Cow<'_, str>,
    length_max: usize,
    too_long: TooLong,
) -> Result<Cow<'_, str>, (&'static str, String)> {
    if let Some(bad) = text.chars().find(|&c| refused(c)) {
        let message =
            format!("control character U+{:04X} is refused by the service", u32::from(bad));
        return Err(("invalid_character", message));
    }
    // A character has at least one byte for each UTF-16 unit.
    if text.len() <= length_max {
        return Ok(text);
    }
    let length = text.encode_utf16().count();
    if length <= length_max {
        return Ok(text);
    }
    match too_long {
        TooLong::Truncate => Ok(Cow::Owned(truncate(&text, length_max).to_owned())),
        TooLong::Reject => Err((
            "text_too_long",
            format!("{length} characters, at most {length_max} fit: `{}`...", truncate(&text, 40)),
        )),
    }
}

/// Characters that XML, and so the service, cannot hold.
fn refused(c: char) -> bool {
    (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// The first characters that fit so many UTF-16 units.
fn truncate(text: &str, length_max: usize) -> &str {
    let mut length = 0;
    for (at, c) in text.char_indices() {
        length += c.len_utf16();
        if length > length_max {
            return &text[..at];
        }
    }
    text
}

/// `1,4`: ascending, each once, without blanks.
pub(super) fn multi_choices(
    values: &StringArray,
    rules: &CellRules,
    options: &[i32],
    misfits: &mut Vec<Misfit>,
) -> ArrayRef {
    let mut out = StringBuilder::new();
    for row in 0..values.len() {
        let text = if values.is_null(row) { None } else { clean(rules, values.value(row)) };
        let Some(text) = text else {
            out.append_null();
            continue;
        };
        let chosen: Result<Vec<i32>, &str> = text
            .split([',', ';'])
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                let value = rules.options.get(part).copied().or_else(|| part.parse().ok());
                value.filter(|value| options.contains(value)).ok_or(part)
            })
            .collect();
        match chosen {
            Ok(mut chosen) => {
                chosen.sort_unstable();
                chosen.dedup();
                let joined: Vec<String> = chosen.iter().map(ToString::to_string).collect();
                out.append_option((!joined.is_empty()).then(|| joined.join(",")));
            }
            Err(part) => {
                let there = listed(options);
                let message = format!("choice `{part}` does not exist, there are {there}");
                misfits.push(Misfit { row, code: "unknown_choice", message });
                out.append_null();
            }
        }
    }
    Arc::new(out.finish())
}
