//! References to records, as one fixed-size cell.

use uuid::Uuid;

/// A reference: which of the column's targets, and the record's id.
///
/// In Arrow columns it is 17 bytes: the target's position in
/// [`crate::Kind::Lookup`]'s `targets`, then the id in the order in which it is
/// written. Equal bytes mean the same record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LookupValue {
    /// Position in the column's targets.
    pub target: u8,
    /// Primary id of the record.
    pub id: Uuid,
}

impl LookupValue {
    /// The cell's bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [0; 17];
        bytes[0] = self.target;
        bytes[1..].copy_from_slice(self.id.as_bytes());
        bytes
    }

    /// Reads a cell; `None` unless it has 17 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&target, id) = bytes.split_first()?;
        Some(Self { target, id: Uuid::from_slice(id).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_survives_the_round_trip() {
        let value = LookupValue { target: 1, id: Uuid::from_u128(7) };
        assert_eq!(LookupValue::from_bytes(&value.to_bytes()), Some(value));
        assert_eq!(LookupValue::from_bytes(&[0; 16]), None);
        assert_eq!(LookupValue::from_bytes(&[]), None);
    }
}
