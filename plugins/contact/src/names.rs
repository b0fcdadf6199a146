//! A name to show, from the local part of an e-mail address: the source has
//! none. Pure.
//!
//! Digits at the end and a `+tag` go; each part begins in upper case. A first
//! name only where a dot or an underscore parts the two; else all of it is the
//! last name, since that is the one that a CRM asks for.

/// Most UTF-16 units of `firstname` and of `lastname`.
const UNITS_MAX: usize = 50;

/// First name, where there is one, and last name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) first: Option<&'a str>,
    pub(crate) last: &'a str,
}

/// Parts of an address in its form; nothing where no letter is left.
pub(crate) fn of_email(email: &str) -> Option<Name<'_>> {
    let (local, _) = email.split_once('@')?;
    let local = local.split('+').next()?.trim_end_matches(|c: char| c.is_ascii_digit());
    let separators = ['.', '_'];
    let name = match local.trim_matches(separators).rsplit_once(separators) {
        Some((first, last)) => Name { first: Some(first), last },
        None => Name { first: None, last: local.trim_matches(separators) },
    };
    name.last.contains(char::is_alphabetic).then_some(name)
}

/// Adds a part as a name: each word begins in upper case.
pub(crate) fn push(part: &str, into: &mut String) {
    // Nearly all names: one word of ASCII.
    if part.len() <= UNITS_MAX && part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let start = into.len();
        into.push_str(part);
        if let Some(first) = into.get_mut(start..=start) {
            first.make_ascii_uppercase();
        }
        return;
    }
    let mut start = true;
    let mut units = 0;
    for c in part.chars() {
        units += c.len_utf16();
        if units > UNITS_MAX {
            return;
        }
        let c = if c == '.' || c == '_' { ' ' } else { c };
        if start {
            into.extend(c.to_uppercase());
        } else {
            into.push(c);
        }
        start = !c.is_alphanumeric();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_derived_from_the_local_part() {
        let cases = [
            ("jon24@example.com", "|Jon"),
            ("jean-paul3@example.com", "|Jean-Paul"),
            ("anna.lee7@example.com", "Anna|Lee"),
            ("anna_maria.lee@example.com", "Anna Maria|Lee"),
            ("jos\u{e9}1@example.com", "|Jos\u{e9}"),
            ("\u{e9}mile@example.com", "|\u{c9}mile"),
            ("ann+news@example.com", "|Ann"),
            ("o'neil@example.com", "|O'Neil"),
            (".ann.@example.com", "|Ann"),
            ("ann.24@example.com", "|Ann"),
            ("x1y2@example.com", "|X1y"),
            ("4711@example.com", "(none)"),
            ("+@example.com", "(none)"),
            ("no address", "(none)"),
        ];
        for (email, expected) in cases {
            let found = of_email(email).map_or("(none)".to_owned(), |name| {
                let mut text = String::new();
                push(name.first.unwrap_or_default(), &mut text);
                text.push('|');
                push(name.last, &mut text);
                text
            });
            assert_eq!(found, expected, "{email}");
        }
    }

    #[test]
    fn a_name_is_not_longer_than_its_column() {
        let mut name = String::new();
        push(&"\u{e4}".repeat(80), &mut name);
        assert_eq!(name.chars().count(), UNITS_MAX);
    }
}
