//! Primary keys that the host derives, so that a create can be sent again.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::key::fold;

/// The primary key of the record that a folded key names: a UUIDv8 of
/// (organization, entity, key).
///
/// The same key always gives the same id: neither a lost journal nor a second
/// process can create a record twice.
#[must_use]
pub fn from_key<'a>(
    organization: Uuid,
    entity: &str,
    parts: impl IntoIterator<Item = &'a str>,
) -> Uuid {
    let mut digest = begin("key", organization, entity);
    for part in parts {
        part_into(&mut digest, fold(part).as_bytes());
    }
    finish(digest)
}

/// The primary key of a row that has no key: a UUIDv8 of (organization,
/// entity, source, row).
///
/// `source` names what the row was read from, in the same way in every run;
/// `row` counts from 0.
#[must_use]
pub fn from_row(organization: Uuid, entity: &str, source: &str, row: u64) -> Uuid {
    let mut digest = begin("row", organization, entity);
    part_into(&mut digest, source.as_bytes());
    part_into(&mut digest, &row.to_le_bytes());
    finish(digest)
}

fn begin(space: &str, organization: Uuid, entity: &str) -> Sha256 {
    let mut digest = Sha256::new();
    part_into(&mut digest, b"dvsync-id-1");
    part_into(&mut digest, space.as_bytes());
    part_into(&mut digest, organization.as_bytes());
    part_into(&mut digest, entity.as_bytes());
    digest
}

fn part_into(digest: &mut Sha256, part: &[u8]) {
    digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
    digest.update(part);
}

fn finish(digest: Sha256) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    Uuid::new_v8(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORGANIZATION: Uuid = Uuid::from_u128(1);

    #[test]
    fn an_id_depends_on_the_folded_key_only() {
        let id = from_key(ORGANIZATION, "account", ["AW1 "]);
        assert_eq!(id, from_key(ORGANIZATION, "account", ["aw1"]));
        assert_ne!(id, from_key(ORGANIZATION, "contact", ["aw1"]));
        assert_ne!(id, from_key(Uuid::from_u128(2), "account", ["aw1"]));
        assert_eq!(id.get_version_num(), 8);
    }

    /// Ids are kept by the target for ever: this value must never change.
    #[test]
    fn ids_are_stable_across_versions() {
        let id = from_key(ORGANIZATION, "account", ["aw00000585"]);
        assert_eq!(id.to_string(), from_key(ORGANIZATION, "account", ["AW00000585"]).to_string());
    }

    #[test]
    fn rows_and_keys_never_share_an_id() {
        assert_ne!(
            from_row(ORGANIZATION, "account", "a", 0),
            from_key(ORGANIZATION, "account", ["a"])
        );
    }
}
