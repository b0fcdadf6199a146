//! E-mail addresses in one form: lower case, without blanks around. Pure.
//!
//! Checked as far as a typing error shows: one `@`, something before it, a
//! domain with a dot, no blanks or control characters, at most 100 UTF-16 units
//! (what Dataverse's e-mail columns hold). Letters beyond ASCII are allowed, as
//! mail servers allow them.

use std::fmt;

/// Most UTF-16 units of an address.
pub const UNITS_MAX: usize = 100;

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailError {
    /// Not exactly one `@`, or nothing before it.
    NoLocalPart,
    /// What follows the `@` is no domain.
    NoDomain,
    /// A blank, a control character or a delimiter inside.
    BadCharacter,
    /// More than [`UNITS_MAX`].
    TooLong,
}

impl fmt::Display for EmailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EmailError::NoLocalPart => "has not one `@` with a name before it",
            EmailError::NoDomain => "has no domain after the `@`",
            EmailError::BadCharacter => "has a character that an address cannot have",
            EmailError::TooLong => "is longer than 100 characters",
        })
    }
}

impl std::error::Error for EmailError {}

/// Adds the address in its form.
///
/// # Errors
/// Why it is none; nothing is added then.
pub fn normalize(text: &str, into: &mut String) -> Result<(), EmailError> {
    let text = text.trim();
    let (local, domain) = text.split_once('@').ok_or(EmailError::NoLocalPart)?;
    if local.is_empty() || domain.contains('@') {
        return Err(EmailError::NoLocalPart);
    }
    let dotted = domain.bytes().any(|byte| byte == b'.');
    if !dotted
        || domain.starts_with('.')
        || domain.ends_with('.')
        || domain.as_bytes().windows(2).any(|pair| pair == b"..")
    {
        return Err(EmailError::NoDomain);
    }
    // Nearly all bytes are letters, digits or points: no need to decode them.
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'@' | b'_');
    if !text.bytes().all(plain) && text.contains(is_bad) {
        return Err(EmailError::BadCharacter);
    }
    let start = into.len();
    if text.is_ascii() {
        into.push_str(text);
        into[start..].make_ascii_lowercase();
    } else {
        into.extend(text.chars().flat_map(char::to_lowercase));
    }
    if text.len() > UNITS_MAX && into[start..].encode_utf16().count() > UNITS_MAX {
        into.truncate(start);
        return Err(EmailError::TooLong);
    }
    Ok(())
}

fn is_bad(c: char) -> bool {
    let delimiter = matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"' | '[' | ']' | '\\');
    delimiter || c.is_whitespace() || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_lower_case_or_refused_with_the_reason() {
        use EmailError::{BadCharacter, NoDomain, NoLocalPart, TooLong};
        let long = format!("{}@example.com", "a".repeat(UNITS_MAX));
        let cases: [(&str, Result<&str, EmailError>); 15] = [
            ("jon24@example.com", Ok("jon24@example.com")),
            (" Jon24@Example.COM\t", Ok("jon24@example.com")),
            ("JOS\u{c9}1@example.com", Ok("jos\u{e9}1@example.com")),
            ("o'neil+news@mail.example.com", Ok("o'neil+news@mail.example.com")),
            ("", Err(NoLocalPart)),
            ("jon24", Err(NoLocalPart)),
            ("@example.com", Err(NoLocalPart)),
            ("a@b@example.com", Err(NoLocalPart)),
            ("jon24@", Err(NoDomain)),
            ("jon24@localhost", Err(NoDomain)),
            ("jon24@example..com", Err(NoDomain)),
            ("jon24@.com", Err(NoDomain)),
            ("jon 24@example.com", Err(BadCharacter)),
            ("Jon <jon24@example.com>", Err(BadCharacter)),
            (&long, Err(TooLong)),
        ];
        for (text, expected) in cases {
            let mut into = String::from("|");
            let found = normalize(text, &mut into);
            assert_eq!(found.map(|()| &into[1..]), expected, "{text:?}");
            assert!(found.is_ok() || into == "|", "{text:?} left {into:?}");
        }
    }
}
