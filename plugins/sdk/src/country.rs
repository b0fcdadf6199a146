//! Countries by the names that business data has for them, as far as telephone
//! numbers need it. Pure.
//!
//! Calling codes: ITU, *List of ITU-T Recommendation E.164 assigned country
//! codes*. Deliberately not complete: a number of another country is understood
//! when it is written with `+` and its calling code.

use std::cmp::Ordering;

/// How numbers of a country are dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// Without `+`: 61.
    pub calling_code: u16,
    /// A 0 before the area code that is not dialled from abroad.
    pub trunk_zero: bool,
}

impl Country {
    /// The United States, Canada and their neighbours in the plan of `+1`.
    pub const NORTH_AMERICA: Country = Country { calling_code: 1, trunk_zero: false };

    /// By English name or ISO 3166 alpha-2 code, in any case, blanks around it
    /// aside.
    #[must_use]
    pub fn find(name: &str) -> Option<Country> {
        let name = name.trim_ascii();
        let order = |entry: &(&str, u16, bool)| compare(entry.0, name);
        let (_, calling_code, trunk_zero) =
            COUNTRIES.get(COUNTRIES.binary_search_by(order).ok()?)?;
        Some(Country { calling_code: *calling_code, trunk_zero: *trunk_zero })
    }

    /// The country whose calling code the digits begin with, and the length of
    /// the code.
    pub(crate) fn of_digits(digits: &[u8]) -> Option<(Country, usize)> {
        let mut code = 0_u16;
        for (position, digit) in digits.iter().take(3).enumerate() {
            code = code * 10 + u16::from(digit - b'0');
            // Calling codes are prefix-free: the first that fits is the one.
            if let Some((_, _, trunk_zero)) = COUNTRIES.iter().find(|entry| entry.1 == code) {
                return Some((
                    Country { calling_code: code, trunk_zero: *trunk_zero },
                    position + 1,
                ));
            }
        }
        None
    }
}

fn compare(entry: &str, name: &str) -> Ordering {
    entry.bytes().cmp(name.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// Name, calling code, trunk zero; sorted by name in lower case.
const COUNTRIES: &[(&str, u16, bool)] = &[
    ("ar", 54, true),
    ("argentina", 54, true),
    ("at", 43, true),
    ("au", 61, true),
    ("australia", 61, true),
    ("austria", 43, true),
    ("be", 32, true),
    ("belgium", 32, true),
    ("br", 55, true),
    ("brazil", 55, true),
    ("ca", 1, false),
    ("canada", 1, false),
    ("ch", 41, true),
    ("chile", 56, false),
    ("china", 86, true),
    ("cl", 56, false),
    ("cn", 86, true),
    ("co", 57, false),
    ("colombia", 57, false),
    ("croatia", 385, true),
    ("cz", 420, false),
    ("czech republic", 420, false),
    ("czechia", 420, false),
    ("de", 49, true),
    ("denmark", 45, false),
    ("dk", 45, false),
    ("ee", 372, false),
    ("es", 34, false),
    ("estonia", 372, false),
    ("fi", 358, true),
    ("finland", 358, true),
    ("fr", 33, true),
    ("france", 33, true),
    ("gb", 44, true),
    ("germany", 49, true),
    ("gr", 30, false),
    ("great britain", 44, true),
    ("greece", 30, false),
    ("hk", 852, false),
    ("hong kong", 852, false),
    ("hr", 385, true),
    ("hu", 36, false),
    ("hungary", 36, false),
    ("id", 62, true),
    ("ie", 353, true),
    ("il", 972, true),
    ("in", 91, true),
    ("india", 91, true),
    ("indonesia", 62, true),
    ("ireland", 353, true),
    ("israel", 972, true),
    ("it", 39, false),
    ("italy", 39, false),
    ("japan", 81, true),
    ("jp", 81, true),
    ("kr", 82, true),
    ("latvia", 371, false),
    ("lithuania", 370, false),
    ("lt", 370, false),
    ("lu", 352, false),
    ("luxembourg", 352, false),
    ("lv", 371, false),
    ("malaysia", 60, true),
    ("mexico", 52, false),
    ("mx", 52, false),
    ("my", 60, true),
    ("netherlands", 31, true),
    ("new zealand", 64, true),
    ("nl", 31, true),
    ("no", 47, false),
    ("norway", 47, false),
    ("nz", 64, true),
    ("ph", 63, true),
    ("philippines", 63, true),
    ("pl", 48, false),
    ("poland", 48, false),
    ("portugal", 351, false),
    ("pt", 351, false),
    ("ro", 40, true),
    ("romania", 40, true),
    ("rs", 381, true),
    ("se", 46, true),
    ("serbia", 381, true),
    ("sg", 65, false),
    ("si", 386, true),
    ("singapore", 65, false),
    ("sk", 421, true),
    ("slovakia", 421, true),
    ("slovenia", 386, true),
    ("south africa", 27, true),
    ("south korea", 82, true),
    ("spain", 34, false),
    ("sweden", 46, true),
    ("switzerland", 41, true),
    ("taiwan", 886, true),
    ("th", 66, true),
    ("thailand", 66, true),
    ("tr", 90, true),
    ("turkey", 90, true),
    ("tw", 886, true),
    ("ua", 380, true),
    ("uk", 44, true),
    ("ukraine", 380, true),
    ("united kingdom", 44, true),
    ("united states", 1, false),
    ("united states of america", 1, false),
    ("us", 1, false),
    ("usa", 1, false),
    ("za", 27, true),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_in_lower_case() {
        for pair in COUNTRIES.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} stands before {}", pair[0].0, pair[1].0);
        }
        assert!(COUNTRIES.iter().all(|entry| entry.0 == entry.0.to_ascii_lowercase()));
    }

    #[test]
    fn calling_codes_are_prefix_free() {
        let codes: Vec<String> = COUNTRIES.iter().map(|entry| entry.1.to_string()).collect();
        for one in &codes {
            let clash = codes.iter().find(|other| *other != one && other.starts_with(one.as_str()));
            assert_eq!(clash, None, "{one}");
        }
    }

    #[test]
    fn a_country_is_found_by_name_or_code_in_any_case() {
        let code = |name| Country::find(name).map(|country| country.calling_code);
        let cases = [
            ("Australia", Some(61)),
            (" united kingdom ", Some(44)),
            ("GB", Some(44)),
            ("uk", Some(44)),
            ("US", Some(1)),
            ("Narnia", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(code(name), expected, "{name:?}");
        }
    }
}
