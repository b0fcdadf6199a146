//! Single requests, and which of them are meant.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::operation::Operation;

/// A request as it was answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestRecord {
    /// From 1, in order of arrival.
    pub number: u64,
    /// When it came: seconds of the emulator's clock, which begins with the first
    /// request.
    pub at: f64,
    /// When it came: the client's clock, seconds since the UNIX epoch.
    #[serde(serialize_with = "seconds")]
    pub time: Duration,
    /// Name of the principal; empty where none signed in.
    pub principal: String,
    /// Position of the web server, from 0.
    pub server: usize,
    /// HTTP method.
    pub method: String,
    /// Behind the service root, with query.
    pub path: String,
    /// What it asked for.
    pub operation: Operation,
    /// HTTP status of the reply; what was cut has the one that did not arrive.
    pub status: u16,
    /// Records read or written.
    pub records: u64,
    /// The limit that refused it: `requests`, `time`, `concurrency` or
    /// `entitlement`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<&'static str>,
    /// The effect of the fault that hit it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
    /// Seconds of the client that it was told to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Ids that it created, as far as they are remembered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub created: Vec<Uuid>,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// Which requests are meant: those for which all that is given holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestFilter {
    /// Name of the principal.
    pub principal: Option<String>,
    /// Position of the web server.
    pub server: Option<usize>,
    /// HTTP method.
    pub method: Option<String>,
    /// Part of the path or query.
    pub path: Option<String>,
    /// What they ask for.
    pub operation: Option<Operation>,
    /// HTTP status of the reply.
    pub status: Option<u16>,
    /// Not before so many seconds of the emulator's clock.
    pub from: Option<f64>,
    /// Before so many seconds of the emulator's clock.
    pub until: Option<f64>,
}

/// Names and values of a query string that are no filter.
type Rest<'q> = Vec<(&'q str, String)>;

impl RequestFilter {
    pub(super) fn fits(&self, one: &RequestRecord) -> bool {
        self.principal.as_ref().is_none_or(|name| *name == one.principal)
            && self.server.is_none_or(|server| server == one.server)
            && self.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(&one.method))
            && self.path.as_ref().is_none_or(|part| one.path.contains(part.as_str()))
            && self.operation.is_none_or(|operation| operation == one.operation)
            && self.status.is_none_or(|status| status == one.status)
            && self.from.is_none_or(|from| one.at >= from)
            && self.until.is_none_or(|until| one.at < until)
    }

    /// From a query string; what is not known is given back.
    pub(crate) fn read(query: &str) -> Result<(Self, Rest<'_>), String> {
        let mut filter = Self::default();
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8_lossy().into_owned();
            match name {
                "principal" => filter.principal = Some(value),
                "method" => filter.method = Some(value),
                "path" => filter.path = Some(value),
                "operation" => {
                    let word = serde_json::Value::String(value);
                    let operation = serde_json::from_value(word);
                    filter.operation = Some(operation.map_err(|error| error.to_string())?);
                }
                "server" => filter.server = Some(number(name, &value)?),
                "status" => filter.status = Some(number(name, &value)?),
                "from" => filter.from = Some(number(name, &value)?),
                "until" => filter.until = Some(number(name, &value)?),
                _ => rest.push((name, value)),
            }
        }
        Ok((filter, rest))
    }
}

/// A number of a query string.
pub(super) fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{name}` must be a number, found `{value}`"))
}
