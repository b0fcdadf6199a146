//! The CSV settings, checked and ready for use.
//!
//! Pure.

use crate::error::SourceError;
use crate::settings::{CsvSettings, Settings, SourceKind};
use crate::text::{self, Encoded};
use crate::value::{self, Notation};

/// How the files are written.
#[derive(Debug)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    /// Bytes that end a plain field: delimiter and line feed.
    pub(crate) ends_plain: [bool; 256],
    /// Bytes that matter between quotes: quote, escape and line feed.
    pub(crate) inside_quotes: [bool; 256],
    pub(crate) header: bool,
    pub(crate) nulls: Vec<Vec<u8>>,
    /// The only null is the empty field, as nearly always.
    pub(crate) only_empty_is_null: bool,
    pub(crate) notation: Notation,
    pub(crate) encoded: Encoded,
    pub(crate) record_bytes_max: usize,
}

impl Dialect {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SourceError> {
        let csv = &settings.csv;
        let delimiter = mark("csv.delimiter", csv.delimiter)?;
        let mut quotes = csv.quote.chars();
        let quote = match (quotes.next(), quotes.next()) {
            (None, _) => None,
            (Some(quote), None) => Some(mark("csv.quote", quote)?),
            _ => return Err(no_mark("csv.quote", csv.quote.clone())),
        };
        let escape = csv.escape.map(|escape| mark("csv.escape", escape)).transpose()?;
        // An escape that is the quote is what doubling means already.
        let escape = escape.filter(|_| quote.is_some() && escape != quote);
        if quote == Some(delimiter) || escape == Some(delimiter) {
            return Err(SourceError::Setting {
                setting: "csv.delimiter",
                expected: "another character than `csv.quote` and `csv.escape`",
                found: csv.delimiter.to_string(),
            });
        }
        let (mut ends_plain, mut inside_quotes) = ([false; 256], [false; 256]);
        for byte in [delimiter, b'\n'] {
            ends_plain[usize::from(byte)] = true;
        }
        for byte in [quote, escape, Some(b'\n')].into_iter().flatten() {
            inside_quotes[usize::from(byte)] = true;
        }
        let nulls: Vec<_> = csv.null.iter().map(|word| word.clone().into_bytes()).collect();
        Ok(Self {
            delimiter,
            quote,
            escape,
            ends_plain,
            inside_quotes,
            header: csv.header,
            only_empty_is_null: nulls.len() == 1 && nulls[0].is_empty(),
            nulls,
            notation: notation(csv)?,
            encoded: Encoded {
                kind: SourceKind::Csv,
                encoding: text::encoding_of(csv.encoding.as_deref())?,
            },
            record_bytes_max: text::record_bytes_max(settings)?,
        })
    }

    /// The field means null.
    #[inline]
    pub(crate) fn is_null(&self, field: &[u8]) -> bool {
        if self.only_empty_is_null {
            field.is_empty()
        } else {
            self.nulls.iter().any(|null| null == field)
        }
    }
}

fn notation(csv: &CsvSettings) -> Result<Notation, SourceError> {
    let decimal = match csv.decimal {
        '.' => b'.',
        ',' => b',',
        other => {
            return Err(SourceError::Setting {
                setting: "csv.decimal",
                expected: "`.` or `,`",
                found: other.to_string(),
            });
        }
    };
    let thousands = match csv.thousands {
        None => None,
        Some(mark @ ('.' | ',' | '\'' | '_' | ' ')) if mark != csv.decimal => {
            u8::try_from(mark).ok()
        }
        Some(other) => {
            return Err(SourceError::Setting {
                setting: "csv.thousands",
                expected: "`.`, `,`, `'`, `_` or a blank, and not the decimal separator",
                found: other.to_string(),
            });
        }
    };
    for (setting, format, with_clock) in [
        ("csv.date_format", &csv.date_format, false),
        ("csv.timestamp_format", &csv.timestamp_format, true),
    ] {
        if let Some(format) = format
            && !value::format_is_sound(format, with_clock)
        {
            return Err(SourceError::Setting {
                setting,
                expected: "a form such as `%d.%m.%Y` or `%d.%m.%Y %H:%M:%S`",
                found: format.clone(),
            });
        }
    }
    Ok(Notation {
        decimal,
        thousands,
        true_words: csv.true_words.clone(),
        false_words: csv.false_words.clone(),
        date_format: csv.date_format.clone(),
        timestamp_format: csv.timestamp_format.clone(),
    })
}

fn mark(setting: &'static str, mark: char) -> Result<u8, SourceError> {
    match u8::try_from(mark) {
        Ok(byte) if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) => Ok(byte),
        _ => Err(no_mark(setting, mark.to_string())),
    }
}

fn no_mark(setting: &'static str, found: String) -> SourceError {
    SourceError::Setting { setting, expected: "one ASCII character, not a line end", found }
}
