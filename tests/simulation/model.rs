//! What the target must hold in the end, told as simply as can be.

use std::collections::BTreeMap;

use crate::case::{CONTACTS, Case, Mode, NAME_MAX, Other, Row};

/// What is written of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) n: Option<i32>,
    pub(crate) contact: Option<u32>,
    /// What the rule makes of `n`.
    pub(crate) twice: Option<i32>,
}

/// Records by key.
pub(crate) type Target = BTreeMap<String, Record>;

/// What there must be after everything so far.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) target: Target,
    /// Rows of open letters by key.
    pub(crate) letters: BTreeMap<String, Vec<Row>>,
    pub(crate) contacts: u32,
}

/// What one run over one version of the source counts.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    pub(crate) dead_lettered: u64,
    pub(crate) dropped: u64,
}

pub(crate) fn key(no: u32) -> String {
    format!("K{no}")
}

impl Expected {
    pub(crate) fn before(case: &Case) -> Self {
        let records = case.before.iter().map(|row| (key(row.no), plain(row)));
        Self { target: records.collect(), letters: BTreeMap::new(), contacts: CONTACTS }
    }

    /// After a run over these rows, some of which the rule has refused.
    pub(crate) fn run(
        &mut self,
        case: &Case,
        rows: &[Row],
        refused: impl Fn(&Row) -> bool,
    ) -> Counted {
        let mut counted = Counted::default();
        for row in rows {
            self.letters.remove(&key(row.no));
        }
        for (position, row) in rows.iter().enumerate() {
            let same = |other: &Row| other.no == row.no;
            let earlier = rows[..position].iter().any(same);
            let later = rows[position + 1..].iter().any(same);
            let refused = match case.keep {
                "first" if earlier => {
                    counted.dropped += 1;
                    continue;
                }
                "last" if later => {
                    counted.dropped += 1;
                    continue;
                }
                "reject" if earlier || later => true,
                _ => refused(row) || !self.takes(case, row),
            };
            if refused {
                counted.dead_lettered += 1;
                self.letters.entry(key(row.no)).or_default().push(row.clone());
            } else if self.would_drop(case, row) {
                counted.dropped += 1;
            } else {
                self.write(case, row);
            }
        }
        counted
    }

    /// After a replay of all open letters; some rows do the rule and the job not
    /// refuse any more.
    pub(crate) fn replay(&mut self, case: &Case, cut_names: bool, sound_rule: bool) {
        for (key, rows) in std::mem::take(&mut self.letters) {
            let [row] = &rows[..] else {
                // They contradict each other still.
                self.letters.insert(key, rows);
                continue;
            };
            let mut now = row.clone();
            if cut_names {
                now.name = now.name.chars().take(NAME_MAX).collect();
            }
            let refused = case.rule.is_some() && !sound_rule && now.is_unlucky();
            if refused || !self.takes(case, &now) {
                self.letters.insert(key, rows);
            } else if !self.would_drop(case, &now) {
                self.write(case, &now);
            }
        }
    }

    /// After what somebody else did; whether it can be done.
    pub(crate) fn other(&mut self, other: &Other) -> bool {
        match other {
            Other::Rename(no, name) => match self.target.get_mut(&key(*no)) {
                Some(record) => record.name.clone_from(name),
                None => return false,
            },
            Other::Delete(no) => return self.target.remove(&key(*no)).is_some(),
            Other::Create(row) => {
                if self.target.contains_key(&key(row.no)) {
                    return false;
                }
                self.target.insert(key(row.no), plain(row));
            }
        }
        true
    }

    fn takes(&self, case: &Case, row: &Row) -> bool {
        let missing = row.contact.is_some_and(|contact| contact >= self.contacts);
        row.fits() && !(missing && case.on_missing == "reject")
    }

    fn would_drop(&self, case: &Case, row: &Row) -> bool {
        case.mode == Mode::Update && !self.target.contains_key(&key(row.no))
    }

    fn write(&mut self, case: &Case, row: &Row) {
        let there = self.target.contains_key(&key(row.no));
        if there && case.mode == Mode::Insert {
            return;
        }
        let record = Record {
            contact: row.contact.filter(|contact| *contact < self.contacts),
            twice: case.rule.and(row.n).map(|n| 2 * n),
            ..plain(row)
        };
        self.target.insert(key(row.no), record);
    }
}

fn plain(row: &Row) -> Record {
    Record { name: row.name.clone(), n: row.n, contact: None, twice: None }
}
