//! Errors that end a call, in layers: on the wire
//! ([`TransportError`]), how hard we tried, what the
//! caller can do ([`ClientError::hint`]).
//!
//! No text here holds a token, a header or a body of ours; the service's own
//! messages may quote a value.

use std::time::Duration;

use crate::transport::TransportError;
use crate::written::Refusal;

/// A call that cannot be made, or was not answered with what it asked for.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A setting makes no sense.
    #[error("setting `{setting}`: {message}")]
    Settings {
        /// Its name.
        setting: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The target has no such table.
    #[error("the target has no entity `{name}`{}", or_nearest(.nearest.as_deref()))]
    UnknownEntity {
        /// What was asked for.
        name: String,
        /// The most similar name that exists.
        nearest: Option<String>,
    },
    /// The table has no such column.
    #[error("entity `{entity}` has no column `{column}`{}", or_nearest(.nearest.as_deref()))]
    UnknownColumn {
        /// Logical name of the table.
        entity: String,
        /// What was asked for.
        column: String,
        /// The most similar name that exists.
        nearest: Option<String>,
    },
    /// The column cannot be used like that.
    #[error("column `{column}` of entity `{entity}` {problem}")]
    UnusableColumn {
        /// Logical name of the table.
        entity: String,
        /// Logical name of the column.
        column: String,
        /// Why: `cannot be read`, ...
        problem: String,
    },
    /// No token could be had.
    #[error("principal `{principal}` gets no token: {message}")]
    Credential {
        /// Its name.
        principal: String,
        /// Entra's words, or what failed on the way.
        message: String,
        /// Trying again may help.
        transient: bool,
    },
    /// The service refuses the token or the user behind it.
    #[error("principal `{principal}` is refused: {}", refusal_text(.refusal))]
    Denied {
        /// Its name.
        principal: String,
        /// What the service said.
        refusal: Refusal,
    },
    /// Something answers, but not Dataverse.
    #[error("`{url}` does not answer like a Dataverse environment: {message}")]
    NotDataverse {
        /// The environment's URL.
        url: String,
        /// What came instead.
        message: String,
    },
    /// No reply.
    #[error("cannot reach `{url}` after {attempts} attempts")]
    Unreachable {
        /// The environment's URL.
        url: String,
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        source: TransportError,
    },
    /// A read, or a call as such, was refused.
    #[error("{what} was refused: {}", refusal_text(.refusal))]
    Refused {
        /// What was asked for.
        what: String,
        /// What the service said.
        refusal: Refusal,
    },
    /// It would have to wait too long.
    #[error("{what} would have to wait {} seconds: {message}", .wait.as_secs())]
    Throttled {
        /// What was asked for.
        what: String,
        /// The wait, from when it was refused.
        wait: Duration,
        /// When to try again, by the client's clock.
        until: Duration,
        /// The service's words.
        message: String,
    },
    /// The reply is not what the protocol says.
    #[error("cannot read the reply to {what}: {message}")]
    Reply {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        message: String,
    },
}

impl ClientError {
    pub(crate) fn settings(
        setting: &'static str,
        what: &str,
        value: &str,
        error: impl std::fmt::Display,
    ) -> Self {
        Self::Settings { setting, message: format!("{what} `{value}`: {error}") }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Settings { .. } => return None,
            Self::UnknownEntity { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`? logical names are lower-case and singular")
            }
            Self::UnknownEntity { .. } => {
                "use the logical name, lower-case and singular: `account`, `new_contract`"
                    .to_owned()
            }
            Self::UnknownColumn { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`?")
            }
            Self::UnknownColumn { .. } => {
                "use the column's logical name; a new one takes about 30 s to show".to_owned()
            }
            Self::UnusableColumn { .. } => "choose another column".to_owned(),
            Self::Credential { transient: true, .. } => {
                "check that the machine reaches login.microsoftonline.com (proxy, firewall)"
                    .to_owned()
            }
            Self::Credential { .. } => {
                "check the tenant id, the client id, and that the secret has not expired".to_owned()
            }
            Self::Denied { principal, refusal } => denied_hint(principal, refusal),
            Self::NotDataverse { .. } => {
                "the URL is probably not a Dataverse environment; it looks like \
                 https://contoso.crm4.dynamics.com, without a path"
                    .to_owned()
            }
            Self::Unreachable { source, .. } => match source.kind {
                crate::transport::TransportFault::Tls => {
                    "if a proxy re-signs traffic, name its certificate as `ca_file`".to_owned()
                }
                _ => "check the URL, the network and the proxy".to_owned(),
            },
            Self::Refused { .. } => return None,
            Self::Throttled { .. } => "run again later, or raise `limits.wait_max`".to_owned(),
            Self::Reply { .. } => {
                "if it happens again, look for a proxy that changes replies".to_owned()
            }
        })
    }

    /// Whether trying again later, unchanged, may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Throttled { .. } => true,
            Self::Credential { transient, .. } => *transient,
            _ => false,
        }
    }
}

fn denied_hint(principal: &str, refusal: &Refusal) -> String {
    match refusal.code.map(|code| code.0) {
        Some(0x8007_2560) => format!(
            "create an application user for `{principal}` in this environment (Power Platform \
             admin centre)"
        ),
        Some(0x8004_2f09) => format!("give the application user of `{principal}` a security role"),
        Some(0x8004_1d1f) => format!("the application user of `{principal}` is disabled"),
        _ if refusal.status == 401 => format!(
            "the token of `{principal}` is wrong or expired, or was made for another environment"
        ),
        _ => format!("give a security role of `{principal}` the privilege that the message names"),
    }
}

fn refusal_text(refusal: &Refusal) -> String {
    let message =
        if refusal.message.is_empty() { "no reason given" } else { refusal.message.as_str() };
    match refusal.code {
        Some(code) if code.0 != 0 => format!("{message} (HTTP {}, {code})", refusal.status),
        _ => format!("{message} (HTTP {})", refusal.status),
    }
}

fn or_nearest(name: Option<&str>) -> String {
    name.map(|name| format!("; the nearest is `{name}`")).unwrap_or_default()
}
