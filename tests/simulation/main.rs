//! Whole runs by the thousand, each made from a seed: data, job, rule, faults of
//! the service and of the way to it, limits, kills, wrong clocks, and what others
//! do meanwhile, on a clock that only the simulation moves.
//!
//! What must hold is the design's list: every row has one outcome, nothing is
//! doubled, no wait is shortened, one bad row costs one row, a killed run goes on
//! to the same end, the same data twice writes nothing, requests in flight and
//! waits are bounded. A kill leaves what the journal's file held at that moment.
//!
//! A clock that is set while a run is under way is nothing to simulate: a process
//! reads the wall's time once. Between processes it may be anything.
//!
//! ```text
//! cargo test --workspace --test simulation                         # kept and a few fresh seeds
//! DVSYNC_SIMULATE=10000 cargo test --release --workspace --test simulation -- --nocapture
//! DVSYNC_SEED=4711 cargo test --workspace --test simulation -- --nocapture
//! ```
//!
//! The first fresh seed is new each day and printed; one that fails prints the
//! line that plays it again and belongs into `seeds.txt` from then on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "seeds and figures")]
#![allow(clippy::disallowed_methods, reason = "how many seeds, from which, and how long it took")]

/// What a seed decides.
mod case;
/// Power cuts under journals with any history.
mod cuts;
/// A disk that loses its power.
mod disk;
/// What there must be in the end.
mod model;
/// A case, played.
mod play;
/// One process of a case.
mod process;
/// The rule that stumbles.
mod rule;
/// A case as files.
mod setting;
/// What was played, in numbers.
mod tally;
/// The way to the service.
mod way;
/// Whether what leaves is on the disk.
mod witness;
/// The service, seen from outside.
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use case::Case;

/// Seeds that have failed once, and some that have not.
const KEPT: &str = include_str!("seeds.txt");
/// Fresh seeds when nobody says otherwise.
const FRESH: u64 = 40;

#[test]
fn seeds_that_once_failed_hold() {
    let kept = KEPT.lines().filter(|line| !line.starts_with('#'));
    let seeds: Vec<u64> =
        kept.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    assert!(!seeds.is_empty(), "seeds.txt is read");
    simulate(seeds.into_iter());
}

#[test]
fn fresh_seeds_hold() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("DVSYNC_SEED") {
        Some(seed) => simulate(std::iter::once(seed)),
        None => {
            let first = days_since_1970() * 1_000_000;
            let runs = number("DVSYNC_SIMULATE").unwrap_or(FRESH);
            println!("fresh seeds from {first}, {runs} of them");
            simulate(first..first + runs);
        }
    }
}

/// So many cases for each thread, at least.
const SHARE: usize = 50;
/// After so many cases the tally is printed.
const TOLD_EACH: u64 = 500;

fn simulate(seeds: impl Iterator<Item = u64>) {
    let began = std::time::Instant::now();
    let seeds: Vec<u64> = seeds.collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(seeds.len().div_ceil(SHARE)).max(1);
    let next = AtomicUsize::new(0);
    let played = Mutex::new((tally::Tally::default(), Vec::new()));
    let tell = |sum: &tally::Tally| {
        println!("{sum}, in {:.0} s", began.elapsed().as_secs_f64());
    };
    let work = || {
        while let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let case = Case::new(seed);
            let ended = std::panic::catch_unwind(|| play::play(&case));
            let mut played = played.lock().unwrap();
            match ended {
                Ok(tally) => played.0 += tally,
                Err(_) => {
                    eprintln!(
                        "seed {seed} fails; again: DVSYNC_SEED={seed} cargo test --workspace \
                         --test simulation fresh -- --nocapture"
                    );
                    played.1.push(case);
                }
            }
            if played.0.cases > 0 && played.0.cases.is_multiple_of(TOLD_EACH) {
                tell(&played.0);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let (sum, failed) = played.into_inner().unwrap();
    tell(&sum);
    if let Some(first) = failed.first() {
        let seeds: Vec<u64> = failed.iter().map(|case| case.seed).collect();
        panic!("these seeds fail: {seeds:?}; the first is {first:#?}");
    }
}

fn days_since_1970() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400)
}
