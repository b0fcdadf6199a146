//! "Surely not there": a Bloom filter of a fixed size.
//!
//! All bits of an id lie in one line of 64 bytes, so asking costs one trip to
//! memory. The more ids, the more often it says "maybe"; never "no" wrongly.

use xxhash_rust::xxh3::xxh3_128;

/// 512 bits.
type Line = [u64; 8];

/// Bits set per id.
const BITS: u32 = 6;

#[derive(Debug)]
pub(super) struct Bloom {
    lines: Vec<Line>,
}

impl Bloom {
    /// Of about so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self { lines: vec![[0; 8]; (bytes / size_of::<Line>()).max(1)] }
    }

    pub(super) fn insert(&mut self, id: u128) {
        let (line, mask) = self.place(id);
        for (word, bits) in self.lines[line].iter_mut().zip(mask) {
            *word |= bits;
        }
    }

    /// False: it was never inserted.
    pub(super) fn maybe(&self, id: u128) -> bool {
        let (line, mask) = self.place(id);
        self.lines[line].iter().zip(mask).all(|(word, bits)| word & bits == bits)
    }

    fn place(&self, id: u128) -> (usize, Line) {
        let hash = xxh3_128(&id.to_le_bytes());
        // The high half, scaled to the number of lines, chooses the line; nine
        // bits of the low half choose each bit.
        let line = ((hash >> 64) * self.lines.len() as u128) >> 64;
        let line = usize::try_from(line).unwrap_or_default();
        let mut mask = [0; 8];
        for bit in 0..BITS {
            let nine = (hash >> (bit * 9)) & 511;
            let word = usize::try_from(nine / 64).unwrap_or_default();
            mask[word] |= 1 << (nine % 64);
        }
        (line, mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_bits_an_id_give_few_false_alarms_and_no_false_no() {
        let mut bloom = Bloom::new(100_000 * 10 / 8);
        (0..100_000).for_each(|id| bloom.insert(id << 90));
        assert!((0..100_000).all(|id| bloom.maybe(id << 90)));
        let alarms = (0..100_000).filter(|id| bloom.maybe((id << 90) + 1)).count();
        assert!(alarms < 3_000, "{alarms} of 100,000");
    }

    #[test]
    fn the_smallest_filter_works() {
        let mut bloom = Bloom::new(0);
        assert!(!bloom.maybe(0));
        bloom.insert(0);
        assert!(bloom.maybe(0));
    }
}
