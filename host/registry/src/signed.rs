//! A component that is not in a store, and its signatures: `<component>.sig`
//! beside it. Pure.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::RegistryError;
use crate::key::{KeyId, Signature};
use crate::name::RuleName;
use crate::statement::Statement;

/// What somebody has signed of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    name: RuleName,
    version: String,
    digest: Digest,
    contract: String,
    /// Who vouches for it.
    pub signatures: Vec<Signature>,
}

impl Signed {
    /// A statement that nobody has signed yet.
    #[must_use]
    pub fn new(statement: &Statement) -> Self {
        Self {
            name: statement.name.clone(),
            version: statement.version.to_string(),
            digest: statement.digest.clone(),
            contract: statement.contract.clone(),
            signatures: Vec::new(),
        }
    }

    /// Reads the text of a `.sig` file; `origin` names it in messages.
    ///
    /// # Errors
    /// It is something else.
    pub fn read(text: &str, origin: &str) -> Result<Self, RegistryError> {
        let wrong = |reason: String| RegistryError::Damaged { file: origin.to_owned(), reason };
        let signed: Self = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        signed.statement().map_err(|error| wrong(error.to_string()))?;
        Ok(signed)
    }

    /// What is signed.
    ///
    /// # Errors
    /// A part of it cannot be.
    pub fn statement(&self) -> Result<Statement, RegistryError> {
        let version =
            self.version.parse().map_err(|_| RegistryError::Version(self.version.clone()))?;
        Statement::new(self.name.clone(), version, self.digest.clone(), &self.contract)
    }

    /// Adds a signature; one of the same key gives way.
    pub fn sign(&mut self, signature: Signature) {
        self.signatures.retain(|old| old.key_id != signature.key_id);
        self.signatures.push(signature);
    }

    /// The text of a `.sig` file.
    #[must_use]
    pub fn text(&self) -> String {
        // Text and lists of text always make JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Keys that claim to have signed it.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.signatures.iter().map(|signature| &signature.key_id)
    }
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::*;
    use crate::key::Key;

    #[test]
    fn signatures_survive_their_file() {
        let (name, version) = ("account".parse().unwrap(), Version::new(1, 0, 0));
        let statement =
            Statement::new(name, version, Digest::of(b"x"), "dvsync:rules@0.1.0").unwrap();
        let (key, _) = Key::generate().unwrap();
        let mut signed = Signed::new(&statement);
        signed.sign(key.sign(&statement));
        signed.sign(key.sign(&statement));
        assert_eq!(signed.key_ids().count(), 1);
        let read = Signed::read(&signed.text(), "a.wasm.sig").unwrap();
        assert_eq!(read, signed);
        assert_eq!(read.statement().unwrap(), statement);
        let wrong = signed.text().replace("1.0.0", "one");
        let error = Signed::read(&wrong, "a.wasm.sig").unwrap_err();
        assert_eq!(error.to_string(), "`a.wasm.sig` is damaged: `one` is no version");
    }
}
