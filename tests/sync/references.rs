use serde_json::json;

use crate::harness::{Bench, counts, uuid};

fn contacts(parent: &str) -> String {
    format!(
        "mode = \"upsert\"\n[source]\npath = \"rows.csv\"\nkey = [\"no\"]\n\
         [target]\nentity = \"contact\"\nmatch = {{ columns = [\"externaluseridentifier\"] }}\n\
         [columns.externaluseridentifier]\nfrom = \"no\"\n\
         [columns.lastname]\nfrom = \"name\"\n\
         [columns.parentcustomerid]\nlookup = {{ entity = \"account\", by = \"accountnumber\", \
         from = \"parent\", on_missing = \"{parent}\" }}\n\
         [retry]\ndeferred_deadline = \"0s\"\n"
    )
}

const ROWS: &str = "no,name,parent\nC1,Ada,a1\nC2,Bob,\nC3,Cy,A9\n";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.put("accounts", 1, json!({"accountnumber": "A1", "name": "One"}));
    bench.file("rows.csv", ROWS);
    bench
}

#[tokio::test]
async fn a_lookup_finds_its_record_whatever_the_case() {
    let bench = bench();
    let job = bench.job(&contacts("null"));
    assert_eq!(counts(&bench.run(&job).await), (3, 0, 0, 0, 0, 0));
    let parents = bench.column("contacts", "_parentcustomerid_value", "lastname");
    assert_eq!(parents, [json!(uuid(1)), json!(null), json!(null)]);
    assert_eq!(counts(&bench.run(&job).await), (0, 0, 3, 0, 0, 0));
}

#[tokio::test]
async fn a_missing_parent_defers_or_rejects_its_row_only() {
    let bench = bench();
    let report = bench.run(&bench.job(&contacts("defer"))).await;
    assert_eq!(counts(&report), (2, 0, 0, 0, 1, 0));
    assert_eq!(report.status.as_str(), "incomplete");
    assert_eq!(bench.letters(&report), ["rows.csv:4 lookup_missing parentcustomerid"]);
    let report = bench.run(&bench.job(&contacts("reject"))).await;
    assert_eq!(counts(&report), (0, 0, 2, 0, 0, 1));
    // The parent arrives: the next run takes the row.
    bench.put("accounts", 9, json!({"accountnumber": "A9", "name": "Nine"}));
    assert_eq!(counts(&bench.run(&bench.job(&contacts("defer"))).await), (1, 0, 2, 0, 0, 0));
}

#[tokio::test]
async fn a_lookup_that_meets_two_records_is_a_dead_letter() {
    let bench = bench();
    bench.put("accounts", 5, json!({"accountnumber": "A5", "name": "Twin"}));
    bench.put("accounts", 6, json!({"accountnumber": "A6", "name": "Twin"}));
    bench.file("rows.csv", "no,name,parent\nC1,Ada,Twin\n");
    let job = contacts("null").replace("by = \"accountnumber\"", "by = \"name\"");
    let report = bench.run(&bench.job(&job)).await;
    assert_eq!(bench.letters(&report), ["rows.csv:2 lookup_ambiguous parentcustomerid"]);
}

fn states(more: &str) -> String {
    format!(
        "mode = \"upsert\"\n[source]\npath = \"rows.csv\"\nkey = [\"no\"]\n\
         [target]\nentity = \"account\"\nmatch = {{ key = [\"accountnumber\"] }}\n{more}\n\
         [columns.accountnumber]\nfrom = \"no\"\n[columns.name]\nfrom = \"name\"\n\
         [columns.statecode]\nfrom = \"state\"\noptions = {{ open = 0, closed = 1 }}\n"
    )
}

#[tokio::test]
async fn records_are_created_inactive_in_two_steps_and_reactivated_in_one() {
    let bench = Bench::new();
    bench.file("rows.csv", "no,name,state\nA1,One,open\nA2,Two,closed\n");
    let job = bench.job(&states(""));
    let report = bench.run(&job).await;
    assert_eq!(counts(&report), (2, 0, 0, 0, 0, 0));
    assert_eq!(bench.column("accounts", "statecode", "name"), [0, 1]);
    assert_eq!(bench.column("accounts", "statuscode", "name"), [1, 2]);
    bench.forget_requests();
    assert_eq!(counts(&bench.run(&job).await), (0, 0, 2, 0, 0, 0));
    assert_eq!(bench.writes(), (0, 0));
    bench.file("rows.csv", "no,name,state\nA1,One,closed\nA2,Two,open\n");
    assert_eq!(counts(&bench.run(&job).await), (0, 2, 0, 0, 0, 0));
    assert_eq!(bench.column("accounts", "statecode", "name"), [1, 0]);
    assert_eq!(bench.column("accounts", "statuscode", "name"), [2, 1]);
}

#[tokio::test]
async fn a_second_step_that_fails_says_that_the_record_landed_in_part() {
    let bench = Bench::schema(
        "[tables.account]\nenforce_transitions = true\ntransitions = { 1 = [1], 2 = [1] }\n",
    );
    bench.file("rows.csv", "no,name,state\nA1,One,open\nA2,Two,closed\nA3,Three,closed\n");
    let job = bench.job(&states(""));
    let report = bench.run(&job).await;
    assert_eq!(counts(&report), (1, 0, 0, 0, 0, 2));
    for letter in bench.letter_records(&report) {
        let letter = letter.letter;
        assert!(letter.landed_partially, "{letter:?}");
        assert_eq!(letter.code.to_lowercase(), "0x8004f00e");
        assert_eq!(letter.column.as_deref(), Some("statecode"));
    }
    assert_eq!(bench.column("accounts", "statecode", "name"), [0, 0, 0]);
}

#[tokio::test]
async fn the_shipped_account_rule_sets_owner_and_state() {
    let bench = Bench::schema(include_str!("../../examples/adventureworks/schema.toml"));
    bench.put(
        "systemusers",
        40,
        json!({"lastname": "Ann", "internalemailaddress": "ann@x.example"}),
    );
    bench.file("people.csv", "sales_person_id,territory_id,email,current\n274,1,ann@x.example,1\n275,2,gone@x.example,1\n");
    bench.file(
        "rows.csv",
        "account_number,name,business_type,phone,brands,annual_revenue,sales_person_id,closed\n\
         AW1, Next-Door  Bikes,BM,1 (11) 500 555-0162,4+,80000,274,0\n\
         AW2,Closed Shop,BS,334-555-0137,AW,1.5,274,1\n\
         AW3,No Such Owner,OS,334-555-0138,2,,275,0\n\
         AW4,Bad Type,XX,334-555-0139,2,,274,0\n",
    );
    let job = bench.job(
        "mode = \"upsert\"\n[source]\npath = \"rows.csv\"\nkey = [\"account_number\"]\n\
         [target]\nentity = \"account\"\nmatch = { key = [\"accountnumber\"] }\n\
         [rules]\nplugin = \"account\"\n[tables.salespeople]\npath = \"people.csv\"\n",
    );
    let component = dvsync_cli::component("account").unwrap();
    let report = bench.run_with(&job, Some(component)).await;
    assert_eq!(counts(&report), (2, 0, 0, 0, 0, 2));
    let letters = bench.letters(&report);
    assert_eq!(letters[0], "rows.csv:4 owner_missing ownerid");
    assert!(letters[1].starts_with("rows.csv:5 "), "{letters:?}");
    let rows = bench.rows("accounts", "$orderby=accountnumber");
    assert_eq!(rows[0]["name"], "Next-Door Bikes");
    assert_eq!(rows[0]["_ownerid_value"], uuid(40));
    assert_eq!((&rows[0]["statecode"], &rows[1]["statecode"]), (&json!(0), &json!(1)));
    assert_eq!(rows[0]["dv_brands"], 5);
    assert_eq!(report.rules.len(), 1);
    assert!(report.rules[0].digest.starts_with("sha256:"));
    bench.forget_requests();
    assert_eq!(counts(&bench.run_with(&job, Some(component)).await), (0, 0, 2, 0, 0, 2));
    assert_eq!(bench.writes(), (0, 0));
}
