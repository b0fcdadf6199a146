//! Who wants to end early is let go at once, unless a request has left.

use std::time::Duration;

use super::scripted::{Service, Step, client, error, json, no_content, settings, throttled};
use super::tables::{account, ids, write};
use crate::settings::PaceSettings;
use crate::{Cancel, Client, ClientError, ClientSettings, Form, Operation, Written};

/// Writes, and asks to end after a second; when it ended, and how.
async fn cancelled_after_a_second(client: &Client) -> (Duration, Written) {
    let cancel = Cancel::new();
    let client = client.heeding(cancel.clone());
    let write = write(Operation::Create, 2);
    let asking = async {
        client.clock().sleep_until(client.clock().now() + Duration::from_secs(1)).await;
        cancel.ask();
    };
    let (written, ()) = futures::future::join(client.write(&write, Form::Bulk), asking).await;
    (client.clock().now(), written)
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_service_asked_for_ends_at_once() {
    let service = Service::playing([throttled("300")]);
    let client = client(&service, settings(&["a"]));
    let (ended, written) = cancelled_after_a_second(&client).await;
    assert!(matches!(&written, Written::NotNow(not_now) if not_now.cancelled), "{written:?}");
    assert!(ended < Duration::from_secs(2), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_between_two_attempts_ends_at_once() {
    let service = Service::answering(|_| error(500, "0x80048551", "later"));
    let mut settings = settings(&["a"]);
    settings.retry.backoff_first = Duration::from_hours(1);
    settings.retry.backoff_max = Duration::from_hours(1);
    settings.retry.deadline = Duration::from_hours(24);
    let client = client(&service, settings);
    let (ended, written) = cancelled_after_a_second(&client).await;
    assert!(matches!(&written, Written::NotNow(not_now) if not_now.cancelled), "{written:?}");
    assert!(ended < Duration::from_secs(2), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_has_left_is_waited_for() {
    let answer = || Step::After(Duration::from_secs(60), Box::new(json(200, &ids(2))));
    let service = Service::playing([answer()]);
    let client = client(&service, settings(&["a"]));
    let (ended, written) = cancelled_after_a_second(&client).await;
    assert!(matches!(written, Written::Each(_)), "{written:?}");
    assert_eq!(ended.as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn after_the_wish_nothing_leaves_and_others_are_not_concerned() {
    let service = Service::playing([no_content()]);
    let client = client(&service, settings(&["a"]));
    let cancel = Cancel::new();
    cancel.ask();
    let stopping = client.heeding(cancel);
    let update = write(Operation::Update, 1);
    assert!(matches!(stopping.write(&update, Form::Bulk).await, Written::NotNow(_)));
    assert!(matches!(stopping.count(&account()).await, Err(ClientError::Throttled { .. })));
    assert!(service.0.sent().is_empty());
    assert!(matches!(client.write(&update, Form::Bulk).await, Written::Each(_)));
}

#[tokio::test(start_paused = true)]
async fn what_the_job_wants_to_spend_is_kept() {
    let service = Service::answering(|_| no_content());
    let pace = PaceSettings {
        requests_per_second: Some(2.0),
        records_per_day: Some(100),
        records_spent: 80,
    };
    let client = client(&service, ClientSettings { pace, ..settings(&["a", "b"]) });
    let write = write(Operation::Update, 2);
    for _ in 0..10 {
        assert!(matches!(client.write(&write, Form::Bulk).await, Written::Each(_)));
    }
    assert!((4..=5).contains(&client.clock().now().as_secs()), "{:?}", client.clock().now());
    match client.write(&write, Form::Bulk).await {
        Written::NotNow(not_now) => {
            assert_eq!(not_now.code, "records_per_day");
            assert!(not_now.until > Duration::from_hours(23) && !not_now.cancelled);
        }
        other => panic!("{other:?}"),
    }
    let senseless = PaceSettings { requests_per_second: Some(0.0), ..PaceSettings::default() };
    let senseless = ClientSettings { pace: senseless, ..settings(&["a"]) };
    assert!(Client::new(senseless, service.0.clone(), service.1).is_err());
}
