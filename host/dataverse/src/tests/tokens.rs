//! Tokens are fetched once, renewed early, and never by two at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dvsync_model::Secret;

use super::scripted::{Service, Step, client, error, json, no_content, settings};
use super::tables::write;
use crate::{
    ClientError, ClientSettings, Clock, Credential, Form, Operation, Phase, PrincipalSettings,
    TransportFault, Written,
};

fn entra() -> ClientSettings {
    let credential = Credential::ClientSecret {
        tenant_id: "11111111-1111-1111-1111-111111111111".to_owned(),
        client_id: "22222222-2222-2222-2222-222222222222".to_owned(),
        secret: Secret::new("hunter2"),
    };
    let principals = vec![PrincipalSettings { name: "loader".to_owned(), credential }];
    ClientSettings { principals, ..settings(&[]) }
}

/// Grants `token-1`, `token-2`, ... to Entra's callers; asks `answer` for the
/// others.
fn service(
    mut answer: impl FnMut(&super::scripted::Sent) -> Step + Send + 'static,
) -> ((Arc<Service>, Clock), Arc<AtomicUsize>) {
    let logins = Arc::new(AtomicUsize::new(0));
    let counted = logins.clone();
    let service = Service::answering(move |sent| {
        if !sent.url.starts_with("https://login.microsoftonline.com/") {
            return answer(sent);
        }
        assert!(sent.body.contains("client_secret=hunter2"));
        assert!(sent.body.contains("scope=https%3A%2F%2Fcontoso.crm4.dynamics.com%2F.default"));
        let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
        let token = format!(
            r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"token-{number}"}}"#
        );
        Step::After(Duration::from_secs(1), Box::new(json(200, &token)))
    });
    (service, logins)
}

#[tokio::test(start_paused = true)]
async fn twenty_calls_at_once_fetch_one_token() {
    let (service, logins) = service(|_| no_content());
    let client = client(&service, entra());
    let write = write(Operation::Update, 1);
    let calls = (0..20).map(|_| client.write(&write, Form::Bulk));
    for written in futures::future::join_all(calls).await {
        assert!(matches!(written, Written::Each(_)), "{written:?}");
    }
    assert_eq!(logins.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_five_minutes_before_it_expires() {
    let (service, logins) = service(|_| no_content());
    let client = client(&service, entra());
    let write = write(Operation::Update, 1);
    for (minute, expected) in [(0, 1), (50, 1), (56, 2), (100, 2), (112, 3)] {
        client.clock().sleep_until(Duration::from_secs(minute * 60)).await;
        client.write(&write, Form::Bulk).await;
        assert_eq!(logins.load(Ordering::Relaxed), expected, "minute {minute}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_and_then_the_principal_is_refused() {
    let (service, logins) = service(|sent| {
        if sent.header("authorization") == "Bearer token-1" {
            error(401, "0x80040277", "expired")
        } else {
            no_content()
        }
    });
    let client = client(&service, entra());
    let written = client.write(&write(Operation::Update, 1), Form::Bulk).await;
    assert!(matches!(written, Written::Each(_)), "{written:?}");
    assert_eq!(logins.load(Ordering::Relaxed), 2);

    let (service, logins) = self::service(|_| error(401, "", "no"));
    let client = super::scripted::client(&service, entra());
    let written = client.write(&write(Operation::Update, 1), Form::Bulk).await;
    assert!(matches!(written, Written::Stop(ClientError::Denied { .. })), "{written:?}");
    assert_eq!(logins.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn tokens_of_all_principals_that_end_at_once_are_each_renewed_once() {
    let refused = Arc::new(AtomicUsize::new(0));
    let counted = refused.clone();
    let (service, logins) = service(move |sent| {
        if ["Bearer token-1", "Bearer token-2"].contains(&sent.header("authorization")) {
            counted.fetch_add(1, Ordering::Relaxed);
            error(401, "0x80040277", "expired")
        } else {
            no_content()
        }
    });
    let mut settings = entra();
    let other = PrincipalSettings { name: "other".to_owned(), ..settings.principals[0].clone() };
    settings.principals.push(other);
    let client = client(&service, settings);
    let written = client.write(&write(Operation::Update, 1), Form::Bulk).await;
    assert!(matches!(written, Written::Each(_)), "{written:?}");
    assert!(refused.load(Ordering::Relaxed) <= 2 && logins.load(Ordering::Relaxed) == 3);
}

#[tokio::test(start_paused = true)]
async fn entras_refusal_is_told_without_the_secret() {
    let refusal = r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired.","error_codes":[7000222]}"#;
    let service = Service::playing([json(401, refusal)]);
    let client = client(&service, entra());
    let error = client.who_am_i().await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(matches!(error, ClientError::Credential { transient: false, .. }), "{told}");
    assert!(told.contains("loader") && told.contains("AADSTS7000222"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn entra_out_of_reach_is_tried_again() {
    let token = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"t"}"#;
    let service = Service::playing([
        Step::Fail(Phase::NotSent, TransportFault::Connect),
        Step::Reply(503, vec![], "{}".to_owned()),
        json(200, token),
        no_content(),
    ]);
    let client = client(&service, entra());
    let written = client.write(&write(Operation::Update, 1), Form::Bulk).await;
    assert!(matches!(written, Written::Each(_)), "{written:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_entra_asks_for_is_waited_in_full() {
    let token = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"t"}"#;
    let wait = vec![("retry-after", "61".to_owned())];
    let service =
        Service::playing([Step::Reply(429, wait, "{}".to_owned()), json(200, token), no_content()]);
    let client = client(&service, entra());
    let began = client.clock().now();
    let written = client.write(&write(Operation::Update, 1), Form::Bulk).await;
    assert!(matches!(written, Written::Each(_)), "{written:?}");
    assert!(client.clock().now() - began >= Duration::from_secs(61));
}

#[tokio::test(start_paused = true)]
async fn an_old_token_serves_while_entra_is_down() {
    let token = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"t"}"#;
    let service = Service::playing([
        json(200, token),
        no_content(),
        Step::Fail(Phase::NotSent, TransportFault::Connect),
        no_content(),
    ]);
    let client = client(&service, entra());
    let write = write(Operation::Update, 1);
    client.write(&write, Form::Bulk).await;
    client.clock().sleep_until(Duration::from_secs(57 * 60)).await;
    let written = client.write(&write, Form::Bulk).await;
    assert!(matches!(written, Written::Each(_)), "{written:?}");
}
