//! One call, tried until it is answered: the only place that sends, and the
//! only one that waits to send again.
//!
//! What is certain is tried again here: a request that was not sent, a throttle
//! (after the full wait, or by another principal), a refused token (once), a
//! refused principal (by another one), what the disposition table calls
//! transient. What is not certain is not: a write that may have landed is
//! handed back as in doubt. Dropping a call before it is sent leaves no trace.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use uuid::Uuid;

use crate::cancel::Cancel;
use crate::clock::Clock;
use crate::counts::{Tally, count};
use crate::encode::Operation;
use crate::error::ClientError;
use crate::principal::{Id, Load, Pool};
use crate::reply::Reply;
use crate::retry::{Budget, Jitter, backoff};
use crate::settings::ClientSettings;
use crate::throttle::Class;
use crate::token::Token;
use crate::transport::Transport;
use crate::written::{Doubt, NotNow, Refusal};

mod attempt;
mod many;
mod origin;

use attempt::{Next, Progress};
pub(crate) use origin::Origin;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// For errors: `the read of accounts`.
    pub(crate) what: String,
    pub(crate) method: Method,
    /// From the root on, with the query: `/api/data/v9.2/WhoAmI`.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// `None` is a read.
    pub(crate) operation: Option<Operation>,
    pub(crate) records: usize,
    /// The principal that must send it, where it matters.
    pub(crate) only: Option<Id>,
}

impl Call {
    /// A read of `target`.
    pub(crate) fn get(what: impl Into<String>, target: String) -> Self {
        Self {
            what: what.into(),
            method: Method::GET,
            target,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            operation: None,
            records: 0,
            only: None,
        }
    }

    /// What the throttle compares it with, and what the job pays for it.
    fn load(&self) -> Load {
        let kind = match self.operation {
            None => 0,
            Some(Operation::Create) => 1,
            Some(Operation::Update) => 2,
            Some(Operation::Upsert) => 3,
        };
        // A `$batch` is no bulk message, a page no count: like with like.
        let form = if self.target.ends_with("$batch") { 10 } else { 0 };
        let records = if self.operation.is_some() { self.records } else { 0 };
        Load { class: Class::new(kind + form, self.records), records }
    }
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Answer {
    /// With a 2xx, or with the parts of a batch.
    Reply { reply: Reply, attempt: u32, sent_at: Duration },
    /// With a refusal: nothing landed, unless it says to look.
    Refused(Refusal),
    /// Without a reply, and it may have landed.
    InDoubt(Doubt),
    /// It would have to wait too long.
    NotNow(NotNow),
    /// The run cannot go on.
    Stop(ClientError),
}

/// What all calls of a client share, and whose wish to end early they heed.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) settings: Arc<ClientSettings>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) clock: Clock,
    pub(crate) pool: Arc<Pool>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) cancel: Cancel,
    transport: Arc<dyn Transport>,
    headers: HeaderMap,
    budget: Arc<Budget>,
    jitter: Arc<Jitter>,
}

impl Session {
    pub(crate) fn new(
        settings: ClientSettings,
        transport: Arc<dyn Transport>,
        clock: Clock,
    ) -> Result<Self, ClientError> {
        let origin = Origin::new(&settings.url, &settings.api_version)?;
        if settings.principals.is_empty() {
            return Err(ClientError::Settings {
                setting: "principals",
                message: "at least one is needed".to_owned(),
            });
        }
        let pace = settings.pace.requests_per_second;
        if pace.is_some_and(|pace| !(1e-3..=1e6).contains(&pace)) {
            return Err(ClientError::Settings {
                setting: "requests_per_second",
                message: format!("expected 0.001 to 1000000, found `{}`", pace.unwrap_or_default()),
            });
        }
        let pool = Pool::new(&settings, origin.scope(), transport.clone(), clock)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for name in ["odata-version", "odata-maxversion"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("4.0"));
        }
        let seed = settings.seed.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0);
        let budget = Budget::new(settings.retry.budget);
        Ok(Self {
            settings: Arc::new(settings),
            origin: Arc::new(origin),
            clock,
            pool: Arc::new(pool),
            tally: Arc::default(),
            cancel: Cancel::new(),
            transport,
            headers,
            budget: Arc::new(budget),
            jitter: Arc::new(Jitter::new(seed)),
        })
    }

    /// Makes a call.
    pub(crate) async fn call(&self, call: &Call) -> Answer {
        let mut progress = Progress::new(self.clock.now());
        let answer = loop {
            match self.attempt(call, &mut progress).await {
                Next::Again => {}
                Next::Ended(answer) => break answer,
            }
        };
        if matches!(answer, Answer::Reply { .. }) {
            self.budget.earn();
        } else {
            count(&self.tally.failed);
        }
        answer
    }

    /// Makes a call that reads.
    pub(crate) async fn read(&self, call: &Call) -> Result<Reply, ClientError> {
        let what = || call.what.clone();
        match self.call(call).await {
            Answer::Reply { reply, .. } => Ok(reply),
            Answer::Stop(error) => Err(error),
            Answer::Refused(refusal) => Err(ClientError::Refused { what: what(), refusal }),
            Answer::NotNow(not_now) => Err(ClientError::Throttled {
                what: what(),
                wait: not_now.until.saturating_sub(self.clock.now()),
                until: not_now.until,
                message: not_now.message,
            }),
            Answer::InDoubt(doubt) => {
                Err(ClientError::Reply { what: what(), message: doubt.message })
            }
        }
    }

    /// Waits after `attempts` attempts; `false` if there may be no further one.
    pub(crate) async fn pause(&self, attempts: u32) -> bool {
        let now = self.clock.now();
        let wait = self.jitter.below(backoff(&self.settings.retry, attempts));
        if attempts >= self.settings.retry.attempts_max || !self.budget.spend() {
            return false;
        }
        self.cancel.or(self.clock.sleep_until(now + wait)).await.is_some()
    }

    fn request(&self, call: &Call, token: &Token) -> Result<http::Request<Bytes>, ClientError> {
        let bad = |error: String| ClientError::Reply { what: call.what.clone(), message: error };
        let url = format!("{}{}", self.origin.as_str(), call.target);
        let uri: Uri =
            url.parse().map_err(|error| bad(format!("`{}` is no URL: {error}", call.target)))?;
        let mut request = http::Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.extend(call.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        headers.insert(AUTHORIZATION, token.header.clone());
        let id = HeaderValue::from_str(
            Uuid::new_v4().hyphenated().encode_lower(&mut Uuid::encode_buffer()),
        )
        .map_err(|error| bad(error.to_string()))?;
        headers.insert(HeaderName::from_static("x-ms-client-request-id"), id);
        Ok(request)
    }
}
