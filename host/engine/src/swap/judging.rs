//! Who judges the chunks of one run, and what that comes to.
//!
//! A chunk takes its generations when it is read ([`Judging::take`]); what they
//! came to is told before anything is sent of it ([`Judging::judged`]), so that a
//! version that has lost by then does not count. Which versions judge is in the
//! journal before the first chunk that they judged.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dvsync_dataverse::Clock;
use dvsync_rules::swap::{
    Differences, Event, Generations, Moved, Numbered, Stage, Standing, Tally, Trial, View,
    in_canary,
};
use tokio::task::JoinHandle;

use super::told::{AgainReports, LISTED_MAX, SWAPS_MAX, SwapReport};
use super::{Candidate, Judges, Status, Swaps, Wish};
use crate::blocking::unblock;
use crate::error::RunError;
use crate::frame::Frame;
use crate::journal::{RuleStanding, RuleUsed, Run};
use crate::opening::rules;
use crate::plan::Plan;

mod carried_out;

/// How often a store is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A version of the rule, bound to the job: what the job does under it.
pub(crate) type Generation = Arc<Numbered<Arc<Plan>>>;

/// Rows of one chunk, and who judges them.
pub(crate) struct Part {
    pub(crate) frame: Arc<Frame>,
    pub(crate) by: Generation,
    /// Judges beside and does not count.
    pub(crate) shadow: Option<Generation>,
}

/// Who judges the chunks of a run.
pub(crate) struct Judging {
    pub(super) generations: Generations<Arc<Plan>>,
    /// What the run was begun with: what it reads rests on this.
    pub(super) base: Arc<Plan>,
    pub(super) swaps: Option<Swaps>,
    pub(super) clock: Clock,
    run: Run,
    /// The last chunks, for candidates to judge.
    recorded: Mutex<VecDeque<Arc<Frame>>>,
    /// A candidate is being made ready.
    making: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    looked: Mutex<Option<Duration>>,
    told: Mutex<Told>,
    /// One at a time, so that what is noted last is what holds.
    noting: Mutex<()>,
}

#[derive(Default)]
pub(super) struct Told {
    /// As the journal is to have them.
    rules: Vec<RuleUsed>,
    unwritten: bool,
    pub(super) swaps: BTreeMap<u32, SwapReport>,
    /// Judgements whose rows are to be judged again.
    lost: Vec<String>,
}

impl Judging {
    /// `before`: versions that have judged rows of the run in earlier processes.
    pub(crate) fn new(
        plan: &Arc<Plan>,
        run: Run,
        clock: Clock,
        swaps: Option<Swaps>,
        before: Vec<RuleUsed>,
    ) -> Self {
        let name = plan.bound().map_or_else(String::new, |bound| named(bound));
        let lost = before.iter().filter(|rule| rule.standing == RuleStanding::RolledBack);
        let lost = lost.map(|rule| rule.judgement.clone()).collect();
        let mut told = Told { lost, rules: before, ..Told::default() };
        for rule in rules(plan) {
            told.stands(rule);
        }
        told.unwritten = false;
        Self {
            generations: Generations::new(name, Arc::clone(plan)),
            base: Arc::clone(plan),
            swaps,
            clock,
            run,
            recorded: Mutex::default(),
            making: tokio::sync::Mutex::default(),
            looked: Mutex::default(),
            told: Mutex::new(told),
            noting: Mutex::default(),
        }
    }

    /// Gives a chunk of the source to its generations. Parts are numbered anew.
    pub(crate) async fn take(
        self: &Arc<Self>,
        mut frame: Frame,
        numbers: &AtomicU64,
    ) -> Result<Vec<Part>, RunError> {
        let number = || numbers.fetch_add(1, Ordering::Relaxed);
        let Some(swaps) = &self.swaps else {
            frame.number = number();
            return Ok(vec![self.whole(frame)]);
        };
        self.boundary(swaps).await?;
        let view = self.generations.view();
        self.told().see(&view);
        self.write_rules().await?;
        self.record(swaps, &frame);
        let mut parts = Vec::with_capacity(2);
        let mut add = |frame: Option<Frame>, by: &Generation, shadow: Option<&Generation>| {
            if let Some(mut frame) = frame {
                frame.number = number();
                let (frame, by) = (Arc::new(frame), Arc::clone(by));
                parts.push(Part { frame, by, shadow: shadow.cloned() });
            }
        };
        match &view.trial {
            None => add(Some(frame), &view.live, None),
            Some(Trial::Shadow(shadow)) => add(Some(frame), &view.live, Some(shadow)),
            Some(Trial::Canary { candidate, percent }) => {
                let (stays, goes) = frame.cut(|key| in_canary(key, *percent))?;
                add(stays, &view.live, None);
                add(goes, candidate, None);
            }
        }
        Ok(parts)
    }

    /// Gives rows that were settled before to the live generation.
    pub(crate) fn whole(&self, frame: Frame) -> Part {
        let by = Arc::clone(&self.generations.view().live);
        Part { frame: Arc::new(frame), by, shadow: None }
    }

    /// What a generation came to. `Some` = that one is to judge the part instead.
    pub(crate) async fn judged(
        self: &Arc<Self>,
        by: &Generation,
        tally: Tally,
    ) -> Result<Option<Generation>, RunError> {
        if self.swaps.is_none() {
            return Ok(None);
        }
        let (standing, moved) = self.generations.judged(self.clock.now(), by.number, tally);
        self.carry_out(moved).await?;
        Ok(match standing {
            Standing::Stands => None,
            Standing::Again(other) => Some(other),
        })
    }

    /// What a generation came to in the shadow, and what it judged otherwise.
    pub(crate) async fn shadowed(
        self: &Arc<Self>,
        by: &Generation,
        tally: Tally,
        compare: impl FnOnce(&mut Differences, usize),
    ) -> Result<(), RunError> {
        let keys_max = self.swaps.as_ref().map_or(0, |swaps| swaps.shared.settings.differences_max);
        if let Some(swap) = self.told().swaps.get_mut(&by.number) {
            compare(&mut swap.differences, keys_max);
        }
        let moved = self.generations.shadowed(self.clock.now(), by.number, tally);
        self.carry_out(moved).await
    }

    /// The first judgement whose rows are to be judged again.
    pub(crate) fn lost(&self) -> Option<String> {
        self.told().lost.first().cloned()
    }

    /// Its rows were judged again.
    pub(crate) async fn found(self: &Arc<Self>, judgement: &str) -> Result<(), RunError> {
        self.told().lost.retain(|lost| lost != judgement);
        let of: Vec<u32> = {
            let told = self.told();
            let swaps = told.swaps.iter();
            let lost = swaps.filter(|(_, swap)| swap.judgement.as_deref() == Some(judgement));
            lost.map(|(number, _)| *number).collect()
        };
        for number in of {
            self.carry_out(self.generations.judged_again(self.clock.now(), number)).await?;
        }
        Ok(())
    }

    /// Nothing more is judged: waits for what is being made ready.
    pub(crate) async fn end(&self) -> Result<(), RunError> {
        self.made(true).await?;
        let Some(swaps) = &self.swaps else { return Ok(()) };
        if let Some((number, _, stage)) = self.generations.stage()
            && !stage.is_over()
        {
            if let Some(swap) = self.told().swaps.get_mut(&number) {
                swap.notes.push("the run ended before it was proved".to_owned());
            }
            swaps.wanted().status = None;
        }
        Ok(())
    }

    /// The versions that judged, as the journal has them.
    pub(crate) fn rules(&self) -> Vec<RuleUsed> {
        self.told().rules.clone()
    }

    /// What became of each version that was wanted.
    pub(crate) fn reports(&self, mut again: AgainReports) -> Vec<SwapReport> {
        let mut swaps: Vec<SwapReport> = self.told().swaps.values().cloned().collect();
        for swap in &mut swaps {
            let of = swap
                .judgement
                .as_ref()
                .filter(|_| swap.stage == "rolled_back" || swap.stage == "quarantined");
            if let Some(report) = of.and_then(|judgement| again.remove(judgement)) {
                swap.judged_again = report;
            }
        }
        // Of versions that an earlier process of the run had on trial.
        for (judgement, judged_again) in again {
            let rule = self.told().rules.iter().find(|rule| rule.judgement == judgement).cloned();
            let name = rule
                .as_ref()
                .map_or_else(String::new, |rule| format!("{}@{}", rule.name, rule.version));
            swaps.push(SwapReport {
                name,
                digest: rule.map(|rule| rule.digest),
                judgement: Some(judgement),
                stage: "rolled_back",
                why: Some("the run was interrupted before it was published".to_owned()),
                notes: Vec::new(),
                differences: Differences::default(),
                judged_again,
            });
        }
        swaps
    }

    /// Between two chunks: what is wanted is begun.
    async fn boundary(self: &Arc<Self>, swaps: &Swaps) -> Result<(), RunError> {
        self.made(false).await?;
        self.look(swaps).await?;
        let why = swaps.wanted().roll_back.take();
        if let Some(why) = why {
            let moved = self.generations.step(self.clock.now(), Event::RollBack(why));
            self.carry_out(moved).await?;
        }
        if self.generations.is_idle() {
            let candidate = swaps.wanted().candidate.take();
            if let Some(candidate) = candidate {
                self.begin(swaps, candidate).await?;
            }
        }
        self.made(swaps.shared.waits).await
    }

    async fn look(self: &Arc<Self>, swaps: &Swaps) -> Result<(), RunError> {
        if swaps.shared.look.is_none() || !self.is_time_to_look() {
            return Ok(());
        }
        let judges = self.judges();
        let (looking, now) = (swaps.clone(), judges.candidate.is_some());
        let wish = unblock(move || looking.shared.look.as_ref().map(|look| look(&judges))).await?;
        match wish {
            None | Some(Ok(Wish::Nothing)) => {}
            Some(Ok(Wish::RollBack(why))) => swaps.roll_back(why),
            // Looked at again when this one has ended: the newest is taken then.
            Some(Ok(Wish::Take(_))) if now => {}
            Some(Ok(Wish::Take(candidate))) => {
                let mut wanted = swaps.wanted();
                if wanted.candidate.is_none() {
                    wanted.candidate = Some(*candidate);
                }
            }
            Some(Err(why)) => {
                tracing::warn!(why, "cannot look which version of the rule is wanted")
            }
        }
        Ok(())
    }

    fn is_time_to_look(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let due = looked.is_none_or(|last| now.saturating_sub(last) >= LOOK_EVERY);
        if due {
            *looked = Some(now);
        }
        due
    }

    fn judges(&self) -> Judges {
        let digest = |plan: &Plan| plan.bound().map(|bound| bound.digest().to_owned());
        let live = digest(&self.generations.view().live.generation).unwrap_or_default();
        let last = self.generations.stage().filter(|(_, _, stage)| !stage.is_over());
        let candidate = last.map(|(number, ..)| {
            let told = self.told();
            let swap = told.swaps.get(&number);
            swap.and_then(|swap| swap.digest.clone()).unwrap_or_default()
        });
        let previous = self.generations.previous();
        let previous = previous.and_then(|previous| digest(&previous.generation));
        Judges { live, candidate, previous }
    }

    async fn begin(self: &Arc<Self>, swaps: &Swaps, candidate: Candidate) -> Result<(), RunError> {
        let settings = candidate.settings.clone();
        let settings = settings.unwrap_or_else(|| swaps.shared.settings.clone());
        let has_keys = !self.base.job.source.key.is_empty();
        let mut notes = Vec::new();
        if !has_keys && !settings.canary_percent.is_empty() {
            notes.push("no canary: the job names no [source] key to tell its share by".to_owned());
        }
        let (now, name) = (self.clock.now(), candidate.name.clone());
        let Ok(number) = self.generations.begin(now, name.clone(), settings, has_keys) else {
            return Err(RunError::Bug("a swap was begun while another one is under way".into()));
        };
        let digest = candidate.digest.clone();
        let report = SwapReport {
            name: name.clone(),
            digest,
            judgement: None,
            stage: Stage::Registered.word(),
            why: None,
            notes,
            differences: Differences::default(),
            judged_again: Default::default(),
        };
        {
            let mut told = self.told();
            told.swaps.insert(number, report);
            if told.swaps.len() > SWAPS_MAX {
                told.swaps.pop_first();
            }
        }
        swaps.wanted().status = Some(Status { name, stage: Stage::Registered });
        let this = Arc::clone(self);
        let making = tokio::task::spawn_blocking(move || this.make_ready(number, candidate));
        *self.making.lock().await = Some(making);
        Ok(())
    }

    /// The candidate that is being made ready, if it is, or once it is.
    async fn made(&self, wait: bool) -> Result<(), RunError> {
        let mut making = self.making.lock().await;
        if let Some(made) = making.take_if(|made| wait || made.is_finished()) {
            made.await.map_err(RunError::panicked)?;
        }
        Ok(())
    }

    fn record(&self, swaps: &Swaps, frame: &Frame) {
        let most = swaps.shared.settings.conform_chunks;
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if most > 0 {
            recorded.push_back(Arc::new(frame.as_read()));
        }
        while recorded.len() > most {
            recorded.pop_front();
        }
    }

    /// The last chunks, as they were read.
    pub(super) fn recorded(&self) -> Vec<Arc<Frame>> {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.iter().cloned().collect()
    }

    async fn write_rules(&self) -> Result<(), RunError> {
        let rules = {
            let mut told = self.told();
            std::mem::take(&mut told.unwritten).then(|| told.rules.clone())
        };
        match rules {
            Some(rules) => Ok(self.run.rules(rules).await?),
            None => Ok(()),
        }
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    /// Who judges chunks from here on.
    fn see(&mut self, view: &View<Arc<Plan>>) {
        let live = rules(&view.live.generation).pop();
        if let Some(live) = live {
            self.stands(live);
        }
        if let Some(Trial::Canary { candidate, .. }) = &view.trial
            && let Some(rule) = rules(&candidate.generation).pop()
        {
            self.stands(RuleUsed { standing: RuleStanding::Canary, ..rule });
        }
    }

    /// A version stands so. One that was rolled back stays so in this run.
    fn stands(&mut self, rule: RuleUsed) {
        let known = self.rules.iter_mut().find(|known| known.judgement == rule.judgement);
        let standing = rule.standing;
        let judgement = rule.judgement.clone();
        match known {
            Some(known) if known.standing == RuleStanding::RolledBack => return,
            Some(known) if known.standing == standing => return,
            Some(known) => known.standing = standing,
            None => self.rules.push(rule),
        }
        self.unwritten = true;
        if standing == RuleStanding::Live {
            // The one that judges comes first.
            self.rules.sort_by_key(|known| known.judgement != judgement);
            for other in &mut self.rules {
                if other.standing == RuleStanding::Live && other.judgement != judgement {
                    other.standing = RuleStanding::Superseded;
                }
            }
        }
    }
}

/// `name@version`.
pub(super) fn named(bound: &dvsync_rules::Bound) -> String {
    format!("{}@{}", bound.description().name, bound.description().version)
}

/// Keys and records are listed so far.
pub(crate) fn list<T>(listed: &mut Vec<T>, item: impl FnOnce() -> T) {
    if listed.len() < LISTED_MAX {
        listed.push(item());
    }
}

/// A step came to something that must be carried out.
fn is_worth(moved: &Moved<Arc<Plan>>) -> bool {
    use dvsync_rules::swap::Action;
    moved.actions.iter().any(|action| *action != Action::Ignore)
}
