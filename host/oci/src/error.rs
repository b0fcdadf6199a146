//! Why an artifact cannot be pushed or pulled.

/// Why an artifact cannot be pushed or pulled.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// What is no address.
    #[error("`{0}` is no address of an OCI registry")]
    Address(String),
    /// The registry cannot be reached.
    #[error("cannot reach the registry `{host}`: {why}")]
    Unreachable {
        /// The registry's.
        host: String,
        /// In the words of whatever sends.
        why: String,
    },
    /// The registry does not let us.
    #[error("the registry `{host}` does not let us: status {status}")]
    NotAllowed {
        /// The registry's.
        host: String,
        /// 401 or 403.
        status: u16,
    },
    /// It is not there.
    #[error("the registry has no `{0}`")]
    Missing(String),
    /// The tag stands for another component.
    #[error("`{address}` stands for the component `{there}`, and this is `{here}`")]
    Taken {
        /// Which tag.
        address: String,
        /// Its layer.
        there: String,
        /// Ours.
        here: String,
    },
    /// What lies there is no rule.
    #[error("`{address}` is no Wasm artifact: {why}")]
    NotWasm {
        /// Which one.
        address: String,
        /// What it has instead.
        why: String,
    },
    /// Bytes that are not those that were promised.
    #[error("the registry gave other bytes than `{0}`")]
    Digest(String),
    /// A reply that the specification does not know.
    #[error("the registry `{host}` answered {what} with status {status}")]
    Reply {
        /// The registry's.
        host: String,
        /// What was asked.
        what: &'static str,
        /// What came.
        status: u16,
    },
    /// A place to go to that is not safe, or none.
    #[error("the registry `{host}` sends us to `{to}`")]
    Elsewhere {
        /// The registry's.
        host: String,
        /// Where to.
        to: String,
    },
}

impl OciError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Address(_) => {
                Some("write `oci://host/repository/name:1.2.0`, or `...@sha256:...`")
            }
            Self::NotAllowed { .. } => {
                Some("set DVSYNC_OCI_USER and DVSYNC_OCI_PASSWORD, and check their rights")
            }
            Self::Taken { .. } => Some("give what you have changed a new version"),
            Self::Digest(_) => Some("somebody has changed it on the way or in the registry"),
            Self::Elsewhere { .. } => Some("https only, but for this machine"),
            Self::Unreachable { .. }
            | Self::Missing(_)
            | Self::NotWasm { .. }
            | Self::Reply { .. } => None,
        }
    }
}
