use proptest::prelude::*;

use crate::desk::{A1, A2, A3, Desk, targets};

const CREATE: &str = "POST accounts/Microsoft.Dynamics.CRM.CreateMultiple";
const UPDATE: &str = "POST accounts/Microsoft.Dynamics.CRM.UpdateMultiple";
const UPSERT: &str = "POST accounts/Microsoft.Dynamics.CRM.UpsertMultiple";

#[track_caller]
fn check(desk: &Desk, message: &str, records: &[&str], expect: &str) {
    desk.check(&format!("{message}\n\n{}", targets("account", records)), expect);
}

fn id(id: &str, more: &str) -> String {
    format!("{{\"accountid\":\"{id}\"{more}}}")
}

#[test]
fn create_multiple_answers_with_the_ids_in_order() {
    let desk = Desk::new();
    let body = targets("account", &[&id(A2, ",\"name\":\"B\""), &id(A1, ""), "{\"name\":\"C\"}"]);
    let answer = desk.check(
        &format!("{CREATE}\n\n{body}"),
        r#"200 {"@odata.context":"https://org.example/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse"}"#,
    );
    let ids = answer.json()["Ids"].clone();
    assert_eq!((&ids[0], &ids[1]), (&A2.into(), &A1.into()));
    assert_eq!(ids.as_array().unwrap().len(), 3);
    desk.check("GET accounts/$count", "200 3");
}

#[test]
fn one_bad_record_rolls_all_back() {
    let desk = Desk::new();
    desk.check("POST accounts\n\n{\"accountnumber\":\"TAKEN\"}", "204");
    let before = desk.rows("accounts");
    let good = id(A1, ",\"accountnumber\":\"N1\"");
    for (bad, expect) in [
        ("{\"accountnumber\":\"taken\"}", "412 0x80060892"),
        ("{\"accountnumber\":\"N1\"}", "412 0x80060892"),
        (&*id(A1, ""), "412 0x80040237 Cannot insert duplicate key."),
        ("{\"numberofemployees\":-1}", "400 0x8004432f"),
        ("{\"name\":5}", "400 0x80048d19"),
        ("{\"statuscode\":2}", "400 0x80048408"),
        (&*format!("{{\"parentaccountid@odata.bind\":\"accounts({A3})\"}}"), "404 0x80040217"),
    ] {
        check(&desk, CREATE, &[&good, bad], expect);
        assert_eq!(desk.rows("accounts"), before, "{bad}");
    }
    check(&desk, CREATE, &[&good], "200");
}

#[test]
fn a_later_record_may_refer_to_an_earlier_one() {
    let desk = Desk::new();
    let child = id(A2, &format!(",\"parentaccountid@odata.bind\":\"accounts({A1})\""));
    check(&desk, CREATE, &[&child, &id(A1, "")], "404 0x80040217");
    check(&desk, CREATE, &[&id(A1, ""), &child], "200");
}

#[test]
fn targets_must_name_their_type_and_nothing_else_stands_beside_them() {
    let desk = Desk::new();
    let expect = [
        ("{\"Targets\":[{\"name\":\"A\"}]}", "400 0x80048d19 @odata.type"),
        ("{\"Targets\":[{\"@odata.type\":\"Microsoft.Dynamics.CRM.contact\"}]}", "400 0x80048d19"),
        ("{\"Targets\":[{\"@odata.type\":\"account\"}]}", "400 0x80048d19"),
        ("{\"Targets\":[]}", "400 0x80040203"),
        ("{\"Targets\":{}}", "400 0x80048d19"),
        ("{}", "400 0x80048d19 Targets"),
        ("{\"Records\":[]}", "400 0x80048d19 Records"),
        ("{\"Targets\":[{\"@odata.type\":\"#Microsoft.Dynamics.CRM.account\"}]}", "200"),
    ];
    for (body, expect) in expect {
        desk.check(&format!("{CREATE}\n\n{body}"), expect);
    }
}

#[test]
fn update_multiple_takes_ids_only_and_the_first_of_a_repeated_one() {
    let desk = Desk::new();
    check(&desk, CREATE, &[&id(A1, ",\"accountnumber\":\"N1\""), &id(A2, "")], "200");
    check(
        &desk,
        UPDATE,
        &[
            &id(A1, ",\"name\":\"first\""),
            &id(A2, ",\"name\":\"B\""),
            &id(A1, ",\"name\":\"second\""),
        ],
        "204",
    );
    desk.check(&format!("GET accounts({A1})?$select=name"), r#"200 {"name":"first"}"#);
    let by_key = "{\"@odata.id\":\"accounts(accountnumber='N1')\",\"name\":\"x\"}";
    check(&desk, UPDATE, &[by_key], "400 0x80040203 alternate keys");
    check(&desk, UPDATE, &["{\"name\":\"x\"}"], "400 0x80040203 accountid");
}

#[test]
fn update_multiple_names_all_missing_records_and_changes_nothing() {
    let desk = Desk::new();
    check(&desk, CREATE, &[&id(A1, "")], "200");
    let before = desk.rows("accounts");
    check(
        &desk,
        UPDATE,
        &[&id(A1, ",\"name\":\"A\""), &id(A2, ""), &id(A3, "")],
        &format!("404 0x80040217 Account With Ids = {A2}, {A3} Do Not Exist"),
    );
    assert_eq!(desk.rows("accounts"), before);
}

#[test]
fn upsert_multiple_finds_by_key_by_id_or_creates() {
    let desk = Desk::new();
    check(&desk, CREATE, &[&id(A1, ",\"accountnumber\":\"N1\"")], "200");
    let answer = desk.check(
        &format!(
            "{UPSERT}\n\n{}",
            targets(
                "account",
                &[
                    "{\"@odata.id\":\"accounts(accountnumber='N1')\",\"name\":\"by key\"}",
                    "{\"@odata.id\":\"accounts(accountnumber='N2')\",\"name\":\"new by key\"}",
                    &id(A2, ",\"name\":\"new by id\""),
                    "{\"name\":\"new\"}",
                ],
            )
        ),
        "204",
    );
    assert_eq!(answer.text(), "");
    desk.check("GET accounts/$count", "200 4");
    desk.check(&format!("GET accounts({A1})"), r#"200 {"name":"by key","accountnumber":"N1"}"#);
    desk.check("GET accounts(accountnumber='N2')", r#"200 {"name":"new by key"}"#);
}

#[test]
fn upsert_multiple_refuses_repeats_and_new_records_with_their_key_in_the_body() {
    let desk = Desk::new();
    let by_key = |more: &str| format!("{{\"@odata.id\":\"accounts(accountnumber='N1')\"{more}}}");
    let trapped = by_key(",\"accountnumber\":\"N1\"");
    check(&desk, UPSERT, &[&by_key(""), &by_key("")], "400 0x80040237");
    check(&desk, UPSERT, &[&id(A1, ""), &id(A1, "")], "400 0x80040237");
    check(&desk, UPSERT, &[&trapped], "400 0x80040216 An unexpected error occurred.");
    desk.check("GET accounts/$count", "200 0");
    check(&desk, UPSERT, &[&by_key("")], "204");
    check(&desk, UPSERT, &[&trapped], "204");
    let lenient = Desk::with("[behavior]\nupsert_multiple_refuses_keys_in_body = false");
    check(&lenient, UPSERT, &[&trapped], "204");
    let slash = "{\"@odata.id\":\"accounts(accountnumber='a/b')\"}";
    check(&desk, UPSERT, &[slash], "400 0x0 dangerous");
    let lenient = Desk::with("[behavior]\nforbidden_characters_in_odata_id = false");
    check(&lenient, UPSERT, &[slash], "204");
}

#[test]
fn tables_without_bulk_messages_and_unknown_actions_are_refused() {
    let desk = Desk::new();
    let body = "{\"Targets\":[]}";
    let expect = [
        ("systemusers/Microsoft.Dynamics.CRM.CreateMultiple", "404 0x8006088a"),
        (
            "accounts/Microsoft.Dynamics.CRM.DeleteMultiple",
            "501 0x80040219 not yet been implemented",
        ),
        ("accounts/Microsoft.Dynamics.CRM.DanceMultiple", "404 0x8006088a"),
        ("accounts/CreateMultiple", "404 0x8006088a"),
    ];
    for (path, expect) in expect {
        desk.check(&format!("POST {path}\n\n{body}"), expect);
    }
    let filter = |table: &str| {
        format!(
            "GET sdkmessagefilters?$select=sdkmessagefilterid&$filter=sdkmessageid/name eq @m and \
             primaryobjecttypecode eq @t&@m='CreateMultiple'&@t='{table}'"
        )
    };
    let found = |table: &str| desk.send(&filter(table)).json()["value"].as_array().unwrap().len();
    assert_eq!((found("account"), found("systemuser")), (1, 0));
}

fn any_record() -> impl Strategy<Value = String> {
    let number = prop::option::of(0..4_u8);
    let id = prop::option::of(0..4_u8);
    let bad = prop::sample::select(vec!["", "", "", "", ",\"numberofemployees\":-1", ",\"x\":1"]);
    (number, id, bad).prop_map(|(number, id, bad)| {
        let number = number.map_or("null".to_owned(), |n| format!("\"N{n}\""));
        let id = id.map_or(String::new(), |id| format!(",\"accountid\":\"{}{id}\"", &A1[..35]));
        format!("{{\"accountnumber\":{number}{id}{bad}}}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_refused_bulk_leaves_everything_as_it_was(
        calls in prop::collection::vec(
            (0..3_usize, prop::collection::vec(any_record(), 1..6)), 1..8),
    ) {
        let desk = Desk::new();
        for (message, records) in calls {
            let before = desk.rows("accounts");
            let records: Vec<&str> = records.iter().map(String::as_str).collect();
            let message = [CREATE, UPDATE, UPSERT][message];
            let answer = desk.send(&format!("{message}\n\n{}", targets("account", &records)));
            if answer.status() >= 400 {
                prop_assert_eq!(desk.rows("accounts"), before);
            }
            // The indexes agree with the rows.
            let rows = desk.send("GET accounts?$select=accountnumber").json();
            let rows = rows["value"].as_array().unwrap();
            desk.check("GET accounts/$count", &format!("200 {}", rows.len()));
            for row in rows {
                let id = row["accountid"].as_str().unwrap();
                desk.check(&format!("GET accounts({id})?$select=name"), "200");
                if let Some(number) = row["accountnumber"].as_str() {
                    desk.check(
                        &format!("GET accounts(accountnumber='{number}')"),
                        &format!("200 {{\"accountid\":\"{id}\"}}"),
                    );
                }
            }
        }
    }
}
