use dvsync_emulator::Settings;
use serde_json::{Value, json};

use crate::desk::{A1, A2, Desk};

fn label(text: &str) -> Value {
    json!({"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]})
}

fn text(name: &str, primary: bool) -> Value {
    json!({
        "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
        "SchemaName": name,
        "DisplayName": label(name),
        "RequiredLevel": {"Value": "None"},
        "MaxLength": 200,
        "FormatName": {"Value": "Text"},
        "IsPrimaryName": primary,
    })
}

/// A table as Microsoft's Python client makes one.
fn table(name: &str) -> Value {
    json!({
        "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
        "SchemaName": name,
        "DisplayName": label(name),
        "DisplayCollectionName": label(&format!("{name}s")),
        "OwnershipType": "UserOwned",
        "HasActivities": false,
        "HasNotes": true,
        "IsActivity": false,
        "Attributes": [
            text("new_Title", true),
            {"@odata.type": "Microsoft.Dynamics.CRM.DecimalAttributeMetadata", "SchemaName": "new_Amount", "MinValue": -100.0, "MaxValue": 100.0, "Precision": 2},
            {"@odata.type": "Microsoft.Dynamics.CRM.PicklistAttributeMetadata", "SchemaName": "new_Kind", "OptionSet": {"IsGlobal": false, "Options": [{"Value": 1, "Label": label("One")}, {"Label": label("Two")}]}},
        ],
    })
}

/// The path of what was made.
fn made(desk: &Desk, request: &str, body: &Value) -> String {
    let answer = desk.check(&format!("POST {request}\n\n{body}"), "204");
    let url = answer.header("odata-entityid").unwrap().to_owned();
    url.strip_prefix("https://org.example/api/data/v9.2/").unwrap().to_owned()
}

#[test]
fn a_table_is_made_used_and_deleted() {
    let desk = Desk::new();
    desk.check(
        &format!("PATCH accounts({A1})\n\n{{\"name\":\"One\",\"accountnumber\":\"A1\"}}"),
        "204",
    );
    let before = desk.rows("accounts");
    let path = made(&desk, "EntityDefinitions?SolutionUniqueName=x", &table("new_Project"));
    assert_eq!(desk.rows("accounts"), before, "rows are carried over");
    desk.check("GET accounts(accountnumber='a1')", "200");
    desk.check(
        &format!("GET {path}?$select=LogicalName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,IsCustomEntity"),
        r#"200 {"LogicalName":"new_project","EntitySetName":"new_projects","PrimaryIdAttribute":"new_projectid","PrimaryNameAttribute":"new_title","IsCustomEntity":true}"#,
    );
    desk.check(
        "GET EntityDefinitions?$filter=SchemaName eq 'new_Project'&$select=MetadataId",
        r#"200 {"value":[{}]}"#,
    );
    desk.check("POST PublishAllXml\n\n", "204");
    desk.check("POST PublishXml\n\n{\"ParameterXml\":\"<importexportxml/>\"}", "204");
    desk.check("GET PublishAllXml", "404");
    desk.check(
        "POST new_projects\n\n{\"new_title\":\"P\",\"new_amount\":1.239,\"new_kind\":100000001}",
        "204",
    );
    desk.check("GET new_projects?$select=new_amount", r#"200 {"value":[{"new_amount":1.24}]}"#);
    desk.check(
        "GET sdkmessagefilters?$filter=sdkmessageid/name eq 'CreateMultiple' and primaryobjecttypecode eq 'new_project'&$select=sdkmessagefilterid",
        r#"200 {"value":[{}]}"#,
    );
    desk.check(
        &format!("POST EntityDefinitions\n\n{}", table("new_Project")),
        "400 0x80040203 exists already",
    );
    desk.check(&format!("DELETE {path}\nIf-Match: *"), "204");
    desk.check("GET new_projects", "404 0x8006088a");
    desk.check(
        "DELETE EntityDefinitions(LogicalName='account')",
        "400 0x80040203 not a custom one",
    );
}

#[test]
fn columns_come_and_go_and_rows_stay() {
    let desk = Desk::new();
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"name\":\"One\",\"revenue\":5}}"), "204");
    let account = "EntityDefinitions(LogicalName='account')";
    let column = made(&desk, &format!("{account}/Attributes"), &text("new_Extra", false));
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"new_extra\":\"x\"}}"), "204");
    desk.check(
        &format!("GET accounts({A1})?$select=name,revenue,new_extra"),
        r#"200 {"name":"One","revenue":5.0,"new_extra":"x"}"#,
    );
    desk.check(
        &format!("GET {account}/Attributes(LogicalName='new_extra')/Microsoft.Dynamics.CRM.StringAttributeMetadata?$select=MaxLength"),
        r#"200 {"MaxLength":200}"#,
    );
    for (body, expected) in [
        (text("new_Extra", false), "400 0x80040203 exists already"),
        (json!({"SchemaName": "new_Y"}), "400 0x80040203 it has no type"),
        (
            json!({"@odata.type": "x.CalendarRulesAttributeMetadata", "SchemaName": "new_Y"}),
            "400 0x80040203 `CalendarRules`",
        ),
        (
            json!({"@odata.type": "x.LookupAttributeMetadata", "SchemaName": "new_Y", "Targets": ["account"]}),
            "400 0x80040203 RelationshipDefinitions",
        ),
        (
            json!({"@odata.type": "x.DecimalAttributeMetadata", "SchemaName": "new_Y", "Precision": 99}),
            "400 0x80040203 precision 99",
        ),
    ] {
        desk.check(&format!("POST {account}/Attributes\n\n{body}"), expected);
    }
    desk.check(&format!("DELETE {column}\nIf-Match: *"), "204");
    desk.check(&format!("GET accounts({A1})?$select=new_extra"), "400 0x0");
    desk.check(&format!("GET accounts({A1})?$select=name"), r#"200 {"name":"One"}"#);
    desk.check(&format!("DELETE {account}/Attributes(LogicalName='name')"), "400 0x8004f01f");
    desk.check(
        &format!("DELETE {account}/Attributes(LogicalName='fax')"),
        "400 0x80040203 not custom",
    );
    desk.check(&format!("DELETE {account}/Attributes(LogicalName='nope')"), "404");
    desk.check("POST EntityDefinitions(LogicalName='nope')/Attributes\n\n{}", "404");
}

#[test]
fn change_tracking_goes_on_over_a_new_column() {
    let desk = Desk::new();
    for id in [A1, A2] {
        desk.check(&format!("PATCH accounts({id})\n\n{{\"name\":\"x\"}}"), "204");
    }
    let first = desk.send("GET accounts?$select=name\nPrefer: odata.track-changes").json();
    let delta = first["@odata.deltaLink"].as_str().unwrap().replace("https://org.example", "");
    desk.check(&format!("DELETE accounts({A2})"), "204");
    made(&desk, "EntityDefinitions(LogicalName='account')/Attributes", &text("new_Extra", false));
    desk.check(
        &format!("GET {delta}"),
        &format!(r#"200 {{"value":[{{"id":"{A2}","reason":"deleted"}}]}}"#),
    );
}

#[test]
fn a_key_over_rows_becomes_active_or_fails_on_duplicates() {
    let desk = Desk::new();
    for (id, phone) in [(A1, "1"), (A2, "2")] {
        desk.check(
            &format!("PATCH accounts({id})\n\n{{\"telephone1\":\"{phone}\",\"fax\":\"same\"}}"),
            "204",
        );
    }
    let keys = "EntityDefinitions(LogicalName='account')/Keys";
    let key = |name: &str, column: &str| json!({"SchemaName": name, "KeyAttributes": [column]});
    let made_key = made(&desk, keys, &key("new_Phone", "telephone1"));
    made(&desk, keys, &key("new_Fax", "fax"));
    let status = |name: &str, expected: &str| {
        desk.check(
            &format!("GET {keys}?$filter=SchemaName eq '{name}'&$select=EntityKeyIndexStatus"),
            &format!("200 {{\"value\":[{{\"EntityKeyIndexStatus\":\"{expected}\"}}]}}"),
        );
    };
    status("new_phone", "Active");
    status("new_fax", "Failed");
    desk.check("GET accounts(telephone1='2')", &format!(r#"200 {{"accountid":"{A2}"}}"#));
    desk.check("POST accounts\n\n{\"telephone1\":\"2\"}", "412 0x80060892");
    desk.check("GET accounts(fax='same')", "400 0x80060890 not active");
    // A key that failed is not enforced.
    desk.check("POST accounts\n\n{\"fax\":\"same\"}", "204");
    desk.check(
        &format!("POST {keys}\n\n{}", key("new_Phone", "fax")),
        "400 0x80040203 exists already",
    );
    desk.check(
        &format!("POST {keys}\n\n{}", key("new_X", "nope")),
        "400 0x80040203 does not exist",
    );
    desk.check(
        &format!("POST {keys}\n\n{}", key("new_X", "description")),
        "400 0x80040203 type that keys do not take",
    );
    desk.check(&format!("DELETE {made_key}"), "204");
    desk.check("GET accounts(telephone1='2')", "400 0x80060890");
    desk.check(
        "DELETE EntityDefinitions(LogicalName='account')/Keys(LogicalName='accountnumber_key')",
        "400 0x80040203 managed",
    );
    let slow = Desk::with("[behavior]\nnew_keys = \"pending\"\n");
    made(&slow, keys, &key("new_Phone", "telephone1"));
    slow.check("GET accounts(telephone1='2')", "400 0x80060890 not active");
}

#[test]
fn relationships_are_made_and_removed() {
    let desk = Desk::new();
    made(&desk, "EntityDefinitions", &table("new_Project"));
    let one = made(
        &desk,
        "RelationshipDefinitions",
        &json!({
            "@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
            "SchemaName": "new_account_project",
            "ReferencedEntity": "account",
            "ReferencingEntity": "new_project",
            "CascadeConfiguration": {"Delete": "Restrict"},
            "Lookup": {"@odata.type": "Microsoft.Dynamics.CRM.LookupAttributeMetadata", "SchemaName": "new_AccountId", "DisplayName": label("Account")},
        }),
    );
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"name\":\"One\"}}"), "204");
    desk.check(&format!("POST new_projects\n\n{{\"new_title\":\"P\",\"new_AccountId@odata.bind\":\"accounts({A1})\"}}"), "204");
    desk.check(&format!("GET accounts({A1})/new_account_project/$count"), "200 1");
    desk.check(&format!("DELETE accounts({A1})"), "405 0x80040227");
    desk.check(
        "GET RelationshipDefinitions?$filter=SchemaName eq 'new_account_project'",
        r#"200 {"value":[{"RelationshipType":"OneToManyRelationship","ReferencingAttribute":"new_accountid"}]}"#,
    );
    desk.check(&format!("GET {one}"), r#"200 {"ReferencedEntity":"account"}"#);
    let many = made(
        &desk,
        "RelationshipDefinitions",
        &json!({
            "@odata.type": "Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata",
            "SchemaName": "new_project_contact",
            "Entity1LogicalName": "new_project",
            "Entity2LogicalName": "contact",
            "IntersectEntityName": "new_project_contact",
        }),
    );
    desk.check(
        "GET RelationshipDefinitions/Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata?$filter=SchemaName eq 'new_project_contact'&$select=IntersectEntityName",
        r#"200 {"value":[{"IntersectEntityName":"new_project_contact"}]}"#,
    );
    desk.check("GET contacts?$filter=new_project_contact/any()", r#"200 {"value":[]}"#);
    desk.check("DELETE EntityDefinitions(LogicalName='new_project')", "204");
    desk.check(&format!("GET {one}"), "404");
    desk.check(&format!("GET {many}"), "404");
    let again = made(
        &desk,
        "RelationshipDefinitions",
        &json!({"SchemaName": "new_a_c", "ReferencedEntity": "account", "ReferencingEntity": "contact", "Lookup": {"SchemaName": "new_Second"}}),
    );
    desk.check(&format!("DELETE {again}"), "204");
    desk.check("GET contacts?$select=_new_second_value", "400 0x0");
    desk.check(
        "DELETE RelationshipDefinitions(SchemaName='contact_customer_accounts')",
        "400 0x80040203 not custom",
    );
    desk.check(
        "POST RelationshipDefinitions\n\n{\"SchemaName\":\"x\",\"ReferencingEntity\":\"nope\"}",
        "400 0x80040203 'nope' does not exist",
    );
}

#[test]
fn what_was_made_is_there_after_a_restart_and_gone_after_a_reset() {
    let folder = tempfile::tempdir().unwrap();
    let desk = || {
        let settings = Settings { state: Some(folder.path().to_owned()), ..Settings::default() };
        Desk::of(settings)
    };
    let first = desk();
    made(&first, "EntityDefinitions", &table("new_Project"));
    first.check("POST new_projects\n\n{\"new_title\":\"P\"}", "204");
    drop(first);
    let second = desk();
    second.check("GET new_projects?$select=new_title", r#"200 {"value":[{"new_title":"P"}]}"#);
    assert!(second.send("POST /emulator/reset").status() < 300);
    second.check("GET new_projects", "404");
    drop(second);
    desk().check("GET new_projects", "404");
}

#[test]
fn metadata_is_not_changed_within_a_changeset() {
    let desk = Desk::new();
    let body = format!(
        "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\nPOST /api/data/v9.2/EntityDefinitions HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{}\r\n--c--\r\n--b--\r\n",
        table("new_Project")
    );
    let send = |body: &str| {
        desk.send_body("POST $batch\nContent-Type: multipart/mixed; boundary=b", body.as_bytes())
    };
    assert_eq!(send(&body).status(), 501);
    let alone = body
        .replace("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c", "--b")
        .replace("--c--\r\n", "");
    assert_eq!(send(&alone).status(), 200);
    desk.check("GET new_projects", "200");
}
