//! The contact rules as their users see them: rows in, cells and verdicts out.

use contact_rules::ContactRules;
use dvsync_rules_sdk::testing::{Answer, Bench, Table, assert_rows_independent};
use dvsync_rules_sdk::{FailureKind, Rule, Side, Type};

const COLUMNS: &[&str] = &[
    "customer_number",
    "email",
    "phone",
    "phone_type",
    "line1",
    "line2",
    "city",
    "state",
    "postal_code",
    "country",
    "parent_account_number",
    "territory_id",
];

const CUSTOMER: &[&str] = &[
    "AW00099001",
    "Zo\u{eb}24@Example.com",
    "1 (11) 500 555-0198",
    "1",
    " 7  Rue du Test",
    "",
    "Lyon",
    "69",
    "69001",
    "France",
    "",
    "7",
];

/// Changed cells: column, text.
type Cells<'a> = &'a [(&'a str, &'static str)];

/// The customer with some cells changed.
fn customers(changes: &[Cells<'_>]) -> Table {
    let rows: Vec<Vec<&str>> = changes
        .iter()
        .map(|changes| {
            let mut row = CUSTOMER.to_vec();
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
            &["276", "4", "linda3@example.com", "1"],
            &["281", "4", "shu0@example.com", "1"],
            &["285", "", "syed0@example.com", "1"],
            &["290", "7", "ranjit0@example.com", "1"],
            &["291", "8", "gone@example.com", "0"],
        ],
    )
    .typed("territory_id", Type::Int64)
    .typed("current", Type::Int64)
}

fn bench(table: &Table) -> Bench<ContactRules> {
    Bench::new(table).grant("salespeople", salespeople())
}

fn judge(table: &Table, settings: &str) -> Answer {
    bench(table).settings(settings).transform(table).expect("settings that fit")
}

#[test]
fn every_column_of_a_customer_arrives_clean() {
    let answer = judge(&customers(&[&[]]), "{}");
    let expected = [
        ("externaluseridentifier", "AW00099001"),
        ("emailaddress1", "zo\u{eb}24@example.com"),
        ("lastname", "Zo\u{eb}"),
        ("mobilephone", "+33 500 555 0198"),
        ("address1_line1", "7 Rue du Test"),
        ("address1_line2", Answer::NULL),
        ("address1_city", "Lyon"),
        ("address1_stateorprovince", "69"),
        ("address1_postalcode", "69001"),
        ("address1_country", "France"),
    ];
    for (column, cell) in expected {
        assert_eq!(answer.cell(0, column), cell, "{column}");
    }
    assert_eq!(answer.verdict(0), "");
    // ... and no other column is touched.
    assert_eq!(answer.line(0).matches('=').count(), expected.len());
}

#[test]
fn a_cell_is_cleaned_or_its_row_is_rejected_with_the_reason() {
    let territories = r#"{"territory_countries": {"7": "FR", "8": "Germany"}}"#;
    // Cells, settings, target column, cell or verdict.
    let cases: &[(Cells<'_>, &str, &str, &str)] = &[
        (
            &[("customer_number", " ")],
            "",
            "",
            "reject no-customer-number (customer_number): `customer_number` is empty",
        ),
        (&[("email", "anna.lee7@example.com")], "", "firstname", "Anna"),
        (&[("email", "anna.lee7@example.com")], "", "lastname", "Lee"),
        (&[("email", "anna.lee7@example.com")], r#"{"names": false}"#, "lastname", "(leave)"),
        (&[("email", "")], "", "emailaddress1", "(null)"),
        (&[("email", "")], "", "lastname", "(leave)"),
        (
            &[("email", "zoe24")],
            "",
            "",
            "reject bad-email (email): `zoe24` has not one `@` with a name before it",
        ),
        (&[("email", "zoe24")], r#"{"bad_email": "clear"}"#, "emailaddress1", "(null)"),
        (&[("email", "4711@example.com")], "", "lastname", "(leave)"),
        (&[("phone_type", "2")], "", "telephone2", "+33 500 555 0198"),
        (&[("phone_type", "2")], "", "mobilephone", "(leave)"),
        (&[("phone_type", "3")], "", "telephone1", "+33 500 555 0198"),
        (&[("phone_type", "")], "", "telephone1", "+33 500 555 0198"),
        (
            &[("phone_type", "9")],
            "",
            "",
            "reject unknown-code (phone_type): `9` is none of `1`, `2`, `3`",
        ),
        (
            &[("phone_type", "9")],
            r#"{"phone_types": {"9": "telephone2"}}"#,
            "telephone2",
            "+33 500 555 0198",
        ),
        (&[("phone", "")], "", "mobilephone", "(null)"),
        (&[("phone", "")], "", "telephone1", "(leave)"),
        (&[("phone", "n/a")], "", "", "reject bad-phone (phone): `n/a` is not a telephone number"),
        (&[("phone", "n/a")], r#"{"bad_phone": "clear"}"#, "mobilephone", "(null)"),
        (&[("country", "")], "", "mobilephone", "1 11 500 555 0198"),
        (&[("country", "")], territories, "mobilephone", "+33 500 555 0198"),
        (&[("country", ""), ("territory_id", "8")], territories, "mobilephone", "+49 500 555 0198"),
        (
            &[("country", ""), ("territory_id", "")],
            r#"{"default_country": "AU"}"#,
            "mobilephone",
            "+61 500 555 0198",
        ),
        (&[("country", "Germany")], territories, "mobilephone", "+49 500 555 0198"),
    ];
    for (cells, settings, target, expected) in cases {
        let answer = judge(&customers(&[cells]), settings);
        let found = if target.is_empty() { answer.verdict(0) } else { answer.cell(0, target) };
        assert_eq!(found, *expected, "{cells:?} with {settings}");
        assert_eq!(answer.verdict(0).is_empty(), !target.is_empty(), "{cells:?}");
    }
}

#[test]
fn a_smaller_file_sets_only_what_it_has() {
    let table = Table::of(&["customer_number", "phone"], &[&["AW1", "398-555-0132"]]);
    let answer = judge(&table, "{}");
    assert_eq!(answer.line(0), "externaluseridentifier=AW1 | telephone1=+1 398 555 0132 | ");
    let owners = bench(&table).owner(&table, &Table::blank(1)).unwrap();
    assert_eq!(owners.cell(0, "owner"), Answer::LEAVE);
}

#[test]
fn the_key_has_neither_case_nor_blanks_on_both_sides() {
    let source = customers(&[&[("customer_number", " aw0009 9001")], &[("customer_number", "")]]);
    let incoming = bench(&source).derive(Side::Incoming, &source).unwrap();
    assert_eq!((incoming.cell(0, "key"), incoming.cell(1, "key")), ("AW00099001", ""));
    let records = Table::of(&["externaluseridentifier"], &[&["Aw00099001 "], &[]]);
    let current = bench(&source).derive(Side::Current, &records).unwrap();
    assert_eq!((current.cell(0, "key"), current.cell(1, "key")), ("AW00099001", ""));
}

#[test]
fn of_several_contacts_the_only_active_one_is_chosen() {
    let source = customers(&[&[], &[]]);
    let records = Table::of(&["statecode"], &[&["1"], &["0"], &["0"], &["0"]]);
    let answer = bench(&source).choose(&source, &[0, 2, 4], &records).unwrap();
    assert_eq!((answer.cell(0, "chosen"), answer.verdict(0)), ("1", ""));
    assert_eq!(answer.cell(1, "chosen"), "-1");
    assert!(answer.verdict(1).starts_with("reject ambiguous-contact (customer_number)"));
}

#[test]
fn the_owner_is_the_first_sales_person_of_the_territory() {
    let cells = ["4", "7", "8", "99", ""];
    let changes: Vec<[(&str, &'static str); 1]> =
        cells.iter().map(|&cell| [("territory_id", cell)]).collect();
    let changes: Vec<Cells<'_>> = changes.iter().map(<[_; 1]>::as_slice).collect();
    let table = customers(&changes);
    let typed = table.clone().typed("territory_id", Type::Int64);
    let owners = |table: &Table, settings| {
        let answer = bench(table).settings(settings).owner(table, &Table::blank(5)).unwrap();
        (0..5).map(|row| answer.cell(row, "owner").to_owned()).collect::<Vec<_>>()
    };
    let (linda, ranjit) = ("user linda3@example.com", "user ranjit0@example.com");
    let boss = "user boss@example.com";
    for table in [&table, &typed] {
        assert_eq!(owners(table, "{}"), [linda, ranjit, "(leave)", "(leave)", "(leave)"]);
        let fallback = r#"{"fallback_owner": "boss@example.com"}"#;
        assert_eq!(owners(table, fallback), [linda, ranjit, boss, boss, boss]);
        assert_eq!(owners(table, r#"{"owner_by_territory": false}"#), ["(leave)"; 5]);
    }
}

#[test]
fn wrong_settings_stop_the_job_with_the_name_of_the_setting() {
    let cases = [
        (r#"{"phone_types": {"1": "fax"}}"#, "`phone_types`: `fax` is none of `"),
        (r#"{"territory_countries": {"1": "Narnia"}}"#, "no country `Narnia` is known"),
        (r#"{"skip": ["phone"]}"#, "`skip`: `phone` is none of `"),
        (r#"{"owner": true}"#, "`owner` is not known"),
    ];
    let table = customers(&[&[]]);
    for (settings, expected) in cases {
        let failure = bench(&table).settings(settings).transform(&table).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Misconfigured);
        assert!(failure.message.contains(expected), "{}", failure.message);
    }
}

#[test]
fn a_row_is_judged_by_itself() {
    let table = customers(&[
        &[],
        &[("phone", "398-555-0132"), ("country", "United States"), ("phone_type", "2")],
        &[("phone", ""), ("country", "")],
        &[("customer_number", ""), ("email", "x")],
        &[("email", "anna.lee7@example.com"), ("territory_id", "4")],
        &[("email", ""), ("phone_type", "9")],
        &[("email", "4711@example.com"), ("territory_id", "")],
        &[("phone", "nobody"), ("phone_type", "3")],
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
    let schema = ContactRules::describe().settings_schema.unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let table = customers(&[&[]]);
    // The defaults that the schema tells are those that the rule takes.
    let told: serde_json::Map<String, serde_json::Value> =
        properties.iter().map(|(name, entry)| (name.clone(), entry["default"].clone())).collect();
    let told = serde_json::Value::Object(told).to_string();
    assert_eq!(judge(&table, &told), judge(&table, "{}"));
    // What is misspelt is answered with all known names: they are the schema's.
    let failure = bench(&table).settings(r#"{"?": 1}"#).transform(&table).unwrap_err();
    let mut known: Vec<&str> = failure.message.split('`').skip(3).step_by(2).collect();
    let mut listed: Vec<&str> = properties.keys().map(String::as_str).collect();
    known.sort_unstable();
    listed.sort_unstable();
    assert_eq!(known, listed);
}
