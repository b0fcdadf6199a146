//! Tokens from Microsoft Entra ID, by the Azure SDK's credentials over our own
//! transport: one proxy, one trust store, one place that sends.
//!
//! The SDK neither retries nor caches here: a credential is made for one token,
//! so a refused token is never handed out again.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::http::headers::Headers;
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions,
    Transport as AzureTransport,
};
use azure_identity::{
    AzureCliCredential, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use dvsync_model::Secret;
use jiff::Timestamp;

use super::Granted;
use crate::reply::retry_after;
use crate::settings::Credential;
use crate::transport::Transport;

/// Longest time for a token.
const TIMEOUT: Duration = Duration::from_secs(30);

/// No token.
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) transient: bool,
    /// The wait that Entra asked for.
    pub(super) wait: Option<Duration>,
}

/// Asks for one token.
pub(super) async fn fetch(
    credential: &Credential,
    scope: &str,
    transport: Arc<dyn Transport>,
) -> Result<Granted, Failure> {
    let (failed_on_the_way, wait) = (AtomicBool::new(false), Mutex::new(None));
    let bridge = Arc::new(Bridge { transport, failed_on_the_way, wait });
    let result = match build(credential, &bridge) {
        Ok(credential) => credential.get_token(&[scope], None).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(token) => Ok(Granted {
            secret: Secret::new(token.token.secret().to_owned()),
            // By the system's clock, as the SDK counts it; ours may be simulated.
            lifetime: Timestamp::from_second(token.expires_on.unix_timestamp())
                .ok()
                .map(|expires| expires.duration_since(Timestamp::now()))
                .map(|left| Duration::try_from(left).unwrap_or(Duration::ZERO)),
        }),
        Err(error) => Err(Failure {
            message: first_line(&error.to_string()),
            transient: bridge.failed_on_the_way.load(Ordering::Relaxed),
            wait: *bridge.wait.lock().unwrap_or_else(PoisonError::into_inner),
        }),
    }
}

fn build(
    credential: &Credential,
    bridge: &Arc<Bridge>,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let client_options = ClientOptions {
        transport: Some(AzureTransport::new(bridge.clone())),
        retry: RetryOptions::none(),
        ..ClientOptions::default()
    };
    Ok(match credential {
        Credential::ClientSecret { tenant_id, client_id, secret } => ClientSecretCredential::new(
            tenant_id,
            client_id.clone(),
            azure_core::credentials::Secret::new(secret.expose().to_owned()),
            Some(ClientSecretCredentialOptions { client_options }),
        )?,
        Credential::ManagedIdentity { client_id } => {
            ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                client_options,
            }))?
        }
        Credential::WorkloadIdentity => {
            let mut options = WorkloadIdentityCredentialOptions::default();
            options.credential_options.client_options = client_options;
            WorkloadIdentityCredential::new(Some(options))?
        }
        Credential::AzureCli => AzureCliCredential::new(None)?,
        Credential::Token(_) => {
            return Err(azure_core::Error::with_message(
                azure_core::error::ErrorKind::Credential,
                "a ready token is not asked for",
            ));
        }
    })
}

/// The SDK's requests over our transport.
struct Bridge {
    transport: Arc<dyn Transport>,
    /// The last failure was the network's or Entra's, not the credential's.
    failed_on_the_way: AtomicBool,
    /// What the last reply asked for.
    wait: Mutex<Option<Duration>>,
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").finish_non_exhaustive()
    }
}

impl Bridge {
    async fn execute(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let other = |message: String| {
            azure_core::Error::with_message(azure_core::error::ErrorKind::Other, message)
        };
        let Body::Bytes(body) = request.body().clone() else {
            return Err(other("a token request has no stream".to_owned()));
        };
        let mut outgoing =
            http::Request::builder().method(request.method().as_ref()).uri(request.url().as_str());
        for (name, value) in request.headers().iter() {
            outgoing = outgoing.header(name.as_str(), value.as_str());
        }
        let outgoing = outgoing.body(body).map_err(|error| other(error.to_string()))?;
        let reply = self.transport.send(outgoing, TIMEOUT).await.map_err(|error| {
            self.failed_on_the_way.store(true, Ordering::Relaxed);
            azure_core::Error::with_message(
                azure_core::error::ErrorKind::Io,
                format!("no reply from Entra: {error}"),
            )
        })?;
        let status = reply.status();
        let sick = status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS;
        self.failed_on_the_way.store(sick, Ordering::Relaxed);
        *self.wait.lock().unwrap_or_else(PoisonError::into_inner) =
            retry_after(reply.headers(), Timestamp::now());
        let mut headers = Headers::new();
        for (name, value) in reply.headers() {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        Ok(AsyncRawResponse::from_bytes(status.as_u16().into(), headers, reply.into_body()))
    }
}

impl HttpClient for Bridge {
    fn execute_request<'life0, 'life1, 'async_trait>(
        &'life0 self,
        request: &'life1 Request,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AsyncRawResponse>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.execute(request))
    }
}

/// The SDK appends links and trace ids on lines of their own.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}
