//! One value of a row, typed, and how values compare.
//!
//! Pure. Text borrows from the body or from the row, so that neither reading
//! nor writing copies it. Comparison is the service's: text without regard to
//! case and trailing blanks.

use std::borrow::Cow;
use std::cmp::Ordering;

use uuid::Uuid;

use crate::settings::KeyRules;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    /// Whole numbers and options.
    Int(i64),
    /// Scaled by the column's scale.
    Decimal(i128),
    Double(f64),
    Text(Cow<'a, str>),
    /// Seconds since 1970, UTC.
    Time(i64),
    /// Days since 1970.
    Date(i32),
    Guid(Uuid),
    /// Position in the column's targets, and the record.
    Lookup(u8, Uuid),
}

impl Cell<'_> {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Cell::Null)
    }

    /// The record that a reference or id names.
    pub(crate) fn id(&self) -> Option<Uuid> {
        match self {
            Cell::Guid(id) | Cell::Lookup(_, id) => Some(*id),
            _ => None,
        }
    }
}

/// Orders two values of one column; null comes first. `None` for values of
/// different types.
pub(crate) fn compare(a: &Cell<'_>, b: &Cell<'_>) -> Option<Ordering> {
    Some(match (a, b) {
        (Cell::Null, Cell::Null) => Ordering::Equal,
        (Cell::Null, _) => Ordering::Less,
        (_, Cell::Null) => Ordering::Greater,
        (Cell::Bool(a), Cell::Bool(b)) => a.cmp(b),
        (Cell::Int(a), Cell::Int(b)) => a.cmp(b),
        (Cell::Decimal(a), Cell::Decimal(b)) => a.cmp(b),
        (Cell::Double(a), Cell::Double(b)) => a.total_cmp(b),
        (Cell::Text(a), Cell::Text(b)) => compare_text(a, b),
        (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
        (Cell::Date(a), Cell::Date(b)) => a.cmp(b),
        _ => a.id()?.cmp(&b.id()?),
    })
}

/// Equality as keys see it.
pub(crate) fn same(a: &Cell<'_>, b: &Cell<'_>, rules: KeyRules) -> bool {
    match (a, b) {
        (Cell::Text(a), Cell::Text(b)) if rules.as_filters() => same_text(a, b),
        (Cell::Text(a), Cell::Text(b)) => keyed(a, rules) == keyed(b, rules),
        _ => match (a.id(), b.id()) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

/// The part of a text by which keys compare it.
pub(crate) fn keyed(text: &str, rules: KeyRules) -> Cow<'_, str> {
    match (rules.trailing_blanks, rules.case_sensitive) {
        (false, false) => fold(text),
        (false, true) => Cow::Borrowed(text.trim_end_matches(' ')),
        (true, false) => Cow::Owned(text.to_lowercase()),
        (true, true) => Cow::Borrowed(text),
    }
}

/// Lower case, no trailing blanks.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim_end_matches(' ');
    if trimmed.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(trimmed)
    } else {
        Cow::Owned(trimmed.to_lowercase())
    }
}

fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim_end_matches(' '), b.trim_end_matches(' '));
    if a.is_ascii() && b.is_ascii() { a.eq_ignore_ascii_case(b) } else { fold(a) == fold(b) }
}

fn compare_text(a: &str, b: &str) -> Ordering {
    if same_text(a, b) { Ordering::Equal } else { fold(a).cmp(&fold(b)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_compares_without_case_and_trailing_blanks() {
        let text = |text: &'static str| Cell::Text(Cow::Borrowed(text));
        assert_eq!(compare(&text("AW-1 "), &text("aw-1")), Some(Ordering::Equal));
        assert_eq!(compare(&text("b"), &text("A")), Some(Ordering::Greater));
        let usual = KeyRules::default();
        assert!(same(&text("ÄÖ"), &text("äö "), usual));
        assert!(!same(&text("AW"), &text("aw"), KeyRules { case_sensitive: true, ..usual }));
        assert!(!same(&text("a "), &text("A"), KeyRules { trailing_blanks: true, ..usual }));
        assert!(same(&text("a "), &text("A "), KeyRules { trailing_blanks: true, ..usual }));
        assert!(!same(&text(" a"), &text("a"), usual));
    }

    #[test]
    fn values_of_different_types_do_not_compare() {
        assert_eq!(compare(&Cell::Int(1), &Cell::Bool(true)), None);
        assert_eq!(compare(&Cell::Null, &Cell::Bool(true)), Some(Ordering::Less));
    }
}
