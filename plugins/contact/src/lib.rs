//! Rules for contacts.
