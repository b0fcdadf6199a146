//! Rules for accounts.
