//! What the tests that cross a crate have in common.
