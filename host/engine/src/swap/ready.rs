//! A candidate is made ready beside the run: verified, compiled, conformed.
//!
//! Blocks its thread. Chunks go on under the version before it.

use std::sync::Arc;

use dvsync_rules::swap::{Event, Rate, Tally};

use super::judging::Judging;
use super::{Candidate, Fixtures};
use crate::journal::RuleStanding;
use crate::plan::Plan;
use crate::prepare::{prepare, tally};

impl Judging {
    /// Makes it ready, or says why it cannot be.
    pub(super) fn make_ready(&self, number: u32, candidate: Candidate) {
        if let Err(event) = self.try_make_ready(number, candidate) {
            self.happened(event);
        }
    }

    fn happened(&self, event: Event) {
        if let Some(moved) = self.generations.step(self.clock.now(), event) {
            self.follow(moved);
        }
    }

    fn try_make_ready(&self, number: u32, candidate: Candidate) -> Result<(), Event> {
        let Candidate { name, digest, component, fixtures, settings: _ } = candidate;
        let Some(swaps) = &self.swaps else { return Ok(()) };
        let bytes = component().map_err(|why| Event::Verified(Err(why)))?;
        let found = dvsync_rules::digest_of(&bytes);
        if let Some(promised) = digest.filter(|promised| *promised != found) {
            let why = format!("its digest is `{found}`, not `{promised}`");
            return Err(Event::Verified(Err(why)));
        }
        self.know(number, &found, None);
        self.happened(Event::Verified(Ok(())));

        let unfit = |why: String| Event::Compiled(Err(why));
        let rule = swaps.shared.sandbox.admit(&bytes, &name);
        let rule = rule.map_err(|error| unfit(error.to_string()))?;
        let plan = self.base.under(&rule).map_err(|error| unfit(error.to_string()))?;
        let judgement = plan.judgement().unwrap_or_default();
        self.know(number, &found, Some(&judgement));
        if let Some(why) = self.base.cannot_serve(&plan).or_else(|| self.is_spent(&judgement)) {
            return Err(Event::Postponed(why));
        }
        plan.try_out(true);
        let plan = Arc::new(plan);
        if let Some(moved) = self.generations.compiled(self.clock.now(), Ok(Arc::clone(&plan))) {
            self.follow(moved);
        }
        let conformed = conforms(fixtures, &rule, &plan, self);
        self.happened(Event::Conformed(conformed));
        Ok(())
    }

    fn know(&self, number: u32, digest: &str, judgement: Option<&str>) {
        if let Some(swap) = self.told().swaps.get_mut(&number) {
            swap.digest = Some(digest.to_owned());
            swap.judgement = judgement.map(str::to_owned);
        }
    }

    /// A judgement that cannot be told from one that the run has had.
    fn is_spent(&self, judgement: &str) -> Option<String> {
        let known = self.rules().into_iter().find(|rule| rule.judgement == judgement)?;
        match known.standing {
            RuleStanding::RolledBack => Some("this run has rolled it back".to_owned()),
            RuleStanding::Live => Some("it is the one that judges".to_owned()),
            RuleStanding::Superseded | RuleStanding::Canary => None,
        }
    }
}

fn conforms(
    fixtures: Option<Fixtures>,
    rule: &dvsync_rules::Rule,
    plan: &Arc<Plan>,
    judging: &Judging,
) -> Result<(), String> {
    if let Some(fixtures) = fixtures {
        fixtures(rule)?;
    }
    let recorded = judging.recorded();
    let live = Arc::clone(&judging.generations.view().live);
    let (mut own, mut before) = (Rate::default(), Rate::default());
    for frame in recorded {
        let judge = |plan: &Arc<Plan>| -> Result<Tally, String> {
            let prepared = prepare(plan, Arc::new(frame.as_read()));
            prepared.map(|prepared| tally(&prepared.fates)).map_err(|error| error.to_string())
        };
        let said = judge(plan)?;
        if said.has_failed() {
            return Err(format!(
                "it fails on {} rows of a recorded chunk",
                said.trapped + said.timed_out + said.invalid
            ));
        }
        own += said;
        before += judge(&live.generation)?;
    }
    let points =
        judging.swaps.as_ref().map_or(0.0, |swaps| swaps.shared.settings.stopped_points_max);
    if own.exceeds(before, points) {
        return Err(format!(
            "it stops {:.1} % of the recorded rows, the previous version {:.1} %",
            own.percent(),
            before.percent()
        ));
    }
    Ok(())
}
