//! Who is refused stays out; secrets stay in.

use std::time::Duration;

use dvsync_model::Secret;

use super::scripted::{Service, Step, client, error, json, no_content, settings};
use super::tables::write;
use crate::{ClientError, ClientSettings, Credential, Form, Operation, PrincipalSettings, Written};

const WHO: &str = r#"{"BusinessUnitId":"00000000-0000-0000-0000-000000000003",
    "UserId":"00000000-0000-0000-0000-000000000002",
    "OrganizationId":"00000000-0000-0000-0000-000000000001"}"#;

#[tokio::test(start_paused = true)]
async fn a_wrong_token_is_an_error_that_names_the_principal_and_no_secret() {
    for body in ["", "<html>", r#"{"error":{"code":"0x80040277","message":"no"}}"#] {
        let step = Step::Reply(401, vec![], body.to_owned());
        let service = Service::playing([step]);
        let client = client(&service, settings(&["loader-1"]));
        let error = client.who_am_i().await.unwrap_err();
        assert!(matches!(error, ClientError::Denied { .. }), "{error:?}");
        let told = format!("{error} {error:?} {:?} {client:?}", error.hint());
        assert!(told.contains("loader-1"), "{told}");
        assert!(!told.contains("token-of"), "{told}");
    }
}

#[test]
fn settings_do_not_print_their_secrets() {
    assert!(!format!("{:?}", settings(&["a"])).contains("token-of"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_principal_stays_out_and_is_tried_again_later() {
    let service = Service::answering(|sent| {
        let early = sent.at < Duration::from_secs(200);
        if early && sent.header("authorization").ends_with("of-a") {
            error(403, "0x80072560", "The user is not a member of the organization.")
        } else {
            no_content()
        }
    });
    let client = client(&service, settings(&["a", "b"]));
    let write = write(Operation::Update, 1);
    for _ in 0..4 {
        assert!(matches!(client.write(&write, Form::Bulk).await, Written::Each(_)));
    }
    let by_a = || {
        let sent = service.0.sent();
        sent.iter().filter(|sent| sent.header("authorization").ends_with("of-a")).count()
    };
    assert_eq!((by_a(), service.0.sent().len()), (1, 5));
    client.clock().sleep_until(Duration::from_secs(301)).await;
    for _ in 0..4 {
        assert!(matches!(client.write(&write, Form::Bulk).await, Written::Each(_)));
    }
    assert!(by_a() >= 2);
}

#[tokio::test(start_paused = true)]
async fn when_all_principals_are_refused_the_run_stops_with_the_reason() {
    let missing = "is missing prvCreateAccount privilege";
    let service = Service::answering(move |_| error(403, "0x80040220", missing));
    let client = client(&service, settings(&["a", "b"]));
    match client.write(&write(Operation::Create, 2), Form::Bulk).await {
        Written::Stop(error) => {
            assert!(error.to_string().contains(missing), "{error}");
            assert!(error.hint().unwrap().contains("privilege"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(service.0.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_dataverse_environment_is_said_to_be_none() {
    let page = "<!DOCTYPE html><html><head><title>Sign in</title>";
    for step in [
        Step::Reply(200, vec![("content-type", "text/html".to_owned())], page.to_owned()),
        Step::Reply(404, vec![("content-type", "text/html".to_owned())], page.to_owned()),
        Step::Reply(404, vec![], String::new()),
        Step::Reply(302, vec![("location", "https://x".to_owned())], String::new()),
    ] {
        let service = Service::playing([step.clone()]);
        let client = client(&service, settings(&["a"]));
        let error = client.who_am_i().await.unwrap_err();
        assert!(matches!(error, ClientError::NotDataverse { .. }), "{step:?}: {error:?}");
        assert!(error.hint().unwrap().contains("not a Dataverse environment"));
    }
}

#[tokio::test(start_paused = true)]
async fn each_principal_says_who_it_is() {
    let service = Service::answering(|sent| {
        if sent.header("authorization").ends_with("of-b") {
            return error(403, "0x80042f09", "no roles");
        }
        json(200, WHO)
    });
    let client = client(&service, settings(&["a", "b"]));
    let each = client.who_am_i_each().await;
    assert_eq!(each[0].0, "a");
    assert_eq!(each[0].1.as_ref().unwrap().organization_id, uuid::Uuid::from_u128(1));
    assert!(matches!(&each[1].1, Err(ClientError::Denied { principal, .. }) if principal == "b"));
}

#[test]
fn a_client_without_principals_is_refused() {
    let (service, clock) = Service::playing([]);
    let settings = ClientSettings { principals: vec![], ..settings(&[]) };
    assert!(crate::Client::new(settings, service, clock).is_err());
}

fn principal(name: &str, token: &str) -> PrincipalSettings {
    let credential = Credential::Token(Secret::new(token.to_owned()));
    PrincipalSettings { name: name.to_owned(), credential }
}

#[tokio::test(start_paused = true)]
async fn a_drained_principal_finishes_what_is_under_way_and_the_others_go_on() {
    let service =
        Service::answering(|_| Step::After(Duration::from_secs(10), Box::new(no_content())));
    let client = client(&service, settings(&["a", "b"]));
    let write = write(Operation::Update, 1);
    let both =
        futures::future::join(client.write(&write, Form::Bulk), client.write(&write, Form::Bulk));
    let draining = async {
        client.clock().sleep_until(Duration::from_secs(1)).await;
        client.drain("a").await.unwrap();
        client.clock().now()
    };
    let (_, drained) = futures::future::join(both, draining).await;
    assert_eq!(drained.as_secs(), 10);
    for _ in 0..6 {
        client.write(&write, Form::Bulk).await;
    }
    let by = |name: &str| {
        let of = format!("of-{name}");
        let sent = service.0.sent();
        sent.iter().filter(|sent| sent.header("authorization").ends_with(&of)).count()
    };
    assert_eq!((by("a"), by("b")), (1, 7));
    client.add(&principal("a", "token-of-new")).unwrap();
    for _ in 0..6 {
        client.write(&write, Form::Bulk).await;
    }
    assert_eq!(by("a"), 1);
    assert!(by("new") >= 2);
    let counts = client.principals();
    assert_eq!(counts.iter().map(|counts| counts.sent).sum::<u64>(), 14);
    assert_eq!(counts.iter().map(|counts| counts.records).sum::<u64>(), 14);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_secret_is_used_from_the_next_request_on_and_ends_a_quarantine() {
    let service = Service::answering(|sent| {
        if sent.header("authorization").ends_with("of-a") {
            error(401, "", "no")
        } else {
            no_content()
        }
    });
    let client = client(&service, settings(&["a"]));
    let write = write(Operation::Update, 1);
    assert!(matches!(client.write(&write, Form::Bulk).await, Written::Stop(_)));
    client.replace(&principal("a", "token-of-tomorrow")).unwrap();
    assert!(matches!(client.write(&write, Form::Bulk).await, Written::Each(_)));
    assert_eq!(client.principals()[0].quarantined, 1);
    assert!(service.0.sent()[1].header("authorization").ends_with("of-tomorrow"));
}

#[tokio::test(start_paused = true)]
async fn principals_that_are_there_or_not_there_are_told_in_words() {
    let service = Service::playing([]);
    let client = client(&service, settings(&["a"]));
    assert!(client.add(&principal("a", "x")).unwrap_err().to_string().contains("`a`"));
    assert!(client.replace(&principal("b", "x")).unwrap_err().to_string().contains("`b`"));
    assert!(client.drain("b").await.unwrap_err().to_string().contains("`b`"));
    client.drain("a").await.unwrap();
    let stopped = client.write(&write(Operation::Update, 1), Form::Bulk).await;
    assert!(matches!(&stopped, Written::Stop(error) if error.to_string().contains("drained")));
}
