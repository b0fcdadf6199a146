//! Diagnostics. In a component they go to the host, which adds rule and version
//! and sets a limit per call; natively they go nowhere.

/// For the author.
pub fn debug(message: &str) {
    send(Level::Debug, message);
}

/// For whoever runs the job.
pub fn info(message: &str) {
    send(Level::Info, message);
}

/// Something that a person may want to look at.
pub fn warn(message: &str) {
    send(Level::Warn, message);
}

/// Something that a person must look at.
pub fn error(message: &str) {
    send(Level::Error, message);
}

use crate::bindings::log::Level;

#[cfg(target_arch = "wasm32")]
fn send(level: Level, message: &str) {
    crate::bindings::log::log(level, message);
}

#[cfg(not(target_arch = "wasm32"))]
fn send(_: Level, _: &str) {}
