//! Records that are sent together.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use dvsync_model::Entity;
use uuid::Uuid;

use super::{Address, Field, Operation, cell, type_annotation};

const HEAD: &[u8] = b"{\"Targets\":[";
const TAIL: &[u8] = b"]}";

/// Collects records of one entity and one operation.
#[derive(Debug)]
pub struct WriteBuilder {
    entity: Arc<Entity>,
    operation: Operation,
    /// `{"@odata.type":"..."`.
    start: Vec<u8>,
    /// `,"accountid":"`.
    id_start: Vec<u8>,
    /// `,"@odata.id":"accounts(`.
    key_start: Vec<u8>,
    body: Vec<u8>,
    records: Vec<Record>,
}

/// Where a record and its parts lie in a bulk body:
/// `{"@odata.type":"T"` address fields `}`.
#[derive(Debug, Clone)]
struct Record {
    start: usize,
    /// At the comma before the id or key.
    address: usize,
    /// The alternate key, where the record is addressed by one.
    key: Option<Range<usize>>,
    /// At the comma before the first field, or at the closing brace.
    fields: usize,
    end: usize,
    id: Option<Uuid>,
}

impl WriteBuilder {
    /// An empty batch.
    #[must_use]
    pub fn new(entity: Arc<Entity>, operation: Operation) -> Self {
        Self::with_capacity(entity, operation, 0)
    }

    /// An empty batch whose bulk body will have about so many bytes.
    #[must_use]
    pub fn with_capacity(entity: Arc<Entity>, operation: Operation, bytes: usize) -> Self {
        let start = type_annotation(&entity).into_bytes();
        let id_start = format!(",\"{}\":\"", entity.primary_id).into_bytes();
        let key_start = format!(",\"@odata.id\":\"{}(", entity.entity_set).into_bytes();
        let mut body = Vec::with_capacity(bytes.max(HEAD.len()));
        body.extend_from_slice(HEAD);
        Self { entity, operation, start, id_start, key_start, body, records: Vec::new() }
    }

    /// Appends one record: the cells of `row` of those fields for whose
    /// position `send` says yes. Panics if an array has no such row.
    pub fn push<F>(&mut self, target: Address<'_>, fields: &[Field], row: usize, send: &F)
    where
        F: Fn(usize) -> bool + ?Sized,
    {
        if !self.records.is_empty() {
            self.body.push(b',');
        }
        let start = self.body.len();
        self.body.extend_from_slice(&self.start);
        let address = self.body.len();
        let mut key = None;
        let mut id = None;
        match target {
            Address::Id(uuid) => {
                id = Some(uuid);
                self.body.extend_from_slice(&self.id_start);
                cell::guid(uuid.as_bytes(), &mut self.body);
                self.body.push(b'"');
            }
            Address::Key(text) if self.operation != Operation::Create => {
                self.body.extend_from_slice(&self.key_start);
                let from = self.body.len();
                key_into(text, &mut self.body);
                key = Some(from..self.body.len());
                self.body.extend_from_slice(b")\"");
            }
            Address::Key(_) => {}
        }
        let fields_start = self.body.len();
        for (position, field) in fields.iter().enumerate() {
            if send(position) {
                field.write(row, &mut self.body);
            }
        }
        self.body.push(b'}');
        let end = self.body.len();
        self.records.push(Record { start, address, key, fields: fields_start, end, id });
    }

    /// Records so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no record yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Bytes of the bulk body so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.body.len() + TAIL.len()
    }

    /// The records, ready to be sent.
    #[must_use]
    pub fn finish(mut self) -> Write {
        self.body.extend_from_slice(TAIL);
        // Many batches are under way at once.
        if self.body.capacity() - self.body.len() > self.body.len() / 8 {
            self.body.shrink_to_fit();
        }
        Write {
            entity: self.entity,
            operation: self.operation,
            body: self.body.into(),
            records: self.records.into(),
        }
    }
}

/// A key is rendered percent-encoded; what is not is encoded here, so that the
/// same bytes stand in JSON and in a URL.
fn key_into(text: &str, body: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text.as_bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\') {
            body.push(byte);
        } else {
            body.extend_from_slice(&[
                b'%',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]);
        }
    }
}

/// Encoded records of one entity and one operation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Write {
    entity: Arc<Entity>,
    operation: Operation,
    body: Bytes,
    records: Arc<[Record]>,
}

impl Write {
    /// Their table.
    #[must_use]
    pub fn entity(&self) -> &Arc<Entity> {
        &self.entity
    }

    /// What is done with them.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Bytes of the bulk body.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.body.len()
    }

    /// Primary ids in order; absent where a record is addressed by key.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = Option<Uuid>> + '_ {
        self.records.iter().map(|record| record.id)
    }

    /// The records at these positions, in that order; positions beyond the end
    /// are left out.
    #[must_use]
    pub fn subset(&self, positions: &[usize]) -> Write {
        let mut body = HEAD.to_vec();
        let mut records = Vec::with_capacity(positions.len());
        for record in positions.iter().filter_map(|&position| self.records.get(position)) {
            if !records.is_empty() {
                body.push(b',');
            }
            let start = body.len();
            body.extend_from_slice(&self.body[record.start..record.end]);
            let moved = |offset: usize| start + (offset - record.start);
            records.push(Record {
                start,
                address: moved(record.address),
                key: record.key.as_ref().map(|key| moved(key.start)..moved(key.end)),
                fields: moved(record.fields),
                end: moved(record.end),
                id: record.id,
            });
        }
        body.extend_from_slice(TAIL);
        Write {
            entity: self.entity.clone(),
            operation: self.operation,
            body: body.into(),
            records: records.into(),
        }
    }

    /// One record as JSON, without `@odata.type` and without its address: what
    /// is written, for people.
    #[must_use]
    pub fn record_json(&self, position: usize) -> Option<String> {
        let record = self.records.get(position)?;
        let mut out = Vec::new();
        members(&self.body, record.fields, record.end, &mut out);
        String::from_utf8(out).ok()
    }

    /// The body of the bulk message.
    pub(crate) fn bulk_body(&self) -> Bytes {
        self.body.clone()
    }

    /// Whether a record is addressed by key: `UpdateMultiple` takes none.
    pub(crate) fn has_keys(&self) -> bool {
        self.records.iter().any(|record| record.key.is_some())
    }

    /// Appends the address of an operation's URL, `accounts(...)`; a create
    /// has the set only.
    pub(super) fn url_into(&self, position: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(self.entity.entity_set.as_bytes());
        let Some(record) = self.records.get(position) else { return };
        if self.operation == Operation::Create {
            return;
        }
        out.push(b'(');
        match (&record.key, record.id) {
            (Some(key), _) => out.extend_from_slice(&self.body[key.clone()]),
            (None, Some(id)) => cell::guid(id.as_bytes(), out),
            (None, None) => {}
        }
        out.push(b')');
    }

    /// Appends the body of an operation: a create says its id, the others are
    /// addressed by URL.
    pub(super) fn operation_body_into(&self, position: usize, out: &mut Vec<u8>) {
        let Some(record) = self.records.get(position) else { return };
        let from = if self.operation == Operation::Create { record.address } else { record.fields };
        members(&self.body, from, record.end, out);
    }
}

/// `{` and the members from a leading comma on, to the closing brace.
fn members(body: &[u8], from: usize, end: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    let slice = &body[from..end];
    out.extend_from_slice(slice.strip_prefix(b",").unwrap_or(slice));
}
