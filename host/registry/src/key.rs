//! ed25519 keys and signatures. Pure but for random bytes of a new key.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use dvsync_model::Secret;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::hex;
use crate::error::RegistryError;
use crate::statement::Statement;

const PREFIX: &str = "ed25519:";
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";
/// PKCS#8 version 1 of an ed25519 key, up to the seed (RFC 8410).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// `ed25519:` and the 32 bytes in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

/// Tells keys apart: 16 hexadecimal digits of the SHA-256 of the public key. It
/// proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

/// A signature, and whose it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The key that made it.
    pub key_id: KeyId,
    /// 64 bytes in base64.
    pub signature: String,
}

/// A private key; shows as `***`.
pub struct Key(Ed25519KeyPair);

impl PublicKey {
    /// Its short name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId(hex(&Sha256::digest(self.0)[..8]))
    }

    /// Whether the signature is this key's, and of this statement.
    #[must_use]
    pub fn verifies(&self, statement: &Statement, signature: &Signature) -> bool {
        BASE64.decode(&signature.signature).is_ok_and(|bytes| {
            UnparsedPublicKey::new(&ED25519, self.0).verify(&statement.bytes(), &bytes).is_ok()
        })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", BASE64.encode(self.0))
    }
}

impl FromStr for PublicKey {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let bytes = text.strip_prefix(PREFIX).and_then(|text| BASE64.decode(text).ok());
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            // What is no public key may be a private one.
            RegistryError::PublicKey(if text.starts_with(PREFIX) { text } else { "..." }.to_owned())
        })
    }
}

impl TryFrom<String> for PublicKey {
    type Error = RegistryError;

    fn try_from(text: String) -> Result<Self, RegistryError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_string()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Key {
    /// A new key, and the text that a file keeps it as: PKCS#8 in PEM, which
    /// other tools read, too.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn generate() -> Result<(Self, Secret), RegistryError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| RegistryError::Random(std::io::Error::other(error.to_string())))?;
        let der = [PKCS8.as_slice(), &seed].concat();
        let pem = Secret::new(format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", BASE64.encode(der)));
        Ok((Self::from_pem(&pem)?, pem))
    }

    /// Reads a private key: PKCS#8 in PEM.
    ///
    /// # Errors
    /// It is something else; the text is not shown.
    pub fn from_pem(pem: &Secret) -> Result<Self, RegistryError> {
        let lines = pem.expose().lines().map(str::trim);
        let body: String = lines
            .skip_while(|line| *line != PEM_BEGIN)
            .skip(1)
            .take_while(|line| *line != PEM_END)
            .collect();
        let der = BASE64.decode(body).map_err(|_| RegistryError::PrivateKey)?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
            .map(Self)
            .map_err(|_| RegistryError::PrivateKey)
    }

    /// The key that others trust.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        // An ed25519 public key has 32 bytes.
        PublicKey(self.0.public_key().as_ref().try_into().unwrap_or([0; 32]))
    }

    /// Signs a statement.
    #[must_use]
    pub fn sign(&self, statement: &Statement) -> Signature {
        let signature = self.0.sign(&statement.bytes());
        Signature { key_id: self.public().id(), signature: BASE64.encode(signature) }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::*;
    use crate::digest::Digest;

    fn statement(patch: u64) -> Statement {
        let (name, version) = ("account".parse().unwrap(), Version::new(1, 0, patch));
        Statement::new(name, version, Digest::of(b"x"), "dvsync:rules@0.1.0").unwrap()
    }

    #[test]
    fn a_signature_holds_for_its_key_and_statement_only() {
        let (key, pem) = Key::generate().unwrap();
        let signature = key.sign(&statement(0));
        assert!(key.public().verifies(&statement(0), &signature));
        assert!(!key.public().verifies(&statement(1), &signature));
        let (other, _) = Key::generate().unwrap();
        assert!(!other.public().verifies(&statement(0), &signature));
        let broken = Signature { signature: "?".to_owned(), ..signature };
        assert!(!key.public().verifies(&statement(0), &broken));
        let again = Key::from_pem(&pem).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(format!("{again:?}"), "***");
    }

    #[test]
    fn keys_of_other_tools_are_read() {
        // RFC 8410, section 10.3, and the public key that belongs to it.
        let pem = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
        let key = Key::from_pem(&Secret::new(pem)).unwrap();
        let public = "ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        assert_eq!(key.public().to_string(), public);
        assert_eq!(public.parse::<PublicKey>().unwrap(), key.public());
    }

    #[test]
    fn what_is_no_key_is_not_shown() {
        for wrong in ["", "hunter2", "-----BEGIN PRIVATE KEY-----\nhunter2\n"] {
            let error = Key::from_pem(&Secret::new(wrong)).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
            let error = wrong.parse::<PublicKey>().unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
