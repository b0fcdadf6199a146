//! Keys: one collation for everybody.
//!
//! The service compares text without regard to case and trailing blanks
//! (SQL collation; the case rule is UNCONFIRMED for alternate keys). A key is
//! folded here and nowhere else, so that a source, a rule and the target never
//! disagree about what is the same record.

use std::borrow::Cow;

use xxhash_rust::xxh3::Xxh3;

/// 128 bits of a folded key; equal keys have equal hashes, and two different
/// keys among 10^9 collide with a probability below 10^-20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(pub u128);

/// Folds one part of a key: lower case, no trailing blanks. Empty means the key
/// is missing.
#[must_use]
pub fn fold(part: &str) -> Cow<'_, str> {
    let trimmed = part.trim_end_matches(' ');
    if trimmed.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(trimmed)
    } else {
        Cow::Owned(trimmed.to_lowercase())
    }
}

/// Hashes the folded parts of a key; where the parts end matters.
///
/// Returns `None` when a part is missing or empty: such a key matches nothing.
#[must_use]
pub fn hash<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> Option<KeyHash> {
    let mut state = Xxh3::new();
    for part in parts {
        let folded = fold(part?);
        if folded.is_empty() {
            return None;
        }
        state.update(&u64::try_from(folded.len()).unwrap_or(u64::MAX).to_le_bytes());
        state.update(folded.as_bytes());
    }
    Some(KeyHash(state.digest128()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_trailing_blanks_do_not_matter() {
        assert_eq!(hash([Some("AW-1  ")]), hash([Some("aw-1")]));
        assert_eq!(hash([Some("ÄÖ")]), hash([Some("äö ")]));
        assert_ne!(hash([Some(" aw-1")]), hash([Some("aw-1")]));
    }

    #[test]
    fn where_parts_end_matters() {
        assert_ne!(hash([Some("ab"), Some("c")]), hash([Some("a"), Some("bc")]));
    }

    #[test]
    fn a_missing_or_empty_part_makes_the_key_missing() {
        assert_eq!(hash([Some("a"), None]), None);
        assert_eq!(hash([Some("  ")]), None);
    }
}
