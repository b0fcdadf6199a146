//! Tables are read from metadata, in few requests, once.

use dvsync_model::entity::{StateOption, StatusOption};
use dvsync_model::{Kind, Ownership, Required};

use super::scripted::{Sent, Service, Step, batch, client, gets, json, settings};
use crate::ClientError;

const SETS: &str = r#"{"value":[
    {"MetadataId":"x","LogicalName":"new_contract","EntitySetName":"new_contracts"},
    {"LogicalName":"account","EntitySetName":"accounts"},
    {"LogicalName":"contact","EntitySetName":"contacts"},
    {"LogicalName":"systemuser","EntitySetName":"systemusers"},
    {"LogicalName":"team","EntitySetName":"teams"},
    {"LogicalName":"odd","EntitySetName":null}]}"#;

const DEFINITION: &str = r#"{"LogicalName":"new_contract","SchemaName":"new_Contract",
    "EntitySetName":"new_contracts","PrimaryIdAttribute":"new_contractid",
    "PrimaryNameAttribute":"new_name","OwnershipType":"UserOwned","ChangeTrackingEnabled":true,
    "IsOptimisticConcurrencyEnabled":true,"EnforceStateTransitions":null}"#;

fn attribute(name: &str, kind: &str, more: &str) -> String {
    format!(
        r#"{{"LogicalName":"{name}","AttributeTypeName":{{"Value":"{kind}Type"}},
        "IsValidForCreate":true,"IsValidForUpdate":true,"IsValidForRead":true,
        "RequiredLevel":{{"Value":"None"}},"SourceType":0{more}}}"#
    )
}

fn attributes() -> String {
    let list = [
        attribute("new_contractid", "Uniqueidentifier", r#","IsPrimaryId":true"#),
        attribute("new_name", "String", ""),
        attribute("new_nameofother", "String", r#","AttributeOf":"new_customerid""#),
        attribute("new_total", "Money", ""),
        attribute("new_calculated", "Decimal", "").replace("\"SourceType\":0", "\"SourceType\":1"),
        attribute("new_startson", "DateTime", ""),
        attribute("new_changedon", "DateTime", ""),
        attribute("new_phase", "Picklist", ""),
        attribute("new_tags", "MultiSelectPicklist", ""),
        attribute("statecode", "State", ""),
        attribute("statuscode", "Status", ""),
        attribute("new_customerid", "Customer", ""),
        attribute("ownerid", "Owner", "").replace("\"None\"", "\"SystemRequired\""),
        attribute("new_file", "File", ""),
        r#"{"LogicalName":"new_bare","AttributeType":"Boolean"}"#.to_owned(),
    ];
    format!(r#"{{"value":[{}]}}"#, list.join(","))
}

/// Answers one GET of a metadata batch.
fn detail(url: &str) -> (u16, String) {
    let list = |members: &str| (200, format!(r#"{{"value":[{members}]}}"#));
    if url.contains("$expand=Keys") {
        return (
            200,
            r#"{"LogicalName":"new_contract","Keys":[
            {"LogicalName":"new_k","SchemaName":"new_K","KeyAttributes":["new_name"],"EntityKeyIndexStatus":"Active"},
            {"LogicalName":"new_p","KeyAttributes":["new_name","new_phase"],"EntityKeyIndexStatus":"Pending"}]}"#
                .to_owned(),
        );
    }
    if url.contains("ManyToOneRelationships") {
        let relation = |column: &str, table: &str, property: &str| {
            format!(
                r#"{{"ReferencingAttribute":"{column}","ReferencedEntity":"{table}",
                "ReferencingEntityNavigationPropertyName":"{property}"}}"#
            )
        };
        return list(
            &[
                relation("new_customerid", "account", "new_CustomerId_account"),
                relation("new_customerid", "contact", "new_CustomerId_contact"),
                relation("ownerid", "owner", "ownerid"),
                relation("owninguser", "systemuser", "owninguser"),
            ]
            .join(","),
        );
    }
    if let Some((_, cast)) = url.split_once("/Attributes/Microsoft.Dynamics.CRM.") {
        let options = |name: &str, set: &str, options: &str| {
            list(&format!(r#"{{"LogicalName":"{name}","{set}":{{"Options":[{options}]}}}}"#))
        };
        return match cast.split_once('?').unwrap().0 {
            "StringAttributeMetadata" => list(r#"{"LogicalName":"new_name","MaxLength":100}"#),
            "MoneyAttributeMetadata" => list(
                r#"{"LogicalName":"new_total","MinValue":0.0,"MaxValue":1000.5,"Precision":2}"#,
            ),
            "DateTimeAttributeMetadata" => list(
                r#"{"LogicalName":"new_startson","DateTimeBehavior":{"Value":"DateOnly"}},
                {"LogicalName":"new_changedon","DateTimeBehavior":{"Value":"UserLocal"}}"#,
            ),
            "PicklistAttributeMetadata" => {
                options("new_phase", "OptionSet", r#"{"Value":3},{"Value":1},{"Value":3}"#)
            }
            "MultiSelectPicklistAttributeMetadata" => list(
                r#"{"LogicalName":"new_tags","OptionSet":null,"GlobalOptionSet":{"Options":[{"Value":9}]}}"#,
            ),
            "StateAttributeMetadata" => options(
                "statecode",
                "OptionSet",
                r#"{"Value":0,"DefaultStatus":1},{"Value":1,"DefaultStatus":2}"#,
            ),
            "StatusAttributeMetadata" => options(
                "statuscode",
                "OptionSet",
                r#"{"Value":1,"State":0,"TransitionData":null},{"Value":2,"State":1}"#,
            ),
            "LookupAttributeMetadata" => list(
                r#"{"LogicalName":"new_customerid","Targets":["account","contact","lead"]},
                {"LogicalName":"ownerid","Targets":["systemuser","team"]}"#,
            ),
            // A detail that this service does not know.
            "DoubleAttributeMetadata" => (
                404,
                r#"{"error":{"code":"0x8006088a","message":"Resource not found for the segment"}}"#
                    .to_owned(),
            ),
            _ => list(""),
        };
    }
    if url.contains("/Attributes?") {
        return (200, attributes());
    }
    if url.contains("sdkmessagefilters") {
        return if url.contains("CreateMultiple") {
            list(r#"{"sdkmessagefilterid":"00000000-0000-0000-0000-000000000001"}"#)
        } else {
            list("")
        };
    }
    (200, DEFINITION.to_owned())
}

fn answer(sent: &Sent) -> Step {
    if sent.method == "GET" {
        return json(200, SETS);
    }
    let parts: Vec<(u16, String)> = gets(&sent.body).iter().map(|url| detail(url)).collect();
    let parts: Vec<(u16, &str)> = parts.iter().map(|(status, body)| (*status, &**body)).collect();
    batch(200, &parts)
}

#[tokio::test(start_paused = true)]
async fn a_table_is_read_in_three_requests_and_kept() {
    let service = Service::answering(answer);
    let client = client(&service, settings(&["a"]));
    let (first, second) =
        futures::join!(client.entity("new_contract"), client.entity("new_contract"));
    let entity = first.unwrap();
    assert!(std::sync::Arc::ptr_eq(&entity, &second.unwrap()));
    assert_eq!(service.0.sent().len(), 3);

    assert_eq!(entity.entity_set, "new_contracts");
    assert_eq!(entity.primary_id, "new_contractid");
    assert_eq!(entity.ownership, Ownership::User);
    assert!((entity.bulk.create, entity.bulk.update) == (true, false));
    assert!(entity.keys[0].active && !entity.keys[1].active);
    let kind = |name: &str| entity.column(name).unwrap().kind.clone();
    assert_eq!(kind("new_name"), Kind::Text { length_max: 100 });
    assert_eq!(kind("new_total"), Kind::Money { precision: 2, min: 0.0, max: 1000.5 });
    assert_eq!(kind("new_startson"), Kind::DateOnly);
    assert_eq!(kind("new_changedon"), Kind::DateTime);
    assert_eq!(kind("new_phase"), Kind::Choice { options: vec![1, 3] });
    assert_eq!(kind("new_tags"), Kind::MultiChoice { options: vec![9] });
    assert_eq!(kind("new_bare"), Kind::Boolean);
    assert_eq!(kind("new_file"), Kind::Other("File".to_owned()));
    assert_eq!(
        entity.states().unwrap(),
        [StateOption { value: 0, default_status: 1 }, StateOption { value: 1, default_status: 2 }]
    );
    assert_eq!(
        kind("statuscode"),
        Kind::Status {
            options: vec![StatusOption { value: 1, state: 0 }, StatusOption { value: 2, state: 1 }]
        }
    );
    let targets = |name: &str| match kind(name) {
        Kind::Lookup { targets } => targets
            .into_iter()
            .map(|target| (target.entity, target.entity_set, target.navigation_property))
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let text = |entity: &str, set: &str, property: &str| {
        (entity.to_owned(), set.to_owned(), property.to_owned())
    };
    assert_eq!(
        targets("new_customerid"),
        [
            text("account", "accounts", "new_CustomerId_account"),
            text("contact", "contacts", "new_CustomerId_contact"),
        ]
    );
    assert_eq!(
        targets("ownerid"),
        [text("systemuser", "systemusers", "ownerid"), text("team", "teams", "ownerid")]
    );
    assert_eq!(entity.column("ownerid").unwrap().required, Required::System);
    assert!(!entity.column("new_calculated").unwrap().valid_for_create);
    assert!(entity.column("new_nameofother").is_none());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_table_is_an_error_with_the_nearest_name() {
    let service = Service::answering(answer);
    let client = client(&service, settings(&["a"]));
    for (name, nearest) in
        [("acount", Some("account")), ("Account", Some("account")), ("zzz", None)]
    {
        match client.entity(name).await {
            Err(ClientError::UnknownEntity { nearest: found, .. }) => {
                assert_eq!(found.as_deref(), nearest, "{name}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(service.0.sent().len(), 1);
}
