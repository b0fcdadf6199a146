//! How records and values are written in URLs.
//!
//! The one place that quotes and percent-encodes. Pure.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

/// Everything but RFC 3986's unreserved characters is escaped.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// As [`COMPONENT`], but what OData's own syntax is made of stays readable and
/// short: it may stand in a query.
const QUERY: &AsciiSet = &COMPONENT
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b',')
    .remove(b'$')
    .remove(b'=')
    .remove(b'@')
    .remove(b'/')
    .remove(b':')
    .remove(b';');

/// Characters that the service takes in no key address, not even escaped (*Work
/// with alternate keys*); filters are fine with them.
pub const FORBIDDEN_IN_KEYS: [char; 10] = ['/', '<', '>', '*', '%', '&', ':', '\\', '?', '+'];

/// One part of an alternate key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeyPart<'a> {
    /// Text.
    Text(&'a str),
    /// A number, date or boolean as OData writes it: bare.
    Bare(&'a str),
    /// A reference; the column is addressed as `_x_value`.
    Lookup(Uuid),
    /// A GUID.
    Guid(Uuid),
}

/// A record cannot be addressed by this key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The service cannot take it in an address.
    #[error(
        "key column `{column}` holds `{character}` in `{value}`, which no key address may hold"
    )]
    Forbidden {
        /// The key column.
        column: String,
        /// The first such character.
        character: char,
        /// The whole value.
        value: String,
    },
}

/// Renders `accountnumber='O''Hara%20Co'`, or several parts joined by commas:
/// what stands between the parentheses of a key address, ready for a URL and
/// for `@odata.id`.
///
/// # Errors
/// A text holds one of [`FORBIDDEN_IN_KEYS`]: match such keys by filter.
pub fn key<'a>(
    parts: impl IntoIterator<Item = (&'a str, KeyPart<'a>)>,
) -> Result<String, AddressError> {
    let mut address = String::new();
    for (column, part) in parts {
        if !address.is_empty() {
            address.push(',');
        }
        match part {
            KeyPart::Text(text) => {
                if let Some(character) = text.chars().find(|c| FORBIDDEN_IN_KEYS.contains(c)) {
                    return Err(AddressError::Forbidden {
                        column: column.to_owned(),
                        character,
                        value: text.to_owned(),
                    });
                }
                address.push_str(column);
                address.push_str("='");
                for (position, piece) in text.split('\'').enumerate() {
                    if position > 0 {
                        address.push_str("''");
                    }
                    address.extend(utf8_percent_encode(piece, COMPONENT));
                }
                address.push('\'');
            }
            KeyPart::Bare(value) => {
                address.push_str(column);
                address.push('=');
                address.extend(utf8_percent_encode(value, COMPONENT));
            }
            KeyPart::Guid(id) => {
                address.push_str(column);
                address.push('=');
                address.push_str(&id.to_string());
            }
            KeyPart::Lookup(id) => {
                address.push_str(&format!("_{column}_value={id}"));
            }
        }
    }
    Ok(address)
}

/// Text as an OData literal: `'O''Hara'`, not percent-encoded.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Percent-encodes a query option's value.
pub(crate) fn query(value: &str) -> String {
    utf8_percent_encode(value, QUERY).to_string()
}

/// Percent-encodes a piece of text wholly.
pub(crate) fn component(value: &str) -> String {
    utf8_percent_encode(value, COMPONENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_quoted_then_escaped() {
        let id = Uuid::from_u128(0x7f);
        for (parts, expected) in [
            (vec![("accountnumber", KeyPart::Text("O'Hara Co"))], "accountnumber='O''Hara%20Co'"),
            (vec![("a", KeyPart::Text("Käse"))], "a='K%C3%A4se'"),
            (vec![("a", KeyPart::Text("EU")), ("n", KeyPart::Bare("42"))], "a='EU',n=42"),
            (
                vec![("parent", KeyPart::Lookup(id))],
                "_parent_value=00000000-0000-0000-0000-00000000007f",
            ),
        ] {
            assert_eq!(key(parts).unwrap(), expected);
        }
    }

    #[test]
    fn each_forbidden_character_is_refused_by_name() {
        for character in FORBIDDEN_IN_KEYS {
            let value = format!("a{character}b");
            let error = key([("new_extid", KeyPart::Text(&value))]).unwrap_err();
            let AddressError::Forbidden { column, character: found, .. } = &error;
            assert_eq!((column.as_str(), *found), ("new_extid", character));
            assert!(error.to_string().contains(&value));
        }
    }
}
