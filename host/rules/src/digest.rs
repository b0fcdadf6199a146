//! Digests as text: `sha256:...`. Pure.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType};
use sha2::{Digest, Sha256};

/// `sha256:` and 64 hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

/// Parts of a digest, each with its length, so that where they end matters.
#[derive(Default)]
pub(crate) struct Parts(Sha256);

impl Parts {
    pub(crate) fn push(&mut self, part: &[u8]) {
        self.0.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        self.0.update(part);
    }

    pub(crate) fn finish(self) -> String {
        format!("sha256:{}", hex(&self.0.finalize()))
    }
}

/// Digest of a table's names, types and values; what lies under nulls and how
/// the buffers are cut does not matter.
pub(crate) fn table(rows: &RecordBatch) -> Result<String, ArrowError> {
    let options = FormatOptions::new();
    let mut parts = Parts::default();
    let mut text = String::new();
    for (field, array) in rows.schema().fields().iter().zip(rows.columns()) {
        parts.push(field.name().as_bytes());
        parts.push(field.data_type().to_string().as_bytes());
        // Arrow writes no instants of a zone that it knows by name only.
        let array = &match array.data_type() {
            DataType::Timestamp(unit, Some(_)) => {
                arrow_cast::cast(array, &DataType::Timestamp(*unit, None))?
            }
            _ => Arc::clone(array),
        };
        let values = ArrayFormatter::try_new(array, &options)?;
        for row in 0..array.len() {
            if array.is_null(row) {
                parts.push(&[0]);
                continue;
            }
            text.clear();
            text.push('\u{1}');
            write!(text, "{}", values.value(row)).map_err(|_| {
                ArrowError::ComputeError(format!("cannot write row {row} of `{}`", field.name()))
            })?;
            parts.push(text.as_bytes());
        }
    }
    Ok(parts.finish())
}
