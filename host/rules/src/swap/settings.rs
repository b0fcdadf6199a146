//! How careful a swap is. Values only.

use std::time::Duration;

/// Lengths of the stages and what a new version may do wrong in them.
#[derive(Debug, Clone, PartialEq)]
pub struct SwapSettings {
    /// Recorded chunks that a version judges before it meets a row that counts;
    /// so many of the last chunks are kept in memory.
    pub conform_chunks: usize,
    /// Chunks that both versions judge while the old one counts; 0 = no shadow.
    pub shadow_chunks: u32,
    /// Percent of the keys, step by step; empty = no canary.
    pub canary_percent: Vec<u8>,
    /// Chunks that a step of the canary must have judged.
    pub canary_chunks: u32,
    /// How long each step of the canary lasts at least.
    pub canary_lasts_min: Duration,
    /// Chunks that a published version must have judged well to be proved.
    pub watch_chunks: u32,
    /// Chunks with a trap (also: out of memory, a failure that the rule itself
    /// told) that are borne.
    pub trapped_chunks_max: u32,
    /// Chunks with a call that ran into its deadline that are borne.
    pub timed_out_chunks_max: u32,
    /// Chunks with an answer that broke the contract that are borne.
    pub invalid_chunks_max: u32,
    /// Percentage points by which more rows may be stopped (rejected, dropped,
    /// deferred, unfit) than the previous version stops. What may be chance in
    /// so few rows (three standard deviations) is borne besides.
    pub stopped_points_max: f64,
    /// Records that are listed of each column that is judged differently; the
    /// rest are counted.
    pub differences_max: usize,
}

impl Default for SwapSettings {
    fn default() -> Self {
        Self {
            conform_chunks: 2,
            shadow_chunks: 4,
            canary_percent: vec![5, 25, 50],
            canary_chunks: 8,
            canary_lasts_min: Duration::ZERO,
            watch_chunks: 32,
            trapped_chunks_max: 0,
            timed_out_chunks_max: 0,
            invalid_chunks_max: 0,
            stopped_points_max: 5.0,
            differences_max: 20,
        }
    }
}

impl SwapSettings {
    /// The percentage of a step of the canary, within 1 to 99.
    pub(super) fn percent(&self, step: usize) -> Option<u8> {
        self.canary_percent.get(step).map(|percent| (*percent).clamp(1, 99))
    }
}
