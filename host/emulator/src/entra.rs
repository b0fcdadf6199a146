//! The part of Microsoft Entra ID that clients need: tokens for client
//! credentials, and the documents that lead to them.
//!
//! Pure. Error bodies have Entra's form and codes. Not here: users who sign in
//! interactively, certificates as credentials, refresh tokens, keys to check a
//! token's signature with (the emulator alone reads its tokens).

mod form;
mod refused;
pub(crate) mod token;

use http::{HeaderMap, Method};
use serde_json::json;

use crate::clock::Moment;
use crate::principals::{Grant, Principals};
use crate::reply::Reply;
use form::Form;
use refused::Refused;

/// A request to the issuer of tokens.
#[derive(Debug)]
pub(crate) struct Asked<'r> {
    pub(crate) method: &'r Method,
    /// With query.
    pub(crate) target: &'r str,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) body: &'r [u8],
    /// `https://host`.
    pub(crate) root: &'r str,
    pub(crate) moment: Moment,
    /// Of the request, for trace ids.
    pub(crate) number: u64,
}

enum Resource<'p> {
    Token { tenant: &'p str },
    Configuration { tenant: &'p str },
    Keys,
    Instance,
}

fn resource(target: &str) -> Option<Resource<'_>> {
    let path = target.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match segments[..] {
        [tenant, "oauth2", "v2.0", "token"] | [tenant, "oauth2", "token"] => {
            Some(Resource::Token { tenant })
        }
        [tenant, ".well-known", "openid-configuration"]
        | [tenant, "v2.0", ".well-known", "openid-configuration"] => {
            Some(Resource::Configuration { tenant })
        }
        [_, "discovery", "v2.0", "keys"] | [_, "discovery", "keys"] => Some(Resource::Keys),
        [_, "discovery", "instance"] => Some(Resource::Instance),
        _ => None,
    }
}

/// A path of the issuer of tokens.
pub(crate) fn is_its(target: &str) -> bool {
    resource(target).is_some()
}

/// Name of the principal for which a token is asked; empty if it is none.
pub(crate) fn principal<'p>(principals: &'p Principals, asked: &Asked<'_>) -> &'p str {
    let form = Form::new(asked.headers, asked.body);
    form.client_id().and_then(|id| principals.of_client(id)).unwrap_or_default()
}

/// Answers a request; `None`: it is not for the issuer.
pub(crate) fn answer(
    principals: &Principals,
    lifetime_scaled: &dyn Fn(u64) -> u64,
    asked: &Asked<'_>,
) -> Option<Reply> {
    let resource = resource(asked.target)?;
    let wanted =
        if matches!(resource, Resource::Token { .. }) { Method::POST } else { Method::GET };
    if *asked.method != wanted {
        return Some(Reply::empty(405));
    }
    let root = asked.root;
    let reply = match resource {
        Resource::Token { tenant } => match grant(principals, asked, tenant) {
            Ok(grant) => {
                let seconds = lifetime_scaled(grant.lifetime_seconds);
                let body = json!({
                    "token_type": "Bearer",
                    "expires_in": seconds,
                    "ext_expires_in": seconds,
                    "access_token": grant.token,
                });
                plain(200, &body)
            }
            Err(refused) => plain(refused.status, &refused.body(asked)),
        },
        Resource::Configuration { tenant } => plain(200, &configuration(root, tenant)),
        Resource::Keys => plain(200, &json!({"keys": []})),
        Resource::Instance => {
            let host = root.split("://").nth(1).unwrap_or_default();
            let tenant = principals.tenant();
            plain(
                200,
                &json!({
                    "api-version": "1.1",
                    "tenant_discovery_endpoint":
                        format!("{root}/{tenant}/v2.0/.well-known/openid-configuration"),
                    "metadata": [{
                        "preferred_network": host,
                        "preferred_cache": host,
                        "aliases": [host],
                    }],
                }),
            )
        }
    };
    Some(reply.with("Cache-Control", "no-store, no-cache"))
}

fn plain(status: u16, body: &serde_json::Value) -> Reply {
    Reply::text(status, "application/json; charset=utf-8", body.to_string())
}

fn grant(principals: &Principals, asked: &Asked<'_>, tenant: &str) -> Result<Grant, Refused> {
    if !principals.has_tenant(tenant) {
        return Err(Refused::tenant(tenant));
    }
    let form = Form::new(asked.headers, asked.body);
    match form.get("grant_type") {
        None => return Err(Refused::missing("grant_type")),
        Some("client_credentials") => {}
        Some(other) => return Err(Refused::grant_type(other)),
    }
    let client = form.client_id().ok_or_else(|| Refused::missing("client_id"))?;
    let audience = match (form.get("scope"), form.get("resource")) {
        (Some(scope), _) => scope.strip_suffix("/.default").ok_or_else(|| Refused::scope(scope))?,
        (None, Some(resource)) => resource,
        (None, None) => return Err(Refused::missing("scope")),
    };
    let name = principals.of_client(client).ok_or_else(|| Refused::client(client, tenant))?;
    let secret = form.client_secret().ok_or_else(Refused::no_secret)?;
    let audience = audience.trim_end_matches('/');
    principals
        .grant(name, secret, audience, asked.root, asked.moment)
        .ok_or_else(|| Refused::secret(client))
}

fn configuration(root: &str, tenant: &str) -> serde_json::Value {
    json!({
        "issuer": format!("{root}/{tenant}/v2.0"),
        "token_endpoint": format!("{root}/{tenant}/oauth2/v2.0/token"),
        "authorization_endpoint": format!("{root}/{tenant}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{root}/{tenant}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{root}/{tenant}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "response_types_supported": ["code", "id_token", "token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
    })
}
