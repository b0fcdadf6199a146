//! Telephone numbers in one form. Pure; allocates nothing.
//!
//! The form is `+61 500 555 0162`: calling code, then the groups of digits as
//! they were written, a blank between; numbers of North America always in groups
//! of 3, 3 and 4. An extension follows as ` x12`. [`Format::E164`] leaves the
//! blanks out. A number that has the form is not changed.
//!
//! Where the calling code comes from, in this order: a leading `+`, `00` or
//! `011`; the American shape `398-555-0132`, whatever the country; the country
//! of the row. `1 (11) 500 555-0162` is how AdventureWorks writes a number abroad
//! (the American exit code, cut): its calling code is that of the row's country.

use std::fmt;
use std::ops::RangeInclusive;

use crate::country::Country;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// `+61 500 555 0162`.
    #[default]
    International,
    /// `+615005550162`.
    E164,
}

impl Format {
    /// The words of a setting.
    pub const WORDS: &[(&str, Format)] =
        &[("international", Format::International), ("e164", Format::E164)];
}

/// Why a text has no such form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneError {
    /// It has letters, no digits, too few or too many.
    NotANumber,
    /// A number, of which neither it nor the row says the country.
    NoCountry,
}

impl fmt::Display for PhoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PhoneError::NotANumber => "is not a telephone number",
            PhoneError::NoCountry => "is a telephone number of an unknown country",
        })
    }
}

impl std::error::Error for PhoneError {}

/// What to do with a text that has no form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Otherwise {
    /// A number of an unknown country keeps its digits; what is not a telephone
    /// number at all is refused.
    #[default]
    Keep,
    /// It is left away.
    Clear,
    /// It is refused.
    Reject,
}

impl Otherwise {
    /// The words of a setting.
    pub const WORDS: &[(&str, Otherwise)] =
        &[("keep", Otherwise::Keep), ("clear", Otherwise::Clear), ("reject", Otherwise::Reject)];
}

/// Adds the number in its form or, where it has none, what `otherwise` says.
///
/// # Errors
/// Why it has none, where that is to be refused; nothing is added then.
pub fn write(
    text: &str,
    country: Option<Country>,
    format: Format,
    otherwise: Otherwise,
    into: &mut String,
) -> Result<(), PhoneError> {
    match (normalize(text, country, format, into), otherwise) {
        (Err(_), Otherwise::Clear) => Ok(()),
        (Err(PhoneError::NoCountry), Otherwise::Keep) => digits_only(text, into),
        (result, _) => result,
    }
}

/// Digits of a number with its calling code: E.164 allows 15.
const DIGITS: RangeInclusive<usize> = 7..=15;

/// Adds the number in its form. `country` is the row's own.
///
/// # Errors
/// Why it has none; nothing is added then.
pub fn normalize(
    text: &str,
    country: Option<Country>,
    format: Format,
    into: &mut String,
) -> Result<(), PhoneError> {
    let digits = Digits::read(text).ok_or(PhoneError::NotANumber)?;
    let place = digits.place(country)?;
    let national = digits.count - place.from;
    let fits = match place.code {
        Some(1) => national == 10,
        Some(code) => {
            DIGITS.contains(&(national + 1 + usize::from(code > 9) + usize::from(code > 99)))
        }
        None => DIGITS.contains(&national),
    };
    if !fits {
        return Err(PhoneError::NotANumber);
    }
    into.push('+');
    if let Some(code) = place.code {
        push_number(code, into);
    }
    let blanks = format == Format::International;
    if blanks && place.code.is_some() {
        into.push(' ');
    }
    let starts = match place.code {
        // Groups of 3, 3 and 4, from the first national digit.
        Some(1) => 0b100_1000 << place.from,
        _ => digits.starts,
    };
    digits.write(place.from, if blanks { starts } else { 0 }, into);
    Ok(())
}

/// Adds the digits in their groups, a blank between: what is left of a number
/// that has no country.
///
/// # Errors
/// The text is not a number; nothing is added then.
pub fn digits_only(text: &str, into: &mut String) -> Result<(), PhoneError> {
    let digits = Digits::read(text).ok_or(PhoneError::NotANumber)?;
    if !DIGITS.contains(&digits.count) {
        return Err(PhoneError::NotANumber);
    }
    digits.write(0, digits.starts, into);
    Ok(())
}

fn push_number(code: u16, into: &mut String) {
    for power in [100, 10, 1] {
        if code >= power {
            into.push(digit(code / power % 10));
        }
    }
}

fn digit(value: u16) -> char {
    char::from_digit(u32::from(value), 10).unwrap_or('0')
}

/// Room for an exit code before the longest number.
const DIGITS_MAX: usize = 20;
const EXTENSION_DIGITS_MAX: usize = 8;

/// A text taken apart.
struct Digits<'a> {
    plus: bool,
    /// ASCII digits.
    bytes: [u8; DIGITS_MAX],
    count: usize,
    /// Bit `i`: digit `i` begins a group.
    starts: u32,
    /// Bit `i`: digit `i` begins a group in parentheses.
    bracketed: u32,
    /// Digits after `x` or `ext.`; may be empty.
    extension: &'a str,
}

/// Where the national number begins.
struct Place {
    /// `None`: the digits hold a calling code that is not in our list.
    code: Option<u16>,
    from: usize,
}

impl<'a> Digits<'a> {
    fn read(text: &'a str) -> Option<Self> {
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

    fn place(&self, country: Option<Country>) -> Result<Place, PhoneError> {
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

    fn write(&self, from: usize, starts: u32, into: &mut String) {
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

#[cfg(test)]
mod tests;
