//! The protocol of a swap: what happened in, the next stage and what to do out.
//!
//! Pure. What is not expected in a stage changes nothing and is said to be
//! [`Action::Ignore`]d; nothing leads from a stage that is over back to one that
//! judges.

use std::time::Duration;

use super::settings::SwapSettings;
use super::stage::{Cause, Stage};
use super::tally::{Rate, Tally};

/// What can happen to a version on its way.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Its bytes were compared with what was promised.
    Verified(Result<(), String>),
    /// It was compiled and bound to the job.
    Compiled(Result<(), String>),
    /// It fits the job, but not the run under way.
    Postponed(String),
    /// It judged its fixtures and the recorded chunks.
    Conformed(Result<(), String>),
    /// The previous version judged a part of a chunk.
    PreviousJudged(Tally),
    /// It judged a part of a chunk itself: in the shadow, or as one that counts.
    Judged(Tally),
    /// That it is live was noted where that is kept.
    Noted(Result<(), String>),
    /// Somebody wants the previous version back.
    RollBack(String),
    /// All that it wrote was judged again.
    JudgedAgain,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Compile it and bind it to the job.
    Compile,
    /// Let it judge its fixtures and the recorded chunks.
    Conform,
    /// Let both judge; the previous one counts.
    Shadow,
    /// Let it judge so many percent of the keys.
    Canary {
        /// 1 to 99.
        percent: u8,
    },
    /// Let it judge all rows from the next chunk on, and note that it is live.
    Publish,
    /// Its predecessor is not needed any more.
    Retire,
    /// Let the previous version judge all rows from the next chunk on.
    Withdraw,
    /// List what it wrote and judge it again.
    JudgeAgain,
    /// Never take it again by itself.
    Quarantine,
    /// Nothing: it was not expected.
    Ignore,
}

/// Why no swap can begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{under_way}` is under way: {stage}")]
pub struct Refused {
    /// The version that is being swapped in.
    pub under_way: String,
    /// Where it stands.
    pub stage: String,
}

/// One swap.
#[derive(Debug, Clone)]
pub struct Machine {
    settings: SwapSettings,
    /// Rows have keys to tell a canary's share by.
    has_keys: bool,
    stage: Stage,
    since: Duration,
    /// Judged by itself as one that counts.
    own: Rate,
    previous: Rate,
    trapped: u32,
    timed_out: u32,
    invalid: u32,
}

impl Machine {
    /// A version is wanted. `previous`: how the live one has fared so far.
    /// Without keys there is no canary.
    #[must_use]
    pub fn new(settings: SwapSettings, has_keys: bool, previous: Rate, now: Duration) -> Self {
        Self {
            settings,
            has_keys,
            stage: Stage::Registered,
            since: now,
            own: Rate::default(),
            previous,
            trapped: 0,
            timed_out: 0,
            invalid: 0,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Since when.
    #[must_use]
    pub fn since(&self) -> Duration {
        self.since
    }

    /// How it has fared, and its predecessor.
    #[must_use]
    pub fn rates(&self) -> (Rate, Rate) {
        (self.own, self.previous)
    }

    /// Something happened at `now`: what to do, in order.
    pub fn step(&mut self, now: Duration, event: Event) -> Vec<Action> {
        let before = self.stage.clone();
        let actions = self.decide(now, event);
        let place = |stage: &Stage| match stage {
            Stage::Canary { step, .. } => (stage.word(), *step),
            other => (other.word(), 0),
        };
        if place(&before) != place(&self.stage) {
            self.since = now;
        }
        actions
    }

    fn decide(&mut self, now: Duration, event: Event) -> Vec<Action> {
        match (self.stage.clone(), event) {
            (stage, Event::RollBack(why)) => self.roll_back(&stage, why),
            (Stage::Registered, Event::Verified(Ok(()))) => {
                self.to(Stage::Verified, [Action::Compile])
            }
            (Stage::Registered, Event::Verified(Err(why))) => self.refuse(Cause::Unverified(why)),
            (Stage::Verified, Event::Compiled(Ok(()))) => {
                self.to(Stage::Compiled, [Action::Conform])
            }
            (Stage::Verified, Event::Compiled(Err(why))) => self.refuse(Cause::Unfit(why)),
            (Stage::Verified, Event::Postponed(why)) => {
                self.to(Stage::RolledBack { cause: Cause::NextRun(why) }, [])
            }
            (Stage::Compiled, Event::Conformed(Ok(()))) => self.begin_to_judge(),
            (Stage::Compiled, Event::Conformed(Err(why))) => self.refuse(Cause::Unconformed(why)),
            (stage, Event::PreviousJudged(tally)) => {
                if stage.is_over() {
                    return vec![Action::Ignore];
                }
                self.previous += tally;
                Vec::new()
            }
            (Stage::Shadowing { chunks }, Event::Judged(tally)) => {
                self.count(tally);
                if let Some(cause) = self.fault() {
                    return self.refuse(cause);
                }
                let chunks = chunks + 1;
                self.stage = Stage::Shadowing { chunks };
                if chunks < self.settings.shadow_chunks { Vec::new() } else { self.canary(0) }
            }
            (Stage::Canary { step, percent, chunks }, Event::Judged(tally)) => {
                self.count(tally);
                if let Some(cause) = self.fault() {
                    return self.withdraw(cause);
                }
                let chunks = chunks + 1;
                self.stage = Stage::Canary { step, percent, chunks };
                let long = now.saturating_sub(self.since) >= self.settings.canary_lasts_min;
                if chunks < self.settings.canary_chunks || !long {
                    return Vec::new();
                }
                self.canary(step + 1)
            }
            (Stage::Published, Event::Noted(Ok(()))) => self.to(Stage::Watching { chunks: 0 }, []),
            (Stage::Published, Event::Noted(Err(why))) => self.withdraw(Cause::Unnoted(why)),
            (Stage::Published, Event::Judged(tally)) => {
                self.count(tally);
                self.fault().map(|cause| self.withdraw(cause)).unwrap_or_default()
            }
            (Stage::Watching { chunks }, Event::Judged(tally)) => {
                self.count(tally);
                if let Some(cause) = self.fault() {
                    return self.withdraw(cause);
                }
                let chunks = chunks + 1;
                if chunks < self.settings.watch_chunks {
                    return self.to(Stage::Watching { chunks }, []);
                }
                self.to(Stage::Proved, [Action::Retire])
            }
            (Stage::RolledBack { cause }, Event::JudgedAgain) if cause.is_its_own() => {
                self.to(Stage::Quarantined { cause }, [Action::Quarantine])
            }
            (_, _) => vec![Action::Ignore],
        }
    }

    fn to<const N: usize>(&mut self, stage: Stage, actions: [Action; N]) -> Vec<Action> {
        self.stage = stage;
        actions.into()
    }

    fn begin_to_judge(&mut self) -> Vec<Action> {
        self.stage = Stage::Conformed;
        if self.settings.shadow_chunks > 0 {
            return self.to(Stage::Shadowing { chunks: 0 }, [Action::Shadow]);
        }
        self.canary(0)
    }

    /// The next step of the canary, or all rows.
    fn canary(&mut self, step: usize) -> Vec<Action> {
        // The rate in the shadow counted on both sides; what follows is its own.
        if step == 0 {
            self.own = Rate::default();
        }
        match self.settings.percent(step).filter(|_| self.has_keys) {
            Some(percent) => {
                let stage = Stage::Canary { step, percent, chunks: 0 };
                self.to(stage, [Action::Canary { percent }])
            }
            None => self.to(Stage::Published, [Action::Publish]),
        }
    }

    fn count(&mut self, tally: Tally) {
        self.own += tally;
        self.trapped += u32::from(tally.trapped > 0);
        self.timed_out += u32::from(tally.timed_out > 0);
        self.invalid += u32::from(tally.invalid > 0);
    }

    fn fault(&self) -> Option<Cause> {
        let settings = &self.settings;
        if self.trapped > settings.trapped_chunks_max {
            return Some(Cause::Trapped(self.trapped));
        }
        if self.timed_out > settings.timed_out_chunks_max {
            return Some(Cause::TimedOut(self.timed_out));
        }
        if self.invalid > settings.invalid_chunks_max {
            return Some(Cause::Invalid(self.invalid));
        }
        self.own.exceeds(self.previous, settings.stopped_points_max).then(|| Cause::Stops {
            percent: self.own.percent(),
            previous_percent: self.previous.percent(),
        })
    }

    /// Before it has judged a row that counts.
    fn refuse(&mut self, cause: Cause) -> Vec<Action> {
        let withdraw = matches!(self.stage, Stage::Shadowing { .. }).then_some(Action::Withdraw);
        self.stage = Stage::Quarantined { cause };
        withdraw.into_iter().chain([Action::Quarantine]).collect()
    }

    /// After it has.
    fn withdraw(&mut self, cause: Cause) -> Vec<Action> {
        self.to(Stage::RolledBack { cause }, [Action::Withdraw, Action::JudgeAgain])
    }

    fn roll_back(&mut self, stage: &Stage, why: String) -> Vec<Action> {
        let cause = Cause::Asked(why);
        match stage {
            Stage::Registered | Stage::Verified | Stage::Compiled | Stage::Conformed => {
                self.to(Stage::RolledBack { cause }, [])
            }
            Stage::Shadowing { .. } => self.to(Stage::RolledBack { cause }, [Action::Withdraw]),
            Stage::Canary { .. } | Stage::Published | Stage::Watching { .. } | Stage::Proved => {
                self.withdraw(cause)
            }
            Stage::RolledBack { .. } | Stage::Quarantined { .. } => vec![Action::Ignore],
        }
    }
}

#[cfg(test)]
mod tests;
