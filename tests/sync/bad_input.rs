use serde_json::json;

use crate::harness::{Bench, counts};

const JOB: &str = "mode = \"upsert\"
[source]
path = \"rows.csv\"
key = [\"no\"]
types = { no = \"text\", employees = \"text\", opened = \"text\" }
[target]
entity = \"account\"
match = { key = [\"accountnumber\"] }
[columns.accountnumber]
from = \"no\"
[columns.name]
from = \"name\"
[columns.numberofemployees]
from = \"employees\"
[columns.industrycode]
from = \"industry\"
";

/// Rows without a header line: number, name, employees, opened, industry.
async fn check(rows: &str, expect: &[&str], created: u64) {
    let bench = Bench::new();
    bench.file("rows.csv", format!("no,name,employees,opened,industry\n{rows}"));
    let report = bench.run(&bench.job(JOB)).await;
    assert_eq!(bench.letters(&report), expect);
    assert_eq!(counts(&report).0, created, "{:?}", report.causes);
    let again = bench.run(&bench.job(JOB)).await;
    assert_eq!(counts(&again).2, created, "the rows that landed are unchanged");
}

#[tokio::test]
async fn a_key_that_is_empty_or_blank_costs_its_row() {
    check(
        "1,One,,,\n,Two,,,\n  ,Three,,,\n4,Four,,,\n",
        &["rows.csv:3 key_missing no", "rows.csv:4 key_missing no"],
        2,
    )
    .await;
}

#[tokio::test]
async fn a_key_that_comes_twice_rejects_both_unless_the_job_says_who_wins() {
    check(
        "1,One,,,\n2,Two,,,\n1 ,Uno,,,\n",
        &["rows.csv:2 duplicate_in_source -", "rows.csv:4 duplicate_in_source -"],
        1,
    )
    .await;
    let bench = Bench::new();
    bench.file(
        "rows.csv",
        "no,name,employees,opened,industry\n1,New,,2025-02,\n1,Old,,2025-01,\n2,Two,,,\n",
    );
    let wins = "duplicates = { keep = \"last\", by = \"opened\" }\ntypes";
    let report = bench.run(&bench.job(&JOB.replace("types", wins))).await;
    assert_eq!(counts(&report), (2, 0, 0, 1, 0, 0));
    assert_eq!(bench.letters(&report), ["rows.csv:3 duplicate_in_source -"]);
    assert_eq!(bench.column("accounts", "name", "name"), ["New", "Two"]);
}

#[tokio::test]
async fn values_that_do_not_fit_cost_their_rows_and_name_column_and_value() {
    let long = "x".repeat(161);
    let rows =
        format!("1,One,4+,,\n2,Two,99999999999,,\n3,{long},1,,\n4,Four,1,,999999\n5,Five,5,,1\n");
    check(
        &rows,
        &[
            "rows.csv:2 type_mismatch numberofemployees",
            "rows.csv:3 out_of_range numberofemployees",
            "rows.csv:4 text_too_long name",
            "rows.csv:5 unknown_choice industrycode",
        ],
        1,
    )
    .await;
    let bench = Bench::new();
    bench.file("rows.csv", "no,name,employees,opened,industry\nA7,Seven,4+,,\n");
    let report = bench.run(&bench.job(JOB)).await;
    let letter = bench.letter_records(&report).remove(0).letter;
    assert_eq!(letter.key.as_deref(), Some("A7"));
    assert!(letter.message.contains("`4+`"), "{}", letter.message);
    assert!(letter.hint.is_some());
    let row: serde_json::Value = serde_json::from_str(&letter.row.unwrap()).unwrap();
    assert_eq!(row["employees"], "4+");
}

#[tokio::test]
async fn malformed_lines_are_dead_letters_with_their_line() {
    check(
        "1,One,,,\n2,Two\n3,\"Three\n,with a newline\",,,\n4,Four,,,,,\n5,Five,,,\n",
        &["rows.csv:3 malformed_record -", "rows.csv:6 malformed_record -"],
        3,
    )
    .await;
}

#[tokio::test]
async fn too_many_malformed_lines_stop_the_run_with_a_reason() {
    let bench = Bench::new();
    let bad: String = (0..20).map(|_| "broken\n").collect();
    bench.file("rows.csv", format!("no,name,employees,opened,industry\n{bad}"));
    let job = bench.job(&format!("{JOB}[limits]\nbad_lines_max = 10\n"));
    let report = bench.run(&job).await;
    assert_eq!(report.status.as_str(), "incomplete");
    assert_eq!(report.counts.dead_lettered, 20);
    assert!(report.message.unwrap().contains("bad_lines_max = 10"));
}

#[tokio::test]
async fn an_unclosed_quote_costs_one_line() {
    let bench = Bench::new();
    let rows: String = (10..310).map(|n| format!("{n},Name {n},,,\n")).collect();
    bench.file("rows.csv", format!("no,name,employees,opened,industry\n1,\"One,,,\n{rows}"));
    let job = bench.job(&JOB.replace("key = [\"no\"]", "record_max = \"1KiB\"\nkey = [\"no\"]"));
    let report = bench.run(&job).await;
    assert_eq!(counts(&report), (300, 0, 0, 0, 0, 1), "{:?}", report.causes);
    assert!(bench.letters(&report)[0].starts_with("rows.csv:2 "));
}

#[tokio::test]
async fn byte_order_marks_carriage_returns_and_encodings_are_read() {
    let text = "no;name;employees;opened;industry\r\n1;\"Müller;\r\nSöhne\";7;;\r\n";
    for (name, bytes) in [
        ("utf-8 with mark", [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat()),
        (
            "utf-16",
            [b"\xff\xfe".to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()]
                .concat(),
        ),
        ("windows-1252", text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()),
    ] {
        let bench = Bench::new();
        bench.file("rows.csv", bytes);
        let encoding = if name == "windows-1252" { "windows-1252" } else { "utf-8" };
        let csv =
            format!("csv = {{ delimiter = \";\", encoding = \"{encoding}\" }}\nkey = [\"no\"]");
        let report = bench.run(&bench.job(&JOB.replace("key = [\"no\"]", &csv))).await;
        assert_eq!(counts(&report), (1, 0, 0, 0, 0, 0), "{name}: {:?}", report.causes);
        assert_eq!(bench.column("accounts", "name", "name"), ["Müller;\r\nSöhne"], "{name}");
    }
}

#[tokio::test]
async fn a_file_with_a_header_only_is_a_run_without_rows() {
    check("", &[], 0).await;
}

#[tokio::test]
async fn two_rows_that_are_one_record_do_not_overwrite_each_other() {
    let bench = Bench::new();
    bench.file("rows.csv", "no,name,employees,opened,industry\n1,Same,,,\n2,Same,,,\n");
    let job = bench.job(&JOB.replace("{ key = [\"accountnumber\"] }", "{ columns = [\"name\"] }"));
    let report = bench.run(&job).await;
    assert_eq!(counts(&report), (1, 0, 0, 0, 0, 1));
    assert_eq!(bench.letters(&report), ["rows.csv:3 duplicate_match -"]);
}

#[tokio::test]
async fn masked_columns_stay_out_of_letters() {
    let bench = Bench::new();
    bench.file("rows.csv", "no,name,employees,opened,industry\n1,Secret Name,4+,,\n");
    let job = bench.job(&JOB.replace("from = \"name\"", "from = \"name\"\nmask = true"));
    let report = bench.run(&job).await;
    let row = bench.letter_records(&report).remove(0).letter.row.unwrap();
    assert!(!row.contains("Secret") && row.contains("***"), "{row}");
}

#[tokio::test]
async fn what_the_service_refuses_is_a_dead_letter_and_the_rest_lands() {
    let bench = Bench::new();
    // A second alternate-key clash that the host cannot foresee: the key column
    // is free, the id is not.
    let rows: String = (0..300).map(|n| format!("{n},Name {n},,,\n")).collect();
    bench.file("rows.csv", format!("no,name,employees,opened,industry\n{rows}"));
    let job = bench.job(JOB);
    bench.run(&job).await;
    let taken = bench.rows("accounts", "$filter=accountnumber eq '7'")[0]["accountid"].clone();
    let path = format!("/api/data/v9.2/accounts({})", taken.as_str().unwrap());
    assert_eq!(bench.ask("PATCH", &path, &json!({"accountnumber": "other"})).0, 204);
    let report = bench.run(&job).await;
    assert_eq!(counts(&report), (0, 0, 299, 0, 0, 1), "{:?}", report.causes);
    assert_eq!(bench.letters(&report), ["rows.csv:9 id_taken -"]);
}
