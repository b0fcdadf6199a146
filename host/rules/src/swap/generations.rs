//! Who judges now: the published generation, and one on trial.
//!
//! Readers take a [`View`] by one atomic load and keep it for a chunk; writers
//! are the steps of a swap, one at a time. A generation lives as long as a chunk
//! holds it. The predecessor is kept until another swap begins, so that it can
//! take over again at any time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::machine::{Action, Event, Machine, Refused};
use super::settings::SwapSettings;
use super::stage::Stage;
use super::tally::{Rate, Tally};

/// Rows after which older ones count half: a rate is one of late.
const ROWS_OF_LATE: u64 = 1 << 20;

/// A generation and its number in the run, from 0.
#[derive(Debug, PartialEq, Eq)]
pub struct Numbered<G> {
    /// Ascends with each swap.
    pub number: u32,
    /// `name@version`, for messages.
    pub name: String,
    /// What judges.
    pub generation: G,
}

/// A generation that does not judge all rows yet.
#[derive(Debug)]
pub enum Trial<G> {
    /// Judges beside the live one and does not count.
    Shadow(Arc<Numbered<G>>),
    /// Judges the keys of a share.
    Canary {
        /// Who.
        candidate: Arc<Numbered<G>>,
        /// See [`super::in_canary`].
        percent: u8,
    },
}

impl<G> Clone for Trial<G> {
    fn clone(&self) -> Self {
        match self {
            Self::Shadow(candidate) => Self::Shadow(Arc::clone(candidate)),
            Self::Canary { candidate, percent } => {
                Self::Canary { candidate: Arc::clone(candidate), percent: *percent }
            }
        }
    }
}

/// Who judges a chunk.
#[derive(Debug)]
pub struct View<G> {
    /// The published generation.
    pub live: Arc<Numbered<G>>,
    /// One on trial.
    pub trial: Option<Trial<G>>,
}

/// What a step of a swap came to.
#[derive(Debug)]
pub struct Moved<G> {
    /// Number of the new generation.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// The new generation, once it was made.
    pub candidate: Option<Arc<Numbered<G>>>,
    /// The one before it.
    pub previous: Arc<Numbered<G>>,
    /// Where the swap stands now.
    pub stage: Stage,
    /// What to do; who judges was changed already.
    pub actions: Vec<Action>,
}

/// Whether what a generation said of a part counts.
#[derive(Debug)]
pub enum Standing<G> {
    /// It does.
    Stands,
    /// It does not: this one judges the part once more.
    Again(Arc<Numbered<G>>),
}

/// Who judges now. Shared by all that judge.
#[derive(Debug)]
pub struct Generations<G> {
    view: ArcSwap<View<G>>,
    held: Mutex<Held<G>>,
}

#[derive(Debug)]
struct Held<G> {
    last: u32,
    /// Of the live generation, of late.
    rate: Rate,
    rolled_back: BTreeSet<u32>,
    swap: Option<Swap<G>>,
    /// Earlier swaps whose rows are still to be judged again.
    past: Vec<(u32, String, Machine)>,
}

#[derive(Debug)]
struct Swap<G> {
    number: u32,
    name: String,
    machine: Machine,
    candidate: Option<Arc<Numbered<G>>>,
    previous: Arc<Numbered<G>>,
}

impl<G> Generations<G> {
    /// One generation judges all rows.
    pub fn new(name: impl Into<String>, generation: G) -> Self {
        let live = Arc::new(Numbered { number: 0, name: name.into(), generation });
        let (rolled_back, past) = (BTreeSet::new(), Vec::new());
        let held = Held { last: 0, rate: Rate::default(), rolled_back, swap: None, past };
        Self { view: ArcSwap::from_pointee(View { live, trial: None }), held: Mutex::new(held) }
    }

    /// Who judges a chunk that begins now.
    pub fn view(&self) -> Arc<View<G>> {
        self.view.load_full()
    }

    /// Begins a swap; gives the number of the new generation.
    ///
    /// # Errors
    ///
    /// Another one is under way: it must end first, since two on trial could not
    /// be told apart by what they do to a rate.
    pub fn begin(
        &self,
        now: Duration,
        name: impl Into<String>,
        settings: SwapSettings,
        has_keys: bool,
    ) -> Result<u32, Refused> {
        let mut held = self.held();
        if let Some(swap) = held.swap.as_ref().filter(|swap| !swap.machine.stage().is_over()) {
            let stage = swap.machine.stage().to_string();
            return Err(Refused { under_way: swap.name.clone(), stage });
        }
        if let Some(over) = held.swap.take()
            && matches!(over.machine.stage(), Stage::RolledBack { .. })
        {
            held.past.push((over.number, over.name, over.machine));
        }
        held.last += 1;
        let (number, name) = (held.last, name.into());
        let machine = Machine::new(settings, has_keys, held.rate, now);
        let previous = Arc::clone(&self.view.load().live);
        held.swap = Some(Swap { number, name, machine, candidate: None, previous });
        Ok(number)
    }

    /// The candidate could be made, or not.
    pub fn compiled(&self, now: Duration, made: Result<G, String>) -> Option<Moved<G>> {
        let made = made.map(|generation| {
            let mut held = self.held();
            if let Some(swap) = &mut held.swap {
                let (number, name) = (swap.number, swap.name.clone());
                swap.candidate = Some(Arc::new(Numbered { number, name, generation }));
            }
        });
        self.step(now, Event::Compiled(made))
    }

    /// Something happened to the last swap; what it changes of who judges is done
    /// when this returns. `None` where there was no swap.
    pub fn step(&self, now: Duration, event: Event) -> Option<Moved<G>> {
        self.advance(&mut self.held(), now, event)
    }

    /// All that a rolled-back generation wrote was judged again.
    pub fn judged_again(&self, now: Duration, number: u32) -> Option<Moved<G>> {
        let mut held = self.held();
        if held.swap.as_ref().is_some_and(|swap| swap.number == number) {
            return self.advance(&mut held, now, Event::JudgedAgain);
        }
        let at = held.past.iter().position(|(past, ..)| *past == number)?;
        let (number, name, mut machine) = held.past.remove(at);
        let actions = machine.step(now, Event::JudgedAgain);
        let previous = Arc::clone(&self.view.load().live);
        let stage = machine.stage().clone();
        Some(Moved { number, name, candidate: None, previous, stage, actions })
    }

    /// A part of a chunk was judged. To be asked before anything comes of it.
    pub fn judged(&self, now: Duration, by: u32, tally: Tally) -> (Standing<G>, Option<Moved<G>>) {
        let mut held = self.held();
        if held.rolled_back.contains(&by) {
            return (Standing::Again(Arc::clone(&self.view.load().live)), None);
        }
        let Some(swap) = held.swap.as_mut() else {
            held.note(tally);
            return (Standing::Stands, None);
        };
        if by != swap.number {
            let live = by == self.view.load().live.number;
            let open = !swap.machine.stage().is_over();
            let moved = match open {
                true => self.advance(&mut held, now, Event::PreviousJudged(tally)),
                false => None,
            };
            if live {
                held.note(tally);
            }
            return (Standing::Stands, moved);
        }
        if *swap.machine.stage() == Stage::Proved {
            held.note(tally);
            return (Standing::Stands, None);
        }
        let previous = Arc::clone(&swap.previous);
        let moved = self.advance(&mut held, now, Event::Judged(tally));
        let lost = held.rolled_back.contains(&by);
        let standing = match tally.has_failed() || lost {
            true => Standing::Again(previous),
            false => Standing::Stands,
        };
        (standing, moved)
    }

    /// A part of a chunk was judged in the shadow.
    pub fn shadowed(&self, now: Duration, by: u32, tally: Tally) -> Option<Moved<G>> {
        let mut held = self.held();
        let shadowing = held.swap.as_ref().is_some_and(|swap| {
            swap.number == by && matches!(swap.machine.stage(), Stage::Shadowing { .. })
        });
        match shadowing {
            true => self.advance(&mut held, now, Event::Judged(tally)),
            false => None,
        }
    }

    /// Number, name and stage of the last swap.
    pub fn stage(&self) -> Option<(u32, String, Stage)> {
        let held = self.held();
        let swap = held.swap.as_ref()?;
        Some((swap.number, swap.name.clone(), swap.machine.stage().clone()))
    }

    /// Whether another swap may begin.
    pub fn is_idle(&self) -> bool {
        self.held().swap.as_ref().is_none_or(|swap| swap.machine.stage().is_over())
    }

    /// Who takes over when the last swap is rolled back.
    pub fn previous(&self) -> Option<Arc<Numbered<G>>> {
        let held = self.held();
        let swap = held.swap.as_ref()?;
        let lost =
            matches!(swap.machine.stage(), Stage::RolledBack { .. } | Stage::Quarantined { .. });
        (!lost).then(|| Arc::clone(&swap.previous))
    }

    fn advance(&self, held: &mut Held<G>, now: Duration, event: Event) -> Option<Moved<G>> {
        let swap = held.swap.as_mut()?;
        let actions = swap.machine.step(now, event);
        let candidate = swap.candidate.clone();
        let (number, previous) = (swap.number, Arc::clone(&swap.previous));
        let (own, _) = swap.machine.rates();
        let (name, stage) = (swap.name.clone(), swap.machine.stage().clone());
        for action in &actions {
            let (live, trial) = match (action, &candidate) {
                (Action::Shadow, Some(candidate)) => {
                    (Arc::clone(&previous), Some(Trial::Shadow(Arc::clone(candidate))))
                }
                (Action::Canary { percent }, Some(candidate)) => {
                    let (candidate, percent) = (Arc::clone(candidate), *percent);
                    (Arc::clone(&previous), Some(Trial::Canary { candidate, percent }))
                }
                (Action::Publish, Some(candidate)) => (Arc::clone(candidate), None),
                (Action::Withdraw, _) => {
                    held.rolled_back.insert(number);
                    (Arc::clone(&previous), None)
                }
                (Action::Retire, _) => {
                    held.rate = own;
                    continue;
                }
                _ => continue,
            };
            self.view.store(Arc::new(View { live, trial }));
        }
        Some(Moved { number, name, candidate, previous, stage, actions })
    }

    fn held(&self) -> MutexGuard<'_, Held<G>> {
        // What is changed under it is whole after each assignment.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<G> Held<G> {
    fn note(&mut self, tally: Tally) {
        if self.rate.rows > ROWS_OF_LATE {
            self.rate.rows /= 2;
            self.rate.stopped /= 2;
        }
        self.rate += tally;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn good(rows: u64) -> Tally {
        Tally { rows, ..Tally::default() }
    }

    fn trap() -> Tally {
        Tally::broken(10)
    }

    fn settings() -> SwapSettings {
        SwapSettings {
            shadow_chunks: 1,
            canary_percent: vec![10, 50],
            canary_chunks: 1,
            watch_chunks: 2,
            ..SwapSettings::default()
        }
    }

    fn ready(generations: &Generations<&'static str>, name: &'static str) -> u32 {
        let number = generations.begin(NOW, name, settings(), true).unwrap();
        generations.step(NOW, Event::Verified(Ok(())));
        generations.compiled(NOW, Ok(name));
        generations.step(NOW, Event::Conformed(Ok(())));
        number
    }

    fn shown(generations: &Generations<&'static str>) -> String {
        let view = generations.view();
        let trial = match &view.trial {
            None => String::new(),
            Some(Trial::Shadow(shadow)) => format!(" shadow {}", shadow.generation),
            Some(Trial::Canary { candidate, percent }) => {
                format!(" {percent} % {}", candidate.generation)
            }
        };
        format!("{}{trial}", view.live.generation)
    }

    fn actions(moved: Option<Moved<&'static str>>) -> Vec<Action> {
        moved.map(|moved| moved.actions).unwrap_or_default()
    }

    fn again(standing: &Standing<&'static str>) -> Option<&'static str> {
        match standing {
            Standing::Stands => None,
            Standing::Again(by) => Some(by.generation),
        }
    }

    #[test]
    fn a_good_version_takes_over_step_by_step() {
        let all = Generations::new("one", "one");
        let number = ready(&all, "two");
        let mut seen = vec![shown(&all)];
        all.judged(NOW, 0, good(100));
        all.shadowed(NOW, number, good(100));
        for _ in 0..2 {
            seen.push(shown(&all));
            let (standing, moved) = all.judged(NOW, number, good(10));
            assert!(again(&standing).is_none(), "{moved:?}");
            if actions(moved).contains(&Action::Publish) {
                all.step(NOW, Event::Noted(Ok(())));
            }
        }
        seen.push(shown(&all));
        assert_eq!(seen, ["one shadow two", "one 10 % two", "one 50 % two", "two"]);
        all.judged(NOW, number, good(10));
        let (_, moved) = all.judged(NOW, number, good(10));
        assert_eq!(actions(moved), [Action::Retire]);
        assert!(all.is_idle());
    }

    #[test]
    fn a_bad_version_loses_its_part_and_whatever_it_says_later() {
        let all = Generations::new("one", "one");
        let number = ready(&all, "two");
        all.shadowed(NOW, number, good(100));
        let (standing, _) = all.judged(NOW, number, trap());
        assert_eq!(again(&standing), Some("one"));
        assert_eq!(shown(&all), "one");
        let (late, _) = all.judged(NOW, number, good(10));
        assert_eq!(again(&late), Some("one"), "judged before it lost, told after");
        // Nor does it count in the next swap.
        let next = ready(&all, "three");
        assert_eq!(next, 2);
        let (late, _) = all.judged(NOW, number, good(10));
        assert_eq!(again(&late), Some("one"));
    }

    #[test]
    fn a_second_swap_is_refused_while_one_is_under_way() {
        let all = Generations::new("one", "one");
        ready(&all, "two");
        let refused = all.begin(NOW, "three", settings(), true).unwrap_err();
        assert_eq!(refused.to_string(), "`two` is under way: shadowing (0 chunks)");
        all.step(NOW, Event::RollBack("enough".to_owned()));
        assert!(all.begin(NOW, "three", settings(), true).is_ok());
    }

    #[test]
    fn the_previous_version_is_kept_after_the_new_one_is_proved() {
        let all = Generations::new("one", "one");
        let number = ready(&all, "two");
        all.shadowed(NOW, number, good(1));
        for _ in 0..2 {
            all.judged(NOW, number, good(10));
        }
        all.step(NOW, Event::Noted(Ok(())));
        for _ in 0..2 {
            all.judged(NOW, number, good(10));
        }
        let (failing, _) = all.judged(NOW, number, trap());
        assert!(again(&failing).is_none(), "of a proved version a trap costs its rows");
        let moved = all.step(NOW, Event::RollBack("enough".to_owned()));
        assert_eq!(actions(moved), [Action::Withdraw, Action::JudgeAgain]);
        assert_eq!(shown(&all), "one");
    }

    #[test]
    fn a_version_that_lost_is_quarantined_though_another_swap_has_begun() {
        let all = Generations::new("one", "one");
        let number = ready(&all, "two");
        all.shadowed(NOW, number, good(100));
        all.judged(NOW, number, trap());
        let next = ready(&all, "three");
        let moved = all.judged_again(NOW, number).unwrap();
        assert_eq!((moved.stage.word(), moved.actions), ("quarantined", vec![Action::Quarantine]));
        assert!(all.judged_again(NOW, number).is_none(), "once");
        assert_eq!(all.stage().map(|(number, ..)| number), Some(next));
    }

    #[test]
    fn a_view_that_was_taken_stays_as_it_was() {
        let all = Generations::new("one", "one");
        let taken = all.view();
        let number = ready(&all, "two");
        all.shadowed(NOW, number, trap());
        assert!(taken.trial.is_none());
        assert_eq!(shown(&all), "one");
    }
}
