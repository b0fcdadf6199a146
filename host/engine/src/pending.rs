//! Open letters of earlier runs: which rows of this run supersede one.
//!
//! Pure but for its opening. An older version of a row that waits in a letter
//! must never overwrite a newer one, so the letter is closed in the same write
//! that journals the intent for the newer one.

use dvsync_model::KeyHash;
use uuid::Uuid;

use crate::error::RunError;
use crate::journal::Reader;

/// Marks that are held: 32 MiB. With more of them open, every row is asked for.
const MARKS_MAX: usize = 2 << 20;

/// Key hashes and ids of open letters.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// Ascending.
    marks: Vec<u128>,
    /// There are more than are held.
    more: bool,
}

impl Pending {
    /// What is open when a run begins.
    pub(crate) fn open(reader: &Reader) -> Result<Self, RunError> {
        let (marks, all) = reader.open_marks(MARKS_MAX)?;
        Ok(Self { marks, more: !all })
    }

    /// No row supersedes anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.marks.is_empty() && !self.more
    }

    /// The marks by which a row supersedes a letter.
    pub(crate) fn of(
        &self,
        key: Option<KeyHash>,
        id: Option<Uuid>,
    ) -> impl Iterator<Item = u128> + '_ {
        let marks = [key.map(|key| key.0), id.map(|id| id.as_u128())];
        marks
            .into_iter()
            .flatten()
            .filter(|mark| self.more || self.marks.binary_search(mark).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_supersedes_by_its_key_and_by_its_record() {
        let some = Pending { marks: vec![3, 7], more: false };
        let of = |pending: &Pending, key, id: Option<u128>| -> Vec<u128> {
            pending.of(Some(KeyHash(key)), id.map(Uuid::from_u128)).collect()
        };
        assert_eq!(of(&some, 3, Some(7)), [3, 7]);
        assert_eq!(of(&some, 4, Some(7)), [7]);
        assert!(of(&some, 4, None).is_empty());
        let more = Pending { marks: vec![3], more: true };
        assert_eq!(of(&more, 4, None), [4]);
        assert!(Pending::default().is_empty() && !more.is_empty());
    }
}
