//! What a client is told: where, as whom, how patiently.

use std::collections::BTreeSet;
use std::time::Duration;

use dvsync_model::Secret;
use uuid::Uuid;

/// Everything a [`crate::Client`] is made from.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The environment: `https://contoso.crm4.dynamics.com`, without the API
    /// path.
    pub url: String,
    /// `v9.2`.
    pub api_version: String,
    /// Application users; at least one, names unique.
    pub principals: Vec<PrincipalSettings>,
    /// Headers of all writes.
    pub headers: WriteHeaders,
    /// How often and how long a call is tried.
    pub retry: RetrySettings,
    /// Longest time for one request and its reply. The service cuts requests
    /// off after about two minutes; a shorter time-out leaves writes in doubt
    /// that may still land.
    pub timeout: Duration,
    /// A wait longer than this is not waited: the call answers "not now".
    pub wait_max: Duration,
    /// Most requests in flight for one principal, whatever the service hints.
    pub concurrency_max: usize,
    /// What the service's hint of how many requests to send at once counts for.
    pub dop_hint_scope: DopHintScope,
    /// The window over which the service counts requests and execution time
    /// (*Service protection API limits*: five minutes). The amounts are learned.
    pub limits_window: Duration,
    /// What the job itself wants to spend, whatever the service allows.
    pub pace: PaceSettings,
    /// How long a principal that was refused stays out before one request tries
    /// it again; doubles with each refusal in a row, up to an hour.
    pub quarantine: Duration,
    /// Absolute instead of root-relative URLs within `$batch`.
    pub batch_absolute_urls: bool,
    /// Makes jitter repeatable, for simulations.
    pub seed: Option<u64>,
}

impl ClientSettings {
    /// Settings with defaults for all but the environment and the principals.
    #[must_use]
    pub fn new(url: impl Into<String>, principals: Vec<PrincipalSettings>) -> Self {
        Self {
            url: url.into(),
            api_version: "v9.2".to_owned(),
            principals,
            headers: WriteHeaders::default(),
            retry: RetrySettings::default(),
            timeout: Duration::from_secs(150),
            wait_max: Duration::from_mins(10),
            concurrency_max: 52,
            dop_hint_scope: DopHintScope::Environment,
            limits_window: Duration::from_mins(5),
            pace: PaceSettings::default(),
            quarantine: Duration::from_mins(5),
            batch_absolute_urls: false,
            seed: None,
        }
    }
}

/// What the job itself wants to spend; nothing set, nothing held back.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PaceSettings {
    /// Requests a second, over all principals; above 0.
    pub requests_per_second: Option<f64>,
    /// Records written in any 24 hours; a write beyond it answers "not now".
    pub records_per_day: Option<u64>,
    /// Records of the last 24 hours that others have written: they count as if
    /// written when the client is made.
    pub records_spent: u64,
}

/// What `x-ms-dop-hint` counts for (Microsoft does not say).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DopHintScope {
    /// The whole environment: the principals share it.
    #[default]
    Environment,
    /// Each principal.
    Principal,
}

/// An application user.
#[derive(Debug, Clone)]
pub struct PrincipalSettings {
    /// What logs, errors and reports call it.
    pub name: String,
    /// How it proves who it is.
    pub credential: Credential,
}

/// How a principal gets its tokens.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A ready token, used until it is refused.
    Token(Secret),
    /// An app registration's secret.
    ClientSecret {
        /// Entra tenant.
        tenant_id: String,
        /// App registration.
        client_id: String,
        /// Its secret.
        secret: Secret,
    },
    /// The identity of the machine.
    ManagedIdentity {
        /// A user-assigned one; absent means the system-assigned.
        client_id: Option<String>,
    },
    /// A Kubernetes service account, as the pod's environment says.
    WorkloadIdentity,
    /// Whoever is logged in to the Azure CLI.
    AzureCli,
}

/// Headers of all writes (*Use optional parameters*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteHeaders {
    /// Custom plug-ins and workflows to skip; needs
    /// `prvBypassCustomBusinessLogic`.
    pub bypass_custom_logic: BTreeSet<Bypass>,
    /// Do not start Power Automate flows.
    pub bypass_flows: bool,
    /// Off turns the environment's duplicate-detection rules on: they refuse
    /// records.
    pub suppress_duplicate_detection: bool,
    /// Write as somebody else; needs the act-on-behalf privilege.
    pub caller: Option<Caller>,
    /// Unique name of the solution that new components join.
    pub solution: Option<String>,
    /// Text that plug-ins see as the shared variable `tag`.
    pub tag: Option<String>,
}

impl Default for WriteHeaders {
    fn default() -> Self {
        Self {
            bypass_custom_logic: BTreeSet::new(),
            bypass_flows: false,
            suppress_duplicate_detection: true,
            caller: None,
            solution: None,
            tag: None,
        }
    }
}

/// Custom logic that writes may skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bypass {
    /// Synchronous plug-ins and workflows.
    Sync,
    /// Asynchronous ones.
    Async,
}

/// Who writes are made as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// By Entra object id (`CallerObjectId`).
    ObjectId(Uuid),
    /// By `systemuserid` (`MSCRMCallerID`).
    UserId(Uuid),
}

/// How often and how long a call is tried. A wait that the service asks for is
/// never shortened by any of these: it is waited, or the call gives up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetrySettings {
    /// Most attempts of one call; throttled ones do not count.
    pub attempts_max: u32,
    /// Upper bound of the first wait; doubles with each attempt. The wait is
    /// drawn from zero to the bound (full jitter).
    pub backoff_first: Duration,
    /// The bound grows no further.
    pub backoff_max: Duration,
    /// Longest time from the first attempt of a call to the start of its last.
    pub deadline: Duration,
    /// Retries that may be spent at once over all calls; each success earns a
    /// tenth of one back. It keeps retries from multiplying the load on a
    /// service that is down.
    pub budget: u32,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            attempts_max: 6,
            backoff_first: Duration::from_millis(500),
            backoff_max: Duration::from_mins(1),
            deadline: Duration::from_mins(30),
            budget: 100,
        }
    }
}
