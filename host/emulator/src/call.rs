//! One operation as it came: method, resource, options, headers, body.
//!
//! The same for a request of its own and for a part of a batch.

mod address;
mod options;
mod path;
mod prefer;

pub(crate) use address::{Address, Key};
pub(crate) use options::Options;
pub(crate) use path::{Resource, below, resource};
pub(crate) use prefer::{PAGE_MAX, Prefer};

use http::{HeaderMap, Method};
use uuid::Uuid;

use crate::refusal::Refusal;

/// A request, or an operation of a batch.
#[derive(Debug)]
pub(crate) struct Call<'r> {
    pub(crate) method: Method,
    /// Behind the service root: `accounts(...)?$select=name`.
    pub(crate) target: String,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) body: &'r [u8],
}

/// Who asks, when, and under which address the service is reached.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    /// `https://host/api/data/v9.2/`.
    pub(crate) root: String,
    /// The acting user.
    pub(crate) user: Uuid,
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// Number of the request.
    pub(crate) request: u64,
}

/// A precondition (*Perform conditional operations*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// None.
    Always,
    /// `If-Match: *`.
    Exists,
    /// `If-None-Match: *`.
    Missing,
    /// `If-Match: W/"n"`.
    Version(String),
    /// `If-None-Match: W/"n"`.
    NotVersion(String),
}

impl Call<'_> {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What `If-Match` and `If-None-Match` ask for; the word `null` is harmless.
    pub(crate) fn condition(&self) -> Result<Condition, Refusal> {
        let matches = self.header("if-match").map(str::trim);
        let none = self.header("if-none-match").map(str::trim).filter(|value| *value != "null");
        match (matches, none) {
            (None, None) => Ok(Condition::Always),
            (Some("*"), None) => Ok(Condition::Exists),
            (None, Some("*")) => Ok(Condition::Missing),
            (Some(version), None) => Ok(Condition::Version(version.to_owned())),
            (None, Some(version)) => Ok(Condition::NotVersion(version.to_owned())),
            (Some(_), Some(_)) => {
                Err(Refusal::odata("If-Match and If-None-Match cannot stand together."))
            }
        }
    }

    pub(crate) fn prefer(&self) -> Result<Prefer, Refusal> {
        Prefer::new(self.headers)
    }

    /// Path and query of the target.
    pub(crate) fn split(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }

    pub(crate) fn options(&self) -> Result<Options, Refusal> {
        Options::new(self.split().1)
    }
}
