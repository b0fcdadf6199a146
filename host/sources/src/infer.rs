//! Which type the values of a column suggest.
//!
//! Pure. A type is chosen only if every value that was looked at gives itself
//! back unchanged in it; else the column is text.

use crate::column::ColumnType;
use crate::declared::DeclaredType;
use crate::value::{self, Notation, Reading};

const INT64: u8 = 1;
const FLOAT64: u8 = 1 << 1;
const BOOLEAN: u8 = 1 << 2;
const DATE: u8 = 1 << 3;
const TIMESTAMP: u8 = 1 << 4;
const TIMESTAMP_ZONED: u8 = 1 << 5;
const ALL: u8 = (1 << 6) - 1;

/// What the values of a column can still be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidates {
    left: u8,
    any: bool,
}

impl Candidates {
    pub(crate) fn new() -> Self {
        Self { left: ALL, any: false }
    }

    /// Looks at a field of CSV that is not null.
    pub(crate) fn see(&mut self, text: &[u8], notation: &Notation) {
        self.any = true;
        if self.left != 0 {
            self.left &= suggested(text, notation);
        }
    }

    /// Looks at a JSON string: a number in quotes was meant as text.
    pub(crate) fn see_string(&mut self, text: &[u8], notation: &Notation) {
        self.any = true;
        if self.left != 0 {
            self.left &= suggested(text, notation) & (DATE | TIMESTAMP | TIMESTAMP_ZONED);
        }
    }

    /// Looks at a JSON number.
    pub(crate) fn see_number(&mut self, text: &[u8], notation: &Notation) {
        self.any = true;
        self.left &= if value::int64(text, notation, Reading::Inferred).is_some() {
            INT64 | FLOAT64
        } else if text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
            && text.iter().filter(|byte| byte.is_ascii_digit()).count() <= 20
            && value::float64(text, notation, Reading::Declared).is_some()
        {
            FLOAT64
        } else {
            0
        };
    }

    /// Looks at a JSON `true` or `false`.
    pub(crate) fn see_boolean(&mut self) {
        self.any = true;
        self.left &= BOOLEAN;
    }

    /// Looks at something that only text can hold.
    pub(crate) fn see_other(&mut self) {
        self.any = true;
        self.left = 0;
    }

    /// The column's type; a declared one goes before what was seen.
    pub(crate) fn decide(self, declared: Option<DeclaredType>) -> ColumnType {
        let left = if self.any { self.left } else { 0 };
        let zoned = left & TIMESTAMP_ZONED != 0;
        if let Some(declared) = declared {
            let zoned = zoned && left & TIMESTAMP == 0 && declared == DeclaredType::Timestamp;
            return ColumnType { declared, reading: Reading::Declared, zoned };
        }
        let declared = if left & INT64 != 0 {
            DeclaredType::Int64
        } else if left & FLOAT64 != 0 {
            DeclaredType::Float64
        } else if left & BOOLEAN != 0 {
            DeclaredType::Boolean
        } else if left & DATE != 0 {
            DeclaredType::Date
        } else if left & (TIMESTAMP | TIMESTAMP_ZONED) != 0 {
            DeclaredType::Timestamp
        } else {
            DeclaredType::Text
        };
        let zoned = zoned && declared == DeclaredType::Timestamp;
        ColumnType { declared, reading: Reading::Inferred, zoned }
    }
}

fn suggested(text: &[u8], notation: &Notation) -> u8 {
    let mut types = 0;
    if value::int64(text, notation, Reading::Inferred).is_some() {
        types |= INT64;
    }
    if value::float64(text, notation, Reading::Inferred).is_some() {
        types |= FLOAT64;
    }
    if value::boolean(text, notation, Reading::Inferred).is_some() {
        types |= BOOLEAN;
    }
    if value::date(text, notation, Reading::Inferred).is_some() {
        types |= DATE;
    }
    match value::timestamp(text, notation, Reading::Inferred) {
        Some((_, true)) => types |= TIMESTAMP_ZONED,
        Some((_, false)) => types |= TIMESTAMP,
        None => {}
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(values: &[&str]) -> String {
        let mut candidates = Candidates::new();
        values.iter().for_each(|value| candidates.see(value.as_bytes(), &Notation::default()));
        let column_type = candidates.decide(None);
        format!("{}{}", column_type.declared, if column_type.zoned { " utc" } else { "" })
    }

    #[test]
    fn a_type_is_chosen_only_if_every_value_fits_it() {
        for (values, expected) in [
            (&["1", "-5"][..], "int64"),
            (&["1", "2.5"], "float64"),
            (&["12345678901234567", "2.5"], "text"),
            (&["98052", "01234"], "text"),
            (&["38103", "V6B 1A1"], "text"),
            (&["+49"], "text"),
            (&["true", "False"], "boolean"),
            (&["true", "1"], "text"),
            (&["2025-09-11"], "date"),
            (&["2025-09-11", "2025-09-11 11:15:07.497"], "timestamp"),
            (&["2025-09-11T11:15:07Z", "2025-09-11T11:15:07+02:00"], "timestamp utc"),
            (&["2025-09-11T11:15:07Z", "2025-09-11T11:15:07"], "text"),
            (&["abc"], "text"),
            (&[], "text"),
        ] {
            assert_eq!(inferred(values), expected, "{values:?}");
        }
    }
}
