//! Keys become filters.

use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray};
use percent_encoding::percent_decode_str;

use super::scripted::{Sent, Service, batch, client, error, gets, json, settings};
use super::tables::{account, id};
use crate::{ClientError, Select};

fn select() -> Select {
    Select { entity: account(), columns: vec!["name".to_owned()], filter: None }
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn by(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|name| (*name).to_owned()).collect()
}

/// Answers each GET with no rows; the filters that were asked, decoded.
async fn filters(by: &[String], keys: &[ArrayRef]) -> Vec<Vec<String>> {
    let service = Service::answering(|sent| {
        let parts = vec![(200, r#"{"value":[]}"#); gets(&sent.body).len()];
        batch(200, &parts)
    });
    let client = client(&service, settings(&["a"]));
    let found: Vec<RecordBatch> = client.find(&select(), by, keys).await.unwrap();
    assert!(found.is_empty());
    let filters = |sent: &Sent| {
        gets(&sent.body)
            .iter()
            .map(|url| {
                assert!(url.len() < 65_536 && url.is_ascii(), "{}", url.len());
                let filter = url.split_once("&$filter=").unwrap().1;
                percent_decode_str(filter).decode_utf8().unwrap().into_owned()
            })
            .collect()
    };
    service.0.sent().iter().map(filters).collect()
}

#[tokio::test(start_paused = true)]
async fn text_keys_are_one_in_and_awkward_ones_are_compared() {
    let keys =
        texts(&[Some("AW1"), None, Some("a&b/c"), Some("O'Hara"), Some(""), Some("say \"x\"")]);
    assert_eq!(
        filters(&by(&["accountnumber"]), &[keys]).await,
        [[
            "Microsoft.Dynamics.CRM.In(PropertyName='accountnumber',PropertyValues=[\"AW1\",\"a&b/c\"])",
            "((accountnumber eq 'O''Hara') or (accountnumber eq 'say \"x\"'))",
        ]]
    );
}

/// The service refuses a batch for one line end too few.
#[tokio::test(start_paused = true)]
async fn reads_within_a_batch_are_written_to_the_letter() {
    let service = Service::playing([batch(200, &[(200, r#"{"value":[]}"#)])]);
    let client = client(&service, settings(&["a"]));
    client.find(&select(), &by(&["name"]), &[texts(&[Some("N")])]).await.unwrap();
    let sent = &service.0.sent()[0];
    assert_eq!((sent.method.as_str(), sent.target()), ("POST", "/api/data/v9.2/$batch"));
    assert_eq!(sent.header("prefer"), "odata.continue-on-error");
    let boundary = sent.header("content-type").split_once("boundary=").unwrap().1;
    assert_eq!(
        sent.body,
        format!(
            "--{boundary}\r\nContent-Type: application/http\r\n\
             Content-Transfer-Encoding: binary\r\n\r\n\
             GET /api/data/v9.2/accounts?$select=accountid,name&$filter=Microsoft.Dynamics.CRM.\
             In(PropertyName='name',PropertyValues=%5B%22N%22%5D) HTTP/1.1\r\n\
             Accept: application/json\r\nPrefer: odata.maxpagesize=5000\r\n\r\n\r\n\
             --{boundary}--\r\n"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn composite_keys_are_conjunctions() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(9)]));
    let keys = [texts(&[Some("A"), Some("B"), Some("C")]), numbers];
    assert_eq!(
        filters(&by(&["name", "numberofemployees"]), &keys).await,
        [[
            "((name eq 'A' and numberofemployees eq 7) or (name eq 'C' and numberofemployees eq 9))"
        ]]
    );
}

#[tokio::test(start_paused = true)]
async fn ids_and_lookups_are_found_too() {
    let ids =
        FixedSizeBinaryArray::try_from_iter([id(1), id(2)].iter().map(|id| id.as_bytes())).unwrap();
    assert_eq!(
        filters(&by(&["accountid"]), &[Arc::new(ids)]).await,
        [[format!(
            "Microsoft.Dynamics.CRM.In(PropertyName='accountid',PropertyValues=[\"{}\",\"{}\"])",
            id(1),
            id(2)
        )]]
    );
    let cell = dvsync_model::LookupValue { target: 0, id: id(3) }.to_bytes();
    let lookups = FixedSizeBinaryArray::try_from_iter([cell].iter()).unwrap();
    assert_eq!(
        filters(&by(&["primarycontactid"]), &[Arc::new(lookups)]).await,
        [[format!("((_primarycontactid_value eq {}))", id(3))]]
    );
}

#[tokio::test(start_paused = true)]
async fn many_keys_are_cut_into_urls_and_batches_that_the_service_takes() {
    let values: Vec<String> = (0..10_000).map(|n| format!("AW{n:08} ä")).collect();
    let keys: ArrayRef = Arc::new(StringArray::from(values));
    let asked = filters(&by(&["accountnumber"]), &[keys]).await;
    assert_eq!(asked.len(), 5);
    assert_eq!(
        asked.iter().flatten().map(|filter| filter.matches("AW").count()).sum::<usize>(),
        10_000
    );

    let long: Vec<String> = (0..50).map(|n| format!("{n}{}", "ä".repeat(3000))).collect();
    let keys: ArrayRef = Arc::new(StringArray::from(long));
    let asked = filters(&by(&["description"]), &[keys]).await;
    assert_eq!(
        asked.iter().flatten().map(|filter| filter.matches(",\"").count() + 1).sum::<usize>(),
        50
    );
}

#[tokio::test(start_paused = true)]
async fn a_part_that_fails_for_now_is_read_again_and_its_pages_are_followed() {
    let row = |n: u128| format!(r#"{{"accountid":"{}","name":"N{n}"}}"#, id(n));
    let first = format!(
        r#"{{"value":[{}],"@odata.nextLink":"https://contoso.crm4.dynamics.com/api/data/v9.2/accounts?next"}}"#,
        row(1)
    );
    let service = Service::playing([
        batch(200, &[(503, "")]),
        batch(200, &[(200, &first)]),
        json(200, &format!(r#"{{"value":[{}]}}"#, row(2))),
    ]);
    let client = client(&service, settings(&["a"]));
    let found = client.find(&select(), &by(&["name"]), &[texts(&[Some("N")])]).await.unwrap();
    assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    assert_eq!(service.0.sent()[2].target(), "/api/data/v9.2/accounts?next");
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_refused_is_an_error() {
    let refused = r#"{"error":{"code":"0x0","message":"Could not find a property named 'x'"}}"#;
    let service = Service::playing([batch(200, &[(400, refused)])]);
    let client = client(&service, settings(&["a"]));
    let error = client.find(&select(), &by(&["name"]), &[texts(&[Some("N")])]).await.unwrap_err();
    assert!(error.to_string().contains("Could not find a property"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn keys_that_cannot_be_compared_are_refused_before_anything_is_sent() {
    let (service, clock) = Service::playing([error(500, "", "")]);
    let client = client(&(service.clone(), clock), settings(&["a"]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    for (columns, keys) in [
        (by(&["nmae"]), vec![texts(&[Some("x")])]),
        (by(&["name"]), vec![numbers]),
        (by(&["name"]), vec![]),
        (by(&["new_tags"]), vec![texts(&[Some("1")])]),
        (by(&["name", "accountnumber"]), vec![texts(&[Some("x")]), texts(&[])]),
    ] {
        let error = client.find(&select(), &columns, &keys).await.unwrap_err();
        assert!(
            matches!(error, ClientError::UnknownColumn { .. } | ClientError::UnusableColumn { .. }),
            "{error:?}"
        );
    }
    let none = client.find(&select(), &by(&["name"]), &[texts(&[None])]).await.unwrap();
    assert!(none.is_empty() && service.sent().is_empty());
}
