use serde_json::json;

use crate::harness::{Bench, counts, uuid};

const THREE: &str = "no,name\nA1,One\nA2,Two\nA3,Three\n";

fn job(mode: &str, target: &str) -> String {
    format!(
        "mode = \"{mode}\"\n[source]\npath = \"rows.csv\"\nkey = [\"no\"]\n\
         [target]\nentity = \"account\"\n{target}\n\
         [columns.accountnumber]\nfrom = \"no\"\n[columns.name]\nfrom = \"name\"\n"
    )
}

const BY_KEY: &str = "match = { key = [\"accountnumber\"] }";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("rows.csv", THREE);
    bench.put("accounts", 2, json!({"accountnumber": "a2 ", "name": "Old"}));
    bench
}

#[tokio::test]
async fn upsert_creates_what_is_new_and_updates_what_is_there() {
    let bench = bench();
    let job = bench.job(&job("upsert", BY_KEY));
    let report = bench.run(&job).await;
    assert_eq!(counts(&report), (2, 1, 0, 0, 0, 0));
    assert_eq!(bench.column("accounts", "name", "name"), ["One", "Three", "Two"]);
    let found = bench.rows("accounts", "$select=accountid&$filter=name eq 'Two'");
    assert_eq!(found[0]["accountid"], uuid(2));
}

#[tokio::test]
async fn insert_leaves_existing_records_alone() {
    let bench = bench();
    let job = bench.job(&job("insert", BY_KEY));
    assert_eq!(counts(&bench.run(&job).await), (2, 0, 1, 0, 0, 0));
    assert_eq!(bench.column("accounts", "name", "name"), ["Old", "One", "Three"]);
}

#[tokio::test]
async fn update_never_creates() {
    let bench = bench();
    let job = bench.job(&job("update", BY_KEY));
    let report = bench.run(&job).await;
    assert_eq!(counts(&report), (0, 1, 0, 2, 0, 0));
    assert_eq!(bench.letters(&report), ["rows.csv:2 no_match -", "rows.csv:4 no_match -"]);
    assert_eq!(bench.column("accounts", "name", "name"), ["Two"]);
}

#[tokio::test]
async fn upsert_without_looking_goes_by_alternate_key() {
    let bench = bench();
    let job = bench.job(&job("upsert", &format!("{BY_KEY}\nlookup = \"none\"")));
    let report = bench.run(&job).await;
    assert_eq!(report.counts.upserted, 3);
    assert_eq!(bench.column("accounts", "name", "name"), ["One", "Three", "Two"]);
}

#[tokio::test]
async fn keys_only_finds_records_and_writes_all_of_them() {
    let bench = bench();
    let job = bench.job(&job("upsert", &format!("{BY_KEY}\nlookup = \"keys\"")));
    assert_eq!(counts(&bench.run(&job).await), (2, 1, 0, 0, 0, 0));
    assert_eq!(counts(&bench.run(&job).await), (0, 3, 0, 0, 0, 0));
}

#[tokio::test]
async fn records_are_found_by_asking_for_their_keys_too() {
    let bench = bench();
    let job = bench.job(&job("upsert", &format!("{BY_KEY}\nretrieve = \"keys\"")));
    assert_eq!(counts(&bench.run(&job).await), (2, 1, 0, 0, 0, 0));
    assert_eq!(counts(&bench.run(&job).await), (0, 0, 3, 0, 0, 0));
}

#[tokio::test]
async fn records_are_matched_by_their_id() {
    let bench = Bench::new();
    bench.put("accounts", 7, json!({"name": "Old"}));
    let rows = format!("id,name\n{},Seven\n{},Eight\n,None\n", uuid(7).to_uppercase(), uuid(8));
    bench.file("rows.csv", rows);
    let job = bench.job(
        "mode = \"upsert\"\n[source]\npath = \"rows.csv\"\nkey = [\"name\"]\n\
         [target]\nentity = \"account\"\nmatch = { id = \"accountid\" }\n\
         [columns.accountid]\nfrom = \"id\"\n[columns.name]\nfrom = \"name\"\n",
    );
    let report = bench.run(&job).await;
    assert_eq!(counts(&report), (1, 1, 0, 0, 0, 1));
    assert_eq!(bench.letters(&report), ["rows.csv:4 match_key_missing accountid"]);
    let ids = bench.column("accounts", "accountid", "name");
    assert_eq!(ids, [json!(uuid(8)), json!(uuid(7))]);
}

#[tokio::test]
async fn a_key_that_meets_several_records_is_a_dead_letter_or_the_first() {
    let bench = Bench::new();
    bench.file("rows.csv", "no,name\nA1,Same\n");
    bench.put("accounts", 1, json!({"accountnumber": "X1", "name": "Same"}));
    bench.put("accounts", 2, json!({"accountnumber": "X2", "name": "same"}));
    let by_name = "match = { columns = [\"name\"] }";
    let report = bench.run(&bench.job(&job("upsert", by_name))).await;
    assert_eq!(counts(&report), (0, 0, 0, 0, 0, 1));
    let letter = &bench.letter_records(&report)[0].letter;
    assert_eq!(letter.code, "several_matches");
    assert!(letter.message.contains(&uuid(1)) && letter.message.contains(&uuid(2)));

    let report =
        bench.run(&bench.job(&job("upsert", &format!("{by_name}\nseveral = \"first\"")))).await;
    assert_eq!(counts(&report), (0, 1, 0, 0, 0, 0));
    let row = &bench.rows("accounts", "$filter=accountnumber eq 'A1'")[0];
    assert_eq!(row["accountid"], uuid(1));
}

#[tokio::test]
async fn a_filter_limits_what_is_written_not_what_is_matched() {
    let bench = bench();
    bench.put(
        "accounts",
        3,
        json!({"accountnumber": "A3", "name": "Kept", "description": "locked"}),
    );
    let filter = "filter = \"description eq null\"";
    for retrieve in ["pages", "keys"] {
        let target = format!("{BY_KEY}\n{filter}\nretrieve = \"{retrieve}\"");
        let report = bench.run(&bench.job(&job("upsert", &target))).await;
        assert_eq!(report.counts.dropped, 1, "{retrieve}");
        assert_eq!(bench.letters(&report), ["rows.csv:4 filtered -"]);
    }
    assert_eq!(bench.column("accounts", "name", "name"), ["Kept", "One", "Two"]);
}

#[tokio::test]
async fn a_lost_journal_doubles_nothing() {
    let bench = bench();
    let job = bench.job(&job("upsert", BY_KEY));
    let report = bench.run(&job).await;
    for ending in ["", "-wal", "-shm"] {
        let path = format!("{}{ending}", report.journal.display());
        if std::fs::exists(&path).unwrap() {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(counts(&bench.run(&job).await), (0, 0, 3, 0, 0, 0));
}

#[tokio::test]
async fn records_of_any_number_go_out_in_full_batches() {
    let bench = Bench::new();
    let rows: String = (0..1050).map(|n| format!("N{n},Name {n}\n")).collect();
    bench.file("rows.csv", format!("no,name\n{rows}"));
    let job = bench.job(&format!("{}[batch]\nrecords = 500\n", job("upsert", BY_KEY)));
    bench.forget_requests();
    assert_eq!(counts(&bench.run(&job).await), (1050, 0, 0, 0, 0, 0));
    assert_eq!(bench.writes(), (3, 1050));
}
