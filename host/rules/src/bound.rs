//! A rule bound to a job: its hooks as functions from batches to answers.
//!
//! Sync calls, from any number of threads at once. A call takes a warm instance
//! (or makes one), passes the columns that the rule asked for, checks the
//! answer, and narrows a failing call down to the rows at fault. Nothing here
//! decides what becomes of a row.

mod columns;
mod matching;
mod needs;
mod owner;
mod recheck;
mod setup;
mod state;
mod transform;
mod verdicts;
mod warm;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow_array::RecordBatch;

use crate::contract::{Description, HookName, HookNeeds};
use crate::error::RuleError;
use crate::gate::Gate;
use crate::instance::{CallError, Failed, Instance};
use crate::judged::codes;
use crate::narrowing::{Attempt, Budget, narrow};
use crate::rule::Rule;
use crate::settings::{BindSettings, Context, Isolation, Limits};
use setup::Setup;
pub(crate) use setup::asked;
pub(crate) use warm::Warm;

/// What became of some rows of a call.
type Part<O> = crate::narrowing::Part<O, Failed>;

/// Which record's keys are derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Source and target columns of the incoming row in one batch; where a name
    /// comes twice, the first is the source's and the last the target's.
    Incoming,
    /// Columns of the record that the target holds.
    Current,
}

/// A rule bound to a job.
pub struct Bound {
    rule: Rule,
    limits: Limits,
    settings: BindSettings,
    setup: Setup,
    needs: BTreeMap<HookName, HookNeeds>,
    judgement: String,
    warm: Arc<Warm>,
    chunks: AtomicU64,
    tally: Tally,
}

/// How a rule has fared since it was bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Calls of hooks, those of narrowing and rechecks included.
    pub calls: u64,
    /// Calls that failed, for whatever reason.
    pub failed_calls: u64,
    /// Of these, calls that ran into their deadline.
    pub timeouts: u64,
    /// Chunks that were judged again by a fresh instance.
    pub rechecked: u64,
    /// Of these, chunks that were judged otherwise: the rule depends on more
    /// than the row, the context and the tables.
    pub inconsistent: u64,
}

#[derive(Default)]
struct Tally {
    calls: AtomicU64,
    failed_calls: AtomicU64,
    timeouts: AtomicU64,
    rechecked: AtomicU64,
    inconsistent: AtomicU64,
}

impl Bound {
    pub(crate) fn new(
        rule: Rule,
        context: Context,
        tables: BTreeMap<String, RecordBatch>,
        limits: Limits,
        settings: BindSettings,
    ) -> Result<Self, RuleError> {
        setup::check_entity(&rule, &context.entity)?;
        rule.check_settings(&context.settings)?;
        let setup = Setup::new(&rule, context, &tables)?;
        let judgement = setup.judgement(&rule);
        let (needs, instance) = setup.first_instance(&rule, &limits)?;
        let warm = Arc::new(Warm::new(settings.workers, settings.recycle_after));
        rule.prepared().machine.register(&warm);
        if settings.isolation == Isolation::Warm {
            warm.put_back(instance);
        }
        Ok(Self {
            rule,
            limits,
            settings,
            setup,
            needs,
            judgement,
            warm,
            chunks: AtomicU64::new(0),
            tally: Tally::default(),
        })
    }

    /// What a hook reads and sets, of what source and target have; `None` when
    /// the rule does not export it.
    #[must_use]
    pub fn needs(&self, hook: HookName) -> Option<&HookNeeds> {
        self.needs.get(&hook)
    }

    /// `sha256:...` of all that a judgement depends on apart from the row:
    /// component, settings, granted tables, contract version.
    #[must_use]
    pub fn judgement(&self) -> &str {
        &self.judgement
    }

    /// What the rule says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        self.rule.description()
    }

    /// `sha256:...` of the component.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.rule.digest()
    }

    /// How the rule has fared so far.
    #[must_use]
    pub fn health(&self) -> Health {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Health {
            calls: read(&self.tally.calls),
            failed_calls: read(&self.tally.failed_calls),
            timeouts: read(&self.tally.timeouts),
            rechecked: read(&self.tally.rechecked),
            inconsistent: read(&self.tally.inconsistent),
        }
    }

    /// Lets go of idle instances, and of the others after their call: until the
    /// next [`Bound::wake`] each call makes its own.
    pub fn rest(&self) {
        self.warm.rest();
    }

    /// Keeps instances between calls again.
    pub fn wake(&self) {
        self.warm.wake();
    }

    /// Instances that wait for a call.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.warm.len()
    }

    fn hook(&self, hook: HookName) -> Result<&HookNeeds, RuleError> {
        self.needs.get(&hook).ok_or_else(|| RuleError::NoHook {
            rule: self.rule.label().to_string(),
            hook: hook.as_str(),
        })
    }

    fn input_error(&self, reason: String) -> RuleError {
        RuleError::Input { rule: self.rule.label().to_string(), reason }
    }

    /// Judges all rows, narrowing what fails. `call` judges some of them within
    /// a deadline.
    fn judge<O>(
        &self,
        rows: usize,
        call: impl Fn(&mut Instance, Range<usize>, Duration) -> Result<O, CallError>,
    ) -> Result<Vec<Part<O>>, RuleError> {
        let _turn = self.settings.tenant.as_ref().map(Gate::enter);
        let mut held = match self.settings.isolation {
            Isolation::Warm => self.warm.take(),
            Isolation::Chunk => None,
        };
        let budget = Budget {
            deadline: self.limits.call_deadline,
            calls_max: self.limits.narrowing_calls_max.max(1),
        };
        let parts = narrow(rows, &budget, |part| {
            let instance = match held.take() {
                Some(instance) => Ok(instance),
                None => self.setup.instance(&self.rule, &self.limits),
            };
            let mut instance = match instance {
                Ok(instance) => instance,
                Err(error) => return Attempt::Stop(error),
            };
            let deadline = budget.part_deadline(part.len(), rows);
            let answer = call(&mut instance, part, deadline);
            let attempt = self.attempt(answer);
            if matches!(attempt, Attempt::Done(_)) && self.settings.isolation == Isolation::Warm {
                held = Some(instance);
            }
            attempt
        })?;
        if let Some(instance) = held {
            self.warm.put_back(instance);
        }
        Ok(parts)
    }

    fn attempt<O>(&self, answer: Result<O, CallError>) -> Attempt<O, Failed, RuleError> {
        self.tally.calls.fetch_add(1, Ordering::Relaxed);
        let failed = match answer {
            Ok(output) => return Attempt::Done(output),
            Err(CallError::Misconfigured { code, message }) => {
                let rule = self.rule.label().to_string();
                return Attempt::Stop(RuleError::Misconfigured { rule, code, message });
            }
            Err(CallError::Failed(failed)) => failed,
        };
        self.tally.failed_calls.fetch_add(1, Ordering::Relaxed);
        if failed.code == codes::TIMEOUT {
            self.tally.timeouts.fetch_add(1, Ordering::Relaxed);
            return Attempt::TimedOut(failed);
        }
        Attempt::Failed(failed)
    }
}
