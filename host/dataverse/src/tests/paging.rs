//! Pages follow the service's links to the letter.

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, RecordBatch};
use dvsync_model::LookupValue;
use futures::{StreamExt, TryStreamExt};

use super::scripted::{Service, URL, client, json, settings};
use super::tables::{account, id};
use crate::{ClientError, Select};

fn select(columns: &[&str]) -> Select {
    Select {
        entity: account(),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        filter: None,
    }
}

fn row(number: u128, members: &str) -> String {
    format!(r#"{{"@odata.etag":"W/\"1\"","accountid":"{}"{members}}}"#, id(number))
}

#[tokio::test(start_paused = true)]
async fn links_are_followed_verbatim_with_the_same_page_size() {
    let link = "/api/data/v9.2/accounts?$select=name&$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e%22%20/%3E";
    let first = format!(
        r#"{{"@odata.context":"x","value":[{},{}],"@odata.nextLink":"{URL}{link}"}}"#,
        row(1, r#","name":"A""#),
        row(2, r#","name":null"#)
    );
    let last = format!(r#"{{"value":[{}]}}"#, row(3, r#","name":"""#));
    let service = Service::playing([json(200, &first), json(200, &last)]);
    let client = client(&service, settings(&["a"]));
    let filtered =
        Select { filter: Some("statecode eq 0 and name ne 'A&B'".to_owned()), ..select(&["name"]) };
    let pages: Vec<RecordBatch> = client.pages(&filtered).try_collect().await.unwrap();
    let names: Vec<Option<&str>> =
        pages.iter().flat_map(|page| page.column(1).as_string::<i32>().iter()).collect();
    assert_eq!(names, [Some("A"), None, None]);
    let sent = service.0.sent();
    assert_eq!(
        sent[0].target(),
        "/api/data/v9.2/accounts?$select=accountid,name&$filter=statecode%20eq%200%20and%20name%20ne%20'A%26B'"
    );
    assert_eq!(sent[1].target(), link);
    assert!(sent.iter().all(|sent| sent.header("prefer") == "odata.maxpagesize=5000"));
}

#[tokio::test(start_paused = true)]
async fn cells_are_canonical() {
    let body = format!(
        r#"{{"value":[{}]}}"#,
        row(
            1,
            r#","revenue":922337203685477.5807,"new_tags":"4, 1","ownerid@x":1,
            "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"team",
            "_ownerid_value":"00000000-0000-0000-0000-00000000000A",
            "_primarycontactid_value":"00000000-0000-0000-0000-00000000000b",
            "new_since":"2031-04-01","lastonholdtime":"2031-04-01T08:30:00.7Z",
            "numberofemployees":5.0,"unknown":{"a":[1]}"#
        )
    );
    let service = Service::playing([json(200, &body)]);
    let client = client(&service, settings(&["a"]));
    let select = select(&[
        "revenue",
        "new_tags",
        "ownerid",
        "primarycontactid",
        "new_since",
        "lastonholdtime",
        "numberofemployees",
        "name",
        "accountid",
    ]);
    let page = client.pages(&select).next().await.unwrap().unwrap();
    assert_eq!(page.schema(), select.schema().unwrap());
    let revenue = page.column(1).as_primitive::<Decimal128Type>();
    assert_eq!(revenue.value(0), 9_223_372_036_854_775_807);
    assert_eq!(page.column(2).as_string::<i32>().value(0), "1,4");
    let lookup = |column: usize| {
        LookupValue::from_bytes(page.column(column).as_fixed_size_binary().value(0))
    };
    assert_eq!(lookup(3), Some(LookupValue { target: 1, id: id(10) }));
    assert_eq!(lookup(4), Some(LookupValue { target: 0, id: id(11) }));
    assert!(page.column(8).is_null(0));
    assert_eq!(page.column(9).as_fixed_size_binary().value(0), id(1).as_bytes());
    let prefer = service.0.sent()[0].header("prefer").to_owned();
    assert_eq!(
        prefer,
        "odata.maxpagesize=5000,odata.include-annotations=\"Microsoft.Dynamics.CRM.lookuplogicalname\""
    );
    assert!(
        service.0.sent()[0].target().contains("$select=accountid,revenue,new_tags,_ownerid_value,")
    );
}

#[tokio::test(start_paused = true)]
async fn a_link_to_elsewhere_is_not_followed() {
    let body = r#"{"value":[],"@odata.nextLink":"https://evil.example/api"}"#;
    let service = Service::playing([json(200, body)]);
    let client = client(&service, settings(&["a"]));
    let pages: Vec<_> = client.pages(&select(&["name"])).collect().await;
    assert!(matches!(pages[..], [Err(ClientError::Reply { .. })]));
}

#[tokio::test(start_paused = true)]
async fn rows_that_do_not_fit_their_columns_are_errors_that_name_the_column() {
    for (members, word) in [
        (r#","name":7"#, "`name`"),
        (r#","numberofemployees":"7a""#, "`numberofemployees`"),
        (r#","revenue":"x""#, "`revenue`"),
        (r#","lastonholdtime":"yesterday""#, "`lastonholdtime`"),
        (r#","name":"A","name":"B""#, "twice"),
        (r#","_ownerid_value":"00000000-0000-0000-0000-00000000000a""#, "`ownerid`"),
        (r#","_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"lead""#, "`lead`"),
    ] {
        let body = format!(r#"{{"value":[{}]}}"#, row(1, members));
        let service = Service::playing([json(200, &body)]);
        let client = client(&service, settings(&["a"]));
        let select = select(&["name", "numberofemployees", "revenue", "lastonholdtime", "ownerid"]);
        let error = client.pages(&select).next().await.unwrap().unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn columns_that_do_not_exist_are_refused_before_anything_is_sent() {
    let service = Service::playing([]);
    let client = client(&service, settings(&["a"]));
    let error = client.pages(&select(&["nmae"])).next().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "entity `account` has no column `nmae`; the nearest is `name`");
    let error = client.pages(&select(&["entityimage"])).next().await.unwrap().unwrap_err();
    assert!(matches!(error, ClientError::UnusableColumn { .. }), "{error:?}");
}
