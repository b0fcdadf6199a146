//! `contains`, `startswith`, `endswith`: without regard to case, and with the
//! wildcards of SQL's LIKE (`%`, `_`, `[a-c]`, `[^x]`), which the service honours.

use crate::cell::fold;

/// A pattern, folded.
#[derive(Debug)]
pub(crate) struct Pattern(Vec<Piece>);

#[derive(Debug, PartialEq)]
enum Piece {
    Any,
    One,
    Char(char),
    Set(Vec<(char, char)>, bool),
}

impl Pattern {
    /// `function` is one of the three names.
    pub(crate) fn new(function: &str, needle: &str) -> Self {
        let mut pieces = Vec::new();
        if matches!(function, "contains" | "endswith") {
            pieces.push(Piece::Any);
        }
        let needle: Vec<char> = needle.to_lowercase().chars().collect();
        let mut at = 0;
        while let Some(&char) = needle.get(at) {
            at += 1;
            match char {
                '%' => pieces.push(Piece::Any),
                '_' => pieces.push(Piece::One),
                '[' => match needle[at..].iter().position(|&c| c == ']') {
                    Some(length) if length > 0 => {
                        pieces.push(set(&needle[at..at + length]));
                        at += length + 1;
                    }
                    _ => pieces.push(Piece::Char('[')),
                },
                _ => pieces.push(Piece::Char(char)),
            }
        }
        if matches!(function, "contains" | "startswith") {
            pieces.push(Piece::Any);
        }
        Self(pieces)
    }

    /// SQL's LIKE: nothing is added at the ends.
    pub(crate) fn like(needle: &str) -> Self {
        Self::new("like", needle)
    }

    /// Greedy, with one place to go back to: linear in practice.
    pub(super) fn matches(&self, text: &str) -> bool {
        let folded = fold(text);
        let text: Vec<char> = folded.chars().collect();
        let (mut piece, mut at) = (0, 0);
        let mut back: Option<(usize, usize)> = None;
        loop {
            match self.0.get(piece) {
                Some(Piece::Any) => {
                    back = Some((piece + 1, at));
                    piece += 1;
                    continue;
                }
                Some(one) if text.get(at).is_some_and(|&c| one.takes(c)) => {
                    piece += 1;
                    at += 1;
                    continue;
                }
                None if at == text.len() => return true,
                _ => {}
            }
            match back {
                Some((after, from)) if from < text.len() => {
                    back = Some((after, from + 1));
                    piece = after;
                    at = from + 1;
                }
                _ => return false,
            }
        }
    }
}

impl Piece {
    fn takes(&self, char: char) -> bool {
        match self {
            Piece::Any => false,
            Piece::One => true,
            Piece::Char(wanted) => *wanted == char,
            Piece::Set(ranges, negated) => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&char)) != *negated
            }
        }
    }
}

fn set(inside: &[char]) -> Piece {
    let (negated, mut rest) = match inside {
        ['^', rest @ ..] if !rest.is_empty() => (true, rest),
        _ => (false, inside),
    };
    let mut ranges = Vec::new();
    while let Some((&from, after)) = rest.split_first() {
        match after {
            ['-', to, after @ ..] => {
                ranges.push((from, *to));
                rest = after;
            }
            _ => {
                ranges.push((from, from));
                rest = after;
            }
        }
    }
    Piece::Set(ranges, negated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_sql_does() {
        let expect = [
            ("contains", "bike", "Next-Door Bike Store", true),
            ("contains", "b_ke", "Next-Door Bike Store", true),
            ("contains", "x%y", "axbyc", true),
            ("contains", "[a-c]z", "xbz", true),
            ("contains", "[^a-c]z", "xbz", false),
            ("startswith", "next", "Next-Door", true),
            ("startswith", "door", "Next-Door", false),
            ("endswith", "DOOR", "Next-Door", true),
            ("endswith", "next", "Next-Door", false),
            ("contains", "[", "a[b", true),
            ("contains", "", "", true),
            ("startswith", "ÄÖ", "äöü", true),
        ];
        for (function, needle, text, matches) in expect {
            let pattern = Pattern::new(function, needle);
            assert_eq!(pattern.matches(text), matches, "{function} {needle} {text}");
        }
    }
}
