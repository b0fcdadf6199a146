use crate::desk::{A1, A2, C1, Desk, T1, U1, targets};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.check(&format!("PATCH contacts({C1})\n\n{{\"lastname\":\"King\"}}"), "204");
    let bind = format!("\"primarycontactid@odata.bind\":\"contacts({C1})\"");
    let body = targets(
        "account",
        &[
            &format!(
                "{{\"name\":\"A\",\"revenue\":100.5,\"numberofemployees\":10,\"industrycode\":1,\"address1_city\":\"Ulm\",{bind}}}"
            ),
            "{\"name\":\"B\",\"revenue\":50,\"numberofemployees\":5,\"industrycode\":1,\"address1_city\":\"ulm\"}",
            "{\"name\":\"C\",\"numberofemployees\":20,\"industrycode\":2,\"address1_latitude\":2.5}",
            "{\"name\":\"D\"}",
        ],
    );
    desk.check(&format!("POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{body}"), "200");
    desk
}

#[test]
fn rows_are_counted_summed_and_grouped() {
    let desk = desk();
    let expect = [
        ("aggregate($count as n)", r#"[{"n":4}]"#),
        ("aggregate(revenue with sum as total)", r#"[{"total":150.5}]"#),
        ("aggregate(revenue with average as mean)", r#"[{"mean":75.25}]"#),
        (
            "aggregate(numberofemployees with min as low,numberofemployees with max as high)",
            r#"[{"low":5,"high":20}]"#,
        ),
        ("aggregate(numberofemployees with average as mean)", r#"[{"mean":11}]"#),
        ("aggregate(address1_city with countdistinct as cities)", r#"[{"cities":1}]"#),
        ("aggregate(address1_latitude with sum as total)", r#"[{"total":2.5}]"#),
        ("aggregate(createdon with max as last)", r#"[{"last":"2030-03-17T17:46:40Z"}]"#),
        ("groupby((industrycode))", r#"[{},{"industrycode":1},{"industrycode":2}]"#),
        (
            "groupby((industrycode),aggregate($count as n,revenue with sum as total))",
            r#"[{"n":1,"total":null},{"industrycode":1,"n":2,"total":150.5},{"industrycode":2,"n":1,"total":null}]"#,
        ),
        (
            "filter(numberofemployees gt 5)/groupby((primarycontactid/fullname),aggregate($count as n))",
            r#"[{"n":1},{"contact_fullname":"King","n":1}]"#,
        ),
        ("filter(name eq 'none')/aggregate($count as n)", r#"[{"n":0}]"#),
        ("filter(name eq 'none')/groupby((industrycode))", "[]"),
    ];
    for (apply, rows) in expect {
        desk.check(&format!("GET accounts?$apply={apply}"), &format!("200 {{\"value\":{rows}}}"));
    }
    let text = desk
        .send("GET accounts?$apply=groupby((industrycode),aggregate(revenue with sum as total))&$filter=industrycode eq 1\nPrefer: odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\"")
        .text()
        .to_owned();
    assert!(
        text.contains("{\"industrycode@OData.Community.Display.V1.FormattedValue\":\"Accounting\",\"industrycode\":1,\"total@OData.Community.Display.V1.FormattedValue\":\"$150.50\",\"total\":150.500000000}"),
        "{text}"
    );
    desk.check(
        "GET accounts?$apply=groupby((industrycode))&$orderby=industrycode desc&$top=1",
        r#"200 {"value":[{"industrycode":2}]}"#,
    );
}

#[test]
fn aggregates_that_the_service_refuses_are_refused() {
    let desk = desk();
    let expect = [
        ("groupby((createdon))", "400 0x0 groupby with the date"),
        ("aggregate(name with sum as x)", "400 0x0 cannot be aggregated"),
        ("aggregate(nope with sum as x)", "400 0x0 'nope'"),
        ("aggregate(revenue with median as x)", "400 0x80060888 Syntax"),
        ("aggregate(revenue", "400 0x80060888 Syntax"),
        ("concat(x)", "400 0x80060888 Syntax"),
        ("groupby(industrycode)", "400 0x80060888 Syntax"),
        ("aggregate($count as n)/aggregate($count as m)", "501"),
        (
            "groupby((industrycode),aggregate($count as n))&$orderby=n",
            "400 0x80060888 The query node SingleValueOpenPropertyAccess is not supported",
        ),
    ];
    for (apply, expected) in expect {
        desk.check(&format!("GET accounts?$apply={apply}"), expected);
    }
}

#[test]
fn an_aggregate_looks_at_50000_rows_at_most() {
    let desk = Desk::new();
    let records = vec!["{\"subject\":\"x\"}"; 12_501];
    let body = targets("lead", &records);
    for _ in 0..4 {
        desk.check(&format!("POST leads/Microsoft.Dynamics.CRM.CreateMultiple\n\n{body}"), "200");
    }
    desk.check("GET leads?$apply=aggregate($count as n)", "400 0x8004E023 maximum record limit");
    desk.check("GET leads?$apply=filter(subject eq 'y')/aggregate($count as n)", "200");
    desk.check(
        "PATCH /emulator/behavior\n\n{\"codes\":{\"aggregate_limit\":{\"code\":\"0x8004e024\"}}}",
        "204",
    );
    desk.check("GET leads?$apply=aggregate($count as n)", "400 0x8004e024 maximum record limit");
}

#[test]
fn query_functions_choose_rows() {
    let desk = Desk::contracts("");
    // 2030-03-17T17:46:40Z, a Sunday.
    for (name, days, tags) in [("old", 0, "1,4"), ("mid", 20, "9"), ("new", 30, "")] {
        desk.later(days * 86_400);
        let tags = if tags.is_empty() { "null".to_owned() } else { format!("\"{tags}\"") };
        desk.check(&format!("POST new_contracts\n\n{{\"new_name\":\"{name}\",\"new_tags\":{tags},\"new_startson\":\"2030-05-06\",\"new_seq\":{days}}}"), "204");
    }
    let function = |name: &str, rest: &str| {
        let filter = format!("Microsoft.Dynamics.CRM.{name}({rest})");
        let answer = desk.send(&format!("GET new_contracts?$select=new_name&$filter={filter}"));
        assert_eq!(answer.status(), 200, "{filter}: {}", answer.text());
        let rows = answer.json()["value"].as_array().unwrap().clone();
        let names: Vec<&str> = rows.iter().map(|row| row["new_name"].as_str().unwrap()).collect();
        names.join(" ")
    };
    let on = |name: &str, rest: &str| function(name, &format!("PropertyName='createdon'{rest}"));
    let expect = [
        ("Today", "", "new"),
        ("Yesterday", "", ""),
        ("LastXDays", ",PropertyValue=40", "mid new"),
        ("LastXDays", ",PropertyValue='1'", "new"),
        ("OlderThanXDays", ",PropertyValue=40", "old"),
        ("ThisYear", "", "old mid new"),
        ("LastMonth", "", "mid"),
        ("On", ",PropertyValue='2030-03-17'", "old"),
        ("OnOrAfter", ",PropertyValue='2030-04-06'", "mid new"),
        ("OnOrBefore", ",PropertyValue='2030-04-06'", "old mid"),
        ("Last7Days", "", "new"),
        ("NextXWeeks", ",PropertyValue=1", "new"),
    ];
    for (name, rest, expected) in expect {
        assert_eq!(on(name, rest), expected, "{name}{rest}");
    }
    assert_eq!(
        function("On", "PropertyName='new_startson',PropertyValue='2030-05-06'"),
        "old mid new"
    );
    let tags = |name: &str, values: &str| {
        function(name, &format!("PropertyName='new_tags',PropertyValues=[{values}]"))
    };
    assert_eq!(tags("ContainValues", "'4','9'"), "old mid");
    assert_eq!(tags("DoesNotContainValues", "'4'"), "mid new");
    let seq = "PropertyName='new_seq',PropertyValues=['10','25']";
    assert_eq!(function("NotBetween", seq), "old new");
    assert_eq!(function("EqualUserId", "PropertyName='ownerid'"), "old mid new");
    assert_eq!(function("NotEqualUserId", "PropertyName='ownerid'"), "");
    assert_eq!(function("EqualBusinessId", "PropertyName='owningbusinessunit'"), "old mid new");
    for (filter, expected) in [
        ("ThisFiscalYear(PropertyName='createdon')", "501"),
        ("Under(PropertyName='new_contractid',PropertyValue='x')", "400 0x0 the id of a record"),
        (
            "Under(PropertyName='new_contractid',PropertyValue=aaaaaaaa-0000-4000-8000-000000000001)",
            "400 0x0 'new_contractid' of 'new_contract' is none",
        ),
        ("Today(PropertyName='new_name')", "400 0x0 is for dates"),
        ("On(PropertyName='createdon',PropertyValue='soon')", "400 0x0 'soon' is none"),
        ("ContainValues(PropertyName='new_phase',PropertyValues=['1'])", "400 0x0 several choices"),
        ("Between(PropertyName='new_seq',PropertyValues=['1'])", "400 0x0 two PropertyValues"),
    ] {
        desk.check(&format!("GET new_contracts?$filter=Microsoft.Dynamics.CRM.{filter}"), expected);
    }
}

#[test]
fn columns_of_one_row_compare() {
    let desk = Desk::new();
    for (first, last) in [("Ann", "ann"), ("Bo", "Ash"), ("", "King")] {
        desk.check(
            &format!("POST contacts\n\n{{\"firstname\":\"{first}\",\"lastname\":\"{last}\"}}"),
            "204",
        );
    }
    desk.check(
        "GET contacts?$select=lastname&$filter=firstname eq lastname",
        r#"200 {"value":[{"lastname":"ann"}]}"#,
    );
    desk.check("GET contacts?$filter=firstname eq numberofchildren", "400 0x0 incompatible types");
}

#[test]
fn records_are_found_by_their_place_in_a_hierarchy() {
    let desk = Desk::new();
    let id = |n: usize| format!("{}{n}", &A1[..35]);
    // 1 above 2 and 3, 2 above 4; 5 alone.
    for (n, parent) in [(1, 0), (2, 1), (3, 1), (4, 2), (5, 0)] {
        let bind = match parent {
            0 => String::new(),
            parent => format!(",\"parentaccountid@odata.bind\":\"accounts({})\"", id(parent)),
        };
        desk.check(&format!("PATCH accounts({})\n\n{{\"name\":\"{n}\"{bind}}}", id(n)), "204");
    }
    let shown = |query: String| {
        let answer = desk.check(&format!("GET accounts?{query}"), "200");
        let rows = answer.json()["value"].as_array().unwrap().clone();
        let names: Vec<String> =
            rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
        names.join(" ")
    };
    for (function, operator, of, expect) in [
        ("Under", "under", 1, "2 3 4"),
        ("UnderOrEqual", "eq-or-under", 2, "2 4"),
        ("NotUnder", "not-under", 1, "1 5"),
        ("Above", "above", 4, "1 2"),
        ("AboveOrEqual", "eq-or-above", 4, "1 2 4"),
        ("Above", "above", 5, ""),
    ] {
        let of = id(of);
        assert_eq!(
            shown(format!(
                "$select=name&$filter=Microsoft.Dynamics.CRM.{function}(PropertyName='accountid',PropertyValue='{of}')"
            )),
            expect,
            "{function}"
        );
        let xml = format!(
            "<fetch><entity name='account'><attribute name='name'/><filter><condition attribute='accountid' operator='{operator}' value='{{{of}}}'/></filter></entity></fetch>"
        );
        assert_eq!(
            shown(format!("fetchXml={xml}").replace('{', "%7B").replace('}', "%7D")),
            expect,
            "{operator}"
        );
    }
    // A ring has an end.
    desk.check(
        &format!(
            "PATCH accounts({})\n\n{{\"parentaccountid@odata.bind\":\"accounts({})\"}}",
            id(1),
            id(4)
        ),
        "204",
    );
    assert_eq!(
        shown(format!(
            "$select=name&$filter=Microsoft.Dynamics.CRM.Under(PropertyName='accountid',PropertyValue={})",
            id(1)
        )),
        "2 3 4"
    );
    desk.check(
        "GET RelationshipDefinitions(SchemaName='account_parent_account')?$select=IsHierarchical",
        r#"200 {"IsHierarchical":true}"#,
    );
}

#[test]
fn records_are_found_by_the_users_teams_and_reports() {
    let desk = Desk::new();
    let me = desk.send("GET WhoAmI").json()["UserId"].as_str().unwrap().to_owned();
    desk.check(&format!("PATCH systemusers({U1})\n\n{{\"fullname\":\"Jae\",\"parentsystemuserid@odata.bind\":\"systemusers({me})\"}}"), "204");
    for (team, user) in [(T1, &*me), (A2, U1)] {
        desk.check(&format!("PATCH teams({team})\n\n{{\"name\":\"T\"}}"), "204");
        desk.check(&format!("POST teams({team})/teammembership_association/$ref\n\n{{\"@odata.id\":\"systemusers({user})\"}}"), "204");
    }
    for (name, owner) in [
        ("mine", format!("systemusers({me})")),
        ("team", format!("teams({T1})")),
        ("report", format!("systemusers({U1})")),
        ("their", format!("teams({A2})")),
    ] {
        desk.check(
            &format!(
                "POST accounts\n\n{{\"name\":\"{name}\",\"ownerid@odata.bind\":\"/{owner}\"}}"
            ),
            "204",
        );
    }
    for (function, expect) in [
        ("EqualUserTeams", "team"),
        ("EqualUserOrUserTeams", "mine team"),
        ("EqualUserOrUserHierarchy", "mine report"),
        ("EqualUserOrUserHierarchyAndTeams", "mine team report their"),
    ] {
        let query = format!(
            "accounts?$select=name&$filter=Microsoft.Dynamics.CRM.{function}(PropertyName='ownerid')"
        );
        let rows =
            desk.check(&format!("GET {query}"), "200").json()["value"].as_array().unwrap().clone();
        let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names.join(" "), expect, "{function}");
    }
}
