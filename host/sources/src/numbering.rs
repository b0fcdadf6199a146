//! Numbers of the rows of a chunk: almost always dense, so kept as runs.
//!
//! Pure.

/// Ascending numbers, one a row; costs memory only where they jump.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbering {
    /// (row, its number) wherever the number is not the one before plus one.
    runs: Vec<(u64, u64)>,
    length: u64,
}

impl Numbering {
    /// `length` numbers from `start` on.
    #[must_use]
    pub fn dense(start: u64, length: u64) -> Self {
        Self { runs: if length == 0 { Vec::new() } else { vec![(0, start)] }, length }
    }

    /// The number of row `row`; of a row past the end, what it would be.
    #[must_use]
    pub fn at(&self, row: usize) -> u64 {
        let row = row as u64;
        let position = self.runs.partition_point(|&(first, _)| first <= row);
        match position.checked_sub(1).and_then(|run| self.runs.get(run)) {
            Some(&(first, number)) => number + (row - first),
            None => row,
        }
    }

    /// Rows numbered.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    /// No row is numbered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// All numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).map(|row| self.at(row))
    }

    /// Numbers the next row.
    pub fn push(&mut self, number: u64) {
        let follows = self.runs.last().map(|&(first, start)| start + (self.length - first));
        if follows != Some(number) {
            self.runs.push((self.length, number));
        }
        self.length += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_whatever_the_gaps() {
        let numbers = [5, 6, 7, 10, 11, 13, 40];
        let mut numbering = Numbering::default();
        numbers.iter().for_each(|&number| numbering.push(number));
        assert_eq!(numbering.iter().collect::<Vec<_>>(), numbers);
        assert_eq!(numbering.runs.len(), 4);
        assert_eq!(Numbering::dense(5, 3).iter().collect::<Vec<_>>(), [5, 6, 7]);
        assert!(Numbering::dense(5, 0).is_empty());
    }
}
