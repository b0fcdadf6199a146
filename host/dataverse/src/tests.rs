//! The client against a scripted service, on a paused clock.
//!
//! `scripted` plays the service and remembers what it was sent; `tables` holds
//! the entities; the others test one promise each.

mod cancelling;
mod cells;
mod doubt;
mod finding;
mod landing;
mod metadata;
mod models;
mod paging;
mod principals;
mod scripted;
mod tables;
mod throttling;
mod tokens;
