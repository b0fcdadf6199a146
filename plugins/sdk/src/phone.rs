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

mod digits;

use std::fmt;
use std::ops::RangeInclusive;

use crate::country::Country;
use digits::Digits;

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

#[cfg(test)]
mod tests;
