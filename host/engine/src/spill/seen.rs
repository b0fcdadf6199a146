//! Ids already written in this run.

use uuid::Uuid;

use super::{Room, SpillError};

/// A set of ids that only grows.
#[derive(Debug)]
pub struct Seen {}

impl Seen {
    /// An empty set.
    #[must_use]
    pub fn new(room: &Room) -> Self {
        todo!()
    }

    /// Adds an id; true where it was not there yet.
    ///
    /// # Errors
    /// The disk; the id may be there or not.
    pub fn insert(&mut self, id: Uuid) -> Result<bool, SpillError> {
        todo!()
    }

    /// Ids in the set.
    #[must_use]
    pub fn len(&self) -> u64 {
        todo!()
    }

    /// Nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
