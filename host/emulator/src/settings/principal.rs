//! Who may sign in, and how.

use std::fmt;

use serde::Deserialize;
use uuid::Uuid;

/// An application user. It signs in with a token that never ends, or with one
/// that it asks the token endpoint for.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrincipalSettings {
    /// A bearer token that signs in as this principal and never ends.
    pub token: Option<String>,
    /// Application (client) id; default: made from the name.
    pub client_id: Option<Uuid>,
    /// Secret with which the token endpoint gives it tokens; without it, none.
    pub client_secret: Option<String>,
    /// `systemuserid`; default: made from the name.
    pub user: Option<Uuid>,
    /// There is an application user for it; else its requests get 403. Default
    /// true.
    #[serde(default = "yes")]
    pub member: bool,
}

impl PrincipalSettings {
    /// A principal with that token.
    #[must_use]
    pub fn with_token(token: &str) -> Self {
        Self { token: Some(token.to_owned()), member: true, ..Self::default() }
    }

    /// A principal that asks for tokens.
    #[must_use]
    pub fn with_secret(client_id: Uuid, client_secret: &str) -> Self {
        Self {
            client_id: Some(client_id),
            client_secret: Some(client_secret.to_owned()),
            member: true,
            ..Self::default()
        }
    }
}

impl fmt::Debug for PrincipalSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |secret: &Option<String>| secret.as_ref().map(|_| "***");
        f.debug_struct("PrincipalSettings")
            .field("token", &hidden(&self.token))
            .field("client_id", &self.client_id)
            .field("client_secret", &hidden(&self.client_secret))
            .field("user", &self.user)
            .field("member", &self.member)
            .finish()
    }
}

fn yes() -> bool {
    true
}

/// The tokens that the token endpoint gives.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {
    /// The tenant whose endpoint it is; none: any tenant.
    pub tenant: Option<String>,
    /// How long a token lives, seconds of the service.
    pub lifetime_seconds: u64,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self { tenant: None, lifetime_seconds: 3599 }
    }
}
