//! What CSV and JSON files have in common: bytes become text, text becomes
//! records, records become the rows of chunks.

mod decode;
mod scan;
mod source;
mod window;

pub(crate) use decode::{Encoded, encoding_of};
pub(crate) use scan::{Records, Step};
pub(crate) use source::{TextFormat, TextSource, schema};
pub(crate) use window::Window;

use crate::error::SourceError;
use crate::settings::Settings;

/// Largest `record_bytes_max` that a job can set.
const RECORD_BYTES_LIMIT: usize = 256 << 20;

/// The record size limit, checked.
pub(crate) fn record_bytes_max(settings: &Settings) -> Result<usize, SourceError> {
    let bytes = settings.record_bytes_max;
    if (1..=RECORD_BYTES_LIMIT).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(SourceError::Setting {
            setting: "record_bytes_max",
            expected: "1 byte to 256 MiB",
            found: format!("{bytes} bytes"),
        })
    }
}
