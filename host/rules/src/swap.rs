//! Hot swap: one version of a rule takes over from another while a run goes on,
//! and a bad one never wins.
//!
//! ```text
//! registered -> verified -> compiled -> conformed -> shadowing -> canary (5 %, 25 %, 50 %)
//!     -> published -> watching -> proved
//!                                            any of them -> rolled back -> quarantined
//! ```
//!
//! [`Machine`] decides, pure: the time and what happened go in, the new stage and
//! what to do come out. [`Generations`] holds who judges now behind an atomic
//! pointer: a chunk takes a [`View`] once, at its beginning, and is judged whole
//! by what it says. What a generation is, is the caller's. Not here: compiling,
//! reading rows, writing journals; who asks for a swap.

mod differences;
mod generations;
mod machine;
mod settings;
mod stage;
mod tally;

pub use differences::{ColumnDifference, Differences};
pub use generations::{Generations, Moved, Numbered, Standing, Trial, View};
pub use machine::{Action, Event, Machine, Refused};
pub use settings::SwapSettings;
pub use stage::{Cause, Stage};
pub use tally::{Rate, Tally};

/// Whether a key lies in a canary of so many percent.
///
/// By the key alone: a key that is in a small canary is in each larger one, and
/// the same in each run.
#[must_use]
pub fn in_canary(key: dvsync_model::KeyHash, percent: u8) -> bool {
    key.0 % 100 < u128::from(percent)
}

#[cfg(test)]
mod tests {
    use dvsync_model::key;

    use super::in_canary;

    #[test]
    fn a_key_of_a_small_canary_is_in_each_larger_one_and_shares_are_kept() {
        let keys: Vec<_> =
            (0..10_000).filter_map(|n: u32| key::hash([Some(n.to_string().as_str())])).collect();
        let mut last = 0;
        for percent in [0, 5, 25, 50, 100] {
            let inside = keys.iter().filter(|key| in_canary(**key, percent)).count();
            let wanted = usize::from(percent) * 100;
            assert!(inside.abs_diff(wanted) <= 200, "{percent} %: {inside} of 10,000");
            assert!(inside >= last);
            last = inside;
        }
        assert!(keys.iter().all(|key| !in_canary(*key, 5) || in_canary(*key, 25)));
    }
}
