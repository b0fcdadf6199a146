//! A case: everything that a seed decides.

use fastrand::Rng;
use serde_json::{Value, json};

/// A row of the source: key, name (may be too long), number (may be negative).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) no: u32,
    pub(crate) name: String,
    pub(crate) n: Option<i32>,
    /// E-mail address of a contact; some point nowhere.
    pub(crate) contact: Option<u32>,
}

impl Row {
    /// Whether nothing in it is refused by the target's own rules.
    pub(crate) fn fits(&self) -> bool {
        self.name.chars().count() <= NAME_MAX && self.n.is_none_or(|n| n >= 0)
    }
}

/// Characters that `account.name` takes.
pub(crate) const NAME_MAX: usize = 160;
/// Contacts that are there; others are missing.
pub(crate) const CONTACTS: u32 = 5;

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

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) mode: Mode,
    pub(crate) matching: Match,
    /// What becomes of rows with one key: `first`, `last`, `reject`.
    pub(crate) keep: &'static str,
    pub(crate) on_missing: &'static str,
    pub(crate) batch: usize,
    pub(crate) principals: usize,
    /// Records that are there at first: key and name.
    pub(crate) before: Vec<Row>,
    /// Versions of the source, one after the other.
    pub(crate) versions: Vec<Vec<Row>>,
    /// What goes wrong, as rules of the emulator.
    pub(crate) faults: Vec<Value>,
    pub(crate) limits: bool,
    pub(crate) servers: usize,
    /// After how many requests the process dies, and whether the service has got
    /// the last of them; one entry a death.
    pub(crate) deaths: Vec<(usize, bool)>,
    /// Whether a run that died is resumed, or begun anew.
    pub(crate) resume: bool,
}

impl Case {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mode =
            pick(&mut rng, &[Mode::Upsert, Mode::Upsert, Mode::Upsert, Mode::Update, Mode::Insert]);
        let matching = match mode {
            Mode::Upsert => pick(&mut rng, &[Match::Key, Match::Key, Match::Column, Match::Blind]),
            _ => pick(&mut rng, &[Match::Key, Match::Column]),
        };
        let keys = rng.u32(1..120);
        let first = rows(&mut rng, keys);
        let mut versions = vec![first];
        if rng.bool() {
            let next = edited(&mut rng, &versions[0], keys);
            versions.push(next);
        }
        let before = (0..keys).filter(|_| rng.u8(0..4) == 0);
        let before = before.collect::<Vec<_>>().into_iter().map(|no| sound(&mut rng, no)).collect();
        let calm = rng.u8(0..10) == 0;
        let faults = (0..if calm { 0 } else { rng.usize(1..5) }).map(|_| fault(&mut rng)).collect();
        let deaths = if rng.u8(0..5) == 0 {
            (0..rng.usize(1..4)).map(|_| (rng.usize(1..40), rng.bool())).collect()
        } else {
            Vec::new()
        };
        Self {
            seed,
            mode,
            matching,
            keep: pick(&mut rng, &["first", "last", "reject"]),
            on_missing: pick(&mut rng, &["null", "reject"]),
            batch: pick(&mut rng, &[1, 2, 7, 30, 100]),
            principals: rng.usize(1..4),
            before,
            versions,
            faults,
            limits: rng.u8(0..4) == 0,
            servers: pick(&mut rng, &[1, 1, 2, 4]),
            deaths,
            resume: rng.bool(),
        }
    }
}

fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

fn rows(rng: &mut Rng, keys: u32) -> Vec<Row> {
    let count = rng.usize(0..150);
    (0..count).map(|_| row(rng, keys)).collect()
}

fn row(rng: &mut Rng, keys: u32) -> Row {
    let no = rng.u32(0..keys);
    let mut row = sound(rng, no);
    match rng.u8(0..20) {
        0 => row.name = "x".repeat(NAME_MAX + 1),
        1 => row.n = Some(-1),
        _ => {}
    }
    row.contact = (rng.u8(0..4) == 0).then(|| rng.u32(0..CONTACTS + 2));
    row
}

fn sound(rng: &mut Rng, no: u32) -> Row {
    let name = pick(rng, &["Alpine", "O'Hara & Co", "Zoë; \"quoted\"", "two\nlines", "Äther"]);
    let name = format!("{name} {}", rng.u32(0..6));
    Row { no, name, n: rng.bool().then(|| rng.i32(0..5)), contact: None }
}

/// Some rows changed, some gone, some new.
fn edited(rng: &mut Rng, rows: &[Row], keys: u32) -> Vec<Row> {
    let mut next = Vec::new();
    for old in rows {
        match rng.u8(0..8) {
            0 => {}
            1 => next.push(row(rng, keys)),
            2 => {
                let mut new = sound(rng, old.no);
                new.contact = old.contact;
                next.push(new);
            }
            _ => next.push(old.clone()),
        }
    }
    next
}

fn fault(rng: &mut Rng) -> Value {
    let effect = match rng.u8(0..14) {
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
        _ => json!({"kind": "earlier_reply"}),
    };
    let path = pick(rng, &["", "Multiple", "$batch", "accounts"]);
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
