use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dvsync_rules::swap::SwapSettings;
use proptest::prelude::*;
use tokio::sync::Notify;

use crate::bench::{Course, candidate, stamp_of};

/// A version that is wanted as soon as the one before it has ended.
#[derive(Debug, Clone)]
struct Wanted {
    kind: &'static str,
    /// Bad from this row on.
    from: usize,
    /// Somebody asks for the previous version when it gets to this stage.
    back_at: Option<&'static str>,
}

#[derive(Debug, Clone)]
struct Script {
    versions: Vec<Wanted>,
    shadow: u32,
    canary: Vec<u8>,
    watch: u32,
    /// The process dies when so many stages were gone through.
    dies: Option<usize>,
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let kind = prop_oneof![
        4 => Just("good"), 1 => Just("trap"), 1 => Just("deny"), 1 => Just("lies"),
    ];
    let back_at = prop_oneof![
        4 => Just(None), 1 => Just(Some("canary")), 1 => Just(Some("watching")),
        1 => Just(Some("proved")), 1 => Just(Some("shadowing")),
    ];
    (kind, 0..300_usize, back_at).prop_map(|(kind, from, back_at)| Wanted { kind, from, back_at })
}

fn script() -> impl Strategy<Value = Script> {
    (
        proptest::collection::vec(wanted(), 1..8),
        0..3_u32,
        prop_oneof![Just(vec![]), Just(vec![50]), Just(vec![10, 60])],
        1..5_u32,
        proptest::option::of(1..25_usize),
    )
        .prop_map(|(versions, shadow, canary, watch, dies)| Script {
            versions,
            shadow,
            canary,
            watch,
            dies,
        })
}

impl Wanted {
    fn stamp(&self, number: usize) -> String {
        // The number of a good one means nothing but itself.
        let number = if self.kind == "good" { number + 1 } else { self.from };
        format!("{}:{number:08}", self.kind)
    }
}

async fn play(script: Script) {
    let course = Course::dripping(30, 10);
    let settings = SwapSettings {
        conform_chunks: 1,
        shadow_chunks: script.shadow,
        canary_percent: script.canary.clone(),
        canary_chunks: 1,
        watch_chunks: script.watch,
        ..SwapSettings::default()
    };
    let (deaths, stages, dies) = (Arc::new(Notify::new()), AtomicUsize::new(0), script.dies);
    let first = script.versions[0].clone();
    let backs: Vec<_> = script
        .versions
        .iter()
        .enumerate()
        .filter_map(|(at, wanted)| {
            let name = format!("stamped@{}", wanted.stamp(at).replace(':', "-"));
            Some((name, wanted.back_at?))
        })
        .collect();
    let next = Mutex::new(script.versions.into_iter().enumerate().skip(1));
    let death = Arc::clone(&deaths);
    let swaps = Course::reacting(settings, move |swaps, noted| {
        if Some(stages.fetch_add(1, Ordering::SeqCst) + 1) == dies {
            death.notify_one();
        }
        let stage = noted.stage.word();
        if backs.iter().any(|(name, at)| name == noted.name && *at == stage) {
            swaps.roll_back("asked");
        } else if noted.stage.is_over()
            && let Some((number, wanted)) = next.lock().unwrap().next()
        {
            // Refused where another one is under way.
            drop(swaps.publish(candidate(&wanted.stamp(number))));
        }
    });
    swaps.publish(candidate(&first.stamp(0))).unwrap();
    let report = tokio::select! {
        report = course.run(&swaps) => Some(report),
        () = deaths.notified() => None,
    };
    let report = match report {
        Some(report) => report,
        None => {
            // What a process that is gone may have sent is over by then.
            let clock = course.bench.clock;
            clock.sleep_until(clock.now() + Duration::from_secs(3)).await;
            let reader = course.bench.journal(&course.job);
            let run = reader.runs().unwrap().into_iter().next().unwrap();
            let live = run.rules.iter().find(|rule| rule.standing.as_str() == "live").unwrap();
            let stamp = stamp_of(&live.version);
            course.resume(&stamp).await.unwrap_or_else(|error| panic!("{error}"))
        }
    };
    assert_eq!(report.message, None);
    let judged = course.check(&report);
    for swap in &report.swaps {
        if matches!(swap.stage, "quarantined" | "rolled_back") {
            let name = swap.name.trim_start_matches("stamped@");
            // Of an earlier process it is the rule's own version.
            let stamp =
                if name.starts_with("0.0.") { stamp_of(name) } else { name.replace('-', ":") };
            let spent = swap.why.as_deref().is_some_and(|why| why.contains("with the next run"));
            assert!(spent || !judged.contains_key(&stamp), "{stamp} was rolled back: {judged:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_each_row_has_the_stamp_that_its_judgement_says(script in script()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(play(script));
    }
}
