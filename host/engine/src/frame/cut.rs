//! A chunk cut into a part for each generation that judges it.

use arrow_array::UInt32Array;
use arrow_select::take::take_record_batch;
use dvsync_model::KeyHash;
use dvsync_sources::{Chunk, Numbering};

use super::{Frame, Told};
use crate::error::RunError;

impl Frame {
    /// Cuts the frame in two by the rows' keys: what stays, and the part that is
    /// wanted. Rows without a key and lines that could not be read stay. To be
    /// done before anybody else holds the frame.
    pub(crate) fn cut(
        self,
        wanted: impl Fn(KeyHash) -> bool,
    ) -> Result<(Option<Self>, Option<Self>), RunError> {
        let (mut stays, mut goes) = (Vec::new(), Vec::new());
        for row in 0..self.rows() {
            let part = match self.key_hash(row) {
                Some(key) if wanted(key) => &mut goes,
                _ => &mut stays,
            };
            part.push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        if goes.is_empty() {
            return Ok((Some(self), None));
        }
        if stays.is_empty() && self.chunk.bad.is_empty() {
            return Ok((None, Some(self)));
        }
        let mut first = self.part(&stays)?;
        first.chunk.bad.clone_from(&self.chunk.bad);
        let second = self.part(&goes)?;
        Ok((Some(first), Some(second)))
    }

    /// Some rows, with what has become of them so far.
    fn part(&self, rows: &[u32]) -> Result<Self, RunError> {
        let (mut ordinals, mut lines) = (Numbering::default(), Numbering::default());
        for &row in rows {
            let row = usize::try_from(row).unwrap_or(usize::MAX);
            ordinals.push(self.chunk.ordinals.at(row));
            lines.push(self.chunk.lines.at(row));
        }
        let picked = UInt32Array::from(rows.to_vec());
        let chunk = Chunk {
            rows: take_record_batch(&self.chunk.rows, &picked)?,
            part: self.chunk.part,
            ordinals,
            lines,
            bad: Vec::new(),
            next: self.chunk.next,
        };
        let key = self.key.as_ref().map(|key| key.pick(&picked)).transpose()?;
        let (file, masked) = (self.file.clone(), self.masked.clone());
        let mut part = Self::new(self.number, file, chunk, key, masked);
        part.start = self.start;
        part.replayed.clone_from(&self.replayed);
        let (mine, mut theirs) = (self.locked(), part.locked());
        for (at, &row) in (0_u32..).zip(rows) {
            let (to, from) = (usize::try_from(at).unwrap_or(0), usize::try_from(row).unwrap_or(0));
            let Some(outcome) = mine.outcomes[from] else { continue };
            theirs.settle(to, outcome, Some(mine.ids[from]));
            let told = mine.letters.iter().find(|told| told.row == row);
            theirs.letters.extend(told.map(|told| Told { row: at, ..told.clone() }));
        }
        drop((mine, theirs));
        Ok(part)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use dvsync_model::key;
    use dvsync_sources::Position;

    use super::*;
    use crate::fate::Fate;
    use crate::keys::KeyColumns;

    fn frame(keys: &[&str]) -> Frame {
        let column: ArrayRef = Arc::new(StringArray::from(keys.to_vec()));
        let rows = RecordBatch::try_from_iter([("no", Arc::clone(&column))]).unwrap();
        let count = u64::try_from(keys.len()).unwrap();
        let chunk = Chunk {
            rows,
            part: 0,
            ordinals: Numbering::dense(100, count),
            lines: Numbering::dense(2, count),
            bad: Vec::new(),
            next: Position::default(),
        };
        Frame::new(7, "a.csv".into(), chunk, KeyColumns::of([&column]), Arc::new([]))
    }

    fn ordinals(frame: &Frame) -> Vec<u64> {
        frame.chunk.ordinals.iter().collect()
    }

    #[test]
    fn each_row_is_in_one_part_with_its_number_and_fate() {
        let whole = frame(&["a", "b", "", "c", "d"]);
        whole.settle_fate(2, &Fate::dead("key_missing", "none"), None);
        whole.settle_fate(3, &Fate::dropped("duplicate_in_source", "lost"), None);
        let wanted = [key::hash([Some("b")]), key::hash([Some("c")])];
        let (stays, goes) = whole.cut(|key| wanted.contains(&Some(key))).unwrap();
        let (stays, goes) = (stays.unwrap(), goes.unwrap());
        assert_eq!((ordinals(&stays), ordinals(&goes)), (vec![100, 102, 104], vec![101, 103]));
        assert_eq!((stays.open_rows(), goes.open_rows()), (vec![0, 2], vec![0]));
        assert_eq!((stays.chunk.lines.at(2), goes.chunk.lines.at(1)), (6, 5));
        assert_eq!(goes.key_hash(0), wanted[0]);
        let letters = |frame: &Frame| -> Vec<(u32, String)> {
            let ledger = frame.locked();
            ledger.letters.iter().map(|told| (told.row, told.letter.code.clone())).collect()
        };
        assert_eq!(letters(&stays), [(1, "key_missing".to_owned())]);
        assert_eq!(letters(&goes), [(1, "duplicate_in_source".to_owned())]);
    }

    #[test]
    fn a_chunk_that_is_all_of_one_part_is_not_cut() {
        let (stays, goes) = frame(&["a", "b"]).cut(|_| false).unwrap();
        assert!(goes.is_none());
        assert_eq!(ordinals(&stays.unwrap()), [100, 101]);
        let (stays, goes) = frame(&["a", "b"]).cut(|_| true).unwrap();
        assert!(stays.is_none());
        assert_eq!(ordinals(&goes.unwrap()), [100, 101]);
    }
}
