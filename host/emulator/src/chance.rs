//! Numbers that look random and depend on the seed and a name only.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// From 0 to 1, the same for the same arguments.
pub(crate) fn chance(seed: u64, name: &str) -> f64 {
    let bits = xxh3_64_with_seed(name.as_bytes(), seed);
    let top = u32::try_from(bits >> 32).unwrap_or(0);
    f64::from(top) / f64::from(u32::MAX)
}
