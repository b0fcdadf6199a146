use crate::desk::{A1, Desk, T1, U1};

const STATES: &str = r#"
[tables.new_case]
enforce_transitions = true
states = [
    { value = 0, label = "Open", statuses = { 1 = "New", 2 = "Waiting" } },
    { value = 1, label = "Closed", statuses = { 5 = "Done", 6 = "Void" }, default_status = 6 },
]
transitions = { 1 = [2, 5], 2 = [6], 5 = [1] }
"#;

#[track_caller]
fn patch(desk: &Desk, set: &str, members: &str, expect: &str) {
    desk.check(&format!("PATCH {set}({A1})\n\n{{{members}}}"), expect);
}

#[track_caller]
fn pair(desk: &Desk, set: &str, state: i32, status: i32) {
    desk.check(
        &format!("GET {set}({A1})?$select=statecode,statuscode"),
        &format!("200 {{\"statecode\":{state},\"statuscode\":{status}}}"),
    );
}

#[test]
fn state_and_status_change_as_a_pair() {
    let desk = Desk::new();
    patch(&desk, "accounts", "", "204");
    pair(&desk, "accounts", 0, 1);
    patch(
        &desk,
        "accounts",
        "\"statuscode\":2",
        "400 0x80048408 2 is not a valid status code for state code AccountState.Active",
    );
    patch(&desk, "accounts", "\"statecode\":1,\"statuscode\":1", "400 0x80048408");
    patch(&desk, "accounts", "\"statuscode\":99", "400 0x80048408");
    patch(&desk, "accounts", "\"statecode\":9", "400 0x8004431a Accepted Values: 0,1");
    patch(&desk, "accounts", "\"statecode\":null", "400 0x80040203");
    patch(&desk, "accounts", "\"statecode\":\"Active\"", "400 0x80048d19");
    pair(&desk, "accounts", 0, 1);
    patch(&desk, "accounts", "\"statecode\":1", "204");
    pair(&desk, "accounts", 1, 2);
    patch(&desk, "accounts", "\"name\":\"still inactive\"", "204");
    pair(&desk, "accounts", 1, 2);
    patch(&desk, "accounts", "\"statuscode\":2", "204");
    patch(&desk, "accounts", "\"statecode\":0,\"statuscode\":1,\"name\":\"back\"", "204");
    pair(&desk, "accounts", 0, 1);
}

#[test]
fn a_create_begins_active_unless_the_table_lets_it() {
    let create = |policy: &str, members: &str, expect: &str, found: Option<(i32, i32)>| {
        let desk = Desk::with(&format!("[tables.account]\n{policy}"));
        patch(&desk, "accounts", members, expect);
        if let Some((state, status)) = found {
            pair(&desk, "accounts", state, status);
        }
    };
    create("", "\"statecode\":1", "204", Some((0, 1)));
    create(
        "",
        "\"statecode\":1,\"statuscode\":2",
        "400 0x80048408 2 is not a valid status code",
        None,
    );
    let accept = "state_on_create = \"accept\"";
    create(accept, "\"statecode\":1,\"statuscode\":2", "204", Some((1, 2)));
    create(accept, "\"statecode\":1", "204", Some((1, 2)));
    create(accept, "\"statecode\":1,\"statuscode\":1", "400 0x80048408", None);
    let refuse = "state_on_create = \"refuse\"";
    create(refuse, "\"statecode\":1", "400 0x80048408", None);
    create(refuse, "\"statecode\":0,\"statuscode\":1", "204", Some((0, 1)));
}

#[test]
fn only_transitions_that_change_the_state_are_enforced() {
    let desk = Desk::with(STATES);
    patch(&desk, "new_cases", "", "204");
    patch(
        &desk,
        "new_cases",
        "\"statecode\":1,\"statuscode\":6",
        "400 0x8004f00e from status 1 to status 6",
    );
    patch(&desk, "new_cases", "\"statecode\":1", "400 0x8004f00e");
    patch(&desk, "new_cases", "\"statecode\":1,\"statuscode\":5", "204");
    patch(&desk, "new_cases", "\"statuscode\":6", "204");
    patch(&desk, "new_cases", "\"statecode\":0,\"statuscode\":1", "400 0x8004f00e");
    let free = Desk::with(&STATES.replace("enforce_transitions = true", ""));
    patch(&free, "new_cases", "", "204");
    patch(&free, "new_cases", "\"statecode\":1,\"statuscode\":6", "204");
    patch(&free, "new_cases", "\"statecode\":0,\"statuscode\":1", "204");
}

#[test]
fn owners_are_checked() {
    let desk = Desk::new();
    let own = |bind: &str, expect: &str| {
        patch(&desk, "accounts", &format!("\"ownerid@odata.bind\":{bind}"), expect);
    };
    let user = |members: &str| {
        desk.check(&format!("PATCH systemusers({U1})\n\n{{{members}}}"), "204");
    };
    own(&format!("\"/systemusers({U1})\""), "404 0x80040217 systemuser With Id");
    own(&format!("\"/teams({T1})\""), "404 0x80040217 team With Id");
    own(&format!("\"/accounts({A1})\""), "400 0x80048d19");
    desk.check("GET accounts/$count", "200 0");
    user("\"fullname\":\"Jae\"");
    own(&format!("\"/systemusers({U1})\""), "204");
    own("null", "400 0x80040215");
    user("\"isdisabled\":true");
    own(&format!("\"/systemusers({U1})\""), "403 0x80041d1f");
    patch(&desk, "accounts", "\"name\":\"others may change\"", "204");
    let all = "\nPrefer: odata.include-annotations=\"*\"";
    let row = desk.send(&format!("GET accounts({A1}){all}")).json();
    assert_eq!(row["_ownerid_value"], U1);
    assert_eq!(row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "systemuser");
    assert_eq!(row["_owninguser_value"], U1);
}

#[test]
fn access_teams_never_own_and_other_teams_do() {
    for (team_type, expect) in [(0, "204"), (1, "400 0x80048340"), (2, "204"), (3, "204")] {
        let desk = Desk::new();
        desk.check(
            &format!("PATCH teams({T1})\n\n{{\"name\":\"T\",\"teamtype\":{team_type}}}"),
            "204",
        );
        patch(&desk, "accounts", &format!("\"ownerid@odata.bind\":\"/teams({T1})\""), expect);
        if expect == "204" {
            let row = desk.send(&format!("GET accounts({A1})")).json();
            assert_eq!(
                (&row["_owningteam_value"], &row["_owninguser_value"]),
                (&T1.into(), &().into())
            );
        }
    }
}

#[test]
fn disabled_owners_are_a_setting() {
    let desk = Desk::with("[behavior]\ndisabled_owner = \"accept\"");
    desk.check(&format!("PATCH systemusers({U1})\n\n{{\"isdisabled\":true}}"), "204");
    patch(&desk, "accounts", &format!("\"ownerid@odata.bind\":\"/systemusers({U1})\""), "204");
}

#[test]
fn tables_of_the_organization_have_no_owner() {
    let desk = Desk::with("[tables.new_rate]\nownership = \"organization\"");
    desk.check(
        &format!("POST new_rates\n\n{{\"ownerid@odata.bind\":\"/systemusers({U1})\"}}"),
        "400 0x80048d19 undeclared property 'ownerid'",
    );
    desk.check("POST new_rates\n\n{}", "204");
    desk.check("GET new_rates?$select=_ownerid_value", "400 0x0");
}
