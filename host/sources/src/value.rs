//! Text to values: what counts as a number, a truth value, a day, an instant.
//!
//! Pure; allocates nothing. Two readings: *inferred* types take only text that
//! the type gives back unchanged (`007`, `+5` and ` 5` are no numbers there, so
//! a code is never mistaken for one), *declared* types take what a person would.

mod number;
mod time;

pub(crate) use number::{decimal, float64, int64};
pub(crate) use time::{date, format_is_sound, timestamp};

/// How strictly text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The type was inferred.
    Inferred,
    /// The type was declared, or the value is a number by its syntax (JSON).
    Declared,
}

/// How values are written, beyond their plain forms.
#[derive(Debug, Clone)]
pub(crate) struct Notation {
    /// Decimal separator.
    pub(crate) decimal: u8,
    /// Separator of groups of three digits.
    pub(crate) thousands: Option<u8>,
    /// Words for true, lower-case.
    pub(crate) true_words: Vec<String>,
    /// Words for false, lower-case.
    pub(crate) false_words: Vec<String>,
    /// Form of dates, ISO if absent.
    pub(crate) date_format: Option<String>,
    /// Form of timestamps, ISO if absent.
    pub(crate) timestamp_format: Option<String>,
}

impl Default for Notation {
    fn default() -> Self {
        Self {
            decimal: b'.',
            thousands: None,
            true_words: vec!["true".to_owned()],
            false_words: vec!["false".to_owned()],
            date_format: None,
            timestamp_format: None,
        }
    }
}

/// A truth value; declared columns also take `1` and `0`.
pub(crate) fn boolean(text: &[u8], notation: &Notation, reading: Reading) -> Option<bool> {
    let text = trimmed(text, reading);
    let is = |words: &[String]| words.iter().any(|word| same_word(word, text));
    if is(&notation.true_words) {
        Some(true)
    } else if is(&notation.false_words) {
        Some(false)
    } else if reading == Reading::Declared {
        match text {
            b"1" => Some(true),
            b"0" => Some(false),
            _ => None,
        }
    } else {
        None
    }
}

fn same_word(word: &str, text: &[u8]) -> bool {
    word.len() == text.len() && word.as_bytes().eq_ignore_ascii_case(text)
}

/// Declared columns do not mind blanks around a value.
fn trimmed(text: &[u8], reading: Reading) -> &[u8] {
    match reading {
        Reading::Inferred => text,
        Reading::Declared => text.trim_ascii(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_values_are_words_unless_declared() {
        let notation = Notation::default();
        for (text, inferred, declared) in [
            ("true", Some(true), Some(true)),
            ("FALSE", Some(false), Some(false)),
            (" true", None, Some(true)),
            ("1", None, Some(true)),
            ("0", None, Some(false)),
            ("yes", None, None),
        ] {
            assert_eq!(boolean(text.as_bytes(), &notation, Reading::Inferred), inferred, "{text}");
            assert_eq!(boolean(text.as_bytes(), &notation, Reading::Declared), declared, "{text}");
        }
    }
}
