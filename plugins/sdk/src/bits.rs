//! Bitmaps that cost nothing until a bit differs from the usual value. Pure.

/// One bit a row, least significant first; all have the usual value but those
/// that were flipped.
#[derive(Debug, Clone)]
pub(crate) struct Bits {
    usual: bool,
    rows_expected: usize,
    bytes: Vec<u8>,
}

impl Bits {
    pub(crate) fn new(usual: bool, rows_expected: usize) -> Self {
        Self { usual, rows_expected, bytes: Vec::new() }
    }

    fn fill(&self) -> u8 {
        if self.usual { 0xff } else { 0 }
    }

    /// Gives a row the other value. Each row is flipped once at most.
    pub(crate) fn flip(&mut self, row: usize) {
        let needed = row / 8 + 1;
        if self.bytes.len() < needed {
            let fill = self.fill();
            self.bytes.resize(needed.max(self.rows_expected.div_ceil(8)), fill);
        }
        if let Some(byte) = self.bytes.get_mut(row / 8) {
            *byte ^= 1 << (row % 8);
        }
    }

    pub(crate) fn is_flipped(&self, row: usize) -> bool {
        self.bytes.get(row / 8).is_some_and(|byte| ((byte >> (row % 8)) & 1 == 1) != self.usual)
    }

    /// The bitmap of so many rows; `None` when no row was flipped.
    pub(crate) fn into_bytes(mut self, rows: usize) -> Option<Vec<u8>> {
        if self.bytes.is_empty() {
            return None;
        }
        let fill = self.fill();
        self.bytes.resize(rows.div_ceil(8), fill);
        Some(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitmap_is_there_only_when_a_row_differs() {
        assert_eq!(Bits::new(true, 9).into_bytes(9), None);
        let mut bits = Bits::new(true, 2);
        bits.flip(1);
        bits.flip(9);
        assert!(bits.is_flipped(1) && bits.is_flipped(9) && !bits.is_flipped(0));
        assert!(!bits.is_flipped(1000));
        assert_eq!(bits.into_bytes(11), Some(vec![0b1111_1101, 0b1111_1101]));
    }

    #[test]
    fn a_bitmap_is_as_long_as_its_rows() {
        let mut bits = Bits::new(false, 100);
        bits.flip(0);
        assert_eq!(bits.into_bytes(3), Some(vec![1]));
    }
}
