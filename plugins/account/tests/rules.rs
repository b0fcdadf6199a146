//! The account rules as their users see them: rows in, cells and verdicts out.

use account_rules::AccountRules;
use dvsync_rules_sdk::testing::{Answer, Bench, Table, assert_rows_independent};
use dvsync_rules_sdk::{FailureKind, Rule, Side, Type};

const COLUMNS: &[&str] = &[
    "account_number",
    "name",
    "business_type",
    "phone",
    "line1",
    "line2",
    "city",
    "state",
    "postal_code",
    "country",
    "employees",
    "annual_sales",
    "annual_revenue",
    "bank",
    "specialty",
    "year_opened",
    "internet",
    "brands",
    "sales_person_id",
];

const STORE: &[&str] = &[
    "AW00009001",
    "Two  Wheels Shop ",
    "BM",
    "1 (11) 500 555-0199",
    "12 Hafen Stra\u{df}e",
    "",
    "K\u{f6}ln",
    "NW",
    "50667",
    "Germany",
    "13",
    "800000",
    "80000",
    "United Security",
    "Mountain",
    "1996",
    "ISDN",
    "4+",
    "279",
];

/// The store with some cells changed.
fn stores(changes: &[&[(&str, &'static str)]]) -> Table {
    let rows: Vec<Vec<&str>> = changes
        .iter()
        .map(|changes| {
            let mut row = STORE.to_vec();
            for (column, cell) in *changes {
                let position = COLUMNS.iter().position(|name| name == column).expect("a column");
                row[position] = cell;
            }
            row
        })
        .collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    Table::of(COLUMNS, &rows)
}

fn salespeople() -> Table {
    Table::of(
        &["sales_person_id", "territory_id", "email", "current"],
        &[
            &["279", "5", "tsvi0@example.com", "1"],
            &["276", "4", "linda3@example.com", "1"],
            &["285", "", "", "1"],
        ],
    )
    .typed("sales_person_id", Type::Int64)
}

fn bench(table: &Table) -> Bench<AccountRules> {
    Bench::new(table).grant("salespeople", salespeople())
}

fn judge(table: &Table, settings: &str) -> Answer {
    bench(table).settings(settings).transform(table).expect("settings that fit")
}

#[test]
fn every_column_of_a_store_arrives_clean() {
    let answer = judge(&stores(&[&[]]), "{}");
    let expected = [
        ("accountnumber", "AW00009001"),
        ("name", "Two Wheels Shop"),
        ("telephone1", "+49 500 555 0199"),
        ("address1_line1", "12 Hafen Stra\u{df}e"),
        ("address1_line2", Answer::NULL),
        ("address1_city", "K\u{f6}ln"),
        ("address1_stateorprovince", "NW"),
        ("address1_postalcode", "50667"),
        ("address1_country", "Germany"),
        ("numberofemployees", "13"),
        ("revenue", "80000.0000"),
        ("dv_annualsales", "800000.0000"),
        ("dv_bank", "United Security"),
        ("dv_specialty", "Mountain"),
        ("dv_yearopened", "1996"),
        ("dv_internet", "ISDN"),
        ("dv_brands", "5"),
        ("dv_businesstype", "1"),
    ];
    for (column, cell) in expected {
        assert_eq!(answer.cell(0, column), cell, "{column}");
    }
    assert_eq!(answer.verdict(0), "");
    // ... and no other column is set.
    assert_eq!(answer.line(0).matches('=').count(), expected.len());
}

#[test]
fn a_cell_is_cleaned_or_its_row_is_rejected_with_the_reason() {
    let cases: &[(&str, &str, &str, &str, &str)] = &[
        // column, cell, settings, target column, cell or verdict
        ("business_type", "BS", "", "dv_businesstype", "2"),
        ("business_type", " OS ", "", "dv_businesstype", "3"),
        ("business_type", "", "", "dv_businesstype", "(null)"),
        (
            "business_type",
            "XX",
            "",
            "",
            "reject unknown-code (business_type): `XX` is none of `BM`, `BS`, `OS`",
        ),
        ("business_type", "XX", r#"{"business_types": {"XX": 9}}"#, "dv_businesstype", "9"),
        ("brands", "4", "", "dv_brands", "4"),
        ("brands", "AW", "", "dv_brands", "6"),
        (
            "brands",
            "7",
            "",
            "",
            "reject unknown-code (brands): `7` is none of `1`, `2`, `3`, `4`, `4+`, `AW`",
        ),
        (
            "account_number",
            "",
            "",
            "",
            "reject no-account-number (account_number): `account_number` is empty",
        ),
        (
            "account_number",
            " \t",
            "",
            "",
            "reject no-account-number (account_number): `account_number` is empty",
        ),
        ("name", " ", "", "", "reject no-name (name): `name` is empty"),
        ("phone", "", "", "telephone1", "(null)"),
        ("phone", "398-555-0132", "", "telephone1", "+1 398 555 0132"),
        ("phone", "398-555-0132", r#"{"phone_format": "e164"}"#, "telephone1", "+13985550132"),
        (
            "phone",
            "ask Bob",
            "",
            "",
            "reject bad-phone (phone): `ask Bob` is not a telephone number",
        ),
        ("phone", "ask Bob", r#"{"bad_phone": "clear"}"#, "telephone1", "(null)"),
        ("country", "", "", "telephone1", "1 11 500 555 0199"),
        ("country", "Narnia", "", "telephone1", "1 11 500 555 0199"),
        ("country", "", r#"{"default_country": "FR"}"#, "telephone1", "+33 500 555 0199"),
        ("country", "", r#"{"bad_phone": "clear"}"#, "telephone1", "(null)"),
        (
            "country",
            "",
            r#"{"bad_phone": "reject"}"#,
            "",
            "reject bad-phone (phone): `1 (11) 500 555-0199` is a telephone number of an unknown country",
        ),
        (
            "country",
            "France",
            r#"{"skip": ["address1_country"]}"#,
            "telephone1",
            "+33 500 555 0199",
        ),
        ("country", "France", r#"{"skip": ["address1_country"]}"#, "address1_country", "(leave)"),
        ("employees", "", "", "numberofemployees", "(null)"),
        ("employees", "13.0", "", "numberofemployees", "13"),
        (
            "employees",
            "a dozen",
            "",
            "",
            "reject bad-number (employees): `a dozen` is not a number",
        ),
        (
            "employees",
            "-1",
            "",
            "",
            "reject bad-number (employees): -1 is not from 0 to 1000000000",
        ),
        ("employees", "13.5", "", "", "reject bad-number (employees): 13.5 is not a whole number"),
        (
            "year_opened",
            "96",
            "",
            "",
            "reject bad-number (year_opened): 96 is not from 1000 to 9999",
        ),
        ("annual_revenue", "80000.55555", "", "revenue", "80000.5556"),
        ("annual_revenue", "-12.5", "", "revenue", "-12.5000"),
        (
            "annual_revenue",
            "80,000",
            "",
            "",
            "reject bad-amount (annual_revenue): `80,000` is not a number",
        ),
        (
            "annual_sales",
            "1e15",
            "",
            "",
            "reject bad-amount (annual_sales): 1000000000000000 is more than an amount can be",
        ),
        ("bank", "x", r#"{"skip": ["dv_bank"]}"#, "dv_bank", "(leave)"),
    ];
    for (column, cell, settings, target, expected) in cases {
        let answer = judge(&stores(&[&[(column, cell)]]), settings);
        let found = if target.is_empty() { answer.verdict(0) } else { answer.cell(0, target) };
        assert_eq!(found, *expected, "{column} = {cell:?} with {settings}");
        assert_eq!(answer.verdict(0).is_empty(), !target.is_empty(), "{column} = {cell:?}");
    }
}

#[test]
fn typed_columns_say_the_same_as_text() {
    let table = stores(&[&[], &[("employees", ""), ("annual_sales", "")]]);
    let typed = ["employees", "annual_sales", "annual_revenue", "year_opened", "sales_person_id"]
        .iter()
        .fold(table.clone(), |table, name| table.typed(name, Type::Int64))
        .typed("annual_revenue", Type::Decimal);
    assert_eq!(judge(&typed, "{}"), judge(&table, "{}"));
}

#[test]
fn a_smaller_file_sets_only_what_it_has() {
    let table = Table::of(&["account_number", "name"], &[&["AW1", "Shop"], &["", "Shop"]]);
    let answer = judge(&table, "{}");
    assert_eq!(answer.line(0), "accountnumber=AW1 | name=Shop | ");
    assert!(answer.verdict(1).starts_with("reject no-account-number"));
    let owners = bench(&table).owner(&table, &Table::blank(2)).unwrap();
    assert_eq!(owners.cell(0, "owner"), Answer::LEAVE);
    let states = bench(&table).state(&table, &Table::blank(2)).unwrap();
    assert_eq!(states.cell(0, "statecode"), Answer::LEAVE);
}

#[test]
fn the_key_has_neither_case_nor_blanks_on_both_sides() {
    let source = stores(&[&[("account_number", " aw0000 9001")], &[("account_number", "")]]);
    let incoming = bench(&source).derive(Side::Incoming, &source).unwrap();
    assert_eq!((incoming.cell(0, "key"), incoming.cell(1, "key")), ("AW00009001", ""));
    let records = Table::of(&["accountnumber", "statecode"], &[&["Aw00009001 ", "0"], &[]]);
    let current = bench(&source).derive(Side::Current, &records).unwrap();
    assert_eq!((current.cell(0, "key"), current.cell(1, "key")), ("AW00009001", ""));
}

#[test]
fn of_several_accounts_the_only_active_one_is_chosen() {
    let source = stores(&[&[], &[], &[]]);
    let states = [["1"], ["0"], ["1"], ["0"], ["0"], ["1"]];
    let states: Vec<&[&str]> = states.iter().map(<[&str; 1]>::as_slice).collect();
    let records = Table::of(&["statecode"], &states);
    let answer = bench(&source).choose(&source, &[0, 3, 5, 6], &records).unwrap();
    assert_eq!((answer.cell(0, "chosen"), answer.verdict(0)), ("1", ""));
    assert_eq!(answer.cell(1, "chosen"), "-1");
    assert_eq!(
        answer.verdict(1),
        "reject ambiguous-account (account_number): `AW00009001` meets 2 accounts, not just one \
         of them active"
    );
    assert!(answer.verdict(2).contains("meets 1 accounts"));
}

#[test]
fn the_owner_is_the_sales_person_or_the_fallback() {
    let table = stores(&[
        &[],
        &[("sales_person_id", "285")],
        &[("sales_person_id", "999")],
        &[("sales_person_id", "")],
    ]);
    let owners = |settings| {
        let answer = bench(&table).settings(settings).owner(&table, &Table::blank(4)).unwrap();
        (0..4).map(|row| answer.cell(row, "owner").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(owners("{}"), ["user tsvi0@example.com", "(leave)", "(leave)", "(leave)"]);
    let boss = "user boss@example.com";
    assert_eq!(
        owners(r#"{"fallback_owner": "boss@example.com"}"#),
        ["user tsvi0@example.com", boss, boss, boss]
    );
    assert_eq!(owners(r#"{"owners": false}"#), ["(leave)"; 4]);
}

#[test]
fn the_state_follows_the_closed_flag() {
    let cases = [
        ("1", Type::Text, "1", "2", ""),
        ("yes", Type::Text, "1", "2", ""),
        ("TRUE", Type::Boolean, "1", "2", ""),
        ("1", Type::Int64, "1", "2", ""),
        ("0", Type::Text, "0", "1", ""),
        ("no", Type::Text, "0", "1", ""),
        ("0", Type::Int64, "0", "1", ""),
        ("", Type::Boolean, "0", "1", ""),
        (
            "soon",
            Type::Text,
            "(leave)",
            "(leave)",
            "reject bad-flag (closed): `soon` is neither yes nor no",
        ),
        (
            "2",
            Type::Int64,
            "(leave)",
            "(leave)",
            "reject bad-flag (closed): `2` is neither yes nor no",
        ),
    ];
    for (cell, kind, state, status, verdict) in cases {
        let table = Table::of(&["account_number", "name", "closed"], &[&["AW1", "Shop", cell]])
            .typed("closed", kind);
        let answer = bench(&table).state(&table, &Table::blank(1)).unwrap();
        let found = (answer.cell(0, "statecode"), answer.cell(0, "statuscode"), answer.verdict(0));
        assert_eq!(found, (state, status, verdict), "{cell:?} as {kind:?}");
    }
}

#[test]
fn wrong_settings_stop_the_job_with_the_name_of_the_setting() {
    let cases = [
        (r#"{"default_country": "Narnia"}"#, "`default_country`: no country `Narnia` is known"),
        (r#"{"defualt_country": "US"}"#, "`defualt_country` is not known"),
        (r#"{"skip": ["bank"]}"#, "`skip`: `bank` is none of `"),
        (r#"{"bad_phone": "ignore"}"#, "`ignore` is none of `keep`, `clear`, `reject`"),
        ("nonsense", "no JSON from byte 0 on"),
    ];
    let table = stores(&[&[]]);
    for (settings, expected) in cases {
        let failure = bench(&table).settings(settings).transform(&table).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Misconfigured);
        assert!(failure.message.contains(expected), "{}", failure.message);
    }
}

#[test]
fn a_row_is_judged_by_itself() {
    let table = stores(&[
        &[],
        &[("phone", "398-555-0132"), ("country", "United States")],
        &[("phone", ""), ("country", "")],
        &[("account_number", ""), ("name", "")],
        &[("brands", "x"), ("employees", "y")],
        &[("employees", ""), ("brands", "AW"), ("sales_person_id", "276")],
        &[("country", "France"), ("line2", "b\u{e2}t. 2")],
        &[("phone", "nobody"), ("sales_person_id", "1")],
        &[("account_number", "aw9")],
    ]);
    let bench = bench(&table);
    assert_rows_independent(&table, |rows| bench.transform(rows).unwrap().lines());
    assert_rows_independent(&table, |rows| bench.derive(Side::Incoming, rows).unwrap().lines());
    assert_rows_independent(&table, |rows| {
        bench.owner(rows, &Table::blank(rows.len())).unwrap().lines()
    });
}

#[test]
fn the_settings_schema_lists_what_is_read() {
    let schema = AccountRules::describe().settings_schema.unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let table = stores(&[&[]]);
    // The defaults that the schema tells are those that the rule takes.
    let told: serde_json::Map<String, serde_json::Value> =
        properties.iter().map(|(name, entry)| (name.clone(), entry["default"].clone())).collect();
    let told = serde_json::Value::Object(told).to_string();
    assert_eq!(judge(&table, &told), judge(&table, "{}"));
    // What is misspelt is answered with all known names: they are the schema's.
    let failure = bench(&table).settings(r#"{"?": 1}"#).transform(&table).unwrap_err();
    let known: Vec<&str> = failure.message.split('`').skip(3).step_by(2).collect();
    let mut listed: Vec<&str> = properties.keys().map(String::as_str).collect();
    let mut known_sorted = known.clone();
    known_sorted.sort_unstable();
    listed.sort_unstable();
    assert_eq!(known_sorted, listed);
}
