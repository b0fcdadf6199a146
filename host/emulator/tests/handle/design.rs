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

#[test]
fn several_tables_are_made_in_one_call_or_none() {
    let desk = Desk::new();
    let complex = |name: &str| {
        let text = table(name).to_string();
        let text = text
            .replace("AttributeMetadata\"", "@\"")
            .replace("CRM.", "CRM.Complex")
            .replace("@\"", "AttributeMetadata\"");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let one = complex("new_One");
    assert_eq!(
        one["Attributes"][1]["@odata.type"],
        "Microsoft.Dynamics.CRM.ComplexDecimalAttributeMetadata"
    );
    let create = |entities: &Value| {
        format!("POST CreateEntities?SolutionUniqueName=x\n\n{}", json!({"Entities": entities}))
    };
    desk.check(&create(&json!([one, complex("new_Two")])), "204");
    desk.check("POST new_ones\n\n{\"new_title\":\"x\",\"new_kind\":1}", "204");
    desk.check("POST new_twos\n\n{}", "204");
    desk.check(&create(&json!([complex("new_Three"), one])), "400 0x80040203 exists already");
    desk.check(
        &create(&json!([complex("new_Four"), complex("new_Four")])),
        "400 0x80040203 exists already",
    );
    desk.check("GET new_threes", "404 0x8006088a");
    desk.check(&create(&json!([])), "400 0x80040203 no tables");
    desk.check("POST CreateEntities\n\n{}", "400 0x80048d19 'Entities'");
    desk.check("GET CreateEntities", "404");
}

#[test]
fn columns_and_tables_are_changed_by_their_whole_definition() {
    let desk = Desk::new();
    made(&desk, "EntityDefinitions", &table("new_Project"));
    desk.check(
        "POST new_projects\n\n{\"new_title\":\"P\",\"new_amount\":1.25,\"new_kind\":1}",
        "204",
    );
    let columns = "EntityDefinitions(LogicalName='new_project')/Attributes";
    let put = |name: &str, kind: &str, change: &dyn Fn(&mut Value), expect: &str| {
        let cast = format!("Microsoft.Dynamics.CRM.{kind}AttributeMetadata");
        let mut body = desk.send(&format!("GET {columns}(LogicalName='{name}')/{cast}")).json();
        change(&mut body);
        desk.check(
            &format!("PUT {columns}(LogicalName='{name}')\nMSCRM.MergeLabels: true\n\n{body}"),
            expect,
        );
    };
    put("new_title", "String", &|body| body["MaxLength"] = json!(3), "204");
    desk.check("POST new_projects\n\n{\"new_title\":\"long\"}", "400 0x80044331 '3'");
    // Digits more and digits less: values that are there are kept, or rounded.
    for (precision, text) in [(4, "1.2500"), (1, "1.3")] {
        put("new_amount", "Decimal", &|body| body["Precision"] = json!(precision), "204");
        let rows = desk.rows("new_projects");
        assert!(rows.contains(&format!("\"new_amount\":{text},")), "{rows}");
    }
    put("new_kind", "Picklist", &|body| body["DisplayName"] = label("Sort"), "204");
    desk.check("POST new_projects\n\n{\"new_kind\":100000001}", "204");
    put("new_kind", "Picklist", &|body| body["SchemaName"] = json!("new_Other"), "204");
    put(
        "new_kind",
        "Picklist",
        &|body| body["LogicalName"] = json!("new_other"),
        "400 0x80040203 renamed",
    );
    put(
        "new_title",
        "String",
        &|body| body["AttributeTypeName"] = json!({"Value": "MemoType"}),
        "400 0x80040203 its type is another",
    );
    let account = "EntityDefinitions(LogicalName='account')";
    desk.check(
        &format!("PUT {account}/Attributes(LogicalName='name')\n\n{{\"MaxLength\":2}}"),
        "204",
    );
    desk.check("POST accounts\n\n{\"name\":\"abc\"}", "400 0x80044331");
    desk.check(
        &format!("PUT {account}/Attributes(LogicalName='createdon')\n\n{{}}"),
        "400 0x80040203 the service's own",
    );
    desk.check(&format!("PUT {account}/Attributes(LogicalName='nope')\n\n{{}}"), "404 0x80040217");
    desk.check(
        &format!(
            "PUT {account}\n\n{}",
            json!({"LogicalName": "account", "DisplayName": label("Firm")})
        ),
        "204",
    );
    desk.check(
        &format!("GET {account}?$select=DisplayName"),
        r#"200 {"DisplayName":{"UserLocalizedLabel":{"Label":"Firm"}}}"#,
    );
    desk.check(
        &format!("PUT {account}\n\n{{\"ChangeTrackingEnabled\":false}}"),
        "400 0x80040203 Change tracking",
    );
    desk.check(&format!("PUT {account}\n\n{{\"LogicalName\":\"firm\"}}"), "400 0x80040203 renamed");
    desk.check(&format!("PUT {account}/Keys(LogicalName='accountnumber_key')\n\n{{}}"), "405");
    desk.check("PUT RelationshipDefinitions(SchemaName='x')\n\n{}", "501");
    desk.check(&format!("PATCH {account}\n\n{{}}"), "405");
}
