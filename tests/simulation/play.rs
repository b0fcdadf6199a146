//! One case, played to its end and compared with the model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use dvsync_engine::Report;
use dvsync_engine::job::Job;
use dvsync_engine::journal::{Reader, RunStatus};
use tempfile::TempDir;

use crate::case::{CONTACTS_LATER, Case, Death, How, Match, Row, Version};
use crate::disk::{self, Power};
use crate::model::{Expected, key};
use crate::process::{Doing, Ended, Process};
use crate::setting::{self, Mended};
use crate::tally::Tally;
use crate::way::WayFaults;
use crate::world::World;

/// Processes that a version may take until the service is left in peace.
const PATIENCE: usize = 6;
/// And until the case counts as stuck.
const PROCESSES_MAX: usize = 20;
const AN_HOUR: Duration = Duration::from_hours(1);
/// What no process needs: of the clock, and requests for each row and record.
const LONGEST: Duration = Duration::from_hours(12);
const REQUESTS_PER_ROW_MAX: u64 = 60;

/// Plays a case; violations panic.
pub(crate) fn play(case: &Case) -> Tally {
    play_on(case, false)
}

/// The same, on a disk that may lie about what it has synced.
pub(crate) fn play_on(case: &Case, lies: bool) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut play = Play::new(case, lies);
        for version in &case.versions {
            play.version(version).await;
        }
        play.end(&case.versions.last().unwrap().rows).await;
        play.tally
    })
}

struct Play<'a> {
    case: &'a Case,
    world: World,
    expected: Expected,
    /// Without links, as SQLite names it.
    folder: PathBuf,
    _temporary: TempDir,
    /// File name of the journal: each process that is killed leaves one.
    journal: String,
    /// For good.
    mended: Mended,
    /// Nothing goes wrong any more.
    is_calm: bool,
    /// The disk says that it has synced, and has not.
    lies: bool,
    /// Each process is told of: one seed is played again.
    tells: bool,
    tally: Tally,
}

impl<'a> Play<'a> {
    fn new(case: &'a Case, lies: bool) -> Self {
        disk::install();
        let tally = Tally {
            cases: 1,
            ruled: case.rule.is_some().into(),
            touched: case.versions.iter().any(|version| !version.others.is_empty()).into(),
            misdated: (!case.wrong_clocks.is_empty()).into(),
            late: case.is_ever_late().into(),
            ..Tally::default()
        };
        let tells = std::env::var_os("DVSYNC_SEED").is_some();
        if tells {
            println!("{case:?}");
        }
        let temporary = tempfile::tempdir().unwrap();
        Self {
            case,
            world: World::new(case),
            expected: Expected::before(case),
            folder: temporary.path().canonicalize().unwrap(),
            _temporary: temporary,
            journal: "journal-0.db".to_owned(),
            mended: Mended::default(),
            is_calm: false,
            lies,
            tells,
            tally,
        }
    }

    async fn version(&mut self, version: &Version) {
        let lost = |death: &Death| matches!(death.how, How::Killed { journal_lost: true, .. });
        // What a request that is late would undo, or nobody remembers.
        if !version.others.is_empty() || self.case.all_deaths().any(lost) {
            self.wait(AN_HOUR).await;
        }
        self.world.touch(&version.others, &mut self.expected);
        self.sync(&version.rows, &version.deaths).await;
        if let Some(replay) = &version.replay {
            self.wait(self.case.pause).await;
            self.replay(replay.mended, replay.death.as_ref()).await;
        }
        self.wait(self.case.pause).await;
    }

    /// Runs until one version of the source is in the target, whatever happens.
    async fn sync(&mut self, rows: &[Row], deaths: &[Death]) {
        std::fs::write(self.folder.join("rows.csv"), setting::csv(rows)).unwrap();
        let mut deaths = deaths.iter();
        let mut doing = Doing::Run;
        for process in 0..PROCESSES_MAX {
            if process == PATIENCE {
                self.calm();
            }
            if self.case.on_missing == "defer" && process >= self.case.contacts_before {
                self.add_missing_contacts();
            }
            let (death, mended) = (deaths.next(), self.mended);
            let (ended, did) = self.process(doing, mended, death, rows.len()).await;
            doing = match ended {
                Ended::Killed { journal_lost } => {
                    if journal_lost {
                        self.expected.letters.clear();
                    }
                    // What was not begun cannot be gone on with.
                    self.mended.rule |= self.case.latest;
                    if self.case.resume && !journal_lost {
                        Doing::Resume { latest: self.case.latest }
                    } else {
                        Doing::Run
                    }
                }
                Ended::Reported(report) => {
                    if matches!(report.status, RunStatus::Complete | RunStatus::WithDeadLetters) {
                        self.compare(&report, rows);
                        return;
                    }
                    let resume = self.case.resume && report.status == RunStatus::Incomplete;
                    if resume { Doing::Resume { latest: false } } else { Doing::Run }
                }
                Ended::NotBegun => match did {
                    Doing::Resume { .. } => did,
                    Doing::Run | Doing::Replay => Doing::Run,
                },
                Ended::NothingOpen => panic!("a run says that no letter is open"),
            };
            self.wait(self.pause(process)).await;
        }
        panic!("stuck after {PROCESSES_MAX} processes");
    }

    /// Sends open letters again until none of them waits.
    async fn replay(&mut self, mended: bool, death: Option<&Death>) {
        if self.case.on_missing == "defer" {
            self.add_missing_contacts();
        }
        let job = Mended { rule: mended || self.mended.rule, names: mended };
        let open: usize = self.expected.letters.values().map(Vec::len).sum();
        self.expected.replay(self.case, job.names, job.rule);
        self.tally.replays += 1;
        for process in 0..PROCESSES_MAX {
            if process == PATIENCE {
                self.calm();
            }
            let death = death.filter(|_| process == 0);
            match self.process(Doing::Replay, job, death, open).await.0 {
                Ended::NothingOpen => {
                    assert!(open == 0 || process > 0, "{open} letters are open");
                    assert_eq!(self.world.target(), self.expected.target);
                    return;
                }
                Ended::Reported(report)
                    if matches!(
                        report.status,
                        RunStatus::Complete | RunStatus::WithDeadLetters
                    ) =>
                {
                    self.same_target(&report);
                    let letters: usize = self.expected.letters.values().map(Vec::len).sum();
                    let dead = usize::try_from(report.counts.dead_lettered).unwrap();
                    assert_eq!(dead, letters, "{:?}", report.causes);
                    return;
                }
                Ended::Reported(_) | Ended::Killed { .. } | Ended::NotBegun => {}
            }
            self.wait(self.pause(process)).await;
        }
        panic!("stuck after {PROCESSES_MAX} processes with letters");
    }

    async fn process(
        &mut self,
        doing: Doing,
        mended: Mended,
        death: Option<&Death>,
        rows: usize,
    ) -> (Ended, Doing) {
        let nth = usize::try_from(self.tally.processes).unwrap();
        let wrong = &self.case.wrong_clocks;
        let wrong = wrong.get(nth).or(wrong.last()).copied().unwrap_or_default();
        self.tally.processes += 1;
        let power = self.case.power_cut.then(|| {
            let at = match death {
                Some(Death { after, how: How::PowerCut }) => vec![*after],
                _ => Vec::new(),
            };
            let is_final = !at.is_empty();
            Power { at, is_final, lies: self.lies, seed: self.case.seed ^ self.tally.processes }
        });
        let killed = death.cloned().map(|death| death.without_power_cut());
        let death = match (&power, death) {
            (Some(_), death) => death,
            (None, Some(_)) => killed.as_ref(),
            (None, None) => None,
        };
        let faults = if self.is_calm {
            WayFaults::default()
        } else {
            WayFaults { twice: self.case.twice, late: self.case.late }
        };
        let job = self.job(mended);
        let process = Process {
            job: &job,
            ruled: self.case.rule.is_some(),
            world: &self.world,
            wrong,
            faults,
            death,
            power,
            // What another process has used up, too.
            may_fail: self.case.limits || (self.case.has_faults() && !self.is_calm),
        };
        let began = self.world.clock.now();
        let lived = process.live(doing).await;
        let seen = lived.seen;
        if let Ended::Killed { .. } = lived.ended {
            self.leave_journal(&lived.journal);
            self.tally.deadly = 1;
            self.tally.killed += 1;
            self.tally.cut += u64::from(self.case.power_cut);
        }
        if let (Ended::Reported(report), Some(Death { after, how: How::Stopped })) =
            (&lived.ended, death)
        {
            report.counts.check().unwrap();
            self.tally.stopped += u64::from(seen.sent >= *after);
        }
        if let Ended::Reported(report) = &lived.ended {
            report.counts.check().unwrap();
            self.tally.requests += report.requests.sent;
            self.tally.retried += report.requests.retried;
            self.tally.throttled += report.requests.throttled;
        }
        self.tally.resumed += u64::from(matches!(lived.did, Doing::Resume { .. }));
        if self.tells {
            let at = self.world.clock.now().as_secs();
            println!("{at} s: {:?} ended {}, {seen:?}", lived.did, lived.ended);
        }
        // Queues, waits and requests have an end.
        let bound = self.case.principals * self.case.concurrency;
        assert!(seen.most_in_flight <= bound, "{} in flight, not {bound}", seen.most_in_flight);
        let took = self.world.clock.now() - began;
        assert!(took < LONGEST, "a process took {} s", took.as_secs());
        let sent = u64::try_from(seen.sent).unwrap();
        let rows = u64::try_from(rows + self.expected.target.len()).unwrap();
        assert!(sent <= 100 + rows * REQUESTS_PER_ROW_MAX, "{sent} requests for {rows} rows");
        self.tally.most_requests = self.tally.most_requests.max(sent);
        self.tally.longest_seconds = self.tally.longest_seconds.max(took.as_secs());
        (lived.ended, lived.did)
    }

    /// From now on the journal is what a kill has left of it.
    fn leave_journal(&mut self, left: &disk::Left) {
        self.journal = format!("journal-{}.db", self.tally.processes);
        for (suffix, bytes) in left {
            let path = self.folder.join(format!("{}{suffix}", self.journal));
            std::fs::write(path, bytes).unwrap();
        }
    }

    fn compare(&mut self, report: &Report, rows: &[Row]) {
        let refused = self.refused(report, rows);
        let counted = self
            .expected
            .run(self.case, rows, |row| row.is_unlucky() && refused.contains(&key(row.no)));
        self.same_target(report);
        assert_eq!(report.counts.read, u64::try_from(rows.len()).unwrap());
        assert_eq!(
            (report.counts.dead_lettered, report.counts.dropped),
            (counted.dead_lettered, counted.dropped),
            "{:?}",
            report.causes
        );
    }

    fn same_target(&self, report: &Report) {
        let (found, expected) = (self.world.target(), &self.expected.target);
        let keys: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
        let differ: Vec<_> = keys
            .into_iter()
            .map(|key| (key, found.get(key), expected.get(key)))
            .filter(|(_, found, expected)| found != expected)
            .collect();
        assert!(differ.is_empty(), "found, and expected: {differ:?}; {:?}", report.causes);
    }

    /// Keys of the rows that the rule has refused. Where it was mended within a
    /// run, the run's letters tell which it met before.
    fn refused(&self, report: &Report, rows: &[Row]) -> BTreeSet<String> {
        let unlucky = rows.iter().filter(|row| row.is_unlucky()).map(|row| key(row.no));
        let unlucky: BTreeSet<String> = match self.case.rule {
            Some(_) => unlucky.collect(),
            None => BTreeSet::new(),
        };
        if !self.mended.rule {
            return unlucky;
        }
        let reader = Reader::open(&report.journal).unwrap();
        let letters = reader.letters(&report.run_id).unwrap().map(|letter| letter.unwrap().letter);
        let ours = letters.filter(|letter| letter.code.starts_with("rule_"));
        let refused: BTreeSet<String> = ours.filter_map(|letter| letter.key).collect();
        assert!(refused.is_subset(&unlucky), "{refused:?} of {unlucky:?}");
        refused
    }

    /// The same data again: nothing is written. And what the service saw.
    async fn end(&mut self, rows: &[Row]) {
        self.calm();
        // What the service asked for, or may still commit, has passed.
        self.wait(AN_HOUR).await;
        if self.mended.rule {
            // Rows that the old rule has refused.
            self.sync(rows, &[]).await;
        }
        let (ended, _) = self.process(Doing::Run, self.mended, None, rows.len()).await;
        let Ended::Reported(report) = ended else {
            panic!("a service without faults ended the run");
        };
        assert_eq!(report.counts.read, u64::try_from(rows.len()).unwrap());
        assert_eq!(self.world.target(), self.expected.target);
        if self.case.matching != Match::Blind {
            let written = (report.counts.created, report.counts.updated, report.counts.upserted);
            assert_eq!(written, (0, 0, 0), "{:?}", report.causes);
        }
        self.world.no_create_twice();
        // A process cannot know what another one was asked to wait.
        let alone = self.case.pause == AN_HOUR && self.case.all_deaths().next().is_none();
        if alone && !self.case.is_ever_late() {
            self.world.retry_after_kept();
        }
    }

    fn add_missing_contacts(&mut self) {
        if self.expected.contacts < CONTACTS_LATER {
            self.expected.contacts = CONTACTS_LATER;
            self.world.add_missing_contacts();
        }
    }

    fn calm(&mut self) {
        self.is_calm = true;
        self.world.no_faults();
    }

    /// What waits longer than a case does is left in peace, too.
    fn pause(&self, process: usize) -> Duration {
        if process < PATIENCE { self.case.pause } else { AN_HOUR.max(self.case.pause) }
    }

    async fn wait(&self, so_long: Duration) {
        let later = self.world.clock.now() + so_long;
        self.world.clock.sleep_until(later).await;
    }

    fn job(&self, mended: Mended) -> Job {
        let path = self.folder.join("job.toml");
        std::fs::write(&path, setting::job(self.case, mended, &self.journal)).unwrap();
        let secret = |name: &str| Some(name.to_lowercase());
        Job::load(&path, &BTreeMap::new(), &secret).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Drop for Play<'_> {
    fn drop(&mut self) {
        disk::forget(&self.folder);
    }
}
