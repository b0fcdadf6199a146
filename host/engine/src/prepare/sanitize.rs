//! Text made clean before it is looked at, as the job says.
//!
//! Pure. Steps run in the order in which the job lists them; a text that no
//! step changes is not copied.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::job::Sanitize;

/// Runs the steps over one text; `None` is null.
pub(crate) fn sanitize<'a>(steps: &[Sanitize], text: &'a str) -> Option<Cow<'a, str>> {
    let mut text = Cow::Borrowed(text);
    for step in steps {
        text = match (step, text) {
            (Sanitize::EmptyToNull, text) if text.is_empty() => return None,
            (Sanitize::EmptyToNull, text) => text,
            (step, Cow::Borrowed(text)) => apply(*step, text),
            (step, Cow::Owned(text)) => match apply(*step, &text) {
                Cow::Borrowed(same) if same.len() == text.len() => Cow::Owned(text),
                changed => Cow::Owned(changed.into_owned()),
            },
        };
    }
    Some(text)
}

fn apply(step: Sanitize, text: &str) -> Cow<'_, str> {
    match step {
        Sanitize::Trim => Cow::Borrowed(text.trim()),
        Sanitize::CollapseSpaces => collapse_spaces(text),
        Sanitize::Upper if text.chars().any(|c| !c.is_uppercase() && c.is_alphabetic()) => {
            Cow::Owned(text.to_uppercase())
        }
        Sanitize::Lower if text.chars().any(char::is_uppercase) => Cow::Owned(text.to_lowercase()),
        Sanitize::Title => title(text),
        Sanitize::StripControl if text.chars().any(unwanted) => {
            Cow::Owned(text.chars().filter(|&c| !unwanted(c)).collect())
        }
        Sanitize::Nfc if !is_nfc(text) => Cow::Owned(text.nfc().collect()),
        _ => Cow::Borrowed(text),
    }
}

/// Each word starts large, the rest of it is small.
fn title(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if c.is_alphanumeric() || c == '\'' {
            if inside {
                out.extend(c.to_lowercase());
            } else {
                out.extend(c.to_uppercase());
            }
            inside = true;
        } else {
            out.push(c);
            inside = false;
        }
    }
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// Runs of white space become one blank.
fn collapse_spaces(text: &str) -> Cow<'_, str> {
    let mut previous_blank = false;
    let untidy = text.chars().any(|c| {
        let blank = c.is_whitespace();
        let bad = blank && (previous_blank || c != ' ');
        previous_blank = blank;
        bad
    });
    if !untidy {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut pending = false;
    for c in text.chars() {
        if c.is_whitespace() {
            if !pending {
                out.push(' ');
            }
            pending = true;
        } else {
            out.push(c);
            pending = false;
        }
    }
    Cow::Owned(out)
}

/// Control characters, but for tab and line ends.
fn unwanted(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(steps: &[Sanitize], text: &str, expect: Option<&str>) {
        assert_eq!(sanitize(steps, text).as_deref(), expect, "{steps:?} over {text:?}");
    }

    #[test]
    fn each_step_does_its_one_thing() {
        check(&[], " a ", Some(" a "));
        check(&[Sanitize::Trim], " a b\u{a0}\n", Some("a b"));
        check(&[Sanitize::CollapseSpaces], " a \t\u{a0} b ", Some(" a b "));
        check(&[Sanitize::Upper], "straße", Some("STRASSE"));
        check(&[Sanitize::Lower], "ÄBC", Some("äbc"));
        check(&[Sanitize::Title], "o'NEIL & sons-IN-law", Some("O'neil & Sons-In-Law"));
        check(&[Sanitize::StripControl], "a\u{7}b\nc", Some("ab\nc"));
        check(&[Sanitize::Nfc], "e\u{301}", Some("é"));
        check(&[Sanitize::EmptyToNull], "", None);
    }

    #[test]
    fn steps_run_in_their_order() {
        check(&[Sanitize::Trim, Sanitize::EmptyToNull], "  ", None);
        check(&[Sanitize::EmptyToNull, Sanitize::Trim], "  ", Some(""));
        check(&[Sanitize::StripControl, Sanitize::Trim], "\u{7} a ", Some("a"));
    }
}
