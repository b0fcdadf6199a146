use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use crate::harness::{Bench, counts};

/// A source row: key (few, so that they repeat), name (may be too long), number.
fn row() -> impl Strategy<Value = (u8, String, Option<i32>)> {
    let name = prop_oneof!["[a-zA-Z ,\"\\n;äöü']{0,20}", Just("x".repeat(161)),];
    (0_u8..40, name, proptest::option::of(-5..20_i32))
}

fn csv(rows: &[(u8, String, Option<i32>)]) -> String {
    let mut out = String::from("no,name,n\n");
    for (no, name, n) in rows {
        let name = name.replace('"', "\"\"");
        let n = n.map(|n| n.to_string()).unwrap_or_default();
        out.push_str(&format!("K{no},\"{name}\",{n}\n"));
    }
    out
}

/// What the target must hold, told as simply as can be.
fn model(
    target: &BTreeMap<String, (String, Option<i32>)>,
    rows: &[(u8, String, Option<i32>)],
) -> (BTreeMap<String, (String, Option<i32>)>, u64) {
    let mut times: BTreeMap<u8, u64> = BTreeMap::new();
    for (no, _, _) in rows {
        *times.entry(*no).or_default() += 1;
    }
    let mut target = target.clone();
    let mut dead = 0;
    for (no, name, n) in rows {
        let misfit = name.len() > 160 && name.chars().count() > 160;
        if times[no] > 1 || misfit || n.is_some_and(|n| n < 0) {
            dead += 1;
        } else {
            target.insert(format!("K{no}"), (name.clone(), *n));
        }
    }
    (target, dead)
}

async fn holds(
    first: Vec<(u8, String, Option<i32>)>,
    second: Vec<(u8, String, Option<i32>)>,
    batch: usize,
    fault: Option<serde_json::Value>,
) {
    let bench = Bench::new();
    let job = bench.job(&format!(
        "mode = \"upsert\"\n[source]\npath = \"rows.csv\"\nkey = [\"no\"]\n\
         types = {{ no = \"text\", name = \"text\", n = \"text\" }}\n\
         [target]\nentity = \"account\"\nmatch = {{ key = [\"accountnumber\"] }}\n\
         [columns.accountnumber]\nfrom = \"no\"\n[columns.name]\nfrom = \"name\"\n\
         [columns.numberofemployees]\nfrom = \"n\"\n[batch]\nrecords = {batch}\n\
         [retry]\nattempts = 12\nbase = \"1ms\"\nmax = \"2ms\"\ndeferred_deadline = \"0s\"\n[limits]\ncommit_within = \"0s\"\n"
    ));
    if let Some(fault) = &fault {
        bench.fault(fault);
    }
    let mut expect = BTreeMap::new();
    for rows in [&first, &second] {
        bench.file("rows.csv", csv(rows));
        let report = bench.run(&job).await;
        let (target, dead) = model(&expect, rows);
        expect = target;
        assert_eq!(report.counts.read, rows.len() as u64);
        assert_eq!(report.counts.dead_lettered, dead, "{:?}", report.causes);
        assert_eq!(report.counts.deferred, 0, "{:?}", report.causes);
        let found: BTreeMap<String, (String, Option<i32>)> = bench
            .rows("accounts", "$select=accountnumber,name,numberofemployees")
            .into_iter()
            .map(|row| {
                let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                let n = row["numberofemployees"].as_i64().and_then(|n| i32::try_from(n).ok());
                (text("accountnumber"), (text("name"), n))
            })
            .collect();
        assert_eq!(found, expect);
    }
    bench.no_faults();
    bench.forget_requests();
    let report = bench.run(&job).await;
    assert_eq!((counts(&report).0, counts(&report).1), (0, 0));
    assert_eq!(bench.writes(), (0, 0), "a second run on the same data writes nothing");
}

fn run(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_target_equals_the_source_and_every_row_has_one_outcome(
        first in proptest::collection::vec(row(), 0..60),
        second in proptest::collection::vec(row(), 0..60),
        batch in 1_usize..30,
    ) {
        run(holds(first, second, batch, None));
    }

    #[test]
    fn the_same_holds_when_replies_are_lost(
        first in proptest::collection::vec(row(), 0..60),
        second in proptest::collection::vec(row(), 0..60),
        batch in 1_usize..30,
        effect in prop_oneof![
            Just(json!({"kind": "cut_after_commit"})),
            Just(json!({"kind": "cut_before_commit"})),
            Just(json!({"kind": "truncate", "bytes": 30})),
            Just(json!({"kind": "html", "status": 502})),
        ],
        path in prop_oneof![Just("Multiple"), Just("$batch")],
    ) {
        let fault = json!({"method": "POST", "path": path, "every": 3, "effect": effect});
        run(holds(first, second, batch, Some(fault)));
    }
}
