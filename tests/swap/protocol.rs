use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use dvsync_engine::swap::{Judges, Wish};

use crate::bench::{Course, candidate, hasty, quick, told};

#[tokio::test(start_paused = true)]
async fn a_good_version_is_shadowed_tried_published_watched_and_proved() {
    let course = Course::new(12, 40);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let swaps = Course::swaps(quick()).noting(Box::new(move |noted_| {
        let (name, before) = (noted_.name.to_owned(), noted_.previous.0.to_owned());
        noted.lock().unwrap().push((name, before, noted_.stage.word()));
        Ok(())
    }));
    swaps.publish(candidate("good:00000001")).unwrap();
    let report = course.run(&swaps).await;
    let judged = course.check(&report);
    assert!(judged["good:00000000"] > 40 && judged["good:00000001"] > 40, "{judged:?}");

    let swap = &report.swaps[0];
    assert_eq!((swap.stage, &swap.why), ("proved", &None));
    // All rows of the shadow were stamped otherwise; 20 of them are listed.
    let differences = &swap.differences;
    assert!(differences.rows >= 40 && differences.rows == differences.different);
    let names: Vec<&String> = differences.columns.keys().collect();
    assert_eq!(names, ["name"]);
    assert_eq!(differences.columns["name"].keys.len(), 20);
    assert!(differences.columns["name"].keys.iter().all(|key| key.starts_with("K0000")));

    let seen: BTreeSet<_> = seen.lock().unwrap().iter().map(|(.., stage)| *stage).collect();
    let all = ["verified", "compiled", "shadowing", "canary", "published", "proved"];
    assert!(all.iter().all(|stage| seen.contains(stage)), "{seen:?}");
    let standings: Vec<_> = report.rules.iter().map(|rule| rule.standing.as_str()).collect();
    assert_eq!(standings, ["live", "superseded"]);
}

#[tokio::test(start_paused = true)]
async fn a_second_version_is_refused_while_one_is_under_way() {
    let course = Course::new(2, 10);
    let swaps = Course::swaps(quick());
    swaps.publish(candidate("good:00000001")).unwrap();
    let refused = swaps.publish(candidate("good:00000002")).unwrap_err();
    assert_eq!(refused.to_string(), "`stamped@good-00000001` is under way: waiting for a chunk");
    let report = course.run(&swaps).await;
    course.check(&report);
    assert_eq!(report.swaps[0].notes, ["the run ended before it was proved"]);
    // The way is free for the next run.
    swaps.publish(candidate("good:00000002")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_version_that_reads_what_the_scan_skips_goes_live_with_the_next_run() {
    let course = Course::new(4, 20);
    let swaps = Course::swaps(quick());
    swaps.publish(candidate("wide:00000001")).unwrap();
    let report = course.run(&swaps).await;
    assert_eq!(course.check(&report).len(), 1);
    let (_, stage, why) = told(&report).remove(0);
    assert_eq!(stage, "rolled_back");
    let why = why.unwrap();
    assert!(why.contains("with the next run") && why.contains("column `extra`"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn the_previous_version_comes_back_when_somebody_asks_even_after_the_proof() {
    let course = Course::new(20, 20);
    let swaps = Course::reacting(hasty(), |swaps, noted| {
        if noted.stage.word() == "proved" {
            swaps.roll_back("the numbers look odd");
        }
    });
    swaps.publish(candidate("good:00000001")).unwrap();
    let report = course.run(&swaps).await;
    let judged = course.check(&report);
    assert_eq!(judged.keys().collect::<Vec<_>>(), ["good:00000000"], "all was judged again");
    let swap = &report.swaps[0];
    assert_eq!((swap.stage, swap.why.as_deref()), ("rolled_back", Some("the numbers look odd")));
    assert!(swap.judged_again.written >= 80, "{:?}", swap.judged_again);
    assert_eq!(swap.judged_again.left, 0);
    assert_eq!(report.counts.created, 400);
}

#[tokio::test(start_paused = true)]
async fn a_store_is_looked_at_once_a_second_and_told_what_became_of_it() {
    let course = Course::new(30, 10);
    let asked = Arc::new(Mutex::new(Vec::<Judges>::new()));
    let (log, clock) = (Arc::clone(&asked), course.bench.clock);
    let swaps = Course::swaps(hasty()).following(Box::new(move |judges| {
        let mut log = log.lock().unwrap();
        log.push(judges.clone());
        Ok(if log.len() == 1 {
            Wish::Take(Box::new(candidate("good:00000007")))
        } else {
            Wish::Nothing
        })
    }));
    let report = course.run(&swaps).await;
    course.check(&report);
    assert_eq!(report.swaps[0].stage, "proved");
    let looks = u64::try_from(asked.lock().unwrap().len()).unwrap();
    assert!(looks >= 1 && looks <= clock.now().as_secs() + 1, "{looks} in {:?}", clock.now());
}
