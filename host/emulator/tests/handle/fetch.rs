use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::desk::{A1, A2, A3, Answer, C1, Desk, targets};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.check(
        &format!("PATCH contacts({C1})\n\n{{\"firstname\":\"Ann\",\"lastname\":\"King\"}}"),
        "204",
    );
    let body = targets(
        "account",
        &[
            &format!(
                "{{\"accountid\":\"{A1}\",\"name\":\"Bike Store\",\"revenue\":100.5,\"numberofemployees\":10,\"industrycode\":1,\"primarycontactid@odata.bind\":\"contacts({C1})\"}}"
            ),
            &format!(
                "{{\"accountid\":\"{A2}\",\"name\":\"Road World\",\"revenue\":50,\"numberofemployees\":20,\"industrycode\":1,\"lastusedincampaign\":\"2024-05-01T10:00:00Z\"}}"
            ),
            &format!("{{\"accountid\":\"{A3}\",\"name\":\"Alps\"}}"),
        ],
    );
    desk.check(&format!("POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{body}"), "200");
    for last in ["Ash", "Birch"] {
        desk.check(
            &format!("POST contacts\n\n{{\"lastname\":\"{last}\",\"parentcustomerid_account@odata.bind\":\"accounts({A1})\"}}"),
            "204",
        );
    }
    desk
}

fn fetch(desk: &Desk, xml: &str, headers: &str) -> Answer {
    let xml = utf8_percent_encode(xml, NON_ALPHANUMERIC);
    desk.send(&format!("GET accounts?fetchXml={xml}{headers}"))
}

/// Names of the accounts that a filter's inside finds.
fn found(desk: &Desk, inside: &str) -> Vec<String> {
    let xml =
        format!("<fetch><entity name='account'><attribute name='name'/>{inside}</entity></fetch>");
    let answer = fetch(desk, &xml, "");
    assert_eq!(answer.status(), 200, "{inside}: {}", answer.text());
    let rows = answer.json()["value"].as_array().unwrap().clone();
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn conditions_choose_rows() {
    let desk = desk();
    let (b, r, a) = ("Bike Store", "Road World", "Alps");
    let one = |condition: &str| found(&desk, &format!("<filter><condition {condition}/></filter>"));
    let expect: &[(&str, &[&str])] = &[
        ("attribute='name' operator='eq' value='bike store'", &[b]),
        ("attribute='name' operator='ne' value='Alps'", &[b, r]),
        ("attribute='name' operator='like' value='%o%'", &[b, r]),
        ("attribute='name' operator='like' value='road%'", &[r]),
        ("attribute='name' operator='like' value='oad'", &[]),
        ("attribute='name' operator='not-like' value='%o%'", &[a]),
        ("attribute='name' operator='begins-with' value='bi'", &[b]),
        ("attribute='name' operator='ends-with' value='LD'", &[r]),
        ("attribute='numberofemployees' operator='gt' value='10'", &[r]),
        ("attribute='numberofemployees' operator='null'", &[a]),
        ("attribute='numberofemployees' operator='not-null'", &[b, r]),
        ("attribute='revenue' operator='le' value='50.00'", &[r]),
        (
            "attribute='primarycontactid' operator='eq' value='{CCCCCCCC-0000-4000-8000-000000000001}'",
            &[b],
        ),
        ("attribute='createdon' operator='today'", &[b, r, a]),
        ("attribute='lastusedincampaign' operator='on' value='2024-05-01'", &[r]),
        ("attribute='lastusedincampaign' operator='last-x-years' value='10'", &[r]),
        ("attribute='ownerid' operator='eq-userid'", &[b, r, a]),
        ("attribute='ownerid' operator='ne-userid'", &[]),
        ("attribute='revenue' operator='gt' valueof='creditlimit'", &[]),
    ];
    for (condition, names) in expect {
        assert_eq!(one(condition), *names, "{condition}");
    }
    assert_eq!(
        found(
            &desk,
            "<filter><condition attribute='name' operator='in'><value>alps</value><value>Road World</value></condition></filter>"
        ),
        [r, a]
    );
    assert_eq!(
        found(
            &desk,
            "<filter><condition attribute='numberofemployees' operator='between'><value>5</value><value>15</value></condition></filter>"
        ),
        [b]
    );
    assert_eq!(
        found(
            &desk,
            "<filter type='or'><condition attribute='name' operator='eq' value='Alps'/><filter><condition attribute='industrycode' operator='eq' value='1'/><condition attribute='numberofemployees' operator='lt' value='15'/></filter></filter>"
        ),
        [b, a]
    );
    assert_eq!(found(&desk, "<order attribute='name' descending='true'/>"), [r, b, a]);
}

#[test]
fn linked_tables_are_joined() {
    let desk = desk();
    let children =
        "<link-entity name='contact' from='parentcustomerid' to='accountid' alias='c' link-type='";
    let inner = fetch(
        &desk,
        &format!(
            "<fetch><entity name='account'><attribute name='name'/>{children}inner'><attribute name='lastname'/><order attribute='lastname' descending='true'/></link-entity></entity></fetch>"
        ),
        "",
    );
    inner.expect(r#"200 {"value":[{"name":"Bike Store","c.lastname":"Birch"},{"name":"Bike Store","c.lastname":"Ash"}]}"#);
    assert_eq!(inner.json()["value"][0]["accountid"], A1);
    let outer = fetch(
        &desk,
        "<fetch><entity name='account'><attribute name='name'/><link-entity name='contact' from='contactid' to='primarycontactid' alias='p' link-type='outer'><attribute name='fullname' alias='who'/></link-entity></entity></fetch>",
        "",
    );
    outer.expect(r#"200 {"value":[{"name":"Bike Store","who":"Ann King"},{"name":"Road World"},{"name":"Alps"}]}"#);
    assert!(outer.json()["value"][1]["who"].is_null());
    let with = |kind: &str, inside: &str| {
        found(&desk, &format!("{children}{kind}'>{inside}</link-entity>"))
    };
    let ash = "<filter><condition attribute='lastname' operator='eq' value='ash'/></filter>";
    assert_eq!(with("inner", ash), ["Bike Store"]);
    assert_eq!(with("exists", ""), ["Bike Store"]);
    assert_eq!(with("not any", ""), ["Road World", "Alps"]);
    assert_eq!(with("inner", ""), ["Bike Store", "Bike Store"]);
    assert_eq!(with("matchfirstrowusingcrossapply", ""), ["Bike Store"]);
    assert_eq!(
        found(
            &desk,
            &format!(
                "{children}outer'/><filter><condition entityname='c' attribute='contactid' operator='null'/></filter>"
            )
        ),
        ["Road World", "Alps"]
    );
}

#[test]
fn links_in_a_filter_are_conditions_like_others() {
    let desk = desk();
    let link = |kind: &str, last: &str| {
        format!(
            "<link-entity name='contact' from='parentcustomerid' to='accountid' link-type='{kind}'><filter><condition attribute='lastname' operator='eq' value='{last}'/></filter></link-entity>"
        )
    };
    let alps = "<condition attribute='name' operator='eq' value='Alps'/>";
    let (ash, birch, king) = (link("any", "Ash"), link("any", "Birch"), link("any", "King"));
    let without = link("not any", "Ash");
    for (filter, expected) in [
        (format!("<filter>{ash}{birch}</filter>"), vec!["Bike Store"]),
        (format!("<filter>{ash}{king}</filter>"), vec![]),
        (format!("<filter type='or'>{ash}{king}</filter>"), vec!["Bike Store"]),
        (format!("<filter type='or'>{ash}{alps}</filter>"), vec!["Bike Store", "Alps"]),
        (format!("<filter type='or'>{king}{alps}</filter>"), vec!["Alps"]),
        (format!("<filter>{without}<filter type='or'>{ash}{alps}</filter></filter>"), vec!["Alps"]),
    ] {
        assert_eq!(found(&desk, &filter), expected, "{filter}");
    }
}

#[test]
fn pages_follow_numbers_and_cookies() {
    let desk = desk();
    let page = |attributes: &str, headers: &str| {
        fetch(
            &desk,
            &format!(
                "<fetch {attributes}><entity name='account'><attribute name='name'/><order attribute='name'/></entity></fetch>"
            ),
            headers,
        )
    };
    page("count='2'", "").expect(r#"200 {"value":[{"name":"Alps"},{"name":"Bike Store"}]}"#);
    page("count='2' page='2'", "").expect(r#"200 {"value":[{"name":"Road World"}]}"#);
    page("top='1'", "").expect(r#"200 {"value":[{"name":"Alps"}]}"#);
    let all = "\nPrefer: odata.include-annotations=\"Microsoft.Dynamics.CRM.*\"";
    let first = page("count='2' returntotalrecordcount='true'", all).json();
    assert_eq!(first["@Microsoft.Dynamics.CRM.morerecords"], true);
    assert_eq!(first["@Microsoft.Dynamics.CRM.totalrecordcount"], 3);
    let cookie = first["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"].as_str().unwrap();
    assert!(cookie.starts_with("<cookie pagenumber=\"2\" pagingcookie=\"%253Ccookie"), "{cookie}");
    assert!(page("count='2'", "").json()["@Microsoft.Dynamics.CRM.morerecords"].is_null());
    let last =
        page("count='2' page='2' paging-cookie='&lt;cookie page=&quot;1&quot;/&gt;'", all).json();
    assert!(last["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"].is_null());
    page(&format!("count='2' page='{}'", usize::MAX), "").expect(r#"200 {"value":[]}"#);
    fetch(
        &desk,
        "<fetch distinct='true'><entity name='account'><link-entity name='contact' from='contactid' to='primarycontactid' link-type='outer' alias='p'><attribute name='lastname'/></link-entity></entity></fetch>",
        "",
    )
    .expect(r#"200 {"value":[{"p.lastname":"King"},{}]}"#);
    fetch(
        &desk,
        "<fetch distinct='true'><entity name='account'><attribute name='industrycode'/></entity></fetch>",
        "",
    )
    .expect(r#"200 {"value":[{"industrycode":1},{"industrycode":null}]}"#);
}

#[test]
fn aggregates_group_and_order() {
    let desk = desk();
    let aggregate = |inside: &str, expect: &str| {
        fetch(
            &desk,
            &format!("<fetch aggregate='true'><entity name='account'>{inside}</entity></fetch>"),
            "",
        )
        .expect(expect);
    };
    aggregate(
        "<attribute name='accountid' aggregate='count' alias='n'/><attribute name='revenue' aggregate='sum' alias='total'/><attribute name='revenue' aggregate='avg' alias='mean'/><attribute name='numberofemployees' aggregate='countcolumn' alias='some'/><attribute name='industrycode' aggregate='countcolumn' distinct='true' alias='kinds'/>",
        r#"200 {"value":[{"n":3,"total":150.5,"mean":75.25,"some":2,"kinds":1}]}"#,
    );
    aggregate(
        "<attribute name='industrycode' groupby='true' alias='kind'/><attribute name='accountid' aggregate='count' alias='n'/><order alias='n' descending='true'/>",
        r#"200 {"value":[{"kind":1,"n":2},{"n":1}]}"#,
    );
    aggregate(
        "<attribute name='createdon' groupby='true' dategrouping='year' alias='y'/><attribute name='createdon' aggregate='max' alias='last'/>",
        r#"200 {"value":[{"y":2030,"last":"2030-03-17T17:46:40Z"}]}"#,
    );
    aggregate(
        "<attribute name='accountid' aggregate='count' alias='n'/><link-entity name='contact' from='parentcustomerid' to='accountid'><attribute name='lastname' groupby='true' alias='who'/></link-entity>",
        r#"200 {"value":[{"who":"Ash","n":1},{"who":"Birch","n":1}]}"#,
    );
}

#[test]
fn bad_fetchxml_is_refused() {
    let desk = desk();
    let entity = |inside: &str| format!("<fetch><entity name='account'>{inside}</entity></fetch>");
    let expect = [
        ("<fetch".to_owned(), "400 0x8004111c Invalid FetchXML"),
        ("<query/>".to_owned(), "400 0x8004111c the root is `query`"),
        ("<fetch/>".to_owned(), "400 0x8004111c no `entity`"),
        ("<fetch><entity name='contact'/></fetch>".to_owned(), "400 0x8004111c not the one of the set"),
        ("<fetch top='1' page='2'><entity name='account'/></fetch>".to_owned(), "400 0x8004111c cannot stand together"),
        (entity("<attribute name='nope'/>"), "400 0x80041103 doesn't contain attribute with Name = 'nope'"),
        (entity("<colour/>"), "400 0x8004111c unknown element `colour`"),
        (entity("<filter><condition attribute='name' operator='sounds-like' value='x'/></filter>"), "501"),
        (entity("<filter><condition attribute='numberofemployees' operator='eq' value='x'/></filter>"), "400 0x80040203 'x' is not valid"),
        (entity("<filter><condition attribute='name' operator='today'/></filter>"), "400 0x8004111c is for dates"),
        (entity("<filter><condition attribute='name' operator='eq'/></filter>"), "400 0x8004111c needs a value"),
        (entity("<filter><condition entityname='x' attribute='name' operator='null'/></filter>"), "400 0x8004111c called `x`"),
        (entity("<link-entity name='nope' from='a' to='b'/>"), "400 0x8004111c `nope` was not found"),
        (entity("<link-entity name='contact' from='contactid' to='primarycontactid' link-type='natural'/>"), "501"),
        ("<fetch aggregate='true'><entity name='account'><attribute name='name' aggregate='sum' alias='x'/></entity></fetch>".to_owned(), "400 0x8004111c cannot be aggregated"),
        ("<fetch aggregate='true'><entity name='account'><attribute name='name' aggregate='count'/></entity></fetch>".to_owned(), "400 0x8004111c needs an `alias`"),
    ];
    for (xml, expected) in expect {
        fetch(&desk, &xml, "").expect(expected);
    }
    desk.check("GET accounts?fetchXml=%3Cfetch/%3E&$select=name", "400 0x0 $select");
    let deep = "<filter>".repeat(700) + &"</filter>".repeat(700);
    fetch(&desk, &entity(&deep), "").expect("400 0x8004111c nested too deeply");
}

#[test]
fn nesting_without_end_is_refused_in_a_batch_too() {
    let desk = desk();
    for element in ["a", "filter", "link-entity"] {
        let count = 60_000 / (2 * element.len() + 5);
        let xml = format!("<{element}>").repeat(count) + &format!("</{element}>").repeat(count);
        let url = format!(
            "/api/data/v9.2/accounts?fetchXml=<fetch><entity\u{2}name='account'>{xml}</entity></fetch>"
        );
        let url = url.replace('\u{2}', "%20");
        let body = format!(
            "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET {url} HTTP/1.1\r\n\r\n\r\n--b--\r\n"
        );
        let answer = desk
            .send_body("POST $batch\nContent-Type: multipart/mixed; boundary=b", body.as_bytes());
        assert_eq!(
            answer.status(),
            400,
            "{element}: {}",
            &answer.text()[..400.min(answer.text().len())]
        );
        assert!(answer.text().contains("Invalid FetchXML"), "{element}");
    }
}
