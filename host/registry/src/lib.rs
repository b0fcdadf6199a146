//! Where versions of rules are kept, and who has signed them.
//!
//! ```text
//! Store::push -> names/account/1.2.0.json + blobs/sha256/...   once and for ever
//! Reference "account@1" -> Store::resolve -> name, version, digest, bytes
//! Key::sign(statement) -> Signature -> Trust::check
//! ```
//!
//! Reads and writes one folder, through a cap-std `Dir`, so that no name can
//! climb out of it; nothing else but key files that a person names. Sync.
//! Promises: a version stands for the same bytes for ever; bytes are compared
//! with their digest each time they are read; any number of processes may use
//! one store at once; a private key is never printed. Deliberately not here:
//! what a component is (`dvsync-rules`), which version is live, the network.

mod digest;
mod error;
mod key;
mod key_file;
mod name;
mod record;
mod reference;
mod signed;
mod statement;
mod store;
mod trust;

pub use digest::Digest;
pub use error::RegistryError;
pub use key::{Key, KeyId, PublicKey, Signature};
pub use key_file::{read_key, read_public_key, write_new_key};
pub use name::RuleName;
pub use record::{Quarantine, Record};
pub use reference::{Reference, Wanted};
pub use semver::Version;
pub use signed::Signed;
pub use statement::Statement;
pub use store::{Found, Live, Pin, Pushed, Resolved, Store};
pub use trust::{Trust, Untrusted};
