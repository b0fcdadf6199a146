//! Who signs in: static tokens, tokens that were asked for, and the user behind
//! each.

mod acting;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use uuid::Uuid;

use crate::clock::Moment;
use crate::entra::token::{self, Claims};
use crate::refusal::{Name, Refusal};
use crate::reply::Reply;
use crate::seed;
use crate::settings::{Behavior, PrincipalSettings, Settings, TokenSettings};
pub(crate) use acting::acting;

/// An application user that may sign in.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    pub(crate) name: String,
    settings: PrincipalSettings,
    client: Uuid,
    pub(crate) user: Uuid,
    pub(crate) member: bool,
}

/// All principals, in order of their names.
#[derive(Debug)]
pub(crate) struct Principals {
    all: Vec<Principal>,
    tokens: TokenSettings,
    seed: u64,
    /// Tokens that were given so far.
    given: AtomicU64,
    /// By principal: tokens with a lower number are expired on command.
    expired: Mutex<HashMap<usize, u64>>,
}

/// A token that was asked for.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) token: String,
    /// Of the service.
    pub(crate) lifetime_seconds: u64,
}

/// A principal that a request's token signed in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedIn<'p> {
    pub(crate) position: usize,
    pub(crate) principal: &'p Principal,
    /// Its token was asked for.
    asked: bool,
}

/// Where a request came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entrance<'r> {
    /// `https` or `http`.
    pub(crate) scheme: &'static str,
    /// Host and port.
    pub(crate) authority: &'r str,
    pub(crate) moment: Moment,
}

impl Principals {
    pub(crate) fn new(settings: &Settings) -> Self {
        let principal = |(name, settings): (&String, &PrincipalSettings)| Principal {
            name: name.clone(),
            settings: settings.clone(),
            client: settings.client_id.unwrap_or_else(|| application(name)),
            user: settings.user.unwrap_or_else(|| seed::id(&format!("systemuser/{name}"))),
            member: settings.member,
        };
        Self {
            all: settings.principals.iter().map(principal).collect(),
            tokens: settings.tokens.clone(),
            seed: settings.seed,
            given: AtomicU64::new(0),
            expired: Mutex::new(HashMap::new()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Users to plant.
    pub(crate) fn users(&self) -> Vec<seed::User> {
        let members = self.all.iter().filter(|principal| principal.member);
        members
            .map(|principal| seed::User {
                id: principal.user,
                name: principal.name.clone(),
                client: principal.client,
            })
            .collect()
    }

    /// The tenant's id.
    pub(crate) fn tenant(&self) -> String {
        self.tokens.tenant.clone().unwrap_or_else(|| seed::id("tenant").to_string())
    }

    pub(crate) fn has_tenant(&self, tenant: &str) -> bool {
        self.tokens.tenant.as_ref().is_none_or(|ours| ours.eq_ignore_ascii_case(tenant))
    }

    /// Name of the principal with this client id.
    pub(crate) fn of_client(&self, client: &str) -> Option<&str> {
        let client = Uuid::try_parse(client).ok()?;
        self.all.iter().find(|one| one.client == client).map(|one| one.name.as_str())
    }

    /// A token for a principal; `None`: the secret is not its own.
    pub(crate) fn grant(
        &self,
        name: &str,
        secret: &str,
        audience: &str,
        root: &str,
        moment: Moment,
    ) -> Option<Grant> {
        let principal = self.all.iter().find(|principal| principal.name == name)?;
        if principal.settings.client_secret.as_deref() != Some(secret) {
            return None;
        }
        let now = moment.service.as_secs();
        let lifetime_seconds = self.tokens.lifetime_seconds;
        let tenant = self.tenant();
        let object = seed::id(&format!("directory/{name}"));
        let claims = Claims {
            aud: audience.to_owned(),
            iss: format!("{root}/{tenant}/"),
            iat: now,
            nbf: now,
            exp: now.saturating_add(lifetime_seconds),
            appid: principal.client,
            oid: object,
            sub: object,
            tid: tenant,
            uti: self.given.fetch_add(1, Ordering::Relaxed),
            ver: "1.0".to_owned(),
        };
        Some(Grant { token: token::write(self.seed, &claims), lifetime_seconds })
    }

    /// The tokens that a principal was given so far are no longer taken. A static
    /// token stays: there is no way to ask for another.
    pub(crate) fn expire(&self, signed_in: SignedIn<'_>) {
        if signed_in.asked {
            let given = self.given.load(Ordering::Relaxed);
            self.expired().insert(signed_in.position, given);
        }
    }

    /// No token is expired on command any more.
    pub(crate) fn forget_expired(&self) {
        self.expired().clear();
    }

    fn expired(&self) -> MutexGuard<'_, HashMap<usize, u64>> {
        self.expired.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The principal of the request's token; else 401.
    pub(crate) fn sign_in(
        &self,
        headers: &HeaderMap,
        entrance: Entrance<'_>,
        behavior: &Behavior,
    ) -> Result<SignedIn<'_>, Box<Reply>> {
        let token = headers
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map_or("", |(_, token)| token.trim());
        let is_static =
            |one: &Principal| !token.is_empty() && one.settings.token.as_deref() == Some(token);
        if let Some(position) = self.all.iter().position(is_static) {
            return Ok(SignedIn { position, principal: &self.all[position], asked: false });
        }
        let unknown = || {
            let refusal = Refusal::named(Name::NoToken, "").coded(&behavior.codes);
            let reply = match refusal.code.is_empty() && refusal.message.is_empty() {
                true => Reply::empty(refusal.status),
                false => refusal.into(),
            };
            Box::new(self.challenged(reply, entrance, behavior))
        };
        let claims = token::read(self.seed, token).ok_or_else(unknown)?;
        let position = self.all.iter().position(|one| one.client == claims.appid);
        let position = position.filter(|_| is_for(&claims.aud, entrance.authority));
        let position = position.ok_or_else(unknown)?;
        let first = self.expired().get(&position).copied().unwrap_or(0);
        if claims.exp <= entrance.moment.service.as_secs() || claims.uti < first {
            return Err(Box::new(self.expired_reply(entrance, behavior)));
        }
        Ok(SignedIn { position, principal: &self.all[position], asked: true })
    }

    /// What a request with an expired token gets.
    pub(crate) fn expired_reply(&self, entrance: Entrance<'_>, behavior: &Behavior) -> Reply {
        let refusal = Refusal::named(
            Name::ExpiredToken,
            "The ticket specified for authentication is expired",
        );
        self.challenged(refusal.coded(&behavior.codes).into(), entrance, behavior)
    }

    fn challenged(&self, reply: Reply, entrance: Entrance<'_>, behavior: &Behavior) -> Reply {
        if !behavior.challenge {
            return reply;
        }
        let Entrance { scheme, authority, .. } = entrance;
        let challenge = format!(
            "Bearer authorization_uri={scheme}://{authority}/{}/oauth2/authorize, \
             resource_id={scheme}://{authority}/",
            self.tenant()
        );
        reply.with("WWW-Authenticate", challenge)
    }
}

/// The application (client) id that a principal has unless it is given one.
fn application(name: &str) -> Uuid {
    seed::id(&format!("application/{name}"))
}

impl Settings {
    /// Client id and secret of each principal that can ask for tokens, by name.
    #[must_use]
    pub fn clients(&self) -> BTreeMap<&str, (Uuid, &str)> {
        let client = |(name, principal): (&String, &PrincipalSettings)| {
            principal.client_id.unwrap_or_else(|| application(name))
        };
        self.principals
            .iter()
            .filter_map(|entry| {
                let secret = entry.1.client_secret.as_deref()?;
                Some((entry.0.as_str(), (client(entry), secret)))
            })
            .collect()
    }
}

/// A token's audience is the environment behind this host and port. The names of
/// this machine are one.
fn is_for(audience: &str, authority: &str) -> bool {
    let found = audience.split_once("://").map_or(audience, |(_, rest)| rest);
    let found = found.split('/').next().unwrap_or_default();
    let local = |text: &str| {
        let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
        matches!(host, "localhost" | "127.0.0.1" | "[::1]").then(|| port.to_owned())
    };
    found.eq_ignore_ascii_case(authority)
        || (local(found).is_some() && local(found) == local(authority))
}
