use std::collections::BTreeMap;

use dvsync_engine::journal::LetterFilter;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Bench, counts};

fn job(more: &str) -> String {
    format!(
        "mode = \"upsert\"\n[source]\npath = \"rows.csv\"\nkey = [\"no\"]\n\
         types = {{ no = \"text\", name = \"text\" }}\n\
         [target]\nentity = \"account\"\nmatch = {{ key = [\"accountnumber\"] }}\n\
         [columns.accountnumber]\nfrom = \"no\"\n[columns.name]\nfrom = \"name\"\n{more}"
    )
}

const TRUNCATE: &str = "too_long = \"truncate\"\n";

fn long(name: &str) -> String {
    format!("{name} {}", "x".repeat(200))
}

fn all() -> LetterFilter {
    LetterFilter::default()
}

fn named(key: &str) -> LetterFilter {
    LetterFilter { key: Some(key.to_owned()), ..LetterFilter::default() }
}

#[tokio::test]
async fn a_letter_is_replayed_through_the_job_as_it_is_now() {
    let bench = Bench::new();
    bench.file("rows.csv", format!("no,name\nA1,One\nA2,{}\nA3,{}\n", long("Two"), long("Three")));
    let report = bench.run(&bench.job(&job(""))).await;
    assert_eq!(counts(&report), (1, 0, 0, 0, 0, 2));

    let mended = bench.job(&job(TRUNCATE));
    let (replay, left) = bench.replay(&mended, named("a2")).await.unwrap();
    assert_eq!((counts(&replay), left), ((1, 0, 0, 0, 0, 0), Default::default()));
    assert_eq!(bench.standing(&mended), ["A2 text_too_long replayed", "A3 text_too_long open"]);
    let names = bench.column("accounts", "name", "accountnumber");
    assert!(names[1].as_str().unwrap().starts_with("Two xxx"), "{names:?}");
    let history = bench.journal(&mended).history(1).unwrap();
    assert_eq!(history[0].run.as_ref(), Some(&replay.run_id));
    assert_eq!(history[0].note.as_deref(), Some("created"));

    // Unmended, it is a letter again, and the new one tells where the row stood.
    let (again, _) = bench.replay(&bench.job(&job("")), all()).await.unwrap();
    assert_eq!(counts(&again), (0, 0, 0, 0, 0, 1));
    assert_eq!(bench.letters(&again), ["rows.csv:4 text_too_long name"]);
    assert_eq!(
        bench.standing(&mended),
        ["A2 text_too_long replayed", "A3 text_too_long replayed", "A3 text_too_long open"]
    );
    let (last, _) = bench.replay(&mended, all()).await.unwrap();
    assert_eq!(counts(&last), (1, 0, 0, 0, 0, 0));
    let none = bench.replay(&mended, all()).await.unwrap_err();
    assert_eq!(none.to_string(), "no open letter is meant");
}

#[tokio::test]
async fn a_newer_version_of_a_row_supersedes_its_letter_whatever_becomes_of_it() {
    let bench = Bench::new();
    let text = format!("no,name\nA1,{0}\nA2,{0}\nA3,{0}\nA4,{0}\n", long("Old"));
    bench.file("rows.csv", text);
    let job_ = bench.job(&job(""));
    bench.run(&job_).await;
    // Written, refused again, gone from the source, and left out as a duplicate.
    bench.file("rows.csv", format!("no,name\na1,New\nA2,{}\nA4,a\nA4,b\n", long("Newer")));
    bench.run(&job_).await;
    assert_eq!(
        bench.standing(&job_),
        [
            "A1 text_too_long superseded",
            "A2 text_too_long superseded",
            "A3 text_too_long open",
            "A4 text_too_long superseded",
            "A2 text_too_long open",
            "A4 duplicate_in_source open",
            "A4 duplicate_in_source open",
        ]
    );
    let (report, _) = bench.replay(&bench.job(&job(TRUNCATE)), all()).await.unwrap();
    // Two letters of one key contradict each other still.
    assert_eq!(counts(&report), (2, 0, 0, 0, 0, 2), "{:?}", report.causes);
    let names = bench.column("accounts", "name", "accountnumber");
    let first = |name: &Value| name.as_str().unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!(names.iter().map(first).collect::<Vec<_>>(), ["New", "Newer", "Old"]);
}

#[tokio::test]
async fn what_cannot_be_replayed_is_left_alone_and_told() {
    let bench = Bench::new();
    bench.file("rows.csv", "no,name\nA1,\"open\nA2,fine\n");
    let masked = "mask = true\n";
    let job_ = bench.job(&job(masked));
    let report = bench.run(&job_).await;
    assert_eq!(report.counts.dead_lettered, 1, "{:?}", report.causes);
    let none = bench.replay(&job_, all()).await.unwrap_err();
    assert_eq!(
        none.to_string(),
        "none of the letters that are meant can be replayed: 1 have no readable row, 0 have \
         masked columns"
    );
    bench.file("rows.csv", format!("no,name\nA3,{}\n", long("secret")));
    bench.run(&job_).await;
    let none = bench.replay(&job_, named("A3")).await.unwrap_err();
    assert!(none.to_string().ends_with("0 have no readable row, 1 have masked columns"), "{none}");
}

#[tokio::test]
async fn of_a_record_that_landed_in_part_a_replay_does_only_the_rest() {
    for mode in ["upsert", "insert"] {
        let bench = Bench::new();
        bench.file("rows.csv", "no,name,state\nA1,One,1\nA2,Two,1\nA3,Three,0\n");
        let text = job("[columns.statecode]\nfrom = \"state\"\n").replace("upsert", mode);
        let job = bench.job(&text);
        let throttled = json!({"kind": "reply", "status": 429, "code": "0x80072321",
            "message": "slow down", "retry_after_seconds": 4000});
        bench.fault(&json!({"path": "UpdateMultiple", "effect": throttled}));
        let report = bench.run(&job).await;
        bench.no_faults();
        assert_eq!(counts(&report), (1, 0, 0, 0, 0, 2), "{:?}", report.causes);
        let letters = bench.letter_records(&report);
        assert!(letters.iter().all(|record| record.letter.landed_partially), "{letters:?}");
        // Somebody has renamed one meanwhile: a replay leaves that alone.
        let path = format!("/api/data/v9.2/accounts({})", letters[0].letter.id.unwrap());
        assert_eq!(bench.ask("PATCH", &path, &json!({"name": "Renamed"})).0, 204);
        let (replay, _) = bench.replay(&job, all()).await.unwrap();
        assert_eq!(counts(&replay), (0, 2, 0, 0, 0, 0), "{mode}: {:?}", replay.causes);
        assert_eq!(bench.column("accounts", "statecode", "accountnumber"), [1, 1, 0]);
        let names = bench.column("accounts", "name", "accountnumber");
        assert_eq!(names, ["Renamed", "Two", "Three"], "{mode}");
    }
}

/// What happens to one version of the data.
#[derive(Debug, Clone)]
struct Step {
    /// Keys in the source; those that are too long are letters.
    rows: BTreeMap<u8, bool>,
    fault: Option<Value>,
    /// Letters are replayed afterwards.
    replay: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let throttled = json!({"path": "Multiple", "effect": {"kind": "reply", "status": 429,
        "code": "0x80072321", "message": "slow down", "retry_after_seconds": 3000}});
    let lost = |kind: &str| json!({"path": "Multiple", "every": 2, "effect": {"kind": kind}});
    let fault = prop_oneof![
        Just(None),
        Just(Some(throttled)),
        Just(Some(lost("cut_before_commit"))),
        Just(Some(lost("cut_after_commit"))),
    ];
    (proptest::collection::btree_map(0_u8..6, any::<bool>(), 0..6), fault, any::<bool>())
        .prop_map(|(rows, fault, replay)| Step { rows, fault, replay })
}

/// The version that each record has.
fn versions(bench: &Bench) -> BTreeMap<String, u64> {
    let rows = bench.rows("accounts", "$select=accountnumber,name");
    rows.into_iter()
        .map(|row| {
            let name = row["name"].as_str().unwrap();
            let version = name.trim_start_matches('v').split(' ').next().unwrap();
            (row["accountnumber"].as_str().unwrap().to_owned(), version.parse().unwrap())
        })
        .collect()
}

async fn never_goes_back(steps: Vec<Step>) {
    let bench = Bench::new();
    let plain = "[batch]\nrecords = 2\n[retry]\nattempts = 3\nbase = \"1ms\"\nmax = \"2ms\"\n\
        deferred_deadline = \"2s\"\ndeferred_backoff = \"1s\"\n[limits]\nwait_max = \"1s\"\n\
        commit_within = \"0s\"\n";
    let strict = bench.job(&job(plain));
    let lenient = bench.job(&job(&format!("{TRUNCATE}{plain}")));
    let mut before = BTreeMap::new();
    // The newest version of each key that a run has met.
    let mut newest: BTreeMap<String, u64> = BTreeMap::new();
    for (version, step) in (1_u64..).zip(steps) {
        let mut text = "no,name\n".to_owned();
        for (key, too_long) in &step.rows {
            let name = format!("v{version}");
            let name = if *too_long { long(&name) } else { name };
            text.push_str(&format!("K{key},{name}\n"));
            newest.insert(format!("K{key}"), version);
        }
        bench.file("rows.csv", text);
        if let Some(fault) = &step.fault {
            bench.fault(fault);
        }
        bench.run(&strict).await;
        bench.no_faults();
        if step.replay {
            // Nothing to replay is an answer too.
            bench.replay(&lenient, all()).await.ok();
        }
        let now = versions(&bench);
        for (key, version) in &now {
            assert!(Some(version) >= before.get(key), "{key} went back: {before:?} {now:?}");
            if step.replay {
                assert_eq!(version, &newest[key], "{key}: a letter is the newest there is");
            }
        }
        before = now;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn an_old_letter_never_overwrites_newer_data(
        steps in proptest::collection::vec(step(), 1..7),
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(never_goes_back(steps));
    }
}
