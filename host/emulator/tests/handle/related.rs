use serde_json::Value;

use crate::desk::{A1, A2, A3, C1, Desk};

const C2: &str = "cccccccc-0000-4000-8000-000000000002";
const L1: &str = "ffffffff-0000-4000-8000-000000000001";

/// Two accounts, the first with two contacts and a task, the second without.
fn desk() -> Desk {
    desk_with("")
}

fn desk_with(settings: &str) -> Desk {
    let desk = Desk::with(settings);
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"name\":\"Bike Store\"}}"), "204");
    desk.check(&format!("PATCH accounts({A2})\n\n{{\"name\":\"Road World\"}}"), "204");
    for (id, first, last, job) in [(C1, "Ann", "King", "Buyer"), (C2, "Bo", "Ash", "Chief")] {
        desk.check(
            &format!(
                "PATCH contacts({id})\n\n{{\"firstname\":\"{first}\",\"lastname\":\"{last}\",\"jobtitle\":\"{job}\",\"parentcustomerid_account@odata.bind\":\"accounts({A1})\"}}"
            ),
            "204",
        );
    }
    desk.check(
        &format!("PATCH accounts({A1})\n\n{{\"primarycontactid@odata.bind\":\"contacts({C1})\"}}"),
        "204",
    );
    desk.check(
        &format!(
            "POST tasks\n\n{{\"subject\":\"Call\",\"regardingobjectid_account_task@odata.bind\":\"accounts({A1})\"}}"
        ),
        "204",
    );
    desk
}

#[test]
fn a_lookup_is_expanded_to_its_record_or_null() {
    let desk = desk();
    let answer = desk.check(
        "GET accounts?$select=name&$expand=primarycontactid($select=fullname)",
        r#"200 {"value":[{"name":"Bike Store","primarycontactid":{"fullname":"Ann King"}},{"primarycontactid":null}]}"#,
    );
    let answer = answer.json();
    assert_eq!(
        answer["@odata.context"],
        "https://org.example/api/data/v9.2/$metadata#accounts(name,primarycontactid(fullname))"
    );
    let contact = &answer["value"][0]["primarycontactid"];
    assert_eq!(contact["contactid"], C1);
    assert_eq!(contact.as_object().unwrap().len(), 2, "{contact}");
    desk.check(
        &format!("GET accounts({A1})?$select=name&$expand=primarycontactid/$ref"),
        &format!(r#"200 {{"primarycontactid":{{"@odata.id":"https://org.example/api/data/v9.2/contacts({C1})"}}}}"#),
    );
    let user = desk.send("GET WhoAmI").json()["UserId"].clone();
    desk.check(
        &format!("GET accounts({A1})?$select=name&$expand=owninguser($select=fullname),ownerid"),
        &format!(r#"200 {{"owninguser":{{"fullname":"emulator","systemuserid":{user},"ownerid":{user}}},"ownerid":{{"ownerid":{user}}}}}"#),
    );
}

#[test]
fn a_collection_is_expanded_filtered_ordered_and_cut() {
    let desk = desk();
    let expand = |inner: &str| {
        let answer = desk.send(&format!(
            "GET accounts({A1})?$select=name&$expand=contact_customer_accounts({inner})"
        ));
        assert_eq!(answer.status(), 200, "{}", answer.text());
        answer.json()
    };
    let names = |inner: &str| -> Vec<String> {
        let rows = expand(inner)["contact_customer_accounts"].as_array().unwrap().clone();
        rows.iter().map(|row| row["lastname"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("$select=lastname"), ["King", "Ash"]);
    assert_eq!(names("$select=lastname;$orderby=lastname"), ["Ash", "King"]);
    assert_eq!(names("$select=lastname;$orderby=lastname;$top=1"), ["Ash"]);
    assert_eq!(names("$select=lastname;$filter=contains(jobtitle,'buy')"), ["King"]);
    let row = expand("$select=lastname;$top=1");
    assert!(row["contact_customer_accounts"][0]["@odata.etag"].is_string());
    assert_eq!(row["contact_customer_accounts"][0]["_parentcustomerid_value"], A1);
    let link = row["contact_customer_accounts@odata.nextLink"].as_str().unwrap();
    assert_eq!(
        link,
        format!(
            "https://org.example/api/data/v9.2/accounts({A1})/contact_customer_accounts?$select=lastname&$top=1"
        )
    );
    desk.check(
        "GET accounts?$select=name&$expand=contact_customer_accounts($select=lastname),Account_Tasks($select=subject)",
        r#"200 {"value":[{"contact_customer_accounts":[{},{}],"Account_Tasks":[{"subject":"Call"}]},{"contact_customer_accounts":[],"Account_Tasks":[]}]}"#,
    );
}

#[test]
fn expands_nest_and_then_page_their_collections() {
    let desk = desk();
    desk.check(
        "GET tasks?$select=subject&$expand=regardingobjectid_account_task($select=name;$expand=primarycontactid($select=fullname))",
        r#"200 {"value":[{"subject":"Call","regardingobjectid_account_task":{"name":"Bike Store","primarycontactid":{"fullname":"Ann King"}}}]}"#,
    );
    let nested = "$select=name&$expand=contact_customer_accounts($select=lastname;$expand=owninguser($select=fullname))";
    let answer = desk.send(&format!("GET accounts?{nested}\nPrefer: odata.maxpagesize=1")).json();
    let account = &answer["value"][0];
    assert_eq!(account["contact_customer_accounts"].as_array().unwrap().len(), 1);
    assert_eq!(account["contact_customer_accounts"][0]["owninguser"]["fullname"], "emulator");
    let link = account["contact_customer_accounts@odata.nextLink"].as_str().unwrap();
    let rest = desk.check(&format!("GET {}", link.replace("https://org.example", "")), "200");
    assert_eq!(rest.json()["value"][0]["lastname"], "Ash");
    assert!(answer["@odata.nextLink"].as_str().unwrap().contains("$expand="));
}

#[test]
fn expands_that_the_service_refuses_are_refused() {
    let desk = desk();
    let only = "400 0x80060888 Only $select and $filter clause";
    let fifteen: Vec<&str> = vec!["createdby"; 15];
    let expect = [
        ("primarycontactid($top=1)".to_owned(), only),
        ("contact_customer_accounts($top=1;$expand=owninguser)".to_owned(), only),
        (
            "contact_customer_accounts/$ref".to_owned(),
            "400 0x80060888 Expand with $ref is only supported on lookup",
        ),
        (format!("{},modifiedby", fifteen.join(",")), "400 0x80060888 at most 15"),
        ("nope".to_owned(), "400 0x0 Could not find a property named 'nope'"),
        ("primarycontactid($select=Fullname)".to_owned(), "400 0x0 'Fullname'"),
        ("ownerid($select=fullname)".to_owned(), "400 0x0 Microsoft.Dynamics.CRM.principal"),
        ("primarycontactid($skip=1)".to_owned(), "400 0x0 '$skip'"),
        ("contact_customer_accounts($filter=lastname eq @p)".to_owned(), "400 0x80060888 alias"),
        ("primarycontactid($select=fullname".to_owned(), "400 0x0 Syntax error in $expand"),
        (
            "accountleads_association,primarycontactid($expand=owninguser)".to_owned(),
            "400 0x80060888 many-to-many",
        ),
    ];
    for (expand, expected) in expect {
        desk.check(&format!("GET accounts?$select=name&$expand={expand}"), expected);
    }
}

#[test]
fn navigation_is_read_as_a_resource() {
    let desk = desk();
    desk.check(
        &format!("GET accounts({A1})/primarycontactid?$select=fullname"),
        r#"200 {"fullname":"Ann King"}"#,
    );
    desk.check(
        &format!("GET accounts({A1})/primarycontactid/fullname"),
        r#"200 {"value":"Ann King"}"#,
    );
    desk.check(&format!("GET accounts({A1})/name/$value"), "200 Bike Store");
    desk.check(&format!("GET accounts({A2})/primarycontactid"), "204");
    desk.check(
        &format!("GET accounts({A1})/contact_customer_accounts?$select=lastname&$filter=lastname ne 'Ash'&$count=true"),
        r#"200 {"@odata.count":1,"value":[{"lastname":"King"}]}"#,
    );
    desk.check(&format!("GET accounts({A1})/contact_customer_accounts/$count"), "200 2");
    desk.check(
        &format!("GET accounts({A1})/primarycontactid/$ref"),
        &format!(r#"200 {{"@odata.id":"https://org.example/api/data/v9.2/contacts({C1})"}}"#),
    );
    desk.check(
        &format!("GET accounts({A1})/contact_customer_accounts/$ref"),
        r#"200 {"value":[{},{}]}"#,
    );
    let page = desk.send(&format!(
        "GET accounts({A1})/contact_customer_accounts?$select=lastname\nPrefer: odata.maxpagesize=1"
    ));
    let link = page.json()["@odata.nextLink"].as_str().unwrap().replace("https://org.example", "");
    desk.check(&format!("GET {link}"), r#"200 {"value":[{"lastname":"Ash"}]}"#);
    desk.check(&format!("GET accounts({A1})/nope"), "404 0x8006088a 'nope'");
    desk.check(&format!("GET accounts({A3})/primarycontactid"), "404 0x80040217");
}

#[test]
fn a_collection_holds_what_points_to_its_record_and_not_to_one_of_the_same_id() {
    let desk = desk();
    // A contact with the id of an account, and one that belongs to it.
    desk.check(&format!("PATCH contacts({A1})\n\n{{\"lastname\":\"Twin\"}}"), "204");
    desk.check(
        &format!("POST contacts\n\n{{\"lastname\":\"Child\",\"parentcustomerid_contact@odata.bind\":\"contacts({A1})\"}}"),
        "204",
    );
    desk.check(&format!("GET accounts({A1})/contact_customer_accounts/$count"), "200 2");
    desk.check(&format!("GET contacts({A1})/contact_customer_contacts/$count"), "200 1");
    let patched = desk.check(
        &format!("PATCH accounts({A1})?$select=name&$expand=primarycontactid\nPrefer: return=representation\n\n{{\"name\":\"B\"}}"),
        r#"200 {"name":"B"}"#,
    );
    assert!(patched.json().get("primarycontactid").is_none(), "{}", patched.text());
}

#[test]
fn references_of_collections_are_made_and_removed() {
    let desk = desk();
    let reference = |id: &str| {
        format!("{{\"@odata.id\":\"https://org.example/api/data/v9.2/contacts({id})\"}}")
    };
    let parent = |id: &str| -> Value {
        desk.send(&format!("GET contacts({id})")).json()["_parentcustomerid_value"].clone()
    };
    let path = format!("accounts({A2})/contact_customer_accounts");
    desk.check(&format!("POST {path}/$ref\n\n{}", reference(C2)), "204");
    assert_eq!(parent(C2), A2);
    desk.check(&format!("DELETE {path}({C1})/$ref"), "204");
    assert_eq!(parent(C1), A1, "it was not in that collection");
    desk.check(&format!("DELETE {path}({C2})/$ref"), "204");
    assert!(parent(C2).is_null());
    desk.check(
        &format!("POST {path}/$ref\n\n{{\"@odata.id\":\"accounts({A1})\"}}"),
        "400 0x80048d19",
    );
    desk.check(&format!("POST {path}/$ref\n\n{}", reference(A3)), "404 0x80040217");
    desk.check(&format!("DELETE {path}/$ref"), "400 0x0 $id");
}

#[test]
fn pairs_of_many_to_many_tables_are_made_once_and_go_with_their_records() {
    let desk = desk();
    desk.check(
        &format!("PATCH leads({L1})\n\n{{\"subject\":\"Fair\",\"lastname\":\"Ash\"}}"),
        "204",
    );
    let path = format!("accounts({A1})/accountleads_association");
    let body = format!("{{\"@odata.id\":\"leads({L1})\"}}");
    desk.check(&format!("POST {path}/$ref\n\n{body}"), "204");
    desk.check(
        &format!("POST {path}/$ref\n\n{body}"),
        "412 0x80040237 Cannot insert duplicate key",
    );
    desk.check(&format!("GET {path}?$select=subject"), r#"200 {"value":[{"subject":"Fair"}]}"#);
    desk.check(
        &format!("GET leads({L1})?$select=subject&$expand=accountleads_association($select=name)"),
        r#"200 {"accountleads_association":[{"name":"Bike Store"}]}"#,
    );
    desk.check(
        "GET accountleadscollection?$select=accountid,leadid",
        &format!(r#"200 {{"value":[{{"accountid":"{A1}","leadid":"{L1}"}}]}}"#),
    );
    desk.check("POST accountleadscollection\n\n{}", "405");
    desk.check(
        &format!("DELETE leads({L1})/accountleads_association/$ref?$id=accounts({A1})"),
        "204",
    );
    desk.check(&format!("GET {path}/$count"), "200 0");
    desk.check(&format!("POST {path}/$ref\n\n{body}"), "204");
    desk.check(&format!("DELETE leads({L1})"), "204");
    desk.check("GET accountleadscollection/$count", "200 0");
    // The relationship does not keep a record from being deleted.
    desk.check(
        "GET EntityDefinitions(LogicalName='account')/ManyToManyRelationships?$select=SchemaName,IntersectEntityName,Entity1LogicalName",
        r#"200 {"value":[{"SchemaName":"accountleads_association","IntersectEntityName":"accountleads","Entity1LogicalName":"lead"}]}"#,
    );
}

#[test]
fn many_to_many_tables_come_from_the_schema() {
    let desk = desk_with(
        "[tables.new_tag]\nprimary_name = \"new_name\"\nmany_to_many.new_tag_account = { with = \"account\" }\nmany_to_many.new_tag_tag = { with = \"new_tag\", with_navigation = \"new_tag_of\" }\n[tables.new_tag.columns]\nnew_name = { type = \"text\" }",
    );
    desk.check(&format!("PATCH new_tags({L1})\n\n{{\"new_name\":\"vip\"}}"), "204");
    desk.check(
        &format!(
            "POST accounts({A1})/new_tag_account/$ref\n\n{{\"@odata.id\":\"new_tags({L1})\"}}"
        ),
        "204",
    );
    desk.check(
        &format!("POST new_tags({L1})/new_tag_tag/$ref\n\n{{\"@odata.id\":\"new_tags({L1})\"}}"),
        "204",
    );
    desk.check(&format!("GET new_tags({L1})/new_tag_of/$count"), "200 1");
    desk.check(
        "GET accounts?$select=name&$filter=new_tag_account/any(t:t/new_name eq 'VIP')",
        r#"200 {"value":[{"name":"Bike Store"}]}"#,
    );
}

#[test]
fn deep_inserts_make_all_records_or_none() {
    let desk = desk();
    let made = desk.check(
        "POST accounts?$select=name&$expand=primarycontactid($select=lastname),Account_Tasks($select=subject)\nPrefer: return=representation\n\n{\"name\":\"Deep\",\"primarycontactid\":{\"lastname\":\"New\"},\"Account_Tasks\":[{\"subject\":\"One\"},{\"subject\":\"Two\"}]}",
        r#"201 {"name":"Deep","primarycontactid":{"lastname":"New"},"Account_Tasks":[{"subject":"One"},{"subject":"Two"}]}"#,
    );
    assert!(made.header("odata-entityid").is_none());
    let before = (desk.rows("accounts"), desk.rows("contacts"), desk.rows("tasks"));
    desk.check(
        "POST accounts\n\n{\"name\":\"Deep\",\"primarycontactid\":{\"lastname\":\"New\"},\"Account_Tasks\":[{\"subject\":\"One\",\"prioritycode\":9}]}",
        "400 0x8004431a",
    );
    desk.check(
        "POST accounts\n\n{\"name\":\"Deep\",\"Account_Tasks\":[{\"Subject\":\"One\"}]}",
        "400 0x0 Invalid property 'Subject'",
    );
    assert_eq!(before, (desk.rows("accounts"), desk.rows("contacts"), desk.rows("tasks")));
    desk.check(
        &format!("POST accounts\n\n{{\"name\":\"Bound\",\"contact_customer_accounts@odata.bind\":[\"contacts({C2})\"]}}"),
        "204",
    );
    desk.check(
        "GET accounts?$select=name&$filter=contact_customer_accounts/any(c:c/lastname eq 'Ash')",
        r#"200 {"value":[{"name":"Bound"}]}"#,
    );
    let deep = "{\"name\":\"x\",\"parentaccountid\":".repeat(40) + "null" + &"}".repeat(40);
    desk.check(&format!("POST accounts\n\n{deep}"), "400 0x80048d19 nested too deeply");
}

#[test]
fn all_of_an_empty_collection_is_a_setting() {
    let filter =
        "GET accounts?$select=name&$filter=contact_customer_accounts/all(c:c/statecode eq 0)";
    desk().check(filter, r#"200 {"value":[{"name":"Bike Store"},{"name":"Road World"}]}"#);
    let strict = desk_with("[behavior]\nall_of_nothing = false\n");
    strict.check(filter, r#"200 {"value":[{"name":"Bike Store"}]}"#);
}

#[test]
fn filters_reach_through_lookups_and_over_collections() {
    let desk = desk();
    let expect: &[(&str, &[&str])] = &[
        ("primarycontactid/lastname eq 'king'", &["Bike Store"]),
        ("contains(primarycontactid/lastname,'in')", &["Bike Store"]),
        ("primarycontactid/lastname eq null", &["Road World"]),
        ("primarycontactid/owninguser/fullname eq 'emulator'", &["Bike Store"]),
        ("primarycontactid/contactid eq cccccccc-0000-4000-8000-000000000001", &["Bike Store"]),
        ("contact_customer_accounts/any()", &["Bike Store"]),
        ("not contact_customer_accounts/any()", &["Road World"]),
        ("contact_customer_accounts/any(c:c/jobtitle eq 'chief')", &["Bike Store"]),
        ("contact_customer_accounts/any(c:c/jobtitle eq 'nobody')", &[]),
        ("contact_customer_accounts/all(c:c/jobtitle eq 'chief')", &["Road World"]),
        ("contact_customer_accounts/all(c:c/jobtitle ne null)", &["Bike Store", "Road World"]),
        (
            "contact_customer_accounts/any(c:contains(c/lastname,'sh') and c/statecode eq 0) and startswith(name,'b')",
            &["Bike Store"],
        ),
        (
            "contact_customer_accounts/any(c:c/account_primary_contact/any(a:a/name eq 'Bike Store'))",
            &["Bike Store"],
        ),
        (
            "contact_customer_accounts/any(c:c/Microsoft.Dynamics.CRM.In(PropertyName='lastname',PropertyValues=['Ash']))",
            &["Bike Store"],
        ),
    ];
    for (filter, expected) in expect {
        let answer = desk.send(&format!("GET accounts?$select=name&$filter={filter}"));
        assert_eq!(answer.status(), 200, "{filter}: {}", answer.text());
        let rows = answer.json()["value"].as_array().unwrap().clone();
        let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names, *expected, "{filter}");
    }
    for (filter, expected) in [
        ("primarycontactid/nope eq 1", "400 0x0 'nope' on type 'Microsoft.Dynamics.CRM.contact'"),
        ("nope/any(c:c/x eq 1)", "400 0x0 'nope'"),
        ("contact_customer_accounts/any(c:d/x eq 1)", "400 0x80060888 does not begin with 'c/'"),
        ("contact_customer_accounts/all()", "400 0x80060888"),
        (
            "primarycontactid/account_primary_contact/any(a:a/name eq 'x')",
            "400 0x0 within a lookup",
        ),
        ("ownerid/fullname eq 'x'", "400 0x0 principal"),
    ] {
        desk.check(&format!("GET accounts?$filter={filter}"), expected);
    }
}

#[test]
fn paths_without_end_are_refused() {
    let desk = desk();
    let way = "parentcustomerid_contact/".repeat(900);
    desk.check(&format!("GET contacts({C1})/{way}lastname"), "404 0x8006088a");
    desk.check(
        &format!("GET contacts?$filter={way}lastname eq 'x'"),
        "400 0x0 more than 10 lookups",
    );
    desk.check(&format!("GET contacts?$apply=groupby(({way}lastname))"), "200");
    let expand = "$expand=parentcustomerid_contact(".repeat(400) + &")".repeat(400);
    desk.check(&format!("GET contacts?{expand}"), "400");
    let lambda = "a:a/contact_customer_contacts/any(".repeat(400);
    desk.check(&format!("GET contacts?$filter=contact_customer_contacts/any({lambda}"), "400");
}
