use crate::desk::{A1, A2, A3, C1, Desk, T1};

fn desk() -> Desk {
    let desk = Desk::contracts("");
    desk.check(
        &format!("PATCH accounts({A1})\n\n{{\"name\":\"One\",\"accountnumber\":\"N1\"}}"),
        "204",
    );
    desk.check(&format!("PATCH accounts({A2})\n\n{{\"name\":\"Two\"}}"), "204");
    desk.check(&format!("PATCH contacts({C1})\n\n{{\"lastname\":\"King\"}}"), "204");
    desk
}

#[test]
fn a_lookup_is_bound_by_id_or_alternate_key() {
    let desk = desk();
    let patch =
        |value: &str| format!("PATCH accounts({A2})\n\n{{\"parentaccountid@odata.bind\":{value}}}");
    let parent = |expect: &str| {
        desk.check(
            &format!("GET accounts({A2})?$select=_parentaccountid_value"),
            &format!("200 {{\"_parentaccountid_value\":{expect}}}"),
        );
    };
    for bind in [
        format!("/accounts({A1})"),
        format!("accounts({A1})"),
        format!("https://org.example/api/data/v9.2/accounts({A1})"),
        "accounts(accountnumber='N1')".to_owned(),
        "/accounts(accountnumber='n1')".to_owned(),
        format!("/accounts({})", A1.to_uppercase()),
    ] {
        desk.check(&patch(&format!("\"{bind}\"")), "204");
        parent(&format!("\"{A1}\""));
        desk.check(&patch("null"), "204");
        parent("null");
    }
    desk.check(&patch(&format!("\"/accounts({A3})\"")), "404 0x80040217 account With Id");
    desk.check(&patch("\"/accounts(accountnumber='N9')\""), "404 0x80060891");
    desk.check(&patch(&format!("\"/contacts({C1})\"")), "400 0x80048d19 not a target");
    desk.check(&patch("\"/accounts\""), "400 0x80048d19 Invalid URI");
    desk.check(&patch("\"/Accounts(1)\""), "404 0x8006088a");
    desk.check(&patch("5"), "400 0x80048d19");
}

#[test]
fn a_lookup_is_not_written_as_a_value() {
    let desk = desk();
    for member in [
        format!("\"parentaccountid\":\"{A1}\""),
        format!("\"_parentaccountid_value\":\"{A1}\""),
        "\"_parentaccountid_value\":null".to_owned(),
    ] {
        desk.check(
            &format!("PATCH accounts({A2})\n\n{{{member}}}"),
            "400 0x80060888 Entity Reference",
        );
    }
    desk.check(&format!("PATCH accounts({A2})\n\n{{\"parentaccountid\":null}}"), "204");
    desk.check(
        &format!("PATCH accounts({A2})\n\n{{\"primarycontactid\":{{\"lastname\":\"New\"}}}}"),
        "400 0x80048d19 not by an update",
    );
}

#[test]
fn a_navigation_property_must_be_spelt_as_declared() {
    let desk = desk();
    let patch = |name: &str, target: &str| {
        format!("PATCH contacts({C1})\n\n{{\"{name}@odata.bind\":\"{target}\"}}")
    };
    let account = format!("/accounts({A1})");
    desk.check(&patch("parentcustomerid_account", &account), "204");
    desk.check(
        &patch("parentcustomerid", &account),
        "400 0x80048d19 undeclared property 'parentcustomerid'",
    );
    desk.check(&patch("ParentCustomerId_account", &account), "400 0x80048d19 undeclared");
    desk.check(&patch("parentcustomerid_contact", &account), "400 0x80048d19");
    desk.check(
        &format!("POST new_contracts\n\n{{\"new_name\":\"N\",\"new_customerid@odata.bind\":\"{account}\"}}"),
        "400 0x80048d19",
    );
}

#[test]
fn setting_one_side_of_a_polymorphic_lookup_replaces_the_other() {
    let desk = desk();
    let patch = |members: &str| {
        desk.check(&format!("PATCH contacts({C1})\n\n{{{members}}}"), "204");
        desk.send(&format!(
            "GET contacts({C1})?$select=_parentcustomerid_value\nPrefer: odata.include-annotations=\"*\""
        ))
        .json()
    };
    let row = patch(&format!("\"parentcustomerid_account@odata.bind\":\"/accounts({A1})\""));
    assert_eq!(row["_parentcustomerid_value"], A1);
    assert_eq!(row["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "account");
    assert_eq!(row["_parentcustomerid_value@OData.Community.Display.V1.FormattedValue"], "One");
    let row = patch(&format!("\"parentcustomerid_contact@odata.bind\":\"/contacts({C1})\""));
    assert_eq!(row["_parentcustomerid_value"], C1);
    assert_eq!(
        row["_parentcustomerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"],
        "parentcustomerid_contact"
    );
    let row = patch("\"parentcustomerid_account@odata.bind\":null");
    assert_eq!(row["_parentcustomerid_value"], C1);
    let row = patch("\"parentcustomerid_contact\":null");
    assert!(row["_parentcustomerid_value"].is_null());
}

#[test]
fn references_are_put_and_deleted() {
    let desk = desk();
    let path = format!("accounts({A1})/primarycontactid/$ref");
    let body = format!("{{\"@odata.id\":\"https://org.example/api/data/v9.2/contacts({C1})\"}}");
    desk.check(&format!("PUT {path}\n\n{body}"), "204");
    desk.check(
        &format!("GET accounts({A1})"),
        &format!("200 {{\"_primarycontactid_value\":\"{C1}\"}}"),
    );
    desk.check(&format!("DELETE {path}"), "204");
    desk.check(&format!("GET accounts({A1})"), "200 {\"_primarycontactid_value\":null}");
    desk.check(&format!("PUT {path}\n\n{{}}"), "400 0x80048d19");
    desk.check(&format!("DELETE accounts({A1})/primarycontactid"), "405");
    desk.check(&format!("DELETE accounts({A1})/_primarycontactid_value"), "400 0x80060888");
}

#[test]
fn deleting_clears_the_lookups_that_pointed_there() {
    let desk = desk();
    desk.check(
        &format!("PATCH contacts({C1})\n\n{{\"parentcustomerid_account@odata.bind\":\"/accounts({A1})\"}}"),
        "204",
    );
    desk.check(&format!("DELETE accounts({A1})"), "204");
    desk.check(&format!("GET contacts({C1})"), "200 {\"_parentcustomerid_value\":null}");
}

#[test]
fn deleting_is_refused_or_goes_on_where_the_lookup_says_so() {
    for (on_delete, deleted, left) in
        [("restrict", "405 0x80040227 associated", 1), ("cascade", "204", 0)]
    {
        let desk = Desk::with(&format!(
            "[tables.new_part.columns]\nnew_whole = {{ type = \"lookup\", targets = [\"account\"], on_delete = \"{on_delete}\" }}"
        ));
        desk.check(&format!("PATCH accounts({A1})\n\n{{}}"), "204");
        desk.check(
            &format!("POST new_parts\n\n{{\"new_whole@odata.bind\":\"accounts({A1})\"}}"),
            "204",
        );
        desk.check(&format!("DELETE accounts({A1})"), deleted);
        desk.check("GET new_parts/$count", &format!("200 {left}"));
        desk.check("GET accounts/$count", &format!("200 {left}"));
    }
}

#[test]
fn what_owns_records_cannot_be_deleted() {
    let desk = desk();
    desk.check(&format!("PATCH teams({T1})\n\n{{\"name\":\"T\"}}"), "204");
    desk.check(
        &format!("PATCH accounts({A1})\n\n{{\"ownerid@odata.bind\":\"/teams({T1})\"}}"),
        "204",
    );
    desk.check(&format!("DELETE teams({T1})"), "405 0x80040227");
}
