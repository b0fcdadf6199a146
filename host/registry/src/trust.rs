//! Whose signatures count, and what they must say. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::{KeyId, PublicKey, Signature};
use crate::statement::Statement;

/// Whose signatures count. A store has one (`policy.toml`), a job may have one;
/// a rule must satisfy each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// Keys that are trusted.
    pub keys: Vec<PublicKey>,
    /// Whether a rule without a signature of one of them is refused.
    pub require: bool,
}

/// Why a rule is not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untrusted {
    /// Nobody has signed it.
    Unsigned,
    /// Only others have.
    Strangers(Vec<KeyId>),
    /// A trusted key has signed something else.
    Wrong(KeyId),
}

impl Trust {
    /// The trusted keys that have signed the statement.
    ///
    /// # Errors
    /// A trusted key's signature does not fit, or one is required and there is
    /// none.
    pub fn check(
        &self,
        statement: &Statement,
        signatures: &[Signature],
    ) -> Result<Vec<KeyId>, Untrusted> {
        let mut by = Vec::new();
        for signature in signatures {
            let Some(key) = self.keys.iter().find(|key| key.id() == signature.key_id) else {
                continue;
            };
            if !key.verifies(statement, signature) {
                return Err(Untrusted::Wrong(key.id()));
            }
            by.push(key.id());
        }
        if self.require && by.is_empty() {
            return Err(match signatures {
                [] => Untrusted::Unsigned,
                all => Untrusted::Strangers(all.iter().map(|s| s.key_id.clone()).collect()),
            });
        }
        Ok(by)
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned => f.write_str("it has no signature"),
            Self::Strangers(keys) => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                write!(f, "it is signed by {}, whom nobody here trusts", keys.join(", "))
            }
            Self::Wrong(key) => write!(
                f,
                "the signature of `{key}` is of something else: component, name, version or \
                 contract have changed since"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::*;
    use crate::digest::Digest;
    use crate::key::Key;

    fn statement(bytes: &[u8]) -> Statement {
        let (name, version) = ("account".parse().unwrap(), Version::new(1, 0, 0));
        Statement::new(name, version, Digest::of(bytes), "dvsync:rules@0.1.0").unwrap()
    }

    #[test]
    fn one_trusted_signature_is_enough_and_a_wrong_one_is_too_much() {
        let [ours, theirs] = [(); 2].map(|()| Key::generate().unwrap().0);
        let (right, changed) = (statement(b"x"), statement(b"y"));
        let (by_us, by_them) = (ours.sign(&right), theirs.sign(&right));
        let trust = |require| Trust { keys: vec![ours.public()], require };
        let us = vec![ours.public().id()];
        let stranger = Untrusted::Strangers(vec![theirs.public().id()]);
        let wrong = Err(Untrusted::Wrong(ours.public().id()));
        for (statement, signatures, require, expect) in [
            (&right, vec![], false, Ok(vec![])),
            (&right, vec![], true, Err(Untrusted::Unsigned)),
            (&right, vec![by_us.clone()], true, Ok(us.clone())),
            (&right, vec![by_them.clone(), by_us.clone()], true, Ok(us.clone())),
            (&right, vec![by_them.clone()], true, Err(stranger)),
            (&right, vec![by_them.clone()], false, Ok(vec![])),
            (&changed, vec![by_us.clone()], true, wrong.clone()),
            (&changed, vec![by_us.clone()], false, wrong),
        ] {
            assert_eq!(trust(require).check(statement, &signatures), expect);
        }
        assert_eq!(Trust::default().check(&right, &[]), Ok(vec![]));
    }

    #[test]
    fn whoever_takes_the_name_of_a_key_is_found_out() {
        let [ours, theirs] = [(); 2].map(|()| Key::generate().unwrap().0);
        let statement = statement(b"x");
        let forged = Signature { key_id: ours.public().id(), ..theirs.sign(&statement) };
        let trust = Trust { keys: vec![ours.public()], require: true };
        assert_eq!(trust.check(&statement, &[forged]), Err(Untrusted::Wrong(ours.public().id())));
    }
}
