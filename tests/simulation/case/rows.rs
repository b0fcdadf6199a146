//! Rows of a source, and what others do to the records meanwhile.

use fastrand::Rng;

use super::{Other, one_in, pick};

/// A row of the source: key, name (may be too long), number (may be negative).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) no: u32,
    pub(crate) name: String,
    pub(crate) n: Option<i32>,
    /// E-mail address of a contact; some are not there.
    pub(crate) contact: Option<u32>,
}

/// Characters that the name takes.
pub(crate) const NAME_MAX: usize = 160;
/// Contacts that are there.
pub(crate) const CONTACTS: u32 = 5;
/// And once somebody has added those that rows point to all the same.
pub(crate) const CONTACTS_LATER: u32 = 7;
/// The number that rules stumble over.
const UNLUCKY: i32 = 13;

impl Row {
    /// Whether nothing in it is refused by the target's own rules.
    pub(crate) fn fits(&self) -> bool {
        self.name.chars().count() <= NAME_MAX && self.n.is_none_or(|n| n >= 0)
    }

    /// Whether a rule stumbles over it.
    pub(crate) fn is_unlucky(&self) -> bool {
        self.n == Some(UNLUCKY)
    }
}

pub(super) fn rows(rng: &mut Rng, keys: u32, ruled: bool) -> Vec<Row> {
    let count = rng.usize(0..150);
    (0..count).map(|_| row(rng, keys, ruled)).collect()
}

fn row(rng: &mut Rng, keys: u32, ruled: bool) -> Row {
    let no = rng.u32(0..keys);
    let mut row = sound(rng, no, ruled);
    match rng.u8(0..20) {
        0 => row.name = "x".repeat(NAME_MAX + 1),
        1 => row.n = Some(-1),
        2 if ruled => row.n = Some(UNLUCKY),
        _ => {}
    }
    row.contact = one_in(rng, 4).then(|| rng.u32(0..CONTACTS_LATER));
    row
}

/// A row that fits. Rules want a number.
pub(super) fn sound(rng: &mut Rng, no: u32, ruled: bool) -> Row {
    let name = pick(rng, &["Alpine", "O'Hara & Co", "Zoë; \"quoted\"", "two\nlines", "Äther"]);
    let name = format!("{name} {}", rng.u32(0..6));
    let n = (ruled || rng.bool()).then(|| rng.i32(0..5));
    Row { no, name, n, contact: None }
}

/// Some rows changed, some gone, some new.
pub(super) fn edited(rng: &mut Rng, rows: &[Row], keys: u32, ruled: bool) -> Vec<Row> {
    let mut next = Vec::new();
    for old in rows {
        match rng.u8(0..8) {
            0 => {}
            1 => next.push(row(rng, keys, ruled)),
            2 => {
                let mut new = sound(rng, old.no, ruled);
                new.contact = old.contact;
                next.push(new);
            }
            _ => next.push(old.clone()),
        }
    }
    next
}

/// Any records: those that are not there are not renamed or deleted, those that
/// are not created.
pub(super) fn others(rng: &mut Rng, keys: u32, ruled: bool) -> Vec<Other> {
    let count = rng.usize(1..8);
    (0..count)
        .map(|_| {
            let no = rng.u32(0..keys);
            match rng.u8(0..4) {
                0 => Other::Delete(no),
                1 => Other::Create(sound(rng, no, ruled)),
                _ => Other::Rename(no, format!("Theirs {}", rng.u32(0..9))),
            }
        })
        .collect()
}
