//! Where rows come from: files of CSV, JSON, Parquet and Arrow as bounded Arrow
//! chunks in a stable order, readable on from the end of any chunk.
//!
//! Reads files; synchronous; writes nothing, knows nothing of the target. A
//! record that cannot be read is data ([`BadRow`]), never the end of the scan
//! and never lost: ordinals count good and bad rows alike.
//!
//! ```no_run
//! use dvsync_sources::{Scan, Settings, SourceKind, open};
//!
//! # fn main() -> Result<(), dvsync_sources::SourceError> {
//! let source = open(&Settings::new(SourceKind::Csv, "accounts.csv", "/data"))?;
//! let columns = Some(vec!["account_number".to_owned(), "name".to_owned()]);
//! for chunk in source.scan(&Scan { columns, ..Scan::default() })? {
//!     let chunk = chunk?;
//!     // chunk.rows, chunk.bad; keep chunk.next to go on from here another time
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Not here: remote stores, databases, filters, and any change of a value
//! beyond its type (blanks are kept, text is not normalised).

mod arrow;
mod bad;
mod binary;
mod column;
mod convert;
mod csv;
mod declared;
mod error;
mod infer;
mod json;
mod numbering;
mod parquet;
mod parts;
mod projection;
mod settings;
mod source;
mod text;
mod value;

pub use declared::{DeclaredType, UnknownType};
pub use error::SourceError;
pub use numbering::Numbering;
pub use parts::Part;
pub use settings::{
    CsvSettings, INFER_ROWS_DEFAULT, RECORD_BYTES_MAX_DEFAULT, Settings, SourceKind,
};
pub use source::{
    BadRow, CHUNK_BYTES, CHUNK_ROWS_DEFAULT, Chunk, Chunks, Lines, Ordinals, Position, Scan, Source,
};

/// Opens a source: finds its files, reads as much as tells their columns, and
/// checks that the files and the declared types agree.
///
/// # Errors
/// No file, an unreadable one, files that disagree, settings that cannot be.
pub fn open(settings: &Settings) -> Result<Box<dyn Source>, SourceError> {
    Ok(match settings.kind {
        SourceKind::Csv => Box::new(csv::open(settings)?),
        SourceKind::Parquet => Box::new(binary::BinarySource::<parquet::Parquet>::open(settings)?),
        SourceKind::Json => Box::new(json::open(settings)?),
        SourceKind::Arrow => Box::new(binary::BinarySource::<arrow::Arrow>::open(settings)?),
    })
}
