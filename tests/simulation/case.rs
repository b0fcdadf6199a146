//! A case: everything that a seed decides.

mod rows;
mod trouble;

use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;

pub(crate) use rows::{CONTACTS, CONTACTS_LATER, NAME_MAX, Row};
use rows::{edited, others, rows, sound};
pub(crate) use trouble::{Death, How, LATE_MAX, Last};
use trouble::{deaths, fault, wrong_clocks};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Upsert,
    Update,
    Insert,
}

/// How rows meet records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// The service's alternate key.
    Key,
    /// A column without a key: doubles would be possible.
    Column,
    /// The alternate key, without reading first.
    Blind,
}

/// One state of the source, and what happens around its runs.
#[derive(Debug)]
pub(crate) struct Version {
    /// What somebody else does to the target before.
    pub(crate) others: Vec<Other>,
    pub(crate) rows: Vec<Row>,
    /// How its first processes end.
    pub(crate) deaths: Vec<Death>,
    /// Its open letters are sent again.
    pub(crate) replay: Option<Replay>,
}

/// Letters, sent again.
#[derive(Debug)]
pub(crate) struct Replay {
    /// Through a job that cuts long names and a rule that is sound.
    pub(crate) mended: bool,
    pub(crate) death: Option<Death>,
}

/// What somebody else does to a record.
#[derive(Debug, Clone)]
pub(crate) enum Other {
    Rename(u32, String),
    Delete(u32),
    Create(Row),
}

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) mode: Mode,
    pub(crate) matching: Match,
    /// What becomes of rows with one key: `first`, `last`, `reject`.
    pub(crate) keep: &'static str,
    pub(crate) on_missing: &'static str,
    /// The process of a version before which somebody adds the contacts that
    /// were missing; only where rows wait for them.
    pub(crate) contacts_before: usize,
    pub(crate) batch: usize,
    pub(crate) principals: usize,
    /// Requests of one principal at a time.
    pub(crate) concurrency: usize,
    /// Seconds that a token lives; without it tokens never end.
    pub(crate) token_life: Option<u64>,
    /// What the job's rule does when it meets a 13.
    pub(crate) rule: Option<&'static str>,
    /// Records that are there at first.
    pub(crate) before: Vec<Row>,
    /// One after the other.
    pub(crate) versions: Vec<Version>,
    /// What the service does wrong, as rules of the emulator.
    pub(crate) faults: Vec<Value>,
    /// Every so many writes arrive twice.
    pub(crate) twice: Option<usize>,
    /// Every so many writes arrive when their client has given them up.
    pub(crate) late: Option<usize>,
    pub(crate) limits: bool,
    pub(crate) servers: usize,
    /// Whether a run that has ended early is resumed, or begun anew.
    pub(crate) resume: bool,
    /// A run that was killed is resumed under a sound rule.
    pub(crate) latest: bool,
    /// Between processes.
    pub(crate) pause: Duration,
    /// The journal promises to survive a power cut.
    pub(crate) power_cut: bool,
    /// How many seconds the wall's clock is ahead, process by process.
    pub(crate) wrong_clocks: Vec<i64>,
}

impl Case {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mode =
            pick(&mut rng, &[Mode::Upsert, Mode::Upsert, Mode::Upsert, Mode::Update, Mode::Insert]);
        let matching = match mode {
            Mode::Upsert => pick(&mut rng, &[Match::Key, Match::Key, Match::Column, Match::Blind]),
            Mode::Update | Mode::Insert => pick(&mut rng, &[Match::Key, Match::Column]),
        };
        let rule = one_in(&mut rng, 3)
            .then(|| pick(&mut rng, &["trap", "trap", "invalid-input", "short"]));
        let keys = rng.u32(1..120);
        let before: Vec<u32> = (0..keys).filter(|_| one_in(&mut rng, 4)).collect();
        let before = before.into_iter().map(|no| sound(&mut rng, no, rule.is_some())).collect();
        let calm = one_in(&mut rng, 10);
        let faults = (0..if calm { 0 } else { rng.usize(1..5) }).map(|_| fault(&mut rng)).collect();
        let deadly = one_in(&mut rng, 4);
        let versions = versions(&mut rng, keys, rule.is_some(), deadly);
        let resume = rng.bool();
        let mut case = Self {
            seed,
            mode,
            matching,
            keep: pick(&mut rng, &["first", "last", "reject"]),
            on_missing: pick(&mut rng, &["null", "reject", "defer"]),
            contacts_before: rng.usize(0..3),
            batch: pick(&mut rng, &[1, 2, 7, 30, 100]),
            principals: rng.usize(1..4),
            concurrency: pick(&mut rng, &[1, 2, 8, 52]),
            token_life: one_in(&mut rng, 3).then(|| pick(&mut rng, &[330, 900, 3599])),
            rule,
            before,
            versions,
            faults,
            twice: one_in(&mut rng, 6).then(|| rng.usize(1..8)),
            late: (!calm && one_in(&mut rng, 6)).then(|| rng.usize(2..8)),
            limits: one_in(&mut rng, 4),
            servers: pick(&mut rng, &[1, 1, 2, 4]),
            resume,
            latest: resume && rule.is_some() && rng.bool(),
            pause: Duration::from_secs(pick(&mut rng, &[0, 40, 3_600])),
            power_cut: deadly && rng.bool(),
            wrong_clocks: Vec::new(),
        };
        case.wrong_clocks = wrong_clocks(&mut rng, case.is_ever_late());
        case
    }

    /// Whether a request may arrive after its client has given it up, or died.
    pub(crate) fn is_ever_late(&self) -> bool {
        let late = |death: &Death| matches!(death.how, How::Killed { last: Last::Late(_), .. });
        self.late.is_some() || self.all_deaths().any(late)
    }

    /// Of all versions and replays.
    pub(crate) fn all_deaths(&self) -> impl Iterator<Item = &Death> {
        self.versions.iter().flat_map(|version| {
            let replay = version.replay.as_ref().and_then(|replay| replay.death.as_ref());
            version.deaths.iter().chain(replay)
        })
    }

    /// Whether anything goes wrong at all.
    pub(crate) fn has_faults(&self) -> bool {
        !self.faults.is_empty() || self.twice.is_some() || self.late.is_some()
    }
}

fn versions(rng: &mut Rng, keys: u32, ruled: bool, deadly: bool) -> Vec<Version> {
    let mut versions: Vec<Version> = Vec::new();
    for number in 0..rng.usize(1..4) {
        let last = versions.last().map(|version| &version.rows);
        let rows = match last {
            None => rows(rng, keys, ruled),
            Some(last) => edited(rng, last, keys, ruled),
        };
        let touched = number > 0 && one_in(rng, 3);
        versions.push(Version {
            others: if touched { others(rng, keys, ruled) } else { Vec::new() },
            rows,
            deaths: if deadly { deaths(rng) } else { Vec::new() },
            replay: one_in(rng, 3).then(|| Replay {
                mended: rng.bool(),
                death: deadly.then(|| deaths(rng).pop()).flatten().map(Death::keeping_its_journal),
            }),
        });
    }
    versions
}

pub(crate) fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

pub(crate) fn one_in(rng: &mut Rng, times: u32) -> bool {
    rng.u32(0..times) == 0
}
