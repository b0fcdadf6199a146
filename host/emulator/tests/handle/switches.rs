//! Each guess is a switch: what both positions do, and how they are turned.

use dvsync_emulator::{Behavior, Leniency};
use serde_json::{Value, json};

use crate::desk::{A1, A2, A3, Answer, C1, Desk, T1, targets};

/// A desk with a switch as it is by default, and one with it in another position.
fn both(switch: &str) -> [Desk; 2] {
    both_with(switch, "")
}

fn both_with(switch: &str, settings: &str) -> [Desk; 2] {
    ["", switch].map(|switch| Desk::with(&format!("[behavior]\n{switch}\n{settings}")))
}

fn contracts(switch: &str) -> [Desk; 2] {
    both_with(switch, crate::desk::CONTRACTS)
}

/// Names of the rows that a query finds.
#[track_caller]
fn names(desk: &Desk, query: &str) -> Vec<String> {
    let answer = desk.send(&format!("GET {query}"));
    assert_eq!(answer.status(), 200, "{query}: {}", answer.text());
    shown(&answer)
}

fn shown(answer: &Answer) -> Vec<String> {
    let rows = answer.json()["value"].as_array().unwrap().clone();
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn nulls_in_keys_may_be_unique() {
    let [usual, other] = both("nulls_are_unique = true");
    for desk in [&usual, &other] {
        desk.check("POST accounts\n\n{\"name\":\"One\"}", "204");
    }
    usual.check("POST accounts\n\n{\"name\":\"Two\"}", "204");
    other.check("POST accounts\n\n{\"name\":\"Two\"}", "412 0x80060892");
    other.check("POST accounts\n\n{\"accountnumber\":\"A\"}", "204");
}

#[test]
fn trailing_blanks_in_keys_may_count() {
    let [usual, other] = both("trailing_blanks_in_keys = true");
    for desk in [&usual, &other] {
        desk.check("POST accounts\n\n{\"accountnumber\":\"A\"}", "204");
    }
    usual.check("POST accounts\n\n{\"accountnumber\":\"a \"}", "412 0x80060892");
    other.check("POST accounts\n\n{\"accountnumber\":\"a \"}", "204");
    other.check("POST accounts\n\n{\"accountnumber\":\"a\"}", "412 0x80060892");
    usual.check("GET accounts(accountnumber='A%20')", "200");
    other.check(
        "GET accounts(accountnumber='A%20')?$select=accountnumber",
        r#"200 {"accountnumber":"a "}"#,
    );
}

#[test]
fn nested_records_in_an_update_may_be_left_out() {
    let [usual, other] = both("nested_in_update = \"ignore\"");
    let update = format!(
        "PATCH accounts({A1})\n\n{{\"name\":\"B\",\"primarycontactid\":{{\"lastname\":\"King\"}}}}"
    );
    for (desk, expect) in [(&usual, "400 0x80048d19"), (&other, "204")] {
        desk.check(&format!("PATCH accounts({A1})\n\n{{\"name\":\"A\"}}"), "204");
        desk.check(&update, expect);
        desk.check("GET contacts/$count", "200 0");
    }
    assert_eq!(
        (names(&usual, "accounts"), names(&other, "accounts")),
        (vec!["A".into()], vec!["B".into()])
    );
}

#[test]
fn full_names_may_stay_as_they_are() {
    let [usual, other] = both("make_full_names = false");
    for (desk, full) in [(usual, json!("Ada King")), (other, Value::Null)] {
        let body = "{\"firstname\":\"Ada\",\"lastname\":\"King\"}";
        desk.check(&format!("PATCH contacts({C1})\n\n{body}"), "204");
        let row = desk.send(&format!("GET contacts({C1})?$select=fullname")).json();
        assert_eq!(row["fullname"], full);
    }
}

#[test]
fn defaults_may_be_left_to_the_client() {
    let [usual, other] = contracts("defaults_on_create = false");
    for (desk, open) in [(usual, json!(true)), (other, Value::Null)] {
        desk.check("POST new_contracts\n\n{\"new_name\":\"N\"}", "204");
        let row = desk.send("GET new_contracts?$select=new_open,statecode").json();
        assert_eq!(row["value"][0]["new_open"], open);
        assert_eq!(row["value"][0]["statecode"], 0);
    }
}

#[test]
fn lengths_may_count_characters() {
    let [usual, other] = contracts("text_length = \"characters\"");
    for (count, expect) in
        [(5, ["204", "204"]), (10, ["400 0x80044331", "204"]), (11, ["400 0x80044331"; 2])]
    {
        let body = format!("{{\"new_name\":\"N\",\"new_region\":\"{}\"}}", "😀".repeat(count));
        for (desk, expect) in [&usual, &other].into_iter().zip(expect) {
            desk.check(&format!("POST new_contracts\n\n{body}"), expect);
        }
    }
}

#[test]
fn surplus_digits_may_be_rounded_otherwise() {
    let modes = ["half_away", "half_even", "truncate"];
    let expect = [
        ("new_rate", "1.0005", ["1.001", "1.000", "1.000"]),
        ("new_rate", "-1.0015", ["-1.002", "-1.002", "-1.001"]),
        ("new_amount", "0.12499", ["0.1200"; 3]),
        ("new_amount", "0.129", ["0.1300", "0.1300", "0.1200"]),
        ("new_weight", "47.639589", ["47.63959", "47.63959", "47.63958"]),
    ];
    for (index, mode) in modes.into_iter().enumerate() {
        let desk = Desk::contracts(&format!("[behavior]\nrounding = \"{mode}\"\n"));
        for (column, value, results) in expect {
            let body =
                format!("{{\"new_contractid\":\"{A1}\",\"new_name\":\"N\",\"{column}\":{value}}}");
            desk.check(&format!("POST new_contracts\n\n{body}"), "204");
            let text = desk.rows("new_contracts");
            let wanted = format!("\"{column}\":{}", results[index]);
            assert!(text.contains(&wanted), "{mode}: {wanted} in {text}");
            desk.check(&format!("DELETE new_contracts({A1})"), "204");
        }
    }
}

#[test]
fn transitions_within_a_state_may_be_enforced_too() {
    let states = r#"
[tables.new_step]
enforce_transitions = true
states = [
    { value = 0, label = "Open", statuses = { 1 = "New", 2 = "Begun" } },
    { value = 1, label = "Done", statuses = { 5 = "Done" } },
]
transitions = { 1 = [5], 2 = [5] }
"#;
    let [usual, other] = both_with("enforced_transitions = \"all\"", states);
    for (desk, expect) in [(usual, "204"), (other, "400 0x8004f00e from status 1 to status 2")] {
        desk.check(&format!("PATCH new_steps({A1})\n\n{{}}"), "204");
        desk.check(&format!("PATCH new_steps({A1})\n\n{{\"statuscode\":1}}"), "204");
        desk.check(&format!("PATCH new_steps({A1})\n\n{{\"statuscode\":2}}"), expect);
    }
}

#[test]
fn owners_may_be_deleted_and_their_records_pass_on() {
    let [usual, other] = both("delete_owner = \"reassign\"");
    for (desk, expect) in [(&usual, "405 0x80040227"), (&other, "204")] {
        desk.check(&format!("PATCH teams({T1})\n\n{{\"name\":\"T\"}}"), "204");
        let body = format!("{{\"ownerid@odata.bind\":\"/teams({T1})\"}}");
        desk.check(&format!("PATCH accounts({A1})\n\n{body}"), "204");
        desk.check(&format!("DELETE teams({T1})"), expect);
    }
    let me = other.send("GET WhoAmI").json()["UserId"].clone();
    let row = other.send(&format!("GET accounts({A1})")).json();
    assert_eq!((&row["_ownerid_value"], &row["_owninguser_value"]), (&me, &me));
    assert!(row["_owningteam_value"].is_null() && row["_owningbusinessunit_value"].is_string());
    // Nobody deletes himself from under his records.
    other.check(&format!("DELETE systemusers({})", me.as_str().unwrap()), "405 0x80040227");
}

#[test]
fn taking_out_what_is_not_in_a_collection_may_be_refused() {
    let [usual, other] = both("absent_association = \"refuse\"");
    for (desk, expect) in [(usual, "204"), (other, "404 0x80040217")] {
        desk.check(&format!("PATCH accounts({A1})\n\n{{}}"), "204");
        desk.check(&format!("PATCH contacts({C1})\n\n{{\"lastname\":\"King\"}}"), "204");
        desk.check(
            &format!("PATCH leads({A2})\n\n{{\"subject\":\"x\",\"lastname\":\"y\"}}"),
            "204",
        );
        desk.check(&format!("DELETE accounts({A1})/contact_customer_accounts({C1})/$ref"), expect);
        desk.check(&format!("DELETE accounts({A1})/accountleads_association({A2})/$ref"), expect);
    }
}

#[test]
fn ids_of_create_multiple_may_come_in_another_order() {
    let [usual, other] = both("create_multiple_ids = \"reversed\"");
    let body = targets(
        "account",
        &[A1, A2].map(|id| format!("{{\"accountid\":\"{id}\"}}")).each_ref().map(String::as_str),
    );
    for (desk, ids) in [(usual, [A1, A2]), (other, [A2, A1])] {
        let answer =
            desk.send(&format!("POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{body}"));
        assert_eq!(answer.json()["Ids"], json!(ids));
    }
}

#[test]
fn records_of_a_payload_may_not_refer_to_each_other() {
    let [usual, other] = both("references_within_payload = false");
    let first = format!("{{\"accountid\":\"{A1}\"}}");
    let second =
        format!("{{\"accountid\":\"{A2}\",\"parentaccountid@odata.bind\":\"accounts({A1})\"}}");
    let body = targets("account", &[&first, &second]);
    let create =
        |message: &str| format!("POST accounts/Microsoft.Dynamics.CRM.{message}\n\n{body}");
    usual.check(&create("CreateMultiple"), "200");
    other.check(&create("CreateMultiple"), "404 0x80040217");
    other.check(&create("UpsertMultiple"), "404 0x80040217");
    other.check("GET accounts/$count", "200 0");
    other.check(&format!("POST accounts\n\n{first}"), "204");
    other.check(&create("UpsertMultiple"), "204");
}

#[test]
fn details_of_bulk_errors_may_be_a_list() {
    let table = "[tables.new_reading]\nelastic = true\n[tables.new_reading.columns]\nnew_value = { type = \"integer\", max = 9 }";
    let [usual, other] = both_with("bulk_error_details = \"list\"", table);
    let body =
        targets("new_reading", &["{\"new_value\":1}", &format!("{{\"new_readingid\":\"{A1}\"}}")]);
    let list = json!([{"RequestIndex": 1, "Id": A1, "StatusCode": 412}]);
    for (desk, expect) in [(usual, json!(list.to_string())), (other, list.clone())] {
        desk.check(&format!("POST new_readings\n\n{{\"new_readingid\":\"{A1}\"}}"), "204");
        let answer = desk.send(&format!(
            "POST new_readings/Microsoft.Dynamics.CRM.CreateMultiple\nPrefer: odata.include-annotations=\"*\"\n\n{body}"
        ));
        let error = &answer.json()["error"];
        let details = &error["@Microsoft.PowerApps.CDS.ErrorDetails.Plugin.BulkApiErrorDetails"];
        assert_eq!(*details, expect, "{}", answer.text());
    }
}

#[test]
fn pages_may_shift_while_rows_are_written() {
    let [usual, other] = both("stable_pages = false");
    for (orderby, expect) in [("", ["C D", "D"]), ("&$orderby=name", ["C D", "D"])] {
        for (desk, expect) in [&usual, &other].into_iter().zip(expect) {
            for (id, name) in [(A1, "A"), (A2, "B"), (A3, "C"), (C1, "D")] {
                desk.check(&format!("PATCH accounts({id})\n\n{{\"name\":\"{name}\"}}"), "204");
            }
            let size = "Prefer: odata.maxpagesize=2";
            let first = desk.send(&format!("GET accounts?$select=name{orderby}\n{size}"));
            assert_eq!(shown(&first), ["A", "B"]);
            desk.check(&format!("DELETE accounts({A1})"), "204");
            let next = first.json()["@odata.nextLink"].as_str().unwrap().to_owned();
            let next = next.replace("https://org.example", "");
            assert_eq!(
                shown(&desk.send(&format!("GET {next}\n{size}"))).join(" "),
                expect,
                "{orderby}"
            );
            for id in [A2, A3, C1] {
                desk.check(&format!("DELETE accounts({id})"), "204");
            }
        }
    }
}

#[test]
fn the_cookie_of_fetchxml_may_be_encoded_once() {
    let [usual, other] = both("fetch_cookie_encoding = \"once\"");
    for (desk, part) in [(usual, "pagingcookie=\"%253Ccookie"), (other, "pagingcookie=\"%3Ccookie")]
    {
        for id in [A1, A2] {
            desk.check(&format!("PATCH accounts({id})\n\n{{}}"), "204");
        }
        let page = desk.send(
            "GET accounts?fetchXml=<fetch count='1'><entity name='account'/></fetch>\nPrefer: odata.include-annotations=\"*\"",
        );
        let cookie = page.json()["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"].clone();
        assert!(cookie.as_str().unwrap().contains(part), "{cookie}");
    }
}

#[test]
fn links_to_all_are_as_the_page_has_them_or_as_they_are_called() {
    let [usual, other] = both("fetch_all_links = \"every_fits\"");
    // One account with two buyers, one with a buyer and a chief, one with a chief,
    // one with nobody.
    for desk in [&usual, &other] {
        for (id, name, jobs) in
            [(A1, "A", "buyer buyer"), (A2, "B", "buyer chief"), (A3, "C", "chief"), (C1, "D", "")]
        {
            desk.check(&format!("PATCH accounts({id})\n\n{{\"name\":\"{name}\"}}"), "204");
            for job in jobs.split_whitespace() {
                let bind = format!("\"parentcustomerid_account@odata.bind\":\"accounts({id})\"");
                desk.check(
                    &format!(
                        "POST contacts\n\n{{\"lastname\":\"x\",\"jobtitle\":\"{job}\",{bind}}}"
                    ),
                    "204",
                );
            }
        }
    }
    let found = |desk: &Desk, kind: &str| {
        let link = format!(
            "<link-entity name='contact' from='parentcustomerid' to='accountid' link-type='{kind}'><filter><condition attribute='jobtitle' operator='eq' value='buyer'/></filter></link-entity>"
        );
        names(desk, &format!("accounts?fetchXml=<fetch><entity name='account'><attribute name='name'/><filter>{link}</filter></entity></fetch>")).join(" ")
    };
    for (kind, expect) in [
        ("any", ["A B"; 2]),
        ("not any", ["C D"; 2]),
        ("all", ["C", "A D"]),
        ("not all", ["A B", "B C"]),
    ] {
        assert_eq!([found(&usual, kind), found(&other, kind)], expect, "{kind}");
    }
}

#[test]
fn spans_may_end_with_the_day_and_begin_in_another_time_zone() {
    // 2030-03-17T17:46:40Z.
    let times = [
        "2030-03-14T23:30:00Z",
        "2030-03-15T12:00:00Z",
        "2030-03-17T20:00:00Z",
        "2030-03-17T23:30:00Z",
    ];
    let found = |settings: &str, function: &str| {
        let desk = Desk::contracts(&format!("[behavior]\n{settings}\n"));
        for (index, time) in times.iter().enumerate() {
            let body = format!(
                "{{\"new_name\":\"N\",\"new_seq\":{index},\"new_signedat\":\"{time}\",\"new_startson\":\"{}\"}}",
                &time[..10]
            );
            desk.check(&format!("POST new_contracts\n\n{body}"), "204");
        }
        let filter = format!("Microsoft.Dynamics.CRM.{function})");
        let query = format!("new_contracts?$select=new_seq&$filter={filter}");
        let answer = desk.check(&format!("GET {query}"), "200");
        let rows = answer.json()["value"].as_array().unwrap().clone();
        let seq: Vec<String> = rows.iter().map(|row| row["new_seq"].to_string()).collect();
        seq.join(" ")
    };
    let last = "LastXDays(PropertyName='new_signedat',PropertyValue=2";
    assert_eq!(found("", last), "1");
    assert_eq!(found("span_ends = \"whole_days\"", last), "1 2 3");
    let next = "NextXDays(PropertyName='new_signedat',PropertyValue=1";
    assert_eq!(found("", next), "2 3");
    let today = "Today(PropertyName='new_signedat'";
    assert_eq!(found("", today), "2 3");
    // An hour east, the last of them is tomorrow, and the first is the 15th.
    assert_eq!(found("utc_offset_minutes = 60", today), "2");
    assert_eq!(found("utc_offset_minutes = 60", last), "0 1");
    let on = "On(PropertyName='new_startson',PropertyValue='2030-03-17'";
    assert_eq!((found("", on), found("utc_offset_minutes = 60", on)), ("2 3".into(), "2 3".into()));
}

#[test]
fn a_challenge_may_be_left_out() {
    let [usual, other] = both("challenge = false");
    let ask = "GET WhoAmI\nAuthorization: Bearer nobody";
    assert!(usual.check(ask, "401").header("www-authenticate").is_some());
    assert!(other.check(ask, "401").header("www-authenticate").is_none());
}

#[test]
fn create_entities_may_tell_ids() {
    let [usual, other] = both("create_entities_reply = \"ids\"");
    let name = json!({"@odata.type": "Microsoft.Dynamics.CRM.ComplexStringAttributeMetadata", "SchemaName": "new_Name", "IsPrimaryName": true});
    let body = json!({"Entities": [{"SchemaName": "new_Thing", "Attributes": [name]}]});
    assert_eq!(usual.check(&format!("POST CreateEntities\n\n{body}"), "204").text(), "");
    let ids =
        other.check(&format!("POST CreateEntities\n\n{body}"), "200").json()["EntityIds"].clone();
    let id = ids[0].as_str().unwrap();
    other.check(
        &format!("GET EntityDefinitions({id})?$select=LogicalName"),
        r#"200 {"LogicalName":"new_thing"}"#,
    );
}

#[test]
fn switches_are_turned_while_the_emulator_runs() {
    let desk = Desk::with("[behavior]\nempty_text_is_null = false");
    desk.check(
        "GET /emulator/behavior",
        r#"200 {"empty_text_is_null":false,"stable_pages":true,"rounding":"half_away","codes":{}}"#,
    );
    desk.check("POST accounts\n\n{\"accountnumber\":\"a\"}", "204");
    desk.check("POST accounts\n\n{\"accountnumber\":\"A\"}", "412 0x80060892");
    desk.check(
        "PATCH /emulator/behavior\n\n{\"case_sensitive_keys\":true,\"codes\":{\"missing_record\":{\"status\":410,\"message\":\"gone: {message}\"}}}",
        "204",
    );
    desk.check("POST accounts\n\n{\"accountnumber\":\"A\"}", "204");
    desk.check(&format!("GET accounts({A3})"), "410 0x80040217 gone: account With Id = ");
    desk.check(
        "PATCH /emulator/behavior\n\n{\"codes\":{\"missing_record\":{\"code\":\"0x1\"}}}",
        "204",
    );
    desk.check(&format!("GET accounts({A3})"), "410 0x1 gone: ");
    desk.check("GET /emulator/codes", r#"200 {"missing_record":{"usual":{"status":404,"code":"0x80040217"},"now":{"status":410,"code":"0x1"}}}"#);
    desk.check("PATCH /emulator/behavior\n\n{\"codes\":{\"missing_record\":null}}", "204");
    desk.check(&format!("GET accounts({A3})"), "404 0x80040217");
    // Two records would have one key: nothing changes.
    let refused = desk.check("PATCH /emulator/behavior\n\n{\"case_sensitive_keys\":false}", "400");
    assert!(refused.text().contains("would violate alternate key"), "{}", refused.text());
    desk.check("GET accounts(accountnumber='A')", "200");
    desk.check("GET /emulator/behavior", r#"200 {"case_sensitive_keys":true}"#);
    for (body, part) in [
        (
            "{\"codes\":{\"mising_record\":{}}}",
            "no refusal `mising_record`: did you mean `missing_record`?",
        ),
        (
            "{\"codes\":{\"missing_record\":{\"status\":200}}}",
            "`codes.missing_record.status` must be from 400 to 599, found 200",
        ),
        (
            "{\"codes\":{\"missing_record\":{\"code\":\"80040217\"}}}",
            "like `0x80040217`, or empty, found `80040217`",
        ),
        ("{\"codes\":{\"missing_record\":{\"text\":\"x\"}}}", "unknown field `text`"),
        ("{\"colour\":1}", "unknown field `colour`"),
        (
            "{\"utc_offset_minutes\":900}",
            "`utc_offset_minutes` must be from -840 to 840, found 900",
        ),
        ("[]", "invalid type"),
    ] {
        let refused = desk.check(&format!("PATCH /emulator/behavior\n\n{body}"), "400");
        assert!(refused.text().contains(part), "{body}: {}", refused.text());
    }
    desk.check("POST /emulator/reset\n\n", "204");
    desk.check(
        "GET /emulator/behavior",
        r#"200 {"case_sensitive_keys":false,"empty_text_is_null":false}"#,
    );
    desk.check("PATCH /emulator/behavior\n\n{\"empty_text_is_null\":true}", "204");
    desk.check("DELETE /emulator/behavior", "204");
    desk.check("GET /emulator/behavior", r#"200 {"empty_text_is_null":false}"#);
    desk.check("PUT /emulator/behavior\n\n{}", "405");
}

#[test]
fn switches_are_turned_in_process_too() {
    let desk = Desk::new();
    let mut behavior = Behavior { nested_in_update: Leniency::Ignore, ..desk.emulator.behavior() };
    let coding = dvsync_emulator::Coding { status: Some(409), ..Default::default() };
    behavior.codes.set("duplicate_id", coding.clone()).unwrap();
    let error = behavior.codes.set("duplicated", coding).unwrap_err().to_string();
    assert!(error.contains("did you mean `duplicate_id`?"), "{error}");
    desk.emulator.set_behavior(behavior.clone()).unwrap();
    assert_eq!(desk.emulator.behavior(), behavior);
    let body = format!("{{\"accountid\":\"{A1}\"}}");
    desk.check(&format!("POST accounts\n\n{body}"), "204");
    desk.check(&format!("POST accounts\n\n{body}"), "409 0x80040237");
    behavior.utc_offset_minutes = 1000;
    assert!(desk.emulator.set_behavior(behavior).is_err());
}

#[test]
fn keys_compare_as_before_after_a_restart_with_other_switches() {
    let folder = tempfile::tempdir().unwrap();
    let open = |switches: &str| {
        let text = format!("state = {:?}\n[behavior]\n{switches}", folder.path());
        dvsync_emulator::Emulator::new(dvsync_emulator::Settings::from_toml(&text).unwrap())
    };
    let send = |emulator: &dvsync_emulator::Emulator, number: &str| {
        let request = http::Request::post("https://org.example/api/data/v9.2/accounts")
            .header("authorization", "Bearer emulator")
            .body(bytes::Bytes::from(format!("{{\"accountnumber\":\"{number}\"}}")))
            .unwrap();
        emulator.handle(request, std::time::Duration::from_secs(1_900_000_000)).response.status()
    };
    let emulator = open("case_sensitive_keys = true").unwrap();
    assert_eq!([send(&emulator, "a"), send(&emulator, "A")], [204, 204]);
    drop(emulator);
    let error = open("").unwrap_err().to_string();
    assert!(error.contains("violates alternate key `accountnumber_key`"), "{error}");
    let emulator = open("case_sensitive_keys = true").unwrap();
    assert_eq!(send(&emulator, "a"), 412);
}
