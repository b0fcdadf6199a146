use serde_json::Value;

use crate::desk::{A1, A2, A3, Desk, targets};

const READINGS: &str = r#"
[tables.new_reading]
elastic = true
primary_name = "new_name"
[tables.new_reading.columns]
new_name = { type = "text", max_length = 10 }
new_value = { type = "integer", min = 0, max = 100 }
new_accountid = { type = "lookup", targets = ["account"], schema_name = "new_AccountId" }
"#;

fn desk() -> Desk {
    let desk = Desk::with(READINGS);
    desk.check(
        &format!("POST new_readings\n\n{{\"new_readingid\":\"{A1}\",\"partitionid\":\"dev-1\",\"new_name\":\"a\",\"new_value\":1,\"ttlinseconds\":86400}}"),
        "204",
    );
    desk
}

#[test]
fn a_row_is_found_by_id_and_partition() {
    let desk = desk();
    let key = format!("new_readings(new_readingid={A1},partitionid='dev-1')");
    desk.check(
        &format!("GET {key}"),
        r#"200 {"new_value":1,"partitionid":"dev-1","ttlinseconds":86400}"#,
    );
    desk.check(&format!("GET new_readings({A1})?partitionId='dev-1'"), r#"200 {"new_value":1}"#);
    desk.check(&format!("GET new_readings({A1})"), "404 0x80040217");
    desk.check(&format!("GET new_readings({A1})?partitionId='dev-2'"), "404 0x80060891");
    desk.check(&format!("GET new_readings(new_readingid={A1},new_name='a')"), "400 0x80060890");
    // Without a partition, the id is the partition.
    desk.check(&format!("POST new_readings\n\n{{\"new_readingid\":\"{A2}\"}}"), "204");
    desk.check(&format!("GET new_readings({A2})"), &format!(r#"200 {{"partitionid":"{A2}"}}"#));
    desk.check(&format!("DELETE new_readings({A1})"), "404");
    let gone = desk.check(&format!("DELETE new_readings({A1})?partitionId='dev-1'"), "204");
    assert!(gone.header("x-ms-session-token").is_none());
}

#[test]
fn an_upsert_replaces_the_row_and_an_update_does_not() {
    let desk = desk();
    let key = format!("new_readings(new_readingid={A1},partitionid='dev-1')");
    let row = |expect: &str| {
        desk.check(&format!("GET {key}?$select=new_name,new_value,ttlinseconds"), expect);
    };
    let updated = desk.check(&format!("PATCH {key}\nIf-Match: *\n\n{{\"new_value\":2}}"), "204");
    assert!(updated.header("x-ms-session-token").unwrap().starts_with("240:8#"));
    assert!(updated.header("odata-entityid").unwrap().ends_with(&key));
    row(r#"200 {"new_name":"a","new_value":2,"ttlinseconds":86400}"#);
    desk.check(&format!("PATCH {key}\n\n{{\"new_value\":3}}"), "204");
    row(r#"200 {"new_name":null,"new_value":3,"ttlinseconds":null}"#);
    desk.check(
        &format!("PATCH new_readings({A1})\n\n{{\"partitionid\":\"dev-1\",\"new_name\":\"b\"}}"),
        "204",
    );
    row(r#"200 {"new_name":"b","new_value":null}"#);
    desk.check(&format!("PATCH new_readings({A3})\nIf-Match: *\n\n{{}}"), "404");
    desk.check(
        &format!("PATCH new_readings(new_readingid={A3},partitionid='p')\n\n{{\"new_value\":9}}"),
        "204",
    );
    desk.check(&format!("GET new_readings({A3})?partitionId='p'"), r#"200 {"new_value":9}"#);
    let etag = desk.send(&format!("GET {key}")).json()["@odata.etag"].as_str().unwrap().to_owned();
    assert!(
        etag.starts_with("W/\"") && etag.len() == 40 && etag.contains("-0000-0200-0000-"),
        "{etag}"
    );
    desk.check(&format!("PATCH {key}\nIf-Match: {etag}\n\n{{\"new_value\":4}}"), "204");
    desk.check(&format!("PATCH {key}\nIf-Match: {etag}\n\n{{\"new_value\":5}}"), "412 0x80060882");
}

#[test]
fn a_partition_in_a_body_names_the_row_and_is_not_written() {
    let desk = Desk::with(&format!("[behavior]\nread_only_writes = \"refuse\"\n{READINGS}"));
    let body = "{\"partitionid\":\"p\",\"new_value\":1}";
    desk.check(&format!("PATCH new_readings({A1})\n\n{body}"), "204");
    desk.check(&format!("PATCH new_readings({A1})\nIf-Match: *\n\n{body}"), "204");
    desk.check(&format!("PATCH new_readings({A1})\n\n{body}"), "204");
    desk.check("GET new_readings/$count", "200 1");
}

#[test]
fn each_record_of_a_bulk_message_has_an_outcome_of_its_own() {
    let desk = desk();
    let send = |action: &str, records: &[&str], header: &str| {
        let body = targets("new_reading", records);
        desk.send(&format!("POST new_readings/Microsoft.Dynamics.CRM.{action}{header}\n\n{body}"))
    };
    let create = [
        "{\"new_name\":\"one\",\"partitionid\":\"p\"}",
        &format!("{{\"new_readingid\":\"{A1}\",\"partitionid\":\"dev-1\",\"new_name\":\"twice\"}}"),
        "{\"new_name\":\"two\",\"partitionid\":\"p\"}",
    ];
    let annotations = "\nPrefer: odata.include-annotations=\"*\"";
    let answer = send("CreateMultiple", &create, annotations);
    answer.expect("412 0x80040237 Cannot insert duplicate key");
    let details =
        &answer.json()["error"]["@Microsoft.PowerApps.CDS.ErrorDetails.Plugin.BulkApiErrorDetails"];
    let details: Value = serde_json::from_str(details.as_str().unwrap()).unwrap();
    assert_eq!(details, serde_json::json!([{"RequestIndex": 1, "Id": A1, "StatusCode": 412}]));
    desk.check("GET new_readings/$count?$filter=partitionid eq 'p'", "200 2");
    let plain = send("CreateMultiple", &create[1..2], "");
    assert!(plain.json()["error"].as_object().unwrap().len() == 2, "{}", plain.text());
    let all = send("CreateMultiple", &create[..1], "");
    all.expect("200");
    assert!(all.header("x-ms-session-token").is_some());
    let update = [
        &*format!("{{\"new_readingid\":\"{A1}\",\"partitionid\":\"dev-1\",\"new_value\":50}}"),
        &format!("{{\"new_readingid\":\"{A3}\",\"partitionid\":\"dev-1\",\"new_value\":51}}"),
    ];
    send("UpdateMultiple", &update, "").expect("404");
    desk.check(
        &format!("GET new_readings({A1})?partitionId='dev-1'"),
        r#"200 {"new_value":50,"new_name":"a"}"#,
    );
    send("UpsertMultiple", &update, "").expect("204");
    desk.check(
        &format!("GET new_readings({A1})?partitionId='dev-1'"),
        r#"200 {"new_value":50,"new_name":null}"#,
    );
    desk.check(&format!("GET new_readings({A3})?partitionId='dev-1'"), r#"200 {"new_value":51}"#);
    send("DeleteMultiple", &update, "").expect("204");
    desk.check(&format!("GET new_readings({A1})?partitionId='dev-1'"), "404");
    send("DeleteMultiple", &["{\"new_name\":\"x\"}"], "").expect("400 0x80040203 'new_readingid'");
    // A table that is not elastic has no such message.
    let body = targets("account", &[&format!("{{\"accountid\":\"{A1}\"}}")]);
    desk.check(
        &format!("POST accounts/Microsoft.Dynamics.CRM.DeleteMultiple\n\n{body}"),
        "501 0x80040219 not yet been implemented",
    );
}

#[test]
fn an_elastic_table_is_not_joined() {
    let desk = desk();
    desk.check("GET new_readings?$filter=new_AccountId/name eq 'x'", "400 0x80048d0b");
    desk.check("GET accounts?$filter=account_new_reading_new_accountid/any()", "400 0x80048d0b");
    desk.check(
        "GET new_readings?$filter=new_value eq 1&$select=new_name",
        r#"200 {"value":[{"new_name":"a"}]}"#,
    );
    desk.check(
        "GET EntityDefinitions(LogicalName='new_reading')?$select=TableType&$expand=Keys($select=LogicalName,KeyAttributes)",
        r#"200 {"TableType":"Elastic","Keys":[{"LogicalName":"keyfornosqlentitywithpkpartitionid","KeyAttributes":["new_readingid","partitionid"]}]}"#,
    );
}

#[test]
fn one_id_may_stand_in_two_partitions() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("state = {:?}\n{READINGS}", folder.path());
    let row =
        |partition: &str| format!("new_readings(new_readingid={A1},partitionid='{partition}')");
    {
        let desk = Desk::with(&settings);
        for (partition, value) in [("one", 1), ("two", 2), ("three", 3)] {
            let body = format!(
                "{{\"new_readingid\":\"{A1}\",\"partitionid\":\"{partition}\",\"new_value\":{value}}}"
            );
            let answer = desk.check(
                &format!(
                    "POST new_readings?$select=new_value\nPrefer: return=representation\n\n{body}"
                ),
                "201",
            );
            assert_eq!(answer.json()["new_value"], value);
            desk.check(&format!("POST new_readings\n\n{body}"), "412 0x80040237");
        }
        desk.check(&format!("PATCH {}\nIf-Match: *\n\n{{\"new_value\":20}}", row("two")), "204");
        desk.check(&format!("PATCH {}\n\n{{\"new_name\":\"new\"}}", row("one")), "204");
        desk.check(&format!("DELETE {}", row("three")), "204");
    }
    let desk = Desk::with(&settings);
    desk.check(&format!("GET {}", row("one")), r#"200 {"new_value":null,"new_name":"new"}"#);
    desk.check(&format!("GET {}", row("two")), r#"200 {"new_value":20}"#);
    desk.check(&format!("GET {}", row("three")), "404 0x80060891");
    desk.check(
        &format!("GET new_readings?$filter=new_readingid eq {A1}&$count=true"),
        r#"200 {"@odata.count":2}"#,
    );
    let snapshot = desk.emulator.snapshot().unwrap();
    desk.check(&format!("DELETE {}", row("one")), "204");
    desk.check(&format!("GET {}", row("two")), "200");
    desk.emulator.restore(&snapshot).unwrap();
    desk.check(&format!("GET {}", row("one")), "200");
}

#[test]
fn rows_expire_so_many_seconds_after_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("state = {:?}\n{READINGS}", folder.path());
    let desk = Desk::with(&settings);
    let row =
        |id: &str, more: &str| format!("POST new_readings\n\n{{\"new_readingid\":\"{id}\"{more}}}");
    desk.check(&row(A1, ",\"ttlinseconds\":60"), "204");
    desk.check(&row(A2, ",\"ttlinseconds\":60"), "204");
    desk.check(&row(A3, ""), "204");
    desk.later(59);
    desk.check("GET new_readings/$count", "200 3");
    // A write begins the time anew.
    desk.check(&format!("PATCH new_readings({A2})\nIf-Match: *\n\n{{\"new_value\":1}}"), "204");
    desk.later(1);
    desk.check(&format!("GET new_readings({A1})"), "404 0x80040217");
    desk.check("GET new_readings/$count", "200 2");
    desk.check(&row(A1, ""), "204");
    let now = desk.now.get();
    drop(desk);
    let desk = Desk::with(&settings);
    desk.now.set(now);
    desk.check("GET new_readings/$count", "200 3");
    desk.later(58);
    desk.check("GET new_readings/$count", "200 3");
    desk.later(1);
    desk.check(&format!("PATCH new_readings({A2})\nIf-Match: *\n\n{{}}"), "404");
    desk.later(1_000_000);
    desk.check("GET new_readings/$count", "200 2");
}
