//! A write whose fate is unknown is never sent again; a read is.

use super::scripted::{Service, Step, client, error, json, no_content, settings};
use super::tables::{account, ids, write};
use crate::{Disposition, Form, Operation, Phase, TransportFault, Written};

fn html(status: u16) -> Step {
    let content_type = vec![("content-type", "text/html".to_owned())];
    Step::Reply(status, content_type, "<html><title>Oops</title></html>".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_write_without_a_sensible_reply_is_in_doubt_and_sent_once() {
    for (operation, step) in [
        (Operation::Create, Step::Fail(Phase::Sent, TransportFault::Timeout)),
        (Operation::Update, Step::Fail(Phase::Sent, TransportFault::Reset)),
        (Operation::Upsert, Step::Fail(Phase::ReplyCut, TransportFault::Truncated)),
        (Operation::Create, html(500)),
        (Operation::Create, html(502)),
        (Operation::Update, Step::Reply(503, vec![], String::new())),
        (Operation::Update, Step::Reply(504, vec![], String::new())),
        (Operation::Update, Step::Reply(408, vec![], String::new())),
        (Operation::Create, error(500, "0x80041234", "unknown")),
        (Operation::Create, error(500, "0x80044150", "Sql Number: 10054")),
        // Success, they say; but of what?
        (Operation::Create, json(200, &ids(2))),
        (Operation::Create, json(200, &ids(4))),
        (Operation::Create, json(200, "{}")),
        (Operation::Create, json(200, "{\"Ids\":[\"")),
        (Operation::Create, no_content()),
        (Operation::Update, html(200)),
    ] {
        let service = Service::playing([step.clone()]);
        let client = client(&service, settings(&["a", "b"]));
        let written = client.write(&write(operation, 3), Form::Bulk).await;
        assert!(matches!(written, Written::InDoubt(_)), "{step:?}: {written:?}");
        assert_eq!(service.0.sent().len(), 1, "{step:?}");
        assert_eq!(client.counts().failed, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_not_sent_is_sent_again() {
    let service =
        Service::playing([Step::Fail(Phase::NotSent, TransportFault::Connect), json(200, &ids(3))]);
    let client = client(&service, settings(&["a"]));
    let written = client.write(&write(Operation::Create, 3), Form::Bulk).await;
    assert!(matches!(written, Written::Each(_)), "{written:?}");
    let counts = client.counts();
    assert_eq!((counts.sent, counts.retried), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_read_is_sent_again_whatever_became_of_the_reply() {
    let count = r#"{"EntityRecordCountCollection":{"Count":1,"Keys":["account"],"Values":[7]}}"#;
    let service = Service::playing([
        Step::Fail(Phase::Sent, TransportFault::Timeout),
        Step::Fail(Phase::ReplyCut, TransportFault::Truncated),
        html(502),
        Step::Reply(504, vec![], String::new()),
        json(200, count),
    ]);
    let client = client(&service, settings(&["a"]));
    assert_eq!(client.count(&account()).await.unwrap(), Some(7));
    assert_eq!(client.counts().sent, 5);
}

#[tokio::test(start_paused = true)]
async fn a_clash_of_a_create_asks_to_look_and_is_not_in_doubt() {
    for code in ["0x80040237", "0x80060892"] {
        let service = Service::playing([error(412, code, "exists")]);
        let client = client(&service, settings(&["a"]));
        match client.write(&write(Operation::Create, 3), Form::Bulk).await {
            Written::Refused(refusal) => {
                assert_eq!(refusal.disposition, Disposition::LookBeforeResend);
            }
            other => panic!("{other:?}"),
        }
    }
}
