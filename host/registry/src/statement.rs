//! What a signature says of a component. Pure.

use semver::Version;

use crate::digest::Digest;
use crate::error::RegistryError;
use crate::name::RuleName;

/// What is signed: these bytes are this version of this rule, for this contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Of the rule.
    pub name: RuleName,
    /// Of the rule.
    pub version: Version,
    /// Of the component.
    pub digest: Digest,
    /// `dvsync:rules@0.1.0`.
    pub contract: String,
}

impl Statement {
    /// A statement whose contract is a single word.
    ///
    /// # Errors
    /// It is not.
    pub fn new(
        name: RuleName,
        version: Version,
        digest: Digest,
        contract: &str,
    ) -> Result<Self, RegistryError> {
        let plain = !contract.is_empty()
            && contract.len() <= 100
            && contract.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain {
            return Err(RegistryError::Contract(contract.escape_debug().to_string()));
        }
        Ok(Self { name, version, digest, contract: contract.to_owned() })
    }

    /// The bytes that are signed: one line for each part, so that no two
    /// statements have the same bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let Self { name, version, digest, contract } = self;
        format!(
            "dvsync rule statement 1\nname {name}\nversion {version}\ndigest {digest}\n\
             contract {contract}\n"
        )
        .into_bytes()
    }

    /// `account@1.2.0`, for messages.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_bytes_never_change() {
        let digest = Digest::of(b"abc");
        let version = Version::new(1, 2, 0);
        let statement =
            Statement::new("account".parse().unwrap(), version, digest, "dvsync:rules@0.1.0");
        assert_eq!(
            String::from_utf8(statement.unwrap().bytes()).unwrap(),
            "dvsync rule statement 1\nname account\nversion 1.2.0\ndigest sha256:ba7816bf8f01cfea\
             414140de5dae2223b00361a396177a9cb410ff61f20015ad\ncontract dvsync:rules@0.1.0\n"
        );
    }

    #[test]
    fn a_contract_cannot_bring_a_line_of_its_own() {
        let new = |contract| {
            let name = "account".parse().unwrap();
            Statement::new(name, Version::new(1, 0, 0), Digest::of(b""), contract)
        };
        for wrong in ["", "a b", "a\nname other"] {
            assert!(new(wrong).is_err(), "{wrong:?}");
        }
    }
}
