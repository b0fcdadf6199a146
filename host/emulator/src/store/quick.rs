//! A fast hash for maps whose keys are our own names and ids.
//!
//! Not for hostile keys: the emulator serves one machine's tests.

use std::hash::{BuildHasher, Hasher};

/// Builds [`QuickHasher`]s.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quick;

/// Multiplies and folds, eight bytes at a time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct QuickHasher(u64);

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

impl BuildHasher for Quick {
    type Hasher = QuickHasher;

    fn build_hasher(&self) -> QuickHasher {
        QuickHasher(FACTOR)
    }
}

impl QuickHasher {
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(FACTOR);
        let (low, high) = halves(product);
        self.0 = low ^ high;
    }
}

fn halves(product: u128) -> (u64, u64) {
    let bytes = product.to_le_bytes();
    let mut words = bytes.chunks_exact(8).map(|chunk| {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    (words.next().unwrap_or(0), words.next().unwrap_or(0))
}

impl Hasher for QuickHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.mix(u64::from_le_bytes(word) ^ (FACTOR << 8));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Hash of anything, for tables that keep hashes themselves.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hasher = Quick.build_hasher();
    hasher.write(bytes);
    hasher.finish()
}
