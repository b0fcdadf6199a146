//! What was played, in numbers.

use std::fmt;
use std::ops::AddAssign;

#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) cases: u64,
    /// Cases in which a process was killed.
    pub(crate) deadly: u64,
    pub(crate) processes: u64,
    pub(crate) killed: u64,
    /// Of these, by a power cut.
    pub(crate) cut: u64,
    pub(crate) stopped: u64,
    pub(crate) resumed: u64,
    pub(crate) replays: u64,
    /// Cases by what they have.
    pub(crate) ruled: u64,
    pub(crate) touched: u64,
    pub(crate) misdated: u64,
    pub(crate) late: u64,
    pub(crate) requests: u64,
    pub(crate) retried: u64,
    pub(crate) throttled: u64,
    pub(crate) most_requests: u64,
    pub(crate) longest_seconds: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.cases += other.cases;
        self.deadly += other.deadly;
        self.processes += other.processes;
        self.killed += other.killed;
        self.cut += other.cut;
        self.stopped += other.stopped;
        self.resumed += other.resumed;
        self.replays += other.replays;
        self.ruled += other.ruled;
        self.touched += other.touched;
        self.misdated += other.misdated;
        self.late += other.late;
        self.requests += other.requests;
        self.retried += other.retried;
        self.throttled += other.throttled;
        self.most_requests = self.most_requests.max(other.most_requests);
        self.longest_seconds = self.longest_seconds.max(other.longest_seconds);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} cases: {} with a kill, {} with a rule, {} whose target others changed, {} with a \
             wrong clock, {} with requests that arrive late",
            self.cases, self.deadly, self.ruled, self.touched, self.misdated, self.late
        )?;
        writeln!(
            f,
            "{} processes: {} killed ({} with a power cut), {} asked to stop, {} resumed a run, {} replayed letters",
            self.processes, self.killed, self.cut, self.stopped, self.resumed, self.replays
        )?;
        write!(
            f,
            "{} requests, {} retried, {} throttled; at most {} of one process, at most {} s",
            self.requests, self.retried, self.throttled, self.most_requests, self.longest_seconds
        )
    }
}
