use dvsync_rules::swap::SwapSettings;

use crate::bench::{Course, candidate, hasty, quick, told};

/// Publishes one bad version and expects that no row keeps its stamp.
async fn never_wins(settings: SwapSettings, stamp: &str, words: &str) {
    let course = Course::new(12, 40);
    let swaps = Course::swaps(settings);
    swaps.publish(candidate(stamp)).unwrap();
    let report = course.run(&swaps).await;
    let judged = course.check(&report);
    assert_eq!(judged.keys().collect::<Vec<_>>(), ["good:00000000"]);
    assert_eq!((report.counts.created, report.counts.dead_lettered), (480, 0), "{stamp}");
    let (_, stage, why) = told(&report).remove(0);
    assert_eq!(stage, "quarantined", "{why:?}");
    let why = why.unwrap();
    assert!(why.contains(words), "{stamp}: {why}");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_traps_loses_in_the_shadow() {
    never_wins(quick(), "trap:00000000", "it failed in 1 chunks").await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_traps_at_once_loses_the_chunk_that_it_failed_on() {
    never_wins(hasty(), "trap:00000000", "it failed in 1 chunks").await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_lies_loses_in_the_canary() {
    let settings = SwapSettings { shadow_chunks: 0, ..quick() };
    never_wins(settings, "lies:00000000", "it broke the contract").await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_loops_loses() {
    never_wins(hasty(), "loop:00000000", "it did not end in time").await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_rejects_everything_loses() {
    never_wins(hasty(), "deny:00000000", "it stops 100.0 % of its rows").await;
}

#[tokio::test(start_paused = true)]
async fn what_a_version_wrote_before_it_failed_is_judged_again() {
    // Good for the first four chunks, and watched for longer.
    let watched = || SwapSettings { watch_chunks: 9, ..hasty() };
    never_wins(watched(), "trap:00000160", "it failed in 1 chunks").await;
    never_wins(watched(), "deny:00000160", "it stops").await;
}

#[tokio::test(start_paused = true)]
async fn recorded_chunks_and_fixtures_are_judged_before_any_row_that_counts() {
    let course = Course::new(12, 40);
    let wrong = || {
        let mut wrong = candidate("good:00000002");
        wrong.digest = Some("sha256:00".to_owned());
        wrong
    };
    let settings = SwapSettings { conform_chunks: 2, ..hasty() };
    let swaps = Course::reacting(settings, move |swaps, noted| match (noted.name, noted.stage) {
        ("stamped@good-00000001", stage) if stage.is_over() => swaps.publish(wrong()).unwrap(),
        // By now something has been recorded.
        ("stamped@good-00000002", stage) if stage.is_over() => {
            swaps.publish(candidate("trap:00000000")).unwrap();
        }
        _ => {}
    });
    let mut unfit = candidate("good:00000001");
    unfit.fixtures = Some(Box::new(|_| Err("case `plain`: row 1 differs".to_owned())));
    swaps.publish(unfit).unwrap();
    let report = course.run(&swaps).await;
    assert_eq!(course.check(&report).len(), 1);
    let told: Vec<_> =
        told(&report).into_iter().map(|(_, stage, why)| (stage, why.unwrap())).collect();
    assert!(told.iter().all(|(stage, _)| *stage == "quarantined"), "{told:?}");
    assert_eq!(told[0].1, "it does not conform: case `plain`: row 1 differs");
    assert!(told[1].1.contains("it cannot be verified: its digest is `sha256:"), "{told:?}");
    assert!(told[2].1.contains("does not conform: it fails on"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_rule_at_all_is_quarantined_and_the_run_goes_on() {
    let course = Course::new(4, 10);
    let swaps = Course::swaps(quick());
    let nothing = dvsync_engine::swap::Candidate::of("nothing@1.0.0", b"not wasm".to_vec());
    swaps.publish(nothing).unwrap();
    let report = course.run(&swaps).await;
    course.check(&report);
    let (_, stage, why) = told(&report).remove(0);
    assert_eq!(stage, "quarantined");
    assert!(why.unwrap().contains("it does not fit: cannot admit the rule `nothing@1.0.0`"));
}
