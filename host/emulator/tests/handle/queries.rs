use std::collections::BTreeSet;

use crate::desk::{A1, A2, A3, Answer, C1, Desk, targets};

fn names(answer: &Answer) -> Vec<String> {
    let rows = answer.json();
    let rows = rows["value"].as_array().unwrap_or_else(|| panic!("{}", answer.text())).clone();
    rows.iter().map(|row| row["name"].as_str().unwrap_or("-").to_owned()).collect()
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.check(&format!("PATCH contacts({C1})\n\n{{\"lastname\":\"King\"}}"), "204");
    let body = targets(
        "account",
        &[
            &format!(
                "{{\"accountid\":\"{A1}\",\"name\":\"Bike Store\",\"accountnumber\":\"AW1\",\"numberofemployees\":10,\"revenue\":100.5,\"industrycode\":1,\"primarycontactid@odata.bind\":\"contacts({C1})\"}}"
            ),
            &format!(
                "{{\"accountid\":\"{A2}\",\"name\":\"Road World\",\"accountnumber\":\"AW2\",\"numberofemployees\":20,\"donotemail\":true,\"lastusedincampaign\":\"2024-05-01T10:00:00Z\"}}"
            ),
            &format!(
                "{{\"accountid\":\"{A3}\",\"name\":\"O'Hara's 50%\",\"address1_latitude\":1.5}}"
            ),
        ],
    );
    desk.check(&format!("POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{body}"), "200");
    desk
}

#[test]
fn filters_choose_rows() {
    let desk = desk();
    let all = ["Bike Store", "Road World", "O'Hara's 50%"];
    let (b, r, o) = (all[0], all[1], all[2]);
    let expect: &[(&str, &[&str])] = &[
        ("name eq 'bike store'", &[b]),
        ("name eq 'O''Hara''s 50%'", &[o]),
        ("name ne 'Bike Store'", &[r, o]),
        ("numberofemployees eq null", &[o]),
        ("numberofemployees ne null", &[b, r]),
        ("numberofemployees ne 10", &[r, o]),
        ("numberofemployees gt 10", &[r]),
        ("numberofemployees ge 10 and numberofemployees lt 20", &[b]),
        ("numberofemployees le 10 or name eq 'Road World'", &[b, r]),
        ("not (numberofemployees gt 10)", &[b, o]),
        ("not numberofemployees gt 10 and not contains(name,'hara')", &[b]),
        ("(name eq 'x' or name eq 'road world') and donotemail eq true", &[r]),
        ("revenue eq 100.5", &[b]),
        ("revenue gt 100.4999 and revenue lt 1e3", &[b]),
        ("address1_latitude gt 1", &[o]),
        ("industrycode eq 1", &[b]),
        ("donotemail eq false", &[b, o]),
        ("statecode eq 0", &all),
        ("contains(name,'STORE')", &[b]),
        ("startswith(name,'road')", &[r]),
        ("endswith(name,'world')", &[r]),
        ("contains(name,'50[%]')", &[o]),
        ("contains(name,'r_ad')", &[r]),
        ("lastusedincampaign gt 2024-04-30", &[r]),
        ("lastusedincampaign eq 2024-05-01T10:00:00Z", &[r]),
        ("lastusedincampaign lt 2024-05-01T11:00:00%2B02:00", &[]),
        ("_primarycontactid_value eq cccccccc-0000-4000-8000-000000000001", &[b]),
        ("_primarycontactid_value eq null", &[r, o]),
        ("accountid eq aaaaaaaa-0000-4000-8000-000000000002", &[r]),
        ("accountid eq aaaaaaaa-0000-4000-8000-000000000009", &[]),
        ("accountnumber eq 'aw2' and name eq 'x'", &[]),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='accountnumber',PropertyValues=['aw2','AW1','x'])",
            &[b, r],
        ),
        ("Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=[\"O'Hara's 50%\"])", &[o]),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='numberofemployees',PropertyValues=['10','30'])",
            &[b],
        ),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='primarycontactid',PropertyValues=['cccccccc-0000-4000-8000-000000000001'])",
            &[b],
        ),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='accountid',PropertyValues=['aaaaaaaa-0000-4000-8000-000000000003'])",
            &[o],
        ),
        ("Microsoft.Dynamics.CRM.In(PropertyName='accountid',PropertyValues=[])", &[]),
        (
            "Microsoft.Dynamics.CRM.NotIn(PropertyName='accountnumber',PropertyValues=['AW1'])",
            &[r, o],
        ),
        (
            "Microsoft.Dynamics.CRM.Between(PropertyName='numberofemployees',PropertyValues=['5','15'])",
            &[b],
        ),
        ("name eq @n&@n='Road World'", &[r]),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName=@p,PropertyValues=@v)&@p='accountnumber'&@v=[\"AW1\"]",
            &[b],
        ),
    ];
    for (filter, expected) in expect {
        let filter = filter.replace("50%", "50%25").replace("[%]", "[%25]");
        let answer = desk.send(&format!("GET accounts?$select=name&$filter={filter}"));
        assert_eq!(answer.status(), 200, "{filter}: {}", answer.text());
        assert_eq!(names(&answer), *expected, "{filter}");
    }
}

#[test]
fn bad_filters_are_refused() {
    let desk = desk();
    let expect = [
        ("Name eq 'x'", "400 0x0 Could not find a property named 'Name' on type"),
        ("primarycontactid eq 5", "400 0x0 primarycontactid"),
        ("name eq 5", "400 0x0 'Edm.String' and 'Edm.Int32'"),
        ("numberofemployees eq 'x'", "400 0x0 incompatible types"),
        ("statecode eq 'Active'", "400 0x0"),
        ("name eq", "400 0x80060888"),
        ("name eq 'x", "400 0x80060888"),
        ("contains(numberofemployees,'x')", "400 0x0"),
        ("Microsoft.Dynamics.CRM.Above(PropertyName='name')", "400 0x0 needs the id of a record"),
        ("Microsoft.Dynamics.CRM.In(PropertyName='nope',PropertyValues=['x'])", "400 0x0"),
        ("name eq @missing", "400 0x80060888"),
    ];
    for (filter, expected) in expect {
        desk.check(&format!("GET accounts?$filter={filter}"), expected);
    }
}

#[test]
fn unsupported_and_misspelt_options_are_refused_not_ignored() {
    let desk = desk();
    for option in [
        "$skip=1",
        "$search=x",
        "$format=json",
        "$Select=name",
        "$select=Name",
        "$select=nope",
        "$select=primarycontactid_x",
        "$count=maybe",
        "$top=x",
        "$orderby=nope",
        "$orderby=name up",
    ] {
        desk.check(&format!("GET accounts?{option}"), "400 0x0");
    }
    desk.check("GET accounts?savedQuery=00000000-0000-0000-0000-000000000001", "501");
    desk.check("GET accounts?tag=x&other=y", "200");
}

#[test]
fn a_row_has_its_etag_its_id_and_nulls_for_what_was_selected() {
    let desk = desk();
    let row = desk
        .send(&format!("GET accounts({A3})?$select=accountnumber,_primarycontactid_value"))
        .json();
    let members: BTreeSet<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        BTreeSet::from([
            "@odata.context",
            "@odata.etag",
            "_primarycontactid_value",
            "accountid",
            "accountnumber",
        ])
    );
    assert!(row["accountnumber"].is_null());
    let all = desk.send(&format!("GET accounts({A3})")).json();
    assert!(all.as_object().unwrap().len() > 70);
    let list = desk.send("GET accounts?$select=name&$top=1").json();
    assert_eq!(
        list["@odata.context"],
        "https://org.example/api/data/v9.2/$metadata#accounts(name)"
    );
}

#[test]
fn rows_are_ordered_and_cut() {
    let desk = desk();
    let expect: &[(&str, &[&str])] = &[
        ("$orderby=name", &["Bike Store", "O'Hara's 50%", "Road World"]),
        ("$orderby=name desc", &["Road World", "O'Hara's 50%", "Bike Store"]),
        ("$orderby=numberofemployees,name", &["O'Hara's 50%", "Bike Store", "Road World"]),
        ("$orderby=donotemail desc,name desc&$top=2", &["Road World", "O'Hara's 50%"]),
        ("$top=1", &["Bike Store"]),
        ("$top=0", &[]),
    ];
    for (options, expected) in expect {
        let answer = desk.send(&format!("GET accounts?$select=name&{options}"));
        assert_eq!(names(&answer), *expected, "{options}");
        assert!(answer.json()["@odata.nextLink"].is_null(), "{options}");
    }
}

fn fill(desk: &Desk, rows: usize) {
    let records: Vec<String> = (0..rows)
        .map(|n| format!("{{\"name\":\"N{:05}\",\"numberofemployees\":{}}}", n, n % 7))
        .collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let body = targets("account", &records);
    desk.check(&format!("POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{body}"), "200");
}

/// All pages from a first one on.
fn pages(desk: &Desk, first: &str, size: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let answer = desk.send(&format!("GET {path}\nPrefer: odata.maxpagesize={size}"));
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text());
        assert_eq!(
            answer.header("preference-applied"),
            Some(&*format!("odata.maxpagesize={size}"))
        );
        pages.push(names(&answer));
        let link = answer.json()["@odata.nextLink"].clone();
        next = link.as_str().map(|link| link.replace("https://org.example", ""));
    }
    pages
}

#[test]
fn pages_cover_all_rows_once() {
    let desk = Desk::new();
    fill(&desk, 25);
    for options in [
        "$select=name",
        "$select=name&$orderby=numberofemployees desc",
        "$select=name&$orderby=accountid",
        "$select=name&$filter=startswith(name,'N')",
        "$filter=numberofemployees ge 0&$select=name&$count=true",
    ] {
        let pages = pages(&desk, &format!("accounts?{options}"), 10);
        let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
        assert_eq!(sizes, [10, 10, 5], "{options}");
        let all: BTreeSet<String> = pages.into_iter().flatten().collect();
        assert_eq!(all.len(), 25, "{options}");
    }
    assert_eq!(pages(&desk, "accounts?$select=name", 25).len(), 1);
}

#[test]
fn rows_written_between_pages_are_neither_skipped_nor_repeated() {
    let desk = Desk::new();
    fill(&desk, 10);
    let first = desk.send("GET accounts?$select=name\nPrefer: odata.maxpagesize=4");
    let rows = first.json()["value"].clone();
    let (gone, last) = (&rows[0]["accountid"], &rows[3]["accountid"]);
    desk.check(&format!("DELETE accounts({})", gone.as_str().unwrap()), "204");
    desk.check(&format!("DELETE accounts({})", last.as_str().unwrap()), "204");
    fill(&desk, 1);
    let next = first.json()["@odata.nextLink"].as_str().unwrap().replace("https://org.example", "");
    let rest: Vec<String> = pages(&desk, &next, 4).into_iter().flatten().collect();
    assert_eq!(rest, ["N00004", "N00005", "N00006", "N00007", "N00008", "N00009", "N00000"]);
}

#[test]
fn the_next_link_is_opaque_and_a_broken_one_is_refused() {
    let desk = Desk::new();
    fill(&desk, 3);
    let link = desk.send("GET accounts?$select=name\nPrefer: odata.maxpagesize=1").json();
    let link = link["@odata.nextLink"].as_str().unwrap().to_owned();
    assert!(
        link.contains(
            "?$select=name&$skiptoken=%3Ccookie%20pagenumber%3D%222%22%20pagingcookie%3D%22%25"
        ),
        "{link}"
    );
    for token in [
        "x",
        "%3Ccookie%20pagenumber=%222%22%20/%3E",
        "%3Ccookie pagenumber=%22x%22 pagingcookie=%22y%22/%3E",
        "%3Ccookie pagenumber=%222%22 pagingcookie=%22slot=%25221%2522 offset=%252218446744073709551615%2522%22/%3E",
    ] {
        desk.check(&format!("GET accounts?$skiptoken={token}"), "400 0x80060888 paging cookie");
    }
}

#[test]
fn a_page_has_5000_rows_and_a_page_size_overrides_top() {
    let desk = Desk::new();
    fill(&desk, 5003);
    let page = |request: &str| {
        let answer = desk.send(request).json();
        (answer["value"].as_array().unwrap().len(), answer["@odata.nextLink"].is_string())
    };
    assert_eq!(page("GET accounts?$select=name"), (5000, true));
    assert_eq!(page("GET accounts?$select=name&$top=5002"), (5000, true));
    assert_eq!(page("GET accounts?$select=name&$top=2\nPrefer: odata.maxpagesize=3"), (3, true));
    let link = desk.send("GET accounts?$select=name&$top=5002").json()["@odata.nextLink"].clone();
    let link = link.as_str().unwrap().replace("https://org.example", "");
    assert_eq!(page(&format!("GET {link}")), (2, false));
    desk.check("GET accounts/$count", "200 5000");
    desk.check("GET accounts?$top=0&$count=true", r#"200 {"@odata.count":5000}"#);
    let all = "\nPrefer: odata.include-annotations=\"*\"";
    desk.check(
        &format!("GET accounts?$top=0&$count=true{all}"),
        r#"200 {"@Microsoft.Dynamics.CRM.totalrecordcount":5000,"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded":true}"#,
    );
    desk.check(
        &format!("GET accounts?$top=0{all}"),
        r#"200 {"@Microsoft.Dynamics.CRM.totalrecordcount":-1}"#,
    );
    desk.check(
        "GET RetrieveTotalRecordCount(EntityNames=['account','contact'])",
        r#"200 {"EntityRecordCountCollection":{"Count":2,"Keys":["account","contact"],"Values":[5003,0]}}"#,
    );
    desk.check("GET accounts/$count?$filter=name eq 'N00001'", "200 1");
}

#[test]
fn formatted_values_stand_before_the_value_when_asked_for() {
    let desk = desk();
    let text = desk
        .send(&format!(
            "GET accounts({A1})?$select=industrycode,revenue,createdon,donotemail,numberofemployees,_primarycontactid_value\nPrefer: odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\""
        ))
        .text()
        .to_owned();
    for part in [
        "\"industrycode@OData.Community.Display.V1.FormattedValue\":\"Accounting\",\"industrycode\":1",
        "\"revenue@OData.Community.Display.V1.FormattedValue\":\"$100.50\",\"revenue\":100.5000",
        "\"createdon@OData.Community.Display.V1.FormattedValue\":\"3/17/2030 5:46 PM\"",
        "\"donotemail@OData.Community.Display.V1.FormattedValue\":\"No\"",
        "\"_primarycontactid_value@OData.Community.Display.V1.FormattedValue\":\"King\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("lookuplogicalname"));
    assert!(!desk.rows("accounts").contains("FormattedValue"));
}

#[test]
fn several_keys_are_found_by_conditions_joined_with_or() {
    let desk = Desk::contracts("");
    for n in 0..5 {
        let body = format!("{{\"new_name\":\"N{n}\"}}");
        desk.check(
            &format!("PATCH new_contracts(new_region='R{}',new_seq={n})\n\n{body}", n % 2),
            "204",
        );
    }
    let answer = desk.send(
        "GET new_contracts?$select=new_name&$filter=(new_region eq 'r0' and new_seq eq 2) or (new_region eq 'R1' and new_seq eq 3) or (new_region eq 'R1' and new_seq eq 4)",
    );
    let rows = answer.json()["value"].clone();
    assert_eq!((&rows[0]["new_name"], &rows[1]["new_name"]), (&"N2".into(), &"N3".into()));
    assert_eq!(rows.as_array().unwrap().len(), 2);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]
    /// Whatever stands in a query option, there is a reply and no panic.
    #[test]
    fn nonsense_in_query_options_never_panics(
        option in proptest::sample::select(vec![
            "$filter", "$expand", "$apply", "$orderby", "$select", "$top", "$skiptoken", "$deltatoken", "fetchXml",
        ]),
        words in proptest::collection::vec(proptest::sample::select(vec![
            "name", "(", ")", "'", ",", ";", "/", "=", " ", "eq", "any(", "a:a/", "groupby((", "aggregate(",
            "$count as n", " with sum as x", "$select=", "$filter=", "$expand=", "primarycontactid", "revenue",
            "contact_customer_accounts", "Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=",
            "9999999999", "-1", "é", "[", "]", "null", "<fetch>", "<entity name='account'>", "<filter>", "</filter>",
            "</entity></fetch>", "<condition attribute='name' operator='like' value='%25'/>", "1!01/01/2030 00:00:00",
            "2030-01-01", "createdon", "not ", " and ", "desc", "@p",
        ]), 0..14),
    ) {
        let desk = desk();
        let value = words.concat().replace('%', "%25").replace('+', "%2B").replace('&', "%26");
        let value: String = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).to_string();
        let answer = desk.send(&format!("GET accounts?{option}={value}"));
        proptest::prop_assert!(answer.status() == 200 || answer.status() == 400 || answer.status() == 501, "{}", answer.text());
        if answer.status() == 200 {
            proptest::prop_assert!(answer.json().is_object(), "{}", answer.text());
        }
    }
}
