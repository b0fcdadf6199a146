//! What goes wrong: at the service, on the way, with processes and clocks.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use super::{one_in, pick};

/// How a process ends early.
#[derive(Debug, Clone)]
pub(crate) struct Death {
    /// With its so manieth request, from 1; a power cut with the so manieth change
    /// of the journal's files.
    pub(crate) after: usize,
    pub(crate) how: How,
}

#[derive(Debug, Clone)]
pub(crate) enum How {
    /// Asked to (Ctrl-C): it ends in order.
    Stopped,
    /// Without a word. What its journal had not written by then is lost.
    Killed { last: Last, journal_lost: bool },
    /// The disk has no power any more, and keeps some of what was not synced.
    /// Where the job asks for less than that, it is killed instead.
    PowerCut,
}

/// What becomes of the last request of a process that is killed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Last {
    Lost,
    Arrives,
    /// It is on its way for so long.
    Late(Duration),
}

impl Death {
    /// The same, for a job that need not survive a power cut.
    pub(crate) fn without_power_cut(self) -> Self {
        match self.how {
            How::PowerCut => {
                let how = How::Killed { last: Last::Lost, journal_lost: false };
                Self { after: self.after / 8 + 1, how }
            }
            How::Stopped | How::Killed { .. } => self,
        }
    }

    /// The same, but that its journal is still there.
    pub(super) fn keeping_its_journal(mut self) -> Self {
        if let How::Killed { journal_lost, .. } = &mut self.how {
            *journal_lost = false;
        }
        self
    }
}

pub(super) fn deaths(rng: &mut Rng) -> Vec<Death> {
    let count = rng.usize(0..4);
    (0..count).map(|_| death(rng)).collect()
}

fn death(rng: &mut Rng) -> Death {
    let last = match rng.u8(0..3) {
        0 => Last::Lost,
        1 => Last::Arrives,
        _ => Last::Late(Duration::from_secs(rng.u64(1..LATE_MAX))),
    };
    match rng.u8(0..8) {
        0 => Death { after: rng.usize(1..45), how: How::Stopped },
        1 | 2 => Death { after: rng.usize(1..400), how: How::PowerCut },
        _ => {
            let how = How::Killed { last, journal_lost: one_in(rng, 12) };
            Death { after: rng.usize(1..45), how }
        }
    }
}

/// Seconds that a request is on its way: less than a job's `commit_within`.
pub(crate) const LATE_MAX: u64 = 149;

/// Seconds by which the wall's clock is ahead, process by process. Of a clock
/// that was set forward nobody can tell how long ago something was: where
/// requests arrive late it is only set back.
pub(super) fn wrong_clocks(rng: &mut Rng, late: bool) -> Vec<i64> {
    if !one_in(rng, 4) {
        return Vec::new();
    }
    const DAY: i64 = 86_400;
    let all = [-400 * DAY, -DAY, -3_600, -70, 0, 70, 3_600, DAY, 30 * DAY];
    let mut wrong: Vec<i64> = (0..rng.usize(1..8)).map(|_| pick(rng, &all)).collect();
    if late {
        wrong.sort_unstable_by_key(|seconds| -seconds);
    }
    wrong
}

pub(super) fn fault(rng: &mut Rng) -> Value {
    let effect = match rng.u8(0..15) {
        0 | 1 => json!({"kind": "reply", "status": 429, "code": "0x80072322",
            "message": "Number of requests exceeded", "retry_after_seconds": rng.u64(0..90)}),
        2 => {
            json!({"kind": "reply", "status": 429, "code": "0x80072326", "message": "no time is told"})
        }
        3 => {
            json!({"kind": "reply", "status": pick(rng, &[500, 502, 503, 504]), "code": "", "message": "busy"})
        }
        4 => json!({"kind": "html", "status": pick(rng, &[500, 502, 503])}),
        5 => json!({"kind": "deadlock"}),
        6 => json!({"kind": "cut_before_commit"}),
        7 | 8 => json!({"kind": "cut_after_commit"}),
        9 => json!({"kind": "truncate", "bytes": rng.usize(0..200)}),
        10 => json!({"kind": "stall", "bytes": rng.usize(0..50)}),
        11 => json!({"kind": "delay", "milliseconds": pick(rng, &[500, 20_000, 200_000])}),
        12 => json!({"kind": "wrong_count", "missing": rng.usize(0..2), "extra": rng.usize(0..2)}),
        13 => json!({"kind": "expired_token"}),
        _ => json!({"kind": "earlier_reply"}),
    };
    let path = pick(rng, &["", "Multiple", "$batch", "new_things"]);
    let principals = ["p0", "p1", "p2"];
    let times = rng.u64(1..25);
    let mut rule =
        json!({"path": path, "principals": principals, "times": times, "effect": effect});
    if rule["effect"]["kind"] == "earlier_reply" {
        // To a read it would be a lie that nobody can see through.
        rule["operations"] = json!(["CreateMultiple", "UpdateMultiple", "UpsertMultiple"]);
    }
    match rng.u8(0..3) {
        0 => rule["every"] = json!(rng.u64(1..6)),
        1 => rule["probability"] = json!(f64::from(rng.u8(2..40)) / 100.0),
        _ => rule["nth"] = json!(rng.u64(1..12)),
    }
    rule
}
