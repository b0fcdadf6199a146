use crate::harness::{Bench, counts, guest};

/// The guest judges rows by `n`: 13 is where it misbehaves.
pub(crate) fn bench() -> Bench {
    let bench = Bench::schema("[tables.account.columns.twice]\ntype = \"integer\"\n");
    let rows: String =
        (0..200).map(|n| format!("K{n},{}\n", if n == 77 { 13 } else { 100 + n })).collect();
    bench.file("rows.csv", format!("no,n\n{rows}"));
    bench
}

pub(crate) fn job(mode: &str, more: &str) -> String {
    format!(
        "mode = \"upsert\"\n[source]\npath = \"rows.csv\"\nkey = [\"no\"]\n\
         [target]\nentity = \"account\"\nmatch = {{ key = [\"accountnumber\"] }}\n\
         [columns.accountnumber]\nfrom = \"no\"\n[columns.twice]\n\
         [columns.name]\nfrom = \"text\"\n[columns.revenue]\nfrom = \"money\"\n\
         [rules]\nplugin = \"hostile.wasm\"\nsettings = {{ mode = \"{mode}\" }}\n{more}\n\
         [rules.limits]\ntime_per_call = \"300ms\"\nmemory = \"16MiB\"\n"
    )
}

async fn one_row_is_lost(mode: &str, code: &str) {
    let bench = bench();
    let hostile = guest("guest-hostile");
    let report = bench.run_with(&bench.job(&job(mode, "")), Some(&hostile)).await;
    let letters = bench.letters(&report);
    assert!(letters.contains(&format!("rows.csv:79 {code} -")), "{mode}: {letters:?}");
    assert_eq!(counts(&report).0 + counts(&report).5, 200);
    if code != "rule_timeout" {
        assert_eq!(counts(&report), (199, 0, 0, 0, 0, 1), "{mode}: {letters:?}");
    }
    // The host lives, and another job is not disturbed.
    let honest = bench.run_with(&bench.job(&job("good", "")), Some(&hostile)).await;
    assert_eq!(counts(&honest).5, 0, "{:?}", honest.causes);
}

#[tokio::test]
async fn a_rule_that_traps_on_one_row_costs_that_row() {
    one_row_is_lost("trap", "rule_trap").await;
}

#[tokio::test]
async fn a_rule_that_allocates_without_end_on_one_row_costs_that_row() {
    one_row_is_lost("allocate", "rule_memory").await;
}

#[tokio::test]
async fn a_rule_that_loops_on_one_row_costs_few_rows() {
    one_row_is_lost("loop", "rule_timeout").await;
}

#[tokio::test]
async fn a_failing_rule_stops_the_run_where_the_job_says_so() {
    let bench = bench();
    let hostile = guest("guest-hostile");
    let report =
        bench.run_with(&bench.job(&job("trap", "on_failure = \"stop\"")), Some(&hostile)).await;
    assert_eq!(report.status.as_str(), "incomplete");
    assert!(report.message.unwrap().contains("rows.csv:79"), "the row is named");
    assert!(bench.rows("accounts", "$select=name").is_empty());
}

#[tokio::test]
async fn a_hostile_job_does_not_disturb_another_one() {
    let bench = bench();
    let other = Bench::new();
    let rows: String = (0..500).map(|n| format!("K{n},Name {n}\n")).collect();
    other.file("rows.csv", format!("no,name\n{rows}"));
    let plain = other.job(
        "mode = \"upsert\"\n[source]\npath = \"rows.csv\"\nkey = [\"no\"]\n\
         [target]\nentity = \"account\"\nmatch = { key = [\"accountnumber\"] }\n\
         [columns.accountnumber]\nfrom = \"no\"\n[columns.name]\nfrom = \"name\"\n",
    );
    let hostile = guest("guest-hostile");
    let hostile_job = bench.job(&job("loop", ""));
    let (disturbing, undisturbed) =
        tokio::join!(bench.run_with(&hostile_job, Some(&hostile)), other.run(&plain));
    assert!(disturbing.counts.dead_lettered >= 1);
    assert_eq!(counts(&undisturbed), (500, 0, 0, 0, 0, 0));
}
