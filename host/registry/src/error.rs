//! Why a store or a key cannot be used. Each can be acted on.

use std::io;
use std::path::PathBuf;

use semver::Version;

use crate::digest::Digest;
use crate::name::RuleName;
use crate::reference::Reference;
use crate::trust::Untrusted;

/// Why a store or a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// What is no name of a rule.
    #[error("`{0}` is no name of a rule")]
    Name(String),
    /// What is no version.
    #[error("`{0}` is no version")]
    Version(String),
    /// A version that tells nothing apart.
    #[error("the version `{0}` has build metadata, which tells no versions apart")]
    BuildMetadata(Version),
    /// What is no contract.
    #[error("`{0}` is no contract")]
    Contract(String),
    /// What is no reference.
    #[error("`{0}` is no reference to a rule")]
    Reference(String),
    /// The folder cannot be opened or made.
    #[error("cannot open the store of rules `{}`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the store cannot be read or written.
    #[error("cannot {what} `{file}` in the store of rules `{}`", store.display())]
    File {
        /// `read`, `write`.
        what: &'static str,
        /// Below the store.
        file: String,
        /// The folder.
        store: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it was written as.
    #[error("`{file}` is damaged: {reason}")]
    Damaged {
        /// Which one.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No version of that name.
    #[error("the store of rules `{}` has no rule `{name}`", store.display())]
    NoRule {
        /// As asked for.
        name: RuleName,
        /// The folder.
        store: PathBuf,
        /// Names that it has.
        known: Vec<RuleName>,
    },
    /// None of the versions will do.
    #[error("the store of rules has no `{reference}`")]
    NoVersion {
        /// As asked for.
        reference: Reference,
        /// Versions that it has.
        known: Vec<Version>,
    },
    /// The version is there and must not be used.
    #[error("`{name}@{version}` is in quarantine: {reason}")]
    Quarantined {
        /// Its name.
        name: RuleName,
        /// Which version.
        version: Version,
        /// Why.
        reason: String,
    },
    /// Other bytes under a version that is taken.
    #[error("`{name}@{version}` is `{there}` for ever, and this is `{here}`")]
    Taken {
        /// Its name.
        name: RuleName,
        /// Which version.
        version: Version,
        /// In the store.
        there: Digest,
        /// To be pushed.
        here: Digest,
    },
    /// An open run needs the version.
    #[error(
        "`{name}@{version}` is needed by run {run}, which is not finished (journal `{}`)",
        journal.display()
    )]
    Pinned {
        /// Its name.
        name: RuleName,
        /// Which version.
        version: Version,
        /// The run's id.
        run: String,
        /// Where the run stands.
        journal: PathBuf,
    },
    /// The version is the one that jobs follow.
    #[error("`{name}@{version}` is live")]
    Live {
        /// Its name.
        name: RuleName,
        /// Which version.
        version: Version,
    },
    /// Nobody whom we trust vouches for it.
    #[error("the rule `{label}` is not trusted by {whom}: {why}")]
    Untrusted {
        /// `account@1.2.0`, or a path.
        label: String,
        /// Whose policy it is.
        whom: &'static str,
        /// What is wrong.
        why: Untrusted,
    },
    /// What is no public key.
    #[error("`{0}` is no public key")]
    PublicKey(String),
    /// What is no private key; never shown.
    #[error("the private key is no ed25519 key in PKCS#8 PEM")]
    PrivateKey,
    /// A key's file cannot be read or written.
    #[error("cannot use the key file `{}`", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A private key is not private.
    #[error("the private key `{}` can be read by others (mode {mode:o})", path.display())]
    KeyFileOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] io::Error),
}

impl RegistryError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Name(_) => {
                "lower-case letters, digits, `-` and `_`, and not `same` or `latest`".to_owned()
            }
            Self::Version(_) => "write it as `1.2.0`".to_owned(),
            Self::BuildMetadata(version) => format!(
                "call it `{}.{}.{}`",
                version.major,
                version.minor,
                version.patch.saturating_add(1)
            ),
            Self::Reference(_) => {
                "write `account`, `account@1`, `account@1.2`, `account@1.2.0` or \
                 `account@sha256:...`"
                    .to_owned()
            }
            Self::Damaged { .. } => {
                "remove that version, and push it again from where it was built".to_owned()
            }
            Self::NoRule { name, known, .. } => nearest(name.as_str(), known)
                .map(|name| format!("did you mean `{name}`?"))
                .or_else(|| (!known.is_empty()).then(|| format!("it has {}", listed(known))))
                .unwrap_or_else(|| "it is empty: dvsync rules push FILE".to_owned()),
            Self::NoVersion { known, .. } => match known.as_slice() {
                [] => "dvsync rules push FILE".to_owned(),
                known => format!("it has {}", listed(known)),
            },
            Self::Quarantined { .. } => {
                "use another version, or push a mended one under a new version".to_owned()
            }
            Self::Taken { .. } => "give what you have changed a new version".to_owned(),
            Self::Pinned { .. } => "finish the run with --resume, or run its job anew".to_owned(),
            Self::Live { .. } => "publish another version first".to_owned(),
            Self::Untrusted { why: Untrusted::Wrong(_), .. } => {
                "sign what there is now, or fetch what was signed".to_owned()
            }
            Self::Untrusted { .. } => {
                "sign it (dvsync rules sign RULE --key FILE), or trust its key".to_owned()
            }
            Self::PublicKey(_) => {
                "write `ed25519:...` as `dvsync rules keygen` prints it".to_owned()
            }
            Self::PrivateKey => "make one: dvsync rules keygen FILE".to_owned(),
            Self::KeyFileOpen { path, .. } => format!("chmod 600 {}", path.display()),
            Self::Folder { .. } | Self::File { .. } => {
                "check that the folder is there, and your rights in it".to_owned()
            }
            Self::KeyFile { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                "name another file: a key that is lost cannot be made again".to_owned()
            }
            Self::Contract(_) | Self::KeyFile { .. } | Self::Random(_) => return None,
        })
    }

    /// Whether a version is not there, so that it may be elsewhere.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NoRule { .. } | Self::NoVersion { .. })
    }
}

fn nearest<'a>(typed: &str, known: &'a [RuleName]) -> Option<&'a RuleName> {
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(typed, name.as_str()), name))
        .filter(|(distance, name)| *distance <= typed.len().max(name.as_str().len()) / 3 + 1)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn listed<T: std::fmt::Display>(all: &[T]) -> String {
    let quoted: Vec<String> = all.iter().map(|one| format!("`{one}`")).collect();
    quoted.join(", ")
}
