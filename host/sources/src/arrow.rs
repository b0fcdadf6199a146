//! Arrow IPC: files (random access) and streams, told apart by their first bytes.
//!
//! Opening walks over the headers of all messages: row counts, and that nothing
//! is cut off, are known before the first row is read.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader, read_footer_length};
use arrow_ipc::{Block, root_as_footer, root_as_message};
use arrow_schema::{ArrowError, SchemaRef};

use crate::binary::{Batches, Fault, Format};
use crate::parts::Part;
use crate::settings::SourceKind;

const MAGIC: [u8; 6] = *b"ARROW1";

/// Marks the start of a message; older writers leave it out.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Bytes of a message's header at most: beyond it, the length is damaged.
const HEADER_BYTES_MAX: u64 = 256 << 20;

/// The format.
pub(crate) struct Arrow;

impl Format for Arrow {
    const KIND: SourceKind = SourceKind::Arrow;

    fn describe(part: &Part) -> Result<(SchemaRef, Option<u64>), Fault> {
        let mut file = File::open(&part.path)?;
        let rows =
            if is_file(&mut file)? { file_rows(&mut file)? } else { stream_rows(&mut file)? };
        file.seek(SeekFrom::Start(0))?;
        let schema = if is_file(&mut file)? {
            FileReader::try_new(BufReader::new(file), None)?.schema()
        } else {
            StreamReader::try_new(BufReader::new(file), None)?.schema()
        };
        Ok((schema, Some(rows.iter().sum())))
    }

    fn batches(part: &Part, columns: &[usize], from: u64, _rows: usize) -> Result<Batches, Fault> {
        let mut file = File::open(&part.path)?;
        if is_file(&mut file)? {
            let rows = file_rows(&mut file)?;
            file.seek(SeekFrom::Start(0))?;
            let (index, skipped) = batch_at(&rows, from);
            let mut reader = FileReader::try_new(BufReader::new(file), Some(columns.to_vec()))?;
            if index == rows.len() {
                return Ok(Box::new(std::iter::empty()));
            }
            reader.set_index(index)?;
            Ok(without_first(reader, skipped))
        } else {
            // Dictionaries may change on the way: all batches are decoded.
            let reader = StreamReader::try_new(BufReader::new(file), Some(columns.to_vec()))?;
            Ok(without_first(reader, from))
        }
    }
}

/// The batch that holds a row, and the rows before it in there.
fn batch_at(rows: &[u64], from: u64) -> (usize, u64) {
    let mut left = from;
    for (index, &length) in rows.iter().enumerate() {
        if left < length {
            return (index, left);
        }
        left -= length;
    }
    (rows.len(), 0)
}

fn without_first(
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static,
    rows: u64,
) -> Batches {
    let mut left = rows;
    Box::new(batches.filter_map(move |batch| match batch {
        Ok(batch) => {
            let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(batch.num_rows());
            left -= skipped as u64;
            (skipped < batch.num_rows())
                .then(|| Ok(batch.slice(skipped, batch.num_rows() - skipped)))
        }
        Err(error) => Some(Err(Fault::from(error))),
    }))
}

fn is_file(file: &mut File) -> Result<bool, Fault> {
    let mut head = Vec::with_capacity(MAGIC.len());
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    if head.is_empty() {
        return Err("the file is empty".into());
    }
    Ok(head == MAGIC)
}

/// Rows of each batch of an IPC file.
fn file_rows(file: &mut File) -> Result<Vec<u64>, Fault> {
    let length = file.metadata()?.len();
    let mut tail = [0; 10];
    let footer_end = length.checked_sub(tail.len() as u64).ok_or("the file is cut short")?;
    file.seek(SeekFrom::Start(footer_end))?;
    file.read_exact(&mut tail)?;
    let footer_length = read_footer_length(tail)?;
    let footer_start = footer_end.checked_sub(footer_length as u64).ok_or("damaged footer")?;
    file.seek(SeekFrom::Start(footer_start))?;
    let mut footer = vec![0; footer_length];
    file.read_exact(&mut footer)?;
    let footer = root_as_footer(&footer).map_err(|error| format!("damaged footer: {error}"))?;
    for block in footer.dictionaries().iter().flatten() {
        within(block, footer_start)?;
    }
    let mut rows = Vec::new();
    for block in footer.recordBatches().iter().flatten() {
        let (start, header) = within(block, footer_start)?;
        file.seek(SeekFrom::Start(start))?;
        let mut message = vec![0; header];
        file.read_exact(&mut message)?;
        let message = match message.split_first_chunk() {
            Some((&CONTINUATION, rest)) => rest.get(4..),
            _ => message.get(4..),
        };
        let (count, _) = message_rows(message.ok_or("damaged batch header")?)?;
        rows.push(count.ok_or("a block is no record batch")?);
    }
    Ok(rows)
}

/// Where a block starts and how long its header is, if all of it is in the file.
fn within(block: &Block, end: u64) -> Result<(u64, usize), Fault> {
    let start = u64::try_from(block.offset())?;
    let header = u64::try_from(block.metaDataLength())?;
    let body = u64::try_from(block.bodyLength())?;
    let block_end = start.checked_add(header).and_then(|sum| sum.checked_add(body));
    if block_end.is_none_or(|block_end| block_end > end) {
        return Err("a block lies outside the file".into());
    }
    Ok((start, usize::try_from(header)?))
}

/// Rows of each batch of an IPC stream.
fn stream_rows(file: &mut File) -> Result<Vec<u64>, Fault> {
    let end = file.metadata()?.len();
    let mut file = BufReader::new(file);
    let mut rows = Vec::new();
    let mut at = 0;
    let mut prefix = [0; 4];
    while at + 4 <= end {
        file.read_exact(&mut prefix)?;
        at += 4;
        if prefix == CONTINUATION {
            file.read_exact(&mut prefix)?;
            at += 4;
        }
        let header = u64::try_from(i32::from_le_bytes(prefix))
            .ok()
            .filter(|header| *header <= HEADER_BYTES_MAX)
            .ok_or("no Arrow IPC message where one should be")?;
        if header == 0 {
            break;
        }
        if at + header > end {
            return Err("the stream is cut short".into());
        }
        let mut message = vec![0; usize::try_from(header)?];
        file.read_exact(&mut message)?;
        let (count, body) = message_rows(&message)?;
        at = at.checked_add(header).and_then(|at| at.checked_add(body)).ok_or("damaged header")?;
        if at > end {
            return Err("the stream is cut short".into());
        }
        file.seek_relative(i64::try_from(body)?)?;
        rows.extend(count);
    }
    Ok(rows)
}

/// Rows of a message, if it is a record batch, and the bytes of its body.
fn message_rows(message: &[u8]) -> Result<(Option<u64>, u64), Fault> {
    let message = root_as_message(message).map_err(|error| format!("damaged header: {error}"))?;
    let rows = message.header_as_record_batch().map(|batch| u64::try_from(batch.length()));
    Ok((rows.transpose()?, u64::try_from(message.bodyLength())?))
}
