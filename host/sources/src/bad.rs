//! What is wrong with a record, in words.
//!
//! Pure.

use crate::source::BadRow;

/// Bytes of a bad record that are kept.
pub(crate) const TEXT_BYTES_MAX: usize = 4096;

/// Characters of a value that a message shows.
const SHOWN_CHARS_MAX: usize = 80;

/// What is wrong with a record, before it has its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadRecord {
    pub(crate) code: &'static str,
    pub(crate) column: Option<String>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl BadRecord {
    pub(crate) fn malformed(message: impl Into<String>, hint: Option<&str>) -> Self {
        let hint = hint.map(str::to_owned);
        Self { code: "malformed_record", column: None, message: message.into(), hint }
    }

    pub(crate) fn too_long(record_bytes_max: usize) -> Self {
        Self {
            code: "record_too_long",
            column: None,
            message: format!("the record is longer than {record_bytes_max} bytes"),
            hint: Some("raise `record_bytes_max` if the record is right".to_owned()),
        }
    }

    /// A value that does not fit the type of its column.
    pub(crate) fn misfit(column: &str, expected: &str, value: &str, declared: bool) -> Self {
        let hint = if declared {
            format!("`types` says {expected}: correct the value or declare `{column} = \"text\"`")
        } else {
            format!(
                "the first rows looked like {expected}: declare `{column} = \"text\"` in `types`"
            )
        };
        Self {
            code: "type_mismatch",
            column: Some(column.to_owned()),
            message: format!(
                "cannot read column `{column}`: expected {expected}, found `{}`",
                shortened(value)
            ),
            hint: Some(hint),
        }
    }
}

/// A bad record in its place.
pub(crate) fn row(bad: BadRecord, ordinal: u64, line: u64, raw: Option<&[u8]>) -> BadRow {
    BadRow {
        ordinal,
        line,
        column: bad.column,
        code: bad.code,
        message: bad.message,
        hint: bad.hint,
        text: raw.map(excerpt),
    }
}

/// A value as a message shows it.
pub(crate) fn shortened(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value.to_owned(),
    }
}

fn excerpt(raw: &[u8]) -> String {
    let cut = raw.len() > TEXT_BYTES_MAX;
    let mut kept = &raw[..raw.len().min(TEXT_BYTES_MAX)];
    if cut && let Some(chunk) = kept.utf8_chunks().last() {
        // Half a character at the cut is not the record's fault.
        let tail = chunk.invalid().len();
        if tail < 4 {
            kept = &kept[..kept.len() - tail];
        }
    }
    String::from_utf8_lossy(kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "ä".repeat(3000);
        let shown = excerpt(text.as_bytes());
        assert!(shown.len() <= TEXT_BYTES_MAX);
        assert_eq!(shortened(&"é".repeat(81)), format!("{}...", "é".repeat(80)));
        assert_eq!(shortened("short"), "short");
        assert_eq!(excerpt(b"a\xffb"), "a\u{fffd}b");
        let odd = format!("x{text}");
        assert_eq!(excerpt(odd.as_bytes()).chars().filter(|&c| c == '\u{fffd}').count(), 0);
    }
}
