use std::time::Duration;

use dvsync_emulator::{LatencySettings, Settings};
use dvsync_engine::{Progress, Report, RulesOnResume, Stop};
use proptest::prelude::*;
use serde_json::json;

use crate::harness::{Bench, counts, guest};

const JOB: &str = "mode = \"upsert\"
[source]
path = \"rows.csv\"
key = [\"no\"]
types = { no = \"text\" }
[target]
entity = \"account\"
match = { key = [\"accountnumber\"] }
concurrency_max = 2
[columns.accountnumber]
from = \"no\"
[columns.name]
from = \"name\"
[batch]
records = 50
[limits]
commit_within = \"1s\"
[retry]
base = \"10ms\"
max = \"50ms\"
";

fn rows(range: std::ops::Range<usize>) -> String {
    let lines: String = range.map(|n| format!("N{n:05},Name {n}\n")).collect();
    format!("no,name\n{lines}")
}

/// A target that takes its time.
fn slow() -> Bench {
    let latency = LatencySettings {
        base_ms: dvsync_emulator::Milliseconds::Fixed(100.0),
        ..LatencySettings::default()
    };
    Bench::with(Settings { latency, ..Settings::default() })
}

/// Runs until so much time has passed, then asks it to stop.
async fn stopped(bench: &Bench, after: Duration) -> Report {
    let job = bench.job(JOB);
    let (stop, parts) = (Stop::new(), bench.parts(&job, None).unwrap());
    let asking = async {
        bench.clock.sleep_until(bench.clock.now() + after).await;
        stop.ask();
    };
    let progress = Progress::new();
    let (report, ()) = tokio::join!(dvsync_engine::run(&job, parts, &progress, &stop), asking);
    report.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_stopped_run_goes_on_and_counts_what_it_did_before() {
    let bench = slow();
    bench.file("rows.csv", rows(0..3_000));
    let first = stopped(&bench, Duration::from_millis(1_200)).await;
    assert_eq!(first.status.as_str(), "incomplete");
    let done = first.counts.created;
    assert!(done > 0 && done < 3_000, "{:?}", first.counts);
    bench.forget_requests();
    let report = bench.resume(&bench.job(JOB)).await.unwrap();
    assert_eq!(report.run_id, first.run_id);
    assert_eq!(counts(&report), (3_000, 0, 0, 0, 0, 0));
    assert_eq!((report.counts.not_reached, report.status.as_str()), (0, "complete"));
    assert_eq!(bench.writes().1, 3_000 - done, "settled rows are not sent again");
    assert!(report.requests.sent > first.requests.sent);
    let stored = bench.journal(&bench.job(JOB)).run(&report.run_id).unwrap();
    assert_eq!(stored.counts, report.counts);
    assert_eq!(bench.column("accounts", "name", "accountnumber").len(), 3_000);
}

#[tokio::test(start_paused = true)]
async fn a_run_left_with_deferrals_goes_on_with_them() {
    let bench = slow();
    bench.file("rows.csv", rows(0..200));
    let throttled = json!({"kind": "reply", "status": 429, "code": "0x80072321",
        "message": "slow down", "retry_after_seconds": 4000});
    bench.fault(&json!({"path": "CreateMultiple", "nth": 2, "effect": throttled}));
    let first = bench.run(&bench.job(JOB)).await;
    assert_eq!(first.status.as_str(), "incomplete");
    assert!(first.counts.deferred >= 50, "{:?}", first.causes);
    // Too early: the service's wait is not over within the deadline.
    let early = bench.resume(&bench.job(JOB)).await.unwrap();
    assert_eq!((early.counts, early.requests.throttled), (first.counts, 1));
    bench.clock.sleep_until(bench.clock.now() + Duration::from_secs(3_700)).await;
    let report = bench.resume(&bench.job(JOB)).await.unwrap();
    assert_eq!(counts(&report), (200, 0, 0, 0, 0, 0), "{:?}", report.causes);
    assert_eq!((report.run_id, report.status.as_str()), (first.run_id, "complete"));
    assert!(report.causes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_resumed_says_why() {
    let bench = slow();
    bench.file("rows.csv", rows(0..500));
    let job = bench.job(JOB);
    let said = |error: dvsync_engine::RunError| (error.to_string(), error.hint().unwrap());
    let (message, _) = said(bench.resume(&job).await.unwrap_err());
    assert_eq!(message, "there is no run to resume");

    let first = stopped(&bench, Duration::from_millis(700)).await;
    let id = first.run_id;
    let size = rows(0..500).len();
    bench.file("rows.csv", rows(0..501));
    let (message, hint) = said(bench.resume(&job).await.unwrap_err());
    assert_eq!(
        message,
        format!(
            "cannot resume run {id}: the source has changed: `rows.csv` had {size} bytes, now it \
             has {}",
            size + 16
        )
    );
    assert_eq!(hint, "run the job without --resume: it decides by key what is left to do");

    let other = JOB.replace("upsert", "insert");
    let (message, _) = said(bench.resume(&bench.job(&other)).await.unwrap_err());
    assert_eq!(
        message,
        format!("cannot resume run {id}: its mode was `upsert`, now it is `insert`")
    );

    let report = bench.run(&job).await;
    let (message, _) = said(bench.resume(&job).await.unwrap_err());
    assert_eq!(message, format!("cannot resume run {}: it is complete", report.run_id));
}

#[tokio::test(start_paused = true)]
async fn a_changed_rule_is_refused_unless_the_latest_is_asked_for() {
    let latency = LatencySettings {
        base_ms: dvsync_emulator::Milliseconds::Fixed(100.0),
        ..LatencySettings::default()
    };
    let schema = "[tables.account.columns.twice]\ntype = \"integer\"\n";
    let settings = Settings { latency, ..Settings::default() }.with_schema(schema).unwrap();
    let bench = Bench::with(settings);
    let lines: String = (0..800).map(|n| format!("N{n:05},{}\n", 100 + n)).collect();
    bench.file("rows.csv", format!("no,n\n{lines}"));
    // It misbehaves at 13 only, which no row has.
    let ruled = |mode: &str| {
        bench.job(&format!(
            "mode = \"upsert\"\n[source]\npath = \"rows.csv\"\nkey = [\"no\"]\n[target]\n\
             entity = \"account\"\nmatch = {{ key = [\"accountnumber\"] }}\n\
             concurrency_max = 1\n[columns.accountnumber]\nfrom = \"no\"\n[columns.twice]\n\
             [batch]\nrecords = 50\n[rules]\nplugin = \"hostile.wasm\"\n\
             settings = {{ mode = \"{mode}\" }}\n"
        ))
    };
    let component = guest("guest-hostile");
    let parts = |job: &_| bench.parts(job, Some(&component)).unwrap();
    let job = ruled("good");
    let (stop, progress) = (Stop::new(), Progress::new());
    let asking = async {
        bench.clock.sleep_until(bench.clock.now() + Duration::from_millis(1_500)).await;
        stop.ask();
    };
    let (first, ()) = tokio::join!(dvsync_engine::run(&job, parts(&job), &progress, &stop), asking);
    let first = first.unwrap();
    assert_eq!(first.status.as_str(), "incomplete", "{:?}", first.causes);

    let changed = ruled("trap");
    let resume = async |job: &_, rules| {
        dvsync_engine::resume(job, parts(job), rules, &Progress::new(), &Stop::new()).await
    };
    let refused = resume(&changed, RulesOnResume::Same).await.unwrap_err();
    assert!(refused.to_string().contains(": it judged by `"), "{refused}");
    assert!(refused.hint().unwrap().contains("--rules latest"));
    // The latest is asked for once: from then on it is the run's own.
    let stop = Stop::new();
    let (rules, parts_) = (RulesOnResume::Latest, parts(&changed));
    let asking = async {
        bench.clock.sleep_until(bench.clock.now() + Duration::from_millis(800)).await;
        stop.ask();
    };
    let resumed = dvsync_engine::resume(&changed, parts_, rules, &progress, &stop);
    let (second, ()) = tokio::join!(resumed, asking);
    let second = second.unwrap();
    assert_eq!(second.status.as_str(), "incomplete", "{:?}", second.counts);
    let report = resume(&changed, RulesOnResume::Same).await.unwrap();
    assert_eq!(report.counts.created, 800, "{:?}", report.causes);
    assert_ne!(report.rules[0].judgement, first.rules[0].judgement);
}

#[tokio::test(start_paused = true)]
async fn without_its_journal_a_run_doubles_nothing() {
    let bench = slow();
    bench.file("rows.csv", rows(0..2_000));
    stopped(&bench, Duration::from_millis(900)).await;
    let job = bench.job(JOB);
    for suffix in ["", "-wal", "-shm"] {
        let mut path = job.journal.path.clone().into_os_string();
        path.push(suffix);
        std::fs::remove_file(path).ok();
    }
    bench.fault(
        &json!({"path": "CreateMultiple", "every": 4, "effect": {"kind": "cut_after_commit"}}),
    );
    let report = bench.run(&job).await;
    assert_eq!(report.counts.created + report.counts.unchanged, 2_000);
    assert_eq!(bench.column("accounts", "name", "accountnumber").len(), 2_000);
}

#[tokio::test(start_paused = true)]
async fn runs_older_than_the_retention_are_forgotten_but_not_the_last_one() {
    let bench = slow();
    bench.file("rows.csv", rows(0..20));
    let kept =
        |retention: &str| bench.job(&format!("{JOB}[journal]\nretention = \"{retention}\"\n"));
    let two_days = kept("2d");
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push(bench.run(&two_days).await.run_id);
        bench.clock.sleep_until(bench.clock.now() + Duration::from_hours(20)).await;
    }
    let left = |job: &_| -> Vec<_> {
        bench.journal(job).runs().unwrap().into_iter().map(|run| run.id).collect()
    };
    assert_eq!(left(&two_days), [runs[3].clone(), runs[2].clone(), runs[1].clone()]);
    let last = bench.run(&kept("0s")).await.run_id;
    assert_eq!(left(&two_days), [last]);
}

/// Drops the run at any moment, as a process that goes away does.
async fn cut(bench: &Bench, resume: bool, after: Duration) -> bool {
    let job = bench.job(JOB);
    let parts = bench.parts(&job, None).unwrap();
    let (progress, stop) = (Progress::new(), Stop::new());
    let until = bench.clock.now() + after;
    let work = async {
        if resume {
            match dvsync_engine::resume(&job, parts, RulesOnResume::Same, &progress, &stop).await {
                Err(error) => assert!(error.to_string().contains("no run to resume"), "{error}"),
                Ok(report) => {
                    assert_eq!(report.counts.read, report.counts.created)
                }
            }
        } else {
            dvsync_engine::run(&job, parts, &progress, &stop).await.unwrap();
        }
    };
    tokio::select! {
        () = work => true,
        () = bench.clock.sleep_until(until) => false,
    }
}

async fn cut_and_resumed(cuts: Vec<u64>) {
    let bench = slow();
    bench.file("rows.csv", rows(0..1_500));
    let job = bench.job(JOB);
    let mut done = false;
    for (attempt, after) in cuts.into_iter().enumerate() {
        if !done {
            done = cut(&bench, attempt > 0, Duration::from_millis(after)).await;
        }
    }
    let report = match bench.resume(&job).await {
        Ok(report) => report,
        Err(error) if error.to_string().contains("no run to resume") => bench.run(&job).await,
        Err(error) => {
            assert!(done && error.to_string().contains("is complete"), "{error}");
            return;
        }
    };
    assert_eq!(report.counts.read, 1_500, "{:?}", report.causes);
    assert_eq!(report.counts.created, 1_500, "{:?}", report.causes);
    let names = bench.column("accounts", "name", "accountnumber");
    let expected: Vec<String> = (0..1_500).map(|n| format!("Name {n}")).collect();
    assert_eq!(names, expected);
    bench.forget_requests();
    assert_eq!(bench.run(&job).await.counts.unchanged, 1_500);
    assert_eq!(bench.writes(), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_run_cut_at_any_moments_ends_as_an_undisturbed_one(
        cuts in proptest::collection::vec(0_u64..2_500, 1..5),
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(cut_and_resumed(cuts));
    }
}
