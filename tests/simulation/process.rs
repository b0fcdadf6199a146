//! One process: until it has a report, or dies.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dvsync_dataverse::{Client, Clock};
use dvsync_engine::job::Job;
use dvsync_engine::journal::{JournalError, LetterFilter};
use dvsync_engine::{LeftAlone, Parts, Progress, Report, RulesOnResume, RunError, client_settings};
use fastrand::Rng;

use crate::case::{Death, How};
use crate::disk::{self, Power};
use crate::rule::rule;
use crate::setting::URL;
use crate::way::{Seen, Way, WayFaults};
use crate::witness::Witness;
use crate::world::World;

pub(crate) struct Process<'a> {
    pub(crate) job: &'a Job,
    pub(crate) ruled: bool,
    pub(crate) world: &'a World,
    /// How many seconds its wall clock is ahead.
    pub(crate) wrong: i64,
    pub(crate) faults: WayFaults,
    pub(crate) death: Option<&'a Death>,
    /// The disk under its journal.
    pub(crate) power: Option<Power>,
    /// It may not even begin.
    pub(crate) may_fail: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Doing {
    Run,
    Resume { latest: bool },
    Replay,
}

pub(crate) enum Ended {
    Reported(Box<Report>),
    Killed {
        journal_lost: bool,
    },
    /// The service did not let it.
    NotBegun,
    /// There was no letter to replay.
    NothingOpen,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported(report) => {
                let Report { status, counts, message, .. } = &**report;
                write!(f, "{status}, {counts:?}, {message:?}")
            }
            Self::Killed { journal_lost: true } => f.write_str("killed, and its journal is gone"),
            Self::Killed { .. } => f.write_str("killed"),
            Self::NotBegun => f.write_str("before it began"),
            Self::NothingOpen => f.write_str("without a letter"),
        }
    }
}

pub(crate) struct Lived {
    pub(crate) ended: Ended,
    /// What there was nothing to go on with was begun anew.
    pub(crate) did: Doing,
    pub(crate) seen: Seen,
    /// What a kill has left: the journal's files, by their suffix.
    pub(crate) journal: disk::Left,
}

impl Process<'_> {
    pub(crate) async fn live(&self, doing: Doing) -> Lived {
        let (emulator, steady) = (Arc::clone(&self.world.emulator), self.world.clock);
        let path = &self.job.journal.path;
        let witness = self.power.as_ref().map(|power| Witness::new(path, power.seed));
        let way = Way::new(emulator, steady, self.faults, self.death.cloned(), witness);
        let way = Arc::new(way);
        if let Some(power) = &self.power {
            disk::watch(path, power.clone());
        }
        let mut did = doing;
        let mut journal = BTreeMap::new();
        let ended = loop {
            let life = self.life(did, &way);
            tokio::pin!(life);
            let ended = tokio::select! {
                ended = &mut life => ended,
                () = way.died.notified() => {
                    // As it is at this moment, before the life is put away: that
                    // would write what is queued.
                    let Some(Death { how: How::Killed { journal_lost, .. }, .. }) = self.death
                    else { panic!("it died of nothing") };
                    if !journal_lost {
                        journal = self.left();
                    }
                    break Ended::Killed { journal_lost: *journal_lost };
                }
            };
            if let Some((left, _)) = disk::cuts(path).0.pop() {
                journal = left;
                break Ended::Killed { journal_lost: false };
            }
            match ended {
                Ok(report) => break Ended::Reported(Box::new(report)),
                // The threads of the process before have not all ended.
                Err(RunError::Journal(JournalError::InUse { .. })) => {
                    tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
                }
                Err(RunError::Job { message, .. }) => match did {
                    // Killed before its journal had a run, or after the last one
                    // was complete.
                    Doing::Resume { .. } => did = Doing::Run,
                    Doing::Replay if message == "no open letter is meant" => {
                        break Ended::NothingOpen;
                    }
                    Doing::Run | Doing::Replay => panic!("{message}"),
                },
                Err(RunError::Client(error)) => {
                    assert!(self.may_fail, "{error}");
                    break Ended::NotBegun;
                }
                Err(error) => panic!("{error}"),
            }
        };
        Lived { ended, did, seen: way.seen(), journal }
    }

    /// What a kill leaves of the journal; of one that is to survive power cuts,
    /// what one of these leaves.
    fn left(&self) -> disk::Left {
        match &self.power {
            Some(power) => disk::left(&self.job.journal.path, &mut Rng::with_seed(power.seed)),
            None => files(&self.job.journal.path),
        }
    }

    async fn life(&self, doing: Doing, way: &Arc<Way>) -> Result<Report, RunError> {
        let (wall, wrong) =
            (self.world.clock.wall(), Duration::from_secs(self.wrong.unsigned_abs()));
        let ahead = self.wrong > 0;
        let wall = if ahead { wall.checked_add(wrong) } else { wall.checked_sub(wrong) };
        let clock = Clock::starting_at(wall.unwrap());
        let transport = Arc::clone(way);
        let client = Client::new(client_settings(self.job, URL), transport, clock).unwrap();
        let parts = Parts { client, clock, rule: self.ruled.then(rule), seed: 0, swaps: None };
        let (progress, stop) = (Progress::new(), &way.stop);
        match doing {
            Doing::Run => dvsync_engine::run(self.job, parts, &progress, stop).await,
            Doing::Resume { latest } => {
                let rules = if latest { RulesOnResume::Latest } else { RulesOnResume::Same };
                dvsync_engine::resume(self.job, parts, rules, &progress, stop).await
            }
            Doing::Replay => {
                let all = LetterFilter::default();
                let (report, left) =
                    dvsync_engine::replay(self.job, parts, all, &progress, stop).await?;
                assert_eq!(left, LeftAlone::default());
                Ok(report)
            }
        }
    }
}

/// The journal and its log, as they lie on the disk.
fn files(journal: &Path) -> disk::Left {
    let suffixes = ["", "-wal"].into_iter();
    let read = |suffix: &'static str| {
        let mut path = journal.as_os_str().to_owned();
        path.push(suffix);
        Some((suffix, std::fs::read(path).ok()?))
    };
    suffixes.filter_map(read).collect()
}
