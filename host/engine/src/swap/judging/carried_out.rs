//! What the protocol says is done: instances rest or wake, the store is told,
//! what was lost is kept in mind.

use std::sync::{Arc, PoisonError};

use dvsync_rules::swap::{Action, Event, Moved, Stage};

use super::{Judging, is_worth};
use crate::blocking::unblock;
use crate::error::RunError;
use crate::journal::RuleStanding;
use crate::opening::rules;
use crate::plan::Plan;
use crate::swap::{Noted, Status};

impl Judging {
    /// Carries out what a step came to; the journal is told before the next
    /// chunk.
    pub(super) async fn carry_out(
        self: &Arc<Self>,
        moved: Option<Moved<Arc<Plan>>>,
    ) -> Result<(), RunError> {
        let Some(moved) = moved else { return Ok(()) };
        if !is_worth(&moved) {
            self.show(&moved);
            return Ok(());
        }
        let this = Arc::clone(self);
        unblock(move || this.follow(moved)).await?;
        self.write_rules().await
    }

    /// The same, on a thread that may block and cannot tell the journal.
    pub(in crate::swap) fn follow(&self, moved: Moved<Arc<Plan>>) {
        let mut next = Some(moved);
        while let Some(moved) = next.take() {
            self.show(&moved);
            for action in &moved.actions {
                match action {
                    Action::Publish => {
                        let noted = self.note(&moved);
                        next = self.generations.step(self.clock.now(), Event::Noted(noted));
                    }
                    Action::Retire => {
                        rest(&moved.previous.generation);
                        if let Some(candidate) = &moved.candidate {
                            candidate.generation.try_out(false);
                        }
                    }
                    Action::Withdraw => self.withdraw(&moved),
                    Action::JudgeAgain => self.lose(&moved),
                    Action::Compile
                    | Action::Conform
                    | Action::Shadow
                    | Action::Canary { .. }
                    | Action::Quarantine
                    | Action::Ignore => {}
                }
            }
            if !moved.actions.contains(&Action::Publish)
                && let Err(why) = self.note(&moved)
            {
                tracing::warn!(why, rule = moved.name, "where a version stands was not noted");
            }
        }
    }

    fn withdraw(&self, moved: &Moved<Arc<Plan>>) {
        if let Some(bound) = moved.previous.generation.bound() {
            bound.wake();
        }
        let mut told = self.told();
        if let Some(candidate) = &moved.candidate {
            rest(&candidate.generation);
            let judgement = candidate.generation.judgement();
            let rule =
                told.rules.iter_mut().find(|rule| Some(&*rule.judgement) == judgement.as_deref());
            if let Some(rule) = rule {
                rule.standing = RuleStanding::RolledBack;
                told.unwritten = true;
            }
        }
        for live in rules(&moved.previous.generation) {
            told.stands(live);
        }
        tracing::warn!(rule = moved.name, stage = %moved.stage, "the previous version judges again");
    }

    fn lose(&self, moved: &Moved<Arc<Plan>>) {
        let judgement = moved.candidate.as_ref().and_then(|lost| lost.generation.judgement());
        if let Some(judgement) = judgement {
            self.told().lost.push(judgement.to_string());
        }
    }

    /// Status and report say where it stands.
    fn show(&self, moved: &Moved<Arc<Plan>>) {
        let stage = &moved.stage;
        if let Some(swap) = self.told().swaps.get_mut(&moved.number) {
            if swap.stage != stage.word() {
                tracing::info!(rule = moved.name, %stage, "a version of the rule");
            }
            swap.stage = stage.word();
            swap.why = match stage {
                Stage::RolledBack { cause } | Stage::Quarantined { cause } => {
                    Some(cause.to_string())
                }
                _ => None,
            };
        }
        let is_last = self.generations.stage().is_some_and(|(number, ..)| number == moved.number);
        if let Some(swaps) = self.swaps.as_ref().filter(|_| is_last) {
            let (name, stage) = (moved.name.clone(), stage.clone());
            swaps.wanted().status = Some(Status { name, stage });
        }
    }

    /// Tells the store, unless the version has got elsewhere meanwhile.
    fn note(&self, moved: &Moved<Arc<Plan>>) -> Result<(), String> {
        let note = self.swaps.as_ref().and_then(|swaps| swaps.shared.note.as_ref());
        let Some(note) = note else { return Ok(()) };
        let _one = self.noting.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.generations.stage();
        let elsewhere = now.is_some_and(|(number, _, stage)| {
            number == moved.number && stage.word() != moved.stage.word()
        });
        if elsewhere {
            return Ok(());
        }
        let known = self.told().swaps.get(&moved.number).and_then(|swap| swap.digest.clone());
        let before = moved.previous.generation.bound();
        note(&Noted {
            name: &moved.name,
            digest: known.as_deref().unwrap_or_default(),
            previous: (&moved.previous.name, before.map_or("", |bound| bound.digest())),
            stage: &moved.stage,
        })
    }
}

fn rest(plan: &Plan) {
    if let Some(bound) = plan.bound() {
        bound.rest();
    }
}
