use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use dvsync_rules::swap::SwapSettings;

use crate::bench::{Course, hasty, told};

/// Swaps in the run, unless `DVSYNC_SWAPS` says another number.
const SWAPS: usize = 200;

/// Every fifth version is bad, each in its way.
fn stamps(swaps: usize) -> Vec<String> {
    let kinds = ["trap", "deny", "lies", "trap", "deny", "lies", "loop"];
    (1..=swaps)
        .map(|number| match number % 5 {
            0 if number % 100 == 0 => format!("loop:{number:08}"),
            0 => format!("{}:{:08}", kinds[number / 5 % 6], number),
            _ => format!("good:{number:08}"),
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_swaps_lose_no_row_and_no_part_has_two_judges() {
    let wanted = std::env::var_os("DVSYNC_SWAPS").and_then(|text| text.into_string().ok());
    let swaps_wanted = wanted.and_then(|text| text.parse().ok()).unwrap_or(SWAPS);
    // A swap takes a few chunks.
    let chunks = swaps_wanted * 6 + 20;
    let course = Course::new(chunks, 4);
    let settings = SwapSettings { canary_percent: vec![50], watch_chunks: 1, ..hasty() };
    let swaps = Course::publishing(settings, stamps(swaps_wanted));
    #[expect(clippy::disallowed_methods, reason = "real time is measured")]
    let began = Instant::now();
    let report = course.run(&swaps).await;
    let took = began.elapsed();

    let judged = course.check(&report);
    let bad: Vec<&String> = judged.keys().filter(|stamp| !stamp.starts_with("good")).collect();
    assert!(bad.is_empty(), "bad versions won: {bad:?}");
    let told = told(&report);
    let stage = |word: &str| told.iter().filter(|(_, stage, _)| *stage == word).count();
    println!(
        "{} swaps in {} chunks, {:.1} s: {} proved, {} quarantined; rows of {} versions",
        told.len(),
        chunks,
        took.as_secs_f64(),
        stage("proved"),
        stage("quarantined"),
        judged.len()
    );
    assert!(told.len() >= swaps_wanted * 9 / 10, "{} of {swaps_wanted}", told.len());
    for (name, stage, why) in &told {
        let good = name.contains("good");
        let last = name == &told[told.len() - 1].0;
        assert!(last || *stage == if good { "proved" } else { "quarantined" }, "{name}: {why:?}");
    }
    let names: BTreeSet<_> = told.iter().map(|(name, ..)| name).collect();
    assert_eq!(names.len(), told.len());
    // Loose, on a machine that does other things too; the bench prints the figure.
    assert!(took < Duration::from_secs(600));
}
