//! Waits are the service's to set: in full, or not at all.

use std::time::Duration;

use super::scripted::{Service, Step, client, error, json, no_content, settings, throttled};
use super::tables::{account, ids, write};
use crate::{
    ClientError, ClientSettings, Disposition, Form, Operation, Phase, RetrySettings, Status,
    TransportFault, Written,
};

#[tokio::test(start_paused = true)]
async fn throttled_write_waits_full_retry_after() {
    for wait in ["37", "1", "599"] {
        let service = Service::playing([throttled(wait), json(200, &ids(2))]);
        let client = client(&service, settings(&["a"]));
        let written = client.write(&write(Operation::Create, 2), Form::Bulk).await;
        assert!(matches!(written, Written::Each(_)), "{written:?}");
        let sent = service.0.sent();
        let waited = sent[1].at - sent[0].at;
        assert!(waited >= Duration::from_secs(wait.parse().unwrap()), "{wait}: {waited:?}");
        let counts = client.counts();
        assert_eq!((counts.sent, counts.retried, counts.throttled, counts.failed), (2, 1, 1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn all_calls_of_a_throttled_principal_wait_and_the_other_principal_works() {
    let mut throttled_once = false;
    let service = Service::answering(move |sent| {
        if sent.header("authorization").ends_with("of-a") && !throttled_once {
            throttled_once = true;
            return throttled("300");
        }
        no_content()
    });
    let client = client(&service, settings(&["a", "b"]));
    let write = write(Operation::Update, 1);
    for _ in 0..10 {
        assert!(matches!(client.write(&write, Form::Bulk).await, Written::Each(_)));
    }
    let sent = service.0.sent();
    assert_eq!(sent.len(), 11);
    assert!(sent.iter().all(|sent| sent.at < Duration::from_secs(1)));
    let by_a = sent.iter().filter(|sent| sent.header("authorization").ends_with("of-a"));
    assert_eq!(by_a.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_longer_than_allowed_is_not_waited_but_told() {
    let service = Service::playing([throttled("601")]);
    let client = client(&service, settings(&["a"]));
    let write = write(Operation::Create, 2);
    for _ in 0..2 {
        // The second one is not even sent.
        match client.write(&write, Form::Bulk).await {
            Written::NotNow(not_now) => {
                assert!(not_now.until >= Duration::from_secs(601));
                assert!(["0x80072322", "throttled"].contains(&not_now.code.as_str()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(client.clock().now() < Duration::from_secs(1));
    assert!(matches!(
        client.count(&account()).await,
        Err(ClientError::Throttled { wait, .. }) if wait > Duration::from_secs(590)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_throttle_without_a_time_or_with_zero_backs_off() {
    let service =
        Service::playing([throttled("0"), Step::Reply(429, vec![], String::new()), no_content()]);
    let client = client(&service, settings(&["a"]));
    let written = client.write(&write(Operation::Update, 1), Form::Bulk).await;
    assert!(matches!(written, Written::Each(_)), "{written:?}");
    let at: Vec<u64> = service.0.sent().iter().map(|sent| sent.at.as_secs()).collect();
    assert_eq!(at, [0, 2, 6]);
}

#[tokio::test(start_paused = true)]
async fn endless_throttling_ends_at_the_deadline() {
    let service = Service::answering(|_| throttled("100"));
    let retry = RetrySettings { deadline: Duration::from_secs(350), ..Default::default() };
    let client = client(&service, ClientSettings { retry, ..settings(&["a"]) });
    let written = client.write(&write(Operation::Update, 1), Form::Bulk).await;
    assert!(matches!(written, Written::NotNow(_)), "{written:?}");
    assert_eq!(service.0.sent().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn no_more_are_in_flight_than_the_hint_allows_and_the_queue_is_fair() {
    let service = Service::answering(|_| {
        let mut reply = no_content();
        if let Step::Reply(_, headers, _) = &mut reply {
            headers.push(("x-ms-dop-hint", "6".to_owned()));
        }
        Step::After(Duration::from_secs(1), Box::new(reply))
    });
    let client = client(&service, ClientSettings { concurrency_max: 3, ..settings(&["a", "b"]) });
    let writes = (0..26).map(|n| (n, write(Operation::Update, n % 26 + 1)));
    let ended = std::sync::Mutex::new(Vec::new());
    futures::future::join_all(writes.map(async |(n, write)| {
        let written = client.write(&write, Form::Bulk).await;
        assert!(matches!(written, Written::Each(_)), "{written:?}");
        ended.lock().unwrap().push(n);
    }))
    .await;
    assert_eq!(service.0.most_in_flight(), 6);
    let order: Vec<usize> =
        service.0.sent().iter().map(|sent| sent.body.matches("odata.type").count()).collect();
    assert_eq!(order, (1..=26).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_leaves_no_trace() {
    let service =
        Service::answering(|_| Step::After(Duration::from_secs(10), Box::new(no_content())));
    let client = client(&service, ClientSettings { concurrency_max: 1, ..settings(&["a"]) });
    let write = write(Operation::Update, 1);
    let first = client.write(&write, Form::Bulk);
    let dropped = tokio::time::timeout(Duration::from_secs(1), client.write(&write, Form::Bulk));
    let third = client.write(&write, Form::Bulk);
    let (first, dropped, third) = futures::join!(first, dropped, third);
    assert!(dropped.is_err());
    assert!(matches!((first, third), (Written::Each(_), Written::Each(_))));
    assert_eq!(service.0.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_sick_service_is_retried_within_the_budget_and_then_given_up() {
    let steps = || error(500, "0x80044150", "Sql Number: 1205");
    let service = Service::answering(move |_| steps());
    let retry = RetrySettings { budget: 8, ..Default::default() };
    let client = client(&service, ClientSettings { retry, ..settings(&["a"]) });
    let mut sent = Vec::new();
    for _ in 0..3 {
        match client.write(&write(Operation::Create, 2), Form::Bulk).await {
            Written::Refused(refusal) => assert_eq!(refusal.disposition, Disposition::Defer),
            other => panic!("{other:?}"),
        }
        sent.push(service.0.sent().len());
    }
    // 6 attempts; then 3 retries are left; then none.
    assert_eq!(sent, [6, 10, 11]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_be_reached_is_an_error_after_all_attempts() {
    let service = Service::answering(|_| Step::Fail(Phase::NotSent, TransportFault::Connect));
    let client = client(&service, settings(&["a"]));
    match client.write(&write(Operation::Create, 1), Form::Bulk).await {
        Written::Stop(error @ ClientError::Unreachable { attempts: 6, .. }) => {
            assert!(error.to_string().contains("contoso"), "{error}");
            assert!(error.hint().is_some());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(client.counts().sent, 0);
}

#[tokio::test(start_paused = true)]
async fn a_503_that_names_a_time_is_obeyed_by_reads() {
    let busy = Step::Reply(503, vec![("retry-after", "45".to_owned())], String::new());
    let count = r#"{"EntityRecordCountCollection":{"Count":1,"Keys":["account"],"Values":[7]}}"#;
    let service = Service::playing([busy, json(200, count)]);
    let client = client(&service, settings(&["a"]));
    assert_eq!(client.count(&account()).await.unwrap(), Some(7));
    assert!(service.0.sent()[1].at >= Duration::from_secs(45));
}

#[tokio::test(start_paused = true)]
async fn a_transient_refusal_lands_on_the_next_attempt() {
    for (status, code) in [(500, "0x80040255"), (500, "0x80048551"), (500, "0x80040216")] {
        let service = Service::playing([error(status, code, "again"), json(200, &ids(1))]);
        let client = client(&service, settings(&["a"]));
        match client.write(&write(Operation::Create, 1), Form::Bulk).await {
            Written::Each(statuses) => {
                assert!(matches!(statuses[..], [Status::Landed { created: Some(true), .. }]));
            }
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_is_throttled_within_a_batch_holds_its_principal_back() {
    let reply = "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 429 Too Many Requests\r\n\
                 Retry-After: 90\r\n\r\n{}\r\n--b--\r\n";
    let content_type = vec![("content-type", "multipart/mixed; boundary=b".to_owned())];
    let service =
        Service::playing([Step::Reply(200, content_type, reply.to_owned()), no_content()]);
    let client = client(&service, settings(&["a"]));
    let write = write(Operation::Update, 1);
    match client.write(&write, Form::Batch { continue_on_error: true }).await {
        Written::Each(statuses) => {
            assert!(matches!(&statuses[..], [Status::Refused(refusal)]
                if refusal.disposition == Disposition::RetryAfter));
        }
        other => panic!("{other:?}"),
    }
    client.write(&write, Form::Bulk).await;
    assert!(service.0.sent()[1].at >= Duration::from_secs(90));
}
