//! Why there is no token, as Entra says it (*Microsoft Entra authentication and
//! authorization error codes*).

use serde_json::{Value, json};

use super::Asked;
use crate::instant::write_instant;
use crate::refusal::shortened;
use crate::seed;

/// A refused token request.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    error: &'static str,
    /// The number behind `AADSTS`.
    code: u32,
    message: String,
}

impl Refused {
    fn new(status: u16, error: &'static str, code: u32, message: String) -> Self {
        Self { status, error, code, message }
    }

    pub(super) fn missing(field: &str) -> Self {
        let message = format!("The request body must contain the following parameter: '{field}'.");
        Self::new(400, "invalid_request", 900_144, message)
    }

    pub(super) fn grant_type(found: &str) -> Self {
        let found = shortened(found);
        let message = format!("The app requested an unsupported grant type '{found}'.");
        Self::new(400, "unsupported_grant_type", 70_003, message)
    }

    pub(super) fn tenant(tenant: &str) -> Self {
        let tenant = shortened(tenant);
        let message = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and \
             are signing into the correct cloud. Check with your subscription administrator, this \
             may happen if there are no active subscriptions for the tenant."
        );
        Self::new(400, "invalid_request", 90_002, message)
    }

    pub(super) fn scope(scope: &str) -> Self {
        let message = format!(
            "The provided value for scope {} is not valid. Client credential flows must have a \
             scope value with /.default suffixed to the resource identifier (application ID URI).",
            shortened(scope)
        );
        Self::new(400, "invalid_scope", 1_002_012, message)
    }

    pub(super) fn client(client: &str, tenant: &str) -> Self {
        let message = format!(
            "Application with identifier '{}' was not found in the directory '{}'. This can \
             happen if the application has not been installed by the administrator of the tenant \
             or consented to by any user in the tenant. You may have sent your authentication \
             request to the wrong tenant.",
            shortened(client),
            shortened(tenant)
        );
        Self::new(400, "unauthorized_client", 700_016, message)
    }

    pub(super) fn no_secret() -> Self {
        let message = "The request body must contain the following parameter: 'client_assertion' \
                       or 'client_secret'.";
        Self::new(401, "invalid_client", 7_000_218, message.to_owned())
    }

    pub(super) fn secret(client: &str) -> Self {
        let message = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the \
             client secret value, not the client secret ID, for a secret added to app '{}'.",
            shortened(client)
        );
        Self::new(401, "invalid_client", 7_000_215, message)
    }

    pub(super) fn body(&self, asked: &Asked<'_>) -> Value {
        let mut timestamp = Vec::new();
        let seconds = i64::try_from(asked.moment.service.as_secs()).unwrap_or(i64::MAX);
        write_instant(&mut timestamp, seconds);
        let timestamp = String::from_utf8_lossy(&timestamp).replace('T', " ");
        let trace = seed::id(&format!("trace/{}", asked.number));
        let correlation = seed::id(&format!("correlation/{}", asked.number));
        let Self { error, code, message, .. } = self;
        json!({
            "error": error,
            "error_description": format!(
                "AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation} \
                 Timestamp: {timestamp}"
            ),
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": trace.to_string(),
            "correlation_id": correlation.to_string(),
            "error_uri": format!("{}/error?code={code}", asked.root),
        })
    }
}
