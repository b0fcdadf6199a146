//! A telephone number taken apart: its digits and groups, and where its national
//! part begins. Pure; allocates nothing.

use super::PhoneError;
use crate::country::Country;

/// Room for an exit code before the longest number.
const DIGITS_MAX: usize = 20;
const EXTENSION_DIGITS_MAX: usize = 8;

/// A text taken apart.
pub(super) struct Digits<'a> {
    plus: bool,
    /// ASCII digits.
    bytes: [u8; DIGITS_MAX],
    pub(super) count: usize,
    /// Bit `i`: digit `i` begins a group.
    pub(super) starts: u32,
    /// Bit `i`: digit `i` begins a group in parentheses.
    bracketed: u32,
    /// Digits after `x` or `ext.`; may be empty.
    extension: &'a str,
}

/// Where the national number begins.
pub(super) struct Place {
    /// `None`: the digits hold a calling code that is not in our list.
    pub(super) code: Option<u16>,
    pub(super) from: usize,
}

impl<'a> Digits<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let mut digits = Digits {
            plus: false,
            bytes: [0; DIGITS_MAX],
            count: 0,
            starts: 0,
            bracketed: 0,
            extension: "",
        };
        let (mut gap, mut bracket) = (true, false);
        for (position, c) in text.char_indices() {
            match c {
                '0'..='9' => {
                    let slot = digits.bytes.get_mut(digits.count)?;
                    *slot = text.as_bytes()[position];
                    digits.starts |= u32::from(gap) << digits.count;
                    digits.bracketed |= u32::from(gap && bracket) << digits.count;
                    digits.count += 1;
                    gap = false;
                }
                '+' if digits.count == 0 && !digits.plus => digits.plus = true,
                ')' => {
                    digits.drop_bracketed_zero();
                    (gap, bracket) = (true, false);
                }
                '(' => (gap, bracket) = (true, true),
                ' ' | '-' | '.' | '/' | '\t' | '\u{a0}' | '\u{2010}'..='\u{2013}' => gap = true,
                'x' | 'X' | 'e' | 'E' | '#' if digits.count > 0 => {
                    digits.extension = extension(&text[position..])?;
                    break;
                }
                _ => return None,
            }
        }
        (digits.count > 0).then_some(digits)
    }

    /// `+44 (0)20`: the zero is not dialled after the calling code.
    fn drop_bracketed_zero(&mut self) {
        let Some(last) = self.count.checked_sub(1).filter(|&last| last > 0) else { return };
        let mask = 1 << last;
        if self.bracketed & mask != 0 && self.bytes[last] == b'0' {
            self.count = last;
            self.starts &= !mask;
            self.bracketed &= !mask;
        }
    }

    fn begins(&self, digits: &[u8]) -> bool {
        self.bytes[..self.count].starts_with(digits)
    }

    pub(super) fn place(&self, country: Option<Country>) -> Result<Place, PhoneError> {
        let first_group = (self.starts >> 1).trailing_zeros() + 1;
        if self.plus {
            return Ok(self.abroad(0));
        }
        if self.begins(b"00") {
            return Ok(self.abroad(2));
        }
        if self.begins(b"011") && first_group == 3 {
            return Ok(self.abroad(3));
        }
        // `1 (11) ...`: groups begin at 0, 1 and 3, the second in parentheses.
        if self.begins(b"111") && self.starts & 0b1111 == 0b1011 && self.bracketed & 0b10 != 0 {
            let country = country.filter(|country| country.calling_code != 1);
            return Ok(self.within(country.ok_or(PhoneError::NoCountry)?, 3));
        }
        match (self.count, self.starts) {
            (10, 0b100_1001) if !self.begins(b"0") => {
                return Ok(Place { code: Some(1), from: 0 });
            }
            (11, 0b1001_0011) if self.begins(b"1") => {
                return Ok(Place { code: Some(1), from: 1 });
            }
            _ => {}
        }
        match country {
            None => Err(PhoneError::NoCountry),
            Some(Country { calling_code: 1, .. }) => {
                let from = usize::from(self.count == 11 && self.begins(b"1"));
                Ok(Place { code: Some(1), from })
            }
            Some(country) => Ok(self.within(country, 0)),
        }
    }

    /// The digits from there on begin with a calling code.
    fn abroad(&self, from: usize) -> Place {
        // No calling code begins with a zero: an exit code came before it again.
        let rest = self.bytes.get(from..self.count).unwrap_or_default();
        let from = from + rest.iter().take_while(|digit| **digit == b'0').count();
        let rest = self.bytes.get(from..self.count).unwrap_or_default();
        match Country::of_digits(rest) {
            Some((country, length)) => {
                Place { code: Some(country.calling_code), from: from + length }
            }
            None => Place { code: None, from: from.min(self.count) },
        }
    }

    /// The digits from there on are those of a number within the country.
    fn within(&self, country: Country, from: usize) -> Place {
        let zero = country.trunk_zero && self.bytes[from] == b'0' && from < self.count;
        Place { code: Some(country.calling_code), from: from + usize::from(zero) }
    }

    pub(super) fn write(&self, from: usize, starts: u32, into: &mut String) {
        for (position, byte) in self.bytes[..self.count].iter().enumerate().skip(from) {
            if position > from && starts >> position & 1 == 1 {
                into.push(' ');
            }
            into.push(char::from(*byte));
        }
        if !self.extension.is_empty() {
            into.push_str(if starts == 0 { "x" } else { " x" });
            into.push_str(self.extension);
        }
    }
}

/// The digits after `x`, `#`, `ext` or `extension`.
fn extension(text: &str) -> Option<&str> {
    const WORDS: [&str; 5] = ["extension", "extn", "ext", "x", "#"];
    let word = WORDS.iter().find(|word| {
        text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    })?;
    let digits = text[word.len()..].trim_matches([' ', '.', ':']);
    let fits = (1..=EXTENSION_DIGITS_MAX).contains(&digits.len());
    (fits && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}
