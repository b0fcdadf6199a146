//! Where a record's fields start and end.
//!
//! Pure and without memory: what it says depends on the bytes from the record's
//! start on, so reading can go on from any record. RFC 4180, and what is left
//! open there: a quote inside a plain field is a character like any other; after
//! a closing quote only a delimiter or the record's end may come.

use crate::csv::dialect::Dialect;

/// A field's place in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Without an opening quote.
    pub(crate) start: u32,
    /// Without a closing quote.
    pub(crate) end: u32,
    /// How it is written.
    pub(crate) form: Form,
}

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Without quotes.
    Plain,
    /// In quotes; its text is as it stands there.
    Quoted,
    /// In quotes; doubled quotes or escapes are in it.
    Escaped,
}

/// What the bytes from a record's start on are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// A record.
    Record {
        /// Its bytes without the line end.
        content: usize,
        /// Its bytes with the line end.
        length: usize,
        /// Physical lines.
        lines: u64,
    },
    /// The bytes end before the record does.
    Open {
        /// They end inside the quotes of the field after those found.
        quoted: bool,
    },
    /// Something follows the closing quote of the last field found.
    Stray {
        /// Line feeds between the record's start and that quote.
        newlines: u64,
    },
    /// More fields than any record of the file has, over several lines: a quote
    /// has been opened that should not be.
    Sprawling,
}

/// Splits the record at the start of `bytes`, which are not empty; `ended`: there
/// are no bytes after them. A record of several lines has at most `fields_max`
/// fields.
pub(crate) fn split(
    dialect: &Dialect,
    bytes: &[u8],
    ended: bool,
    fields_max: usize,
    fields: &mut Vec<Span>,
) -> Split {
    fields.clear();
    let mut at = 0;
    let mut newlines = 0;
    loop {
        if dialect.quote.is_some() && bytes.get(at).copied() == dialect.quote {
            let Some((end, form)) = closing_quote(dialect, bytes, at + 1, ended, &mut newlines)
            else {
                return Split::Open { quoted: true };
            };
            fields.push(span(at + 1, end, form));
            if newlines > 0 && fields.len() > fields_max {
                return Split::Sprawling;
            }
            let after = end + 1;
            match bytes.get(after) {
                Some(&byte) if byte == dialect.delimiter => at = after + 1,
                Some(b'\n') => return record(after, after + 1, newlines),
                Some(b'\r') => match bytes.get(after + 1) {
                    Some(b'\n') => return record(after, after + 2, newlines),
                    None if ended => return record(after, after + 1, newlines),
                    None => return Split::Open { quoted: false },
                    Some(_) => return Split::Stray { newlines },
                },
                None => return record(after, after, newlines),
                Some(_) => return Split::Stray { newlines },
            }
            continue;
        }
        let length = bytes[at..].iter().position(|&byte| dialect.ends_plain[usize::from(byte)]);
        let Some(length) = length else {
            if !ended {
                return Split::Open { quoted: false };
            }
            let end = without_return(bytes, at, bytes.len());
            fields.push(span(at, end, Form::Plain));
            return record(end, bytes.len(), newlines);
        };
        let end = at + length;
        if bytes[end] == b'\n' {
            let content = without_return(bytes, at, end);
            fields.push(span(at, content, Form::Plain));
            return record(content, end + 1, newlines);
        }
        fields.push(span(at, end, Form::Plain));
        at = end + 1;
    }
}

/// Finds the closing quote of a field whose text starts at `at`; `None` if the
/// bytes do not tell.
fn closing_quote(
    dialect: &Dialect,
    bytes: &[u8],
    mut at: usize,
    ended: bool,
    newlines: &mut u64,
) -> Option<(usize, Form)> {
    let mut form = Form::Quoted;
    loop {
        at += bytes.get(at..)?.iter().position(|&b| dialect.inside_quotes[usize::from(b)])?;
        let byte = bytes[at];
        if byte == b'\n' {
            *newlines += 1;
            at += 1;
        } else if Some(byte) == dialect.escape {
            if *bytes.get(at + 1)? == b'\n' {
                *newlines += 1;
            }
            form = Form::Escaped;
            at += 2;
        } else {
            match bytes.get(at + 1) {
                Some(&next) if next == byte => {
                    form = Form::Escaped;
                    at += 2;
                }
                None if !ended => return None,
                _ => return Some((at, form)),
            }
        }
    }
}

/// The text of an escaped field, onto `text`.
pub(crate) fn unescape(dialect: &Dialect, field: &[u8], text: &mut Vec<u8>) {
    let mut bytes = field.iter();
    while let Some(&byte) = bytes.next() {
        // Doubled quotes and escapes alike: the next byte is what is meant.
        let first_of_two = Some(byte) == dialect.quote || Some(byte) == dialect.escape;
        match bytes.as_slice().first() {
            Some(&next) if first_of_two => {
                text.push(next);
                bytes.next();
            }
            _ => text.push(byte),
        }
    }
}

fn record(content: usize, length: usize, newlines: u64) -> Split {
    Split::Record { content, length, lines: newlines + 1 }
}

/// A carriage return before the line feed belongs to the line end.
fn without_return(bytes: &[u8], start: usize, end: usize) -> usize {
    if end > start && bytes[end - 1] == b'\r' { end - 1 } else { end }
}

#[inline]
fn span(start: usize, end: usize, form: Form) -> Span {
    // Records are at most 256 MiB.
    let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Span { start: place(start), end: place(end), form }
}
