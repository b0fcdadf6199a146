use dvsync_emulator::{Emulator, Settings};
use serde_json::{Value, json};

use crate::desk::{A1, CONTRACTS, Desk};

const EXPANDED: &str =
    "EntityDefinitions?$expand=Attributes,Keys,ManyToOneRelationships,ManyToManyRelationships";
const CASTS: &[&str] = &["Picklist", "MultiSelectPicklist", "State", "Status"];

/// Everything that the environment tells of its tables, as a loader exports it.
fn exported(desk: &Desk) -> Value {
    let all = desk.check(&format!("GET {EXPANDED}"), "200").json();
    let mut documents = vec![all.clone()];
    for table in all["value"].as_array().unwrap() {
        let name = table["LogicalName"].as_str().unwrap();
        for cast in CASTS {
            let path = format!(
                "EntityDefinitions(LogicalName='{name}')/Attributes/Microsoft.Dynamics.CRM.{cast}AttributeMetadata?$expand=OptionSet,GlobalOptionSet"
            );
            let document = desk.check(&format!("GET {path}"), "200").json();
            if !document["value"].as_array().unwrap().is_empty() {
                documents.push(document);
            }
        }
    }
    Value::Array(documents)
}

#[test]
fn what_the_emulator_serves_can_be_imported_and_is_served_again() {
    let more = "[tables.new_reading]\nelastic = true\n[tables.new_tag]\nprimary_name = \"new_name\"\nmany_to_many.new_tag_account = { with = \"account\", set = \"new_tagpairs\" }\nenforce_transitions = true\ntransitions = { 1 = [2], 2 = [] }\n[tables.new_tag.columns]\nnew_name = { type = \"text\" }\n";
    let desk = Desk::with(&format!("{more}{CONTRACTS}"));
    let first = exported(&desk);
    let (settings, notes) = Settings::default().with_metadata(&first.to_string()).unwrap();
    assert_eq!(notes, Vec::<String>::new());
    let again = exported(&Desk::of(settings));
    for (first, again) in first.as_array().unwrap().iter().zip(again.as_array().unwrap()) {
        let rows =
            first["value"].as_array().unwrap().iter().zip(again["value"].as_array().unwrap());
        for (first, again) in rows {
            for (name, value) in first.as_object().unwrap() {
                assert_eq!(&again[name], value, "{} {name}", first["LogicalName"]);
            }
        }
    }
    assert_eq!(first, again);
}

/// A definition with what an export of the real service has besides.
fn project() -> Value {
    let label = |text: &str| json!({"UserLocalizedLabel": {"Label": text, "LanguageCode": 1033}});
    let attribute = |name: &str, kind: &str, more: Value| {
        let mut one = json!({
            "@odata.type": format!("#Microsoft.Dynamics.CRM.{kind}AttributeMetadata"),
            "LogicalName": name.to_lowercase(),
            "SchemaName": name,
            "AttributeType": kind,
            "AttributeTypeName": {"Value": format!("{kind}Type")},
            "DisplayName": label(name),
            "RequiredLevel": {"Value": "None"},
            "IsValidForCreate": true,
            "IsValidForUpdate": true,
        });
        one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        one
    };
    json!({
        "@odata.context": "https://x/api/data/v9.2/$metadata#EntityDefinitions/$entity",
        "LogicalName": "cr1_project",
        "SchemaName": "cr1_Project",
        "EntitySetName": "cr1_projects",
        "DisplayName": label("Project"),
        "PrimaryIdAttribute": "cr1_projectid",
        "PrimaryNameAttribute": "cr1_name",
        "OwnershipType": "UserOwned",
        "TableType": "Standard",
        "ChangeTrackingEnabled": false,
        "Attributes": [
            attribute("cr1_Name", "String", json!({"MaxLength": 850, "FormatName": {"Value": "Text"}, "RequiredLevel": {"Value": "SystemRequired"}})),
            attribute("cr1_Code", "String", json!({"MaxLength": 10})),
            attribute("cr1_Budget", "Money", json!({"MinValue": 0.0, "MaxValue": 1000000.0, "Precision": 2})),
            attribute("cr1_Budget_Base", "Money", json!({"IsValidForCreate": false, "IsValidForUpdate": false})),
            attribute("cr1_Phase", "Picklist", json!({"DefaultFormValue": 7})),
            attribute("cr1_Mood", "Picklist", json!({})),
            attribute("cr1_AccountId", "Lookup", json!({"Targets": ["account", "cr1_site"]})),
            attribute("cr1_SiteId", "Lookup", json!({"Targets": ["cr1_site"]})),
            attribute("cr1_AccountIdName", "String", json!({"AttributeOf": "cr1_accountid"})),
            attribute("cr1_Kind", "EntityName", json!({})),
            attribute("StateCode", "State", json!({})),
        ],
        "Keys": [
            {"LogicalName": "cr1_code", "KeyAttributes": ["cr1_code"], "EntityKeyIndexStatus": "Active"},
            {"LogicalName": "cr1_bad", "KeyAttributes": ["cr1_kind"], "EntityKeyIndexStatus": "Active"},
        ],
        "ManyToOneRelationships": [{
            "ReferencingAttribute": "cr1_accountid",
            "ReferencedEntity": "account",
            "SchemaName": "cr1_Account_Projects",
            "ReferencingEntityNavigationPropertyName": "cr1_AccountId",
            "ReferencedEntityNavigationPropertyName": "cr1_Account_Projects",
            "CascadeConfiguration": {"Delete": "Restrict"},
        }],
    })
}

fn phases() -> Value {
    json!({
        "@odata.context": "https://x/api/data/v9.2/$metadata#EntityDefinitions('cr1_project')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata(LogicalName,OptionSet())",
        "value": [{
            "LogicalName": "cr1_phase",
            "OptionSet": {"Options": [{"Value": 7, "Label": {"UserLocalizedLabel": {"Label": "Seven"}}}]},
        }],
    })
}

#[test]
fn an_export_becomes_tables_and_what_is_left_out_is_named() {
    let export = json!([project(), phases()]);
    let (settings, notes) = Settings::default().with_metadata(&export.to_string()).unwrap();
    assert_eq!(
        notes,
        [
            "table `cr1_project`: no option sets of `statecode` and `statuscode`, taken as Active and Inactive",
            "table `cr1_project`: column `cr1_mood` left out: its option set was not exported: expand it at the cast",
            "table `cr1_project`: column `cr1_accountid`: targets `cr1_site` left out: not tables here",
            "table `cr1_project`: column `cr1_siteid` left out: it points to `cr1_site`, which are not tables here",
            "table `cr1_project`: column `cr1_kind` left out: the emulator has no columns of type `EntityName`",
            "table `cr1_project`: 1 columns that are parts of others left out: `cr1_accountidname`",
            "table `cr1_project`: key `cr1_bad` left out: its column `cr1_kind` is not there",
        ]
    );
    let desk = Desk::of(settings);
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"name\":\"One\"}}"), "204");
    desk.check(
        &format!("PATCH cr1_projects(cr1_code='X1')\n\n{{\"cr1_name\":\"P\",\"cr1_budget\":12.345,\"cr1_AccountId@odata.bind\":\"accounts({A1})\"}}"),
        "204",
    );
    desk.check(
        "GET cr1_projects?$select=cr1_budget,cr1_budget_base,cr1_phase",
        r#"200 {"value":[{"cr1_budget":12.35,"cr1_budget_base":12.35,"cr1_phase":7}]}"#,
    );
    desk.check(&format!("GET accounts({A1})/cr1_Account_Projects/$count"), "200 1");
    desk.check(&format!("DELETE accounts({A1})"), "405 0x80040227");
}

#[test]
fn what_is_no_metadata_is_refused_in_words() {
    let refused = |text: &str| Settings::default().with_metadata(text).unwrap_err().to_string();
    assert!(refused("{").contains("exported metadata: EOF"));
    assert!(refused("{\"value\":[{}]}").contains("a definition has no `LogicalName`"));
    assert!(refused("{\"LogicalName\":\"x\"}").contains("has no `Attributes`"));
    assert!(
        refused("{\"value\":[{\"LogicalName\":\"x\",\"OptionSet\":{}}]}")
            .contains("does not say of which table")
    );
    // A schema file may be an export too.
    let settings = Settings::default().with_schema(&json!([project(), phases()]).to_string());
    assert!(Emulator::new(settings.unwrap()).is_ok());
}
