//! Every stage against every event, as a table; and what no sequence may do.

use std::time::Duration;

use expect_test::expect;
use proptest::prelude::*;

use super::*;

fn settings() -> SwapSettings {
    SwapSettings {
        shadow_chunks: 2,
        canary_percent: vec![5, 50],
        canary_chunks: 2,
        canary_lasts_min: Duration::from_secs(60),
        watch_chunks: 2,
        ..SwapSettings::default()
    }
}

fn good() -> Tally {
    Tally { rows: 1000, ..Tally::default() }
}

fn events() -> Vec<(&'static str, Event)> {
    let ok = || Ok(());
    let no = || Err("no".to_owned());
    let with = |change: fn(&mut Tally)| {
        let mut tally = good();
        change(&mut tally);
        Event::Judged(tally)
    };
    vec![
        ("verified", Event::Verified(ok())),
        ("not verified", Event::Verified(no())),
        ("compiled", Event::Compiled(ok())),
        ("not compiled", Event::Compiled(no())),
        ("postponed", Event::Postponed("later".to_owned())),
        ("conformed", Event::Conformed(ok())),
        ("not conformed", Event::Conformed(no())),
        ("previous judged", Event::PreviousJudged(good())),
        ("judged well", Event::Judged(good())),
        ("trapped", with(|tally| (tally.trapped, tally.stopped) = (1, 1))),
        ("timed out", with(|tally| (tally.timed_out, tally.stopped) = (1, 1))),
        ("invalid", with(|tally| (tally.invalid, tally.stopped) = (1, 1))),
        ("stops all", with(|tally| tally.stopped = 1000)),
        ("noted", Event::Noted(ok())),
        ("not noted", Event::Noted(no())),
        ("roll back", Event::RollBack("asked".to_owned())),
        ("judged again", Event::JudgedAgain),
    ]
}

fn stages() -> Vec<Stage> {
    let cause = Cause::Trapped(1);
    vec![
        Stage::Registered,
        Stage::Verified,
        Stage::Compiled,
        Stage::Conformed,
        Stage::Shadowing { chunks: 0 },
        Stage::Shadowing { chunks: 1 },
        Stage::Canary { step: 0, percent: 5, chunks: 0 },
        Stage::Canary { step: 0, percent: 5, chunks: 1 },
        Stage::Canary { step: 1, percent: 50, chunks: 1 },
        Stage::Published,
        Stage::Watching { chunks: 0 },
        Stage::Watching { chunks: 1 },
        Stage::Proved,
        Stage::RolledBack { cause: cause.clone() },
        Stage::RolledBack { cause: Cause::Asked("asked".to_owned()) },
        Stage::Quarantined { cause },
    ]
}

fn at(stage: &Stage) -> Machine {
    let previous = Rate { rows: 10_000, stopped: 100 };
    let mut machine = Machine::new(settings(), true, previous, Duration::ZERO);
    machine.stage = stage.clone();
    machine
}

const LATER: Duration = Duration::from_secs(60);

#[test]
fn every_stage_meets_every_event() {
    let mut table = String::new();
    for stage in stages() {
        table.push_str(&format!("{stage}\n"));
        for (name, event) in events() {
            let mut machine = at(&stage);
            let actions = machine.step(LATER, event);
            if actions == [Action::Ignore] {
                assert_eq!(machine.stage, stage, "what is ignored changes nothing");
                continue;
            }
            table.push_str(&format!("  {name:15} -> {} {actions:?}\n", machine.stage));
        }
    }
    expect![[r#"
        registered
          verified        -> verified [Compile]
          not verified    -> quarantined: it cannot be verified: no [Quarantine]
          previous judged -> registered []
          roll back       -> rolled back: asked []
        verified
          compiled        -> compiled [Conform]
          not compiled    -> quarantined: it does not fit: no [Quarantine]
          postponed       -> rolled back: it goes live with the next run: later []
          previous judged -> verified []
          roll back       -> rolled back: asked []
        compiled
          conformed       -> shadowing (0 chunks) [Shadow]
          not conformed   -> quarantined: it does not conform: no [Quarantine]
          previous judged -> compiled []
          roll back       -> rolled back: asked []
        conformed
          previous judged -> conformed []
          roll back       -> rolled back: asked []
        shadowing (0 chunks)
          previous judged -> shadowing (0 chunks) []
          judged well     -> shadowing (1 chunks) []
          trapped         -> quarantined: it failed in 1 chunks [Withdraw, Quarantine]
          timed out       -> quarantined: it did not end in time in 1 chunks [Withdraw, Quarantine]
          invalid         -> quarantined: it broke the contract in 1 chunks [Withdraw, Quarantine]
          stops all       -> quarantined: it stops 100.0 % of its rows, the previous version 1.0 % [Withdraw, Quarantine]
          roll back       -> rolled back: asked [Withdraw]
        shadowing (1 chunks)
          previous judged -> shadowing (1 chunks) []
          judged well     -> canary of 5 % (0 chunks) [Canary { percent: 5 }]
          trapped         -> quarantined: it failed in 1 chunks [Withdraw, Quarantine]
          timed out       -> quarantined: it did not end in time in 1 chunks [Withdraw, Quarantine]
          invalid         -> quarantined: it broke the contract in 1 chunks [Withdraw, Quarantine]
          stops all       -> quarantined: it stops 100.0 % of its rows, the previous version 1.0 % [Withdraw, Quarantine]
          roll back       -> rolled back: asked [Withdraw]
        canary of 5 % (0 chunks)
          previous judged -> canary of 5 % (0 chunks) []
          judged well     -> canary of 5 % (1 chunks) []
          trapped         -> rolled back: it failed in 1 chunks [Withdraw, JudgeAgain]
          timed out       -> rolled back: it did not end in time in 1 chunks [Withdraw, JudgeAgain]
          invalid         -> rolled back: it broke the contract in 1 chunks [Withdraw, JudgeAgain]
          stops all       -> rolled back: it stops 100.0 % of its rows, the previous version 1.0 % [Withdraw, JudgeAgain]
          roll back       -> rolled back: asked [Withdraw, JudgeAgain]
        canary of 5 % (1 chunks)
          previous judged -> canary of 5 % (1 chunks) []
          judged well     -> canary of 50 % (0 chunks) [Canary { percent: 50 }]
          trapped         -> rolled back: it failed in 1 chunks [Withdraw, JudgeAgain]
          timed out       -> rolled back: it did not end in time in 1 chunks [Withdraw, JudgeAgain]
          invalid         -> rolled back: it broke the contract in 1 chunks [Withdraw, JudgeAgain]
          stops all       -> rolled back: it stops 100.0 % of its rows, the previous version 1.0 % [Withdraw, JudgeAgain]
          roll back       -> rolled back: asked [Withdraw, JudgeAgain]
        canary of 50 % (1 chunks)
          previous judged -> canary of 50 % (1 chunks) []
          judged well     -> published [Publish]
          trapped         -> rolled back: it failed in 1 chunks [Withdraw, JudgeAgain]
          timed out       -> rolled back: it did not end in time in 1 chunks [Withdraw, JudgeAgain]
          invalid         -> rolled back: it broke the contract in 1 chunks [Withdraw, JudgeAgain]
          stops all       -> rolled back: it stops 100.0 % of its rows, the previous version 1.0 % [Withdraw, JudgeAgain]
          roll back       -> rolled back: asked [Withdraw, JudgeAgain]
        published
          previous judged -> published []
          judged well     -> published []
          trapped         -> rolled back: it failed in 1 chunks [Withdraw, JudgeAgain]
          timed out       -> rolled back: it did not end in time in 1 chunks [Withdraw, JudgeAgain]
          invalid         -> rolled back: it broke the contract in 1 chunks [Withdraw, JudgeAgain]
          stops all       -> rolled back: it stops 100.0 % of its rows, the previous version 1.0 % [Withdraw, JudgeAgain]
          noted           -> watching (0 chunks) []
          not noted       -> rolled back: that it is live could not be noted: no [Withdraw, JudgeAgain]
          roll back       -> rolled back: asked [Withdraw, JudgeAgain]
        watching (0 chunks)
          previous judged -> watching (0 chunks) []
          judged well     -> watching (1 chunks) []
          trapped         -> rolled back: it failed in 1 chunks [Withdraw, JudgeAgain]
          timed out       -> rolled back: it did not end in time in 1 chunks [Withdraw, JudgeAgain]
          invalid         -> rolled back: it broke the contract in 1 chunks [Withdraw, JudgeAgain]
          stops all       -> rolled back: it stops 100.0 % of its rows, the previous version 1.0 % [Withdraw, JudgeAgain]
          roll back       -> rolled back: asked [Withdraw, JudgeAgain]
        watching (1 chunks)
          previous judged -> watching (1 chunks) []
          judged well     -> proved [Retire]
          trapped         -> rolled back: it failed in 1 chunks [Withdraw, JudgeAgain]
          timed out       -> rolled back: it did not end in time in 1 chunks [Withdraw, JudgeAgain]
          invalid         -> rolled back: it broke the contract in 1 chunks [Withdraw, JudgeAgain]
          stops all       -> rolled back: it stops 100.0 % of its rows, the previous version 1.0 % [Withdraw, JudgeAgain]
          roll back       -> rolled back: asked [Withdraw, JudgeAgain]
        proved
          roll back       -> rolled back: asked [Withdraw, JudgeAgain]
        rolled back: it failed in 1 chunks
          judged again    -> quarantined: it failed in 1 chunks [Quarantine]
        rolled back: asked
        quarantined: it failed in 1 chunks
    "#]].assert_eq(&table);
}

#[test]
fn a_canary_lasts_its_time_and_its_chunks() {
    let mut machine = at(&Stage::Conformed);
    machine.stage = Stage::Canary { step: 0, percent: 5, chunks: 0 };
    for _ in 0..5 {
        assert!(machine.step(LATER / 2, Event::Judged(good())).is_empty());
    }
    let next = machine.step(LATER, Event::Judged(good()));
    assert_eq!(next, [Action::Canary { percent: 50 }]);
    assert_eq!(machine.since(), LATER);
}

#[test]
fn without_keys_there_is_no_canary_and_without_shadow_none() {
    let bare = SwapSettings { shadow_chunks: 0, ..settings() };
    let mut machine = Machine::new(bare, false, Rate::default(), Duration::ZERO);
    machine.step(LATER, Event::Verified(Ok(())));
    machine.step(LATER, Event::Compiled(Ok(())));
    assert_eq!(machine.step(LATER, Event::Conformed(Ok(()))), [Action::Publish]);
}

#[test]
fn failures_are_borne_as_far_as_the_settings_say() {
    let patient = SwapSettings { trapped_chunks_max: 1, watch_chunks: 9, ..settings() };
    let mut machine = Machine::new(patient, true, Rate::default(), Duration::ZERO);
    machine.stage = Stage::Watching { chunks: 0 };
    let trapped = Tally { rows: 1000, stopped: 1, trapped: 1, ..Tally::default() };
    assert!(machine.step(LATER, Event::Judged(trapped)).is_empty());
    let lost = machine.step(LATER, Event::Judged(trapped));
    assert_eq!(lost, [Action::Withdraw, Action::JudgeAgain]);
    assert_eq!(machine.stage, Stage::RolledBack { cause: Cause::Trapped(2) });
}

proptest! {
    #[test]
    fn whatever_happens_a_version_is_published_only_after_it_conformed_and_over_is_over(
        steps in proptest::collection::vec((0..17_usize, 0..200_u64), 1..80),
        has_keys: bool,
    ) {
        let mut machine = Machine::new(settings(), has_keys, Rate::default(), Duration::ZERO);
        let (mut conformed, mut lost) = (false, false);
        for (event, second) in steps {
            let (_, event) = events().swap_remove(event);
            let was_compiled = machine.stage == Stage::Compiled;
            conformed |= was_compiled && event == Event::Conformed(Ok(()));
            let actions = machine.step(Duration::from_secs(second), event);
            let judges = actions.iter().any(|action| {
                matches!(action, Action::Publish | Action::Canary { .. } | Action::Shadow)
            });
            prop_assert!(!judges || (conformed && !lost), "{actions:?}");
            prop_assert_eq!(
                machine.stage.is_on_trial() || machine.stage == Stage::Proved,
                conformed && !lost && !matches!(machine.stage, Stage::Shadowing { .. })
                    && !matches!(machine.stage,
                        Stage::RolledBack { .. } | Stage::Quarantined { .. }),
            );
            lost |= matches!(machine.stage, Stage::RolledBack { .. } | Stage::Quarantined { .. });
        }
    }
}
