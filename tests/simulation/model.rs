//! What the target must hold in the end, told as simply as can be.

use std::collections::BTreeMap;

use crate::case::{CONTACTS, Case, Mode, Row};

/// What is written of a record: name, number, contact.
pub(crate) type Record = (String, Option<i32>, Option<u32>);

/// Records by key.
pub(crate) type Target = BTreeMap<String, Record>;

/// What a run over one version of the source ends with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) target: Target,
    pub(crate) dead_lettered: u64,
    pub(crate) dropped: u64,
}

pub(crate) fn key(no: u32) -> String {
    format!("K{no}")
}

pub(crate) fn before(case: &Case) -> Target {
    let records = case.before.iter();
    records.map(|row| (key(row.no), (row.name.clone(), row.n, None))).collect()
}

pub(crate) fn end(case: &Case, mut target: Target, rows: &[Row]) -> End {
    let (mut dead_lettered, mut dropped) = (0, 0);
    for (position, row) in rows.iter().enumerate() {
        let same = |other: &&Row| other.no == row.no;
        let earlier = rows[..position].iter().any(|other| same(&other));
        let later = rows[position + 1..].iter().any(|other| same(&other));
        match case.keep {
            "reject" if earlier || later => {
                dead_lettered += 1;
                continue;
            }
            "first" if earlier => {
                dropped += 1;
                continue;
            }
            "last" if later => {
                dropped += 1;
                continue;
            }
            _ => {}
        }
        let missing = row.contact.is_some_and(|contact| contact >= CONTACTS);
        if !row.fits() || (missing && case.on_missing == "reject") {
            dead_lettered += 1;
            continue;
        }
        let there = target.contains_key(&key(row.no));
        match case.mode {
            Mode::Update if !there => dropped += 1,
            Mode::Insert if there => {}
            Mode::Upsert | Mode::Update | Mode::Insert => {
                let contact = row.contact.filter(|_| !missing);
                target.insert(key(row.no), (row.name.clone(), row.n, contact));
            }
        }
    }
    End { target, dead_lettered, dropped }
}
