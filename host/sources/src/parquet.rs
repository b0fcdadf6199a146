//! Parquet files.
//!
//! Reads page by page: only the columns of the projection, only the row groups
//! from the start row on.

use std::fs::File;

use arrow_schema::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::RowGroupMetaData;

use crate::binary::{Batches, Fault, Format, rows_within};
use crate::parts::Part;
use crate::settings::SourceKind;

/// The format.
pub(crate) struct Parquet;

impl Format for Parquet {
    const KIND: SourceKind = SourceKind::Parquet;

    fn describe(part: &Part) -> Result<(SchemaRef, Option<u64>), Fault> {
        let file = File::open(&part.path)?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
        let rows = u64::try_from(metadata.metadata().file_metadata().num_rows())?;
        Ok((SchemaRef::clone(metadata.schema()), Some(rows)))
    }

    fn batches(part: &Part, columns: &[usize], from: u64, rows: usize) -> Result<Batches, Fault> {
        let file = File::open(&part.path)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
        // Row groups before the start row are not touched.
        let mut skipped = from;
        let mut groups = Vec::new();
        let mut rows = rows;
        for (index, group) in builder.metadata().row_groups().iter().enumerate() {
            let length = u64::try_from(group.num_rows())?;
            if groups.is_empty() && skipped >= length {
                skipped -= length;
                continue;
            }
            groups.push(index);
            rows = rows.min(rows_within(rows, decoded_bytes(group, &mask), length));
        }
        let reader = builder
            .with_projection(mask)
            .with_row_groups(groups)
            .with_offset(usize::try_from(skipped)?)
            .with_batch_size(rows)
            .build()?;
        Ok(Box::new(reader.map(|batch| batch.map_err(Fault::from))))
    }
}

/// About what the columns of a row group take in memory.
fn decoded_bytes(group: &RowGroupMetaData, mask: &ProjectionMask) -> u64 {
    let columns = group.columns().iter().enumerate();
    columns
        .filter(|(leaf, _)| mask.leaf_included(*leaf))
        .map(|(_, column)| {
            let stored = column.uncompressed_size();
            // Dictionaries repeat what is stored once.
            let text = column.unencoded_byte_array_data_bytes().unwrap_or(0);
            u64::try_from(stored.max(text)).unwrap_or(0)
        })
        .sum()
}
