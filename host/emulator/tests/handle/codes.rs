//! Each refusal that has a name: what provokes it, and that settings change it.

use std::collections::BTreeSet;
use std::fmt::Write;

use dvsync_emulator::{Codes, Settings};

use crate::desk::{A1, A2, A3, Answer, C1, CONTRACTS, Desk, T1, U1, targets};

const SETTINGS: &str = r#"
[principals.emulator]
token = "emulator"
client_id = "11111111-0000-4000-8000-000000000001"
client_secret = "secret"
[principals.stranger]
token = "stranger"
member = false
[behavior]
batch_operations_max = 3
read_only_writes = "refuse"
absent_association = "refuse"
inactive_records_are_read_only = true
[tables.new_reading]
elastic = true
[tables.new_reading.columns]
new_accountid = { type = "lookup", targets = ["account"], schema_name = "new_AccountId" }
[tables.new_locked]
optimistic_concurrency = false
change_tracking = false
[tables.new_locked.columns]
new_holderid = { type = "lookup", targets = ["account"], schema_name = "new_HolderId", on_delete = "restrict" }
[tables.new_step]
enforce_transitions = true
transitions = { 1 = [], 2 = [1] }
"#;

fn desk(codes: &str) -> Desk {
    let desk = Desk::of(Settings::from_toml(&format!("{SETTINGS}\n{codes}\n{CONTRACTS}")).unwrap());
    for request in [
        format!("PATCH accounts({A1})\n\n{{\"name\":\"A\",\"accountnumber\":\"K1\"}}"),
        format!("PATCH contacts({C1})\n\n{{\"lastname\":\"King\"}}"),
        format!("PATCH systemusers({U1})\n\n{{\"fullname\":\"Jae\",\"isdisabled\":true}}"),
        format!("PATCH teams({T1})\n\n{{\"name\":\"T\",\"teamtype\":1}}"),
        format!("PATCH leads({A2})\n\n{{\"subject\":\"x\",\"lastname\":\"y\"}}"),
        format!(
            "POST accounts({A1})/accountleads_association/$ref\n\n{{\"@odata.id\":\"leads({A2})\"}}"
        ),
        format!("PATCH new_lockeds({A1})\n\n{{\"new_HolderId@odata.bind\":\"accounts({A1})\"}}"),
        format!("PATCH new_steps({A1})\n\n{{}}"),
        format!("PATCH accounts({A2})\n\n{{}}"),
        format!("PATCH accounts({A2})\n\n{{\"statecode\":1}}"),
    ] {
        desk.check(&request, "204");
    }
    desk
}

fn post(set: &str, members: &str) -> String {
    format!("POST {set}\n\n{{{members}}}")
}

fn bulk(message: &str, records: &[&str]) -> String {
    format!("POST accounts/Microsoft.Dynamics.CRM.{message}\n\n{}", targets("account", records))
}

fn fetch(inside: &str) -> String {
    format!("GET accounts?fetchXml=<fetch><entity name='account'>{inside}</entity></fetch>")
}

/// Name, and a request that is refused for that reason.
fn provoked() -> Vec<(&'static str, String)> {
    let a1 = format!("accounts({A1})");
    let get = |rest: &str| format!("GET {rest}");
    let contract = |members: &str| post("new_contracts", &format!("\"new_name\":\"N\",{members}"));
    let patch = |members: &str| format!("PATCH {a1}\n\n{{{members}}}");
    let parent = |to: &str| {
        let bind = format!("\"lastname\":\"x\",\"parentcustomerid_account@odata.bind\":\"{to}\"");
        post("contacts", &bind)
    };
    let definition = "EntityDefinitions(LogicalName='account')/Attributes";
    let part = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET /api/data/v9.2/WhoAmI HTTP/1.1\r\n\r\n\r\n";
    let batch =
        |body: &str| format!("POST $batch\nContent-Type: multipart/mixed; boundary=b\n\n{body}");
    vec![
        ("invalid_request", get("accounts\nPrefer: odata.maxpagesize=many")),
        ("unsupported_option", get("accounts?$skip=1")),
        ("unknown_column", get("accounts?$select=nope")),
        ("incompatible_types", get("accounts?$filter=name eq 5")),
        ("query_syntax", get("accounts?$filter=name eq")),
        ("expand_refused", get("accounts?$expand=primarycontactid($top=1)")),
        ("unknown_segment", get("nopes")),
        ("unknown_resource", post("WhoAmI", "")),
        ("wrong_method", "PATCH accounts\n\n{}".to_owned()),
        ("url_too_long", get(&format!("accounts?tag={}", "x".repeat(33_000)))),
        ("not_supported", get("accounts?savedQuery=x")),
        ("no_token", get("WhoAmI\nAuthorization: Bearer nobody")),
        ("not_a_member", get("WhoAmI\nAuthorization: Bearer stranger")),
        ("disabled_user", get(&format!("WhoAmI\nMSCRMCallerID: {U1}"))),
        ("invalid_payload", post("accounts/Microsoft.Dynamics.CRM.CreateMultiple", "")),
        ("malformed_json", "POST accounts\n\n{".to_owned()),
        ("wrong_type", post("accounts", "\"name\":5")),
        ("unknown_property", post("accounts", "\"Name\":\"x\"")),
        ("undeclared_bind", post("accounts", "\"nope@odata.bind\":\"x\"")),
        ("lookup_as_value", post("accounts", &format!("\"_primarycontactid_value\":\"{C1}\""))),
        ("nested_in_update", patch("\"primarycontactid\":{\"lastname\":\"x\"}")),
        (
            "untyped_target",
            post("accounts/Microsoft.Dynamics.CRM.CreateMultiple", "\"Targets\":[{}]"),
        ),
        ("invalid_argument", bulk("CreateMultiple", &[])),
        ("read_only_column", patch("\"createdon\":\"2001-01-01T00:00:00Z\"")),
        ("required_column", post("new_contracts", "")),
        ("text_too_long", contract("\"new_region\":\"12345678901\"")),
        ("invalid_character", contract("\"new_region\":\"a\\u0000b\"")),
        ("integer_out_of_range", contract("\"new_seq\":1001")),
        ("number_out_of_range", contract("\"new_rate\":1001")),
        ("date_too_early", contract("\"new_startson\":\"1752-01-01\"")),
        ("unknown_choice", contract("\"new_phase\":9")),
        ("missing_record", get(&format!("accounts({A3})"))),
        ("missing_by_key", get("accounts(accountnumber='none')")),
        ("missing_records", bulk("UpdateMultiple", &[&format!("{{\"accountid\":\"{A3}\"}}")])),
        ("missing_in_bind", parent(&format!("accounts({A3})"))),
        ("missing_in_bind_by_key", parent("accounts(accountnumber='none')")),
        ("key_not_defined", get("accounts(name='A')")),
        ("key_not_active", get("new_contracts(new_note='N')")),
        ("forbidden_character", get("accounts(accountnumber='a%2Fb')")),
        ("duplicate_id", post("accounts", &format!("\"accountid\":\"{A1}\""))),
        ("duplicate_key", post("accounts", "\"accountnumber\":\"K1\"")),
        (
            "duplicate_association",
            post(
                &format!("{a1}/accountleads_association/$ref"),
                &format!("\"@odata.id\":\"leads({A2})\""),
            ),
        ),
        ("absent_association", format!("DELETE {a1}/contact_customer_accounts({C1})/$ref")),
        ("version_mismatch", format!("PATCH {a1}\nIf-Match: W/\"1\"\n\n{{}}")),
        (
            "no_optimistic_concurrency",
            format!("PATCH new_lockeds({A1})\nIf-Match: W/\"1\"\n\n{{}}"),
        ),
        ("delete_restricted", format!("DELETE {a1}")),
        ("status_mismatch", patch("\"statuscode\":2")),
        ("inactive_record", format!("PATCH accounts({A2})\n\n{{\"name\":\"x\"}}")),
        ("transition_refused", format!("PATCH new_steps({A1})\n\n{{\"statecode\":1}}")),
        ("no_owner", patch("\"ownerid@odata.bind\":null")),
        ("access_team_owner", patch(&format!("\"ownerid@odata.bind\":\"teams({T1})\""))),
        ("disabled_owner", patch(&format!("\"ownerid@odata.bind\":\"systemusers({U1})\""))),
        ("repeated_target", bulk("UpsertMultiple", &[&*format!("{{\"accountid\":\"{A3}\"}}"); 2])),
        (
            "upsert_key_in_body",
            bulk(
                "UpsertMultiple",
                &["{\"@odata.id\":\"accounts(accountnumber='N')\",\"accountnumber\":\"N\"}"],
            ),
        ),
        ("no_delete_multiple", bulk("DeleteMultiple", &[&format!("{{\"accountid\":\"{A1}\"}}")])),
        ("batch_unreadable", batch("--b\n")),
        ("too_many_operations", batch(&format!("{}--b--\r\n", part.repeat(4)))),
        ("unknown_content_id", patch("\"primarycontactid@odata.bind\":\"$7\"")),
        ("invalid_fetchxml", get("accounts?fetchXml=<query/>")),
        ("invalid_sql", get("accounts?sql=SELECT")),
        ("fetch_unknown_column", fetch("<attribute name='nope'/>")),
        (
            "fetch_wrong_value",
            fetch(
                "<filter><condition attribute='numberofemployees' operator='eq' value='x'/></filter>",
            ),
        ),
        ("elastic_join", get("new_readings?$filter=new_AccountId/name eq 'x'")),
        ("tracking_not_enabled", get("new_lockeds\nPrefer: odata.track-changes")),
        ("tracking_option", get("accounts?$top=1\nPrefer: odata.track-changes")),
        ("delta_token_invalid", get("accounts?$deltatoken=nonsense")),
        (
            "delta_token_expired",
            get("accounts?$deltatoken=1000001%2101%2F01%2F2001%2000%3A00%3A00"),
        ),
        ("unknown_table", get("EntityDefinitions(LogicalName='nope')")),
        ("unknown_definition", get(&format!("{definition}(LogicalName='nope')"))),
        ("metadata_refused", post("EntityDefinitions", "")),
        ("column_in_use", format!("DELETE {definition}(LogicalName='name')")),
    ]
}

/// Status, code and text of an error; a body may be empty.
fn error(answer: &Answer) -> (u16, String, String) {
    let error = &answer.json()["error"];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (answer.status(), text("code"), text("message"))
}

#[test]
fn each_named_refusal_is_as_usual_or_as_the_settings_say() {
    let mut otherwise = String::from("[behavior.codes]\n");
    for (name, ..) in Codes::names() {
        writeln!(
            otherwise,
            "{name} = {{ status = 418, code = \"0x80049999\", message = \"{name}: {{message}}\" }}"
        )
        .unwrap();
    }
    let (usual, other) = (desk(""), desk(&otherwise));
    let all = provoked();
    for (name, request) in &all {
        let (_, status, code) = Codes::names().find(|(known, ..)| known == name).unwrap();
        let found = error(&usual.send(request));
        assert_eq!((found.0, &*found.1), (status, code), "{name}: {request}: {}", found.2);
        let changed = error(&other.send(request));
        assert_eq!((changed.0, &*changed.1), (418, "0x80049999"), "{name}: {request}");
        assert!(changed.2.starts_with(&format!("{name}: ")), "{name}: {}", changed.2);
        if *name != "no_token" {
            assert!(found.2.len() > 10 && changed.2.ends_with(&found.2), "{name}: {changed:?}");
        }
    }
    let named: BTreeSet<&str> = all.iter().map(|(name, _)| *name).collect();
    let mut known: BTreeSet<&str> = Codes::names().map(|(name, ..)| name).collect();
    // These take more than a request: below, and with the aggregates.
    assert!(known.remove("expired_token") && known.remove("aggregate_limit"));
    assert_eq!(named, known);
}

#[test]
fn an_expired_token_is_refused_as_the_settings_say() {
    for (codes, expect) in [
        ("", (401, "0x8004a101")),
        ("[behavior.codes.expired_token]\nstatus = 403\ncode = \"0x1\"", (403, "0x1")),
    ] {
        let desk = desk(codes);
        let form = "grant_type=client_credentials&client_id=11111111-0000-4000-8000-000000000001&client_secret=secret&scope=https%3A%2F%2Forg.example%2F.default";
        let token = desk.send(&format!("POST /contoso/oauth2/v2.0/token\n\n{form}")).json();
        let token = token["access_token"].as_str().unwrap().to_owned();
        desk.later(4000);
        let found = error(&desk.send(&format!("GET WhoAmI\nAuthorization: Bearer {token}")));
        assert_eq!((found.0, &*found.1), expect, "{}", found.2);
    }
}

#[test]
fn inner_refusals_of_a_batch_are_coded_too() {
    let desk = desk("[behavior.codes.missing_record]\nstatus = 410\ncode = \"0x7\"");
    let body = format!(
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET /api/data/v9.2/accounts({A3}) HTTP/1.1\r\n\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\nDELETE /api/data/v9.2/accounts({A3}) HTTP/1.1\r\n\r\n\r\n--c--\r\n--b--\r\n"
    );
    let head =
        "POST $batch\nContent-Type: multipart/mixed; boundary=b\nPrefer: odata.continue-on-error";
    let answer = desk.send_body(head, body.as_bytes());
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().matches("HTTP/1.1 410 Gone").count(), 2, "{}", answer.text());
    assert_eq!(answer.text().matches("\"0x7\"").count(), 2);
}

#[test]
fn unknown_names_in_settings_are_told_with_the_nearest() {
    let text = "[behavior.codes]\nduplicate_keys = { status = 409 }";
    let error = Settings::from_toml(text).unwrap_err().to_string();
    assert!(
        error.contains("no refusal `duplicate_keys`: did you mean `duplicate_key`?"),
        "{error}"
    );
}
