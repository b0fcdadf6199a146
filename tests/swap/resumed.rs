use dvsync_engine::Stop;
use dvsync_rules::swap::{Stage, SwapSettings};

use crate::bench::{Course, candidate, hasty, quick};

/// Asks a run to stop as soon as a version has got to a stage.
async fn stopped_at(
    course: &Course,
    settings: SwapSettings,
    reached: fn(&Stage) -> bool,
) -> &'static str {
    let stop = Stop::new();
    let asking = stop.clone();
    let swaps = Course::reacting(settings, move |_, noted| {
        if reached(noted.stage) {
            asking.ask();
        }
    });
    swaps.publish(candidate("good:00000001")).unwrap();
    let report = course.run_until(&swaps, &stop).await;
    assert_eq!(report.status.as_str(), "incomplete", "{:?}", report.counts);
    let new = report.rules.iter().find(|rule| rule.version == "0.0.1-good");
    new.unwrap().standing.as_str()
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_was_under_way_is_rolled_back_on_resume_and_its_rows_judged_again() {
    let course = Course::dripping(60, 20);
    let settings = SwapSettings { canary_chunks: 18, ..quick() };
    let second_step = |stage: &Stage| matches!(stage, Stage::Canary { percent: 50, .. });
    assert_eq!(stopped_at(&course, settings, second_step).await, "canary");
    let refused = course.resume("good:00000001").await.unwrap_err();
    assert!(refused.to_string().contains("it judged by `stamped@0.0.0-good`"), "{refused}");

    let report = course.resume("good:00000000").await.unwrap();
    let judged = course.check(&report);
    assert_eq!(judged.keys().collect::<Vec<_>>(), ["good:00000000"]);
    assert_eq!((report.status.as_str(), report.counts.created), ("complete", 1200));
    let swap = &report.swaps[0];
    assert_eq!((swap.name.as_str(), swap.stage), ("stamped@0.0.1-good", "rolled_back"));
    let again = &swap.judged_again;
    assert!(again.written > 0 && again.left == 0, "{again:?}");
    assert_eq!(again.keys.len(), usize::try_from(again.written.min(100)).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_run_is_pinned_to_the_last_version_that_was_published_in_it() {
    let course = Course::dripping(60, 20);
    let settings = SwapSettings { watch_chunks: 3, ..hasty() };
    assert_eq!(stopped_at(&course, settings, |stage| *stage == Stage::Proved).await, "live");
    let refused = course.resume("good:00000000").await.unwrap_err();
    assert!(refused.to_string().contains("it judged by `stamped@0.0.1-good`"), "{refused}");
    let report = course.resume("good:00000001").await.unwrap();
    let judged = course.check(&report);
    assert_eq!(report.status.as_str(), "complete");
    assert!(judged["good:00000001"] > judged.get("good:00000000").copied().unwrap_or(0));
}
