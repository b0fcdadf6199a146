//! Yes or no, read from whatever the source has. Pure.

use crate::cells::{Booleans, Int64s, Texts};

/// Flags of a column that came as booleans, integers or text; see
/// [`crate::Context::flag`].
#[derive(Debug, Clone, Copy)]
pub enum Flags<'a> {
    /// The source has booleans.
    Boolean(Booleans<'a>),
    /// The source has integers: 0 is no, 1 is yes.
    Int64(Int64s<'a>),
    /// The source has text.
    Text(Texts<'a>),
}

impl Flags<'_> {
    /// The flag of a row; `Ok(None)` where it is null or blank.
    ///
    /// # Errors
    /// What is neither yes nor no.
    pub fn get(&self, row: usize) -> Result<Option<bool>, String> {
        match self {
            Flags::Boolean(cells) => Ok(cells.get(row)),
            Flags::Int64(cells) => match cells.get(row) {
                None => Ok(None),
                Some(0) => Ok(Some(false)),
                Some(1) => Ok(Some(true)),
                Some(other) => Err(other.to_string()),
            },
            Flags::Text(cells) => match cells.get(row).map(str::trim_ascii) {
                None | Some("") => Ok(None),
                Some(text) => parse(text).map(Some).ok_or_else(|| text.to_owned()),
            },
        }
    }

    /// The source has no such column.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        match self {
            Flags::Boolean(cells) => cells.is_absent(),
            Flags::Int64(cells) => cells.is_absent(),
            Flags::Text(cells) => cells.is_absent(),
        }
    }
}

/// `1`, `true`, `yes`, `y`, `t` and `0`, `false`, `no`, `n`, `f`, in any case.
#[must_use]
pub(crate) fn parse(text: &str) -> Option<bool> {
    const YES: [&str; 5] = ["1", "true", "yes", "y", "t"];
    const NO: [&str; 5] = ["0", "false", "no", "n", "f"];
    let is = |word: &&str| word.eq_ignore_ascii_case(text);
    match (YES.iter().any(is), NO.iter().any(|word| word.eq_ignore_ascii_case(text))) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}
