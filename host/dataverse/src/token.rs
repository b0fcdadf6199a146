//! One principal's tokens: kept until shortly before they expire, renewed by
//! one caller at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dvsync_model::Secret;
use http::HeaderValue;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::error::ClientError;
use crate::settings::{Credential, PrincipalSettings};
use crate::transport::Transport;

mod entra;

/// A longer wait that Entra asks for is an error.
const WAIT_MAX: Duration = Duration::from_mins(10);

/// A token is renewed so long before it expires.
const EARLY: Duration = Duration::from_mins(5);

/// An `Authorization` header, and which renewal it came from.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// Marked sensitive: prints as `Sensitive`.
    pub(crate) header: HeaderValue,
    pub(crate) generation: u64,
    expires: Option<Timestamp>,
}

/// What a credential yields.
struct Granted {
    secret: Secret,
    /// For how long it is valid from now; absent means until it is refused.
    lifetime: Option<Duration>,
}

/// One principal's tokens.
pub(crate) struct Tokens {
    principal: String,
    credential: Credential,
    /// `https://contoso.crm4.dynamics.com/.default`.
    scope: String,
    transport: Arc<dyn Transport>,
    current: Mutex<Option<Token>>,
    /// By the clock; Entra has asked to be left alone until then.
    not_before: Mutex<Duration>,
    /// Held by whoever fetches a token: the others wait for that one.
    fetching: tokio::sync::Mutex<()>,
}

impl Tokens {
    pub(crate) fn new(
        settings: &PrincipalSettings,
        scope: String,
        transport: Arc<dyn Transport>,
    ) -> Self {
        Self {
            principal: settings.name.clone(),
            credential: settings.credential.clone(),
            scope,
            transport,
            current: Mutex::new(None),
            not_before: Mutex::new(Duration::ZERO),
            fetching: tokio::sync::Mutex::new(()),
        }
    }

    /// Whether a refused token can be followed by another one.
    pub(crate) fn renewable(&self) -> bool {
        !matches!(self.credential, Credential::Token(_))
    }

    /// A token that is valid now.
    pub(crate) async fn token(&self, clock: &Clock) -> Result<Token, ClientError> {
        self.newer_than(0, clock).await
    }

    /// A token that is not the refused one.
    pub(crate) async fn renewed(
        &self,
        refused: &Token,
        clock: &Clock,
    ) -> Result<Token, ClientError> {
        self.newer_than(refused.generation, clock).await
    }

    async fn newer_than(&self, generation: u64, clock: &Clock) -> Result<Token, ClientError> {
        let wall = clock.wall();
        let known = self.known(generation);
        if let Some(token) = known.as_ref().filter(|token| !token.expires_before(wall, EARLY)) {
            return Ok(token.clone());
        }
        let usable = known.filter(|token| !token.expires_before(wall, Duration::ZERO));
        let _turn = match (self.fetching.try_lock(), &usable) {
            (Ok(turn), _) => turn,
            // Somebody is fetching the next one; this one will do.
            (Err(_), Some(token)) => return Ok(token.clone()),
            (Err(_), None) => self.fetching.lock().await,
        };
        // Somebody may have fetched one while this call waited.
        if let Some(token) =
            self.known(generation).filter(|token| !token.expires_before(clock.wall(), EARLY))
        {
            return Ok(token);
        }
        match self.fetch(clock).await {
            Ok(token) => Ok(token),
            // An hour of work does not end because Entra hiccups once.
            Err(error) => usable.ok_or(error).inspect(|_| {
                tracing::warn!(principal = self.principal, "token not renewed; the old one holds");
            }),
        }
    }

    fn known(&self, newer_than: u64) -> Option<Token> {
        self.lock().as_ref().filter(|token| token.generation > newer_than).cloned()
    }

    async fn fetch(&self, clock: &Clock) -> Result<Token, ClientError> {
        let granted = match &self.credential {
            Credential::Token(secret) => Granted { secret: secret.clone(), lifetime: None },
            other => {
                let not_before = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
                if clock.now() < not_before {
                    clock.sleep_until(not_before).await;
                }
                let fetched = entra::fetch(other, &self.scope, self.transport.clone()).await;
                fetched.map_err(|failure| {
                    let wait = failure.wait.unwrap_or_default();
                    *self.not_before.lock().unwrap_or_else(PoisonError::into_inner) =
                        clock.now() + wait.min(WAIT_MAX);
                    self.failed(failure.message, failure.transient && wait <= WAIT_MAX)
                })?
            }
        };
        let mut header = HeaderValue::from_str(&format!("Bearer {}", granted.secret.expose()))
            .map_err(|_| {
                self.failed("the token holds characters that no header takes".to_owned(), false)
            })?;
        header.set_sensitive(true);
        let mut current = self.lock();
        let generation = current.as_ref().map_or(1, |token| token.generation + 1);
        let expires = granted.lifetime.and_then(|life| clock.wall().saturating_add(life).ok());
        let token = Token { header, generation, expires };
        *current = Some(token.clone());
        Ok(token)
    }

    fn failed(&self, message: String, transient: bool) -> ClientError {
        ClientError::Credential { principal: self.principal.clone(), message, transient }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Token>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    fn expires_before(&self, wall: Timestamp, early: Duration) -> bool {
        self.expires
            .is_some_and(|expires| wall.saturating_add(early).is_ok_and(|moment| moment >= expires))
    }
}
