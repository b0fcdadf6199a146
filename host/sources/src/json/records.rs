//! The objects of one JSON file as cells.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::SchemaRef;

use crate::bad::{BadRecord, TEXT_BYTES_MAX};
use crate::column::Column;
use crate::declared::{DeclaredType, type_name};
use crate::error::SourceError;
use crate::json::object::{self, Cell, Cells};
use crate::json::reader::{Event, Reader};
use crate::projection::Projection;
use crate::text::{Records, Step};
use crate::value::{Notation, Reading};

/// Objects of one file as cells.
pub(crate) struct JsonRecords {
    reader: Reader,
    keys: Keys,
}

/// What is known about keys.
struct Keys {
    positions: Arc<HashMap<String, usize>>,
    schema: SchemaRef,
    /// Per column of the schema, its place in the projection.
    wanted: Vec<Option<usize>>,
    /// Per column of the schema, the last object that had its key.
    seen_in: Vec<u64>,
    object: u64,
    /// Column that most likely comes next: objects repeat their order.
    expected: usize,
    notation: Notation,
}

impl JsonRecords {
    pub(crate) fn new(
        reader: Reader,
        positions: Arc<HashMap<String, usize>>,
        schema: SchemaRef,
        projection: &Projection,
    ) -> Self {
        let mut wanted = vec![None; schema.fields().len()];
        for (place, &position) in projection.positions.iter().enumerate() {
            wanted[position] = Some(place);
        }
        let keys = Keys {
            positions,
            wanted,
            seen_in: vec![0; schema.fields().len()],
            schema,
            object: 0,
            expected: 0,
            notation: Notation::default(),
        };
        Self { reader, keys }
    }
}

impl Records for JsonRecords {
    fn read(&mut self, columns: &mut [Column]) -> Result<Step, SourceError> {
        let object = match self.reader.next()? {
            Event::End => return Ok(Step::End),
            Event::Bad { line, record, raw, bytes } => {
                return Ok(Step::Bad { line, bytes, record, raw });
            }
            Event::Object(object) => object,
        };
        let line = self.reader.window.line();
        let bytes = object.length;
        let content = self.reader.content(object);
        let step = match cells(content, &mut self.keys, columns) {
            Ok(()) => Step::Good { line, bytes },
            Err(record) => {
                let raw = content[..content.len().min(TEXT_BYTES_MAX + 1)].to_vec();
                Step::Bad { line, bytes, record, raw }
            }
        };
        self.reader.pass(object);
        Ok(step)
    }

    fn place(&self) -> Option<(u64, u64)> {
        (!self.reader.finished).then(|| (self.reader.window.offset(), self.reader.window.line()))
    }
}

/// Adds an object's cells; keys that it lacks are null.
fn cells(content: &[u8], keys: &mut Keys, columns: &mut [Column]) -> Result<(), BadRecord> {
    let text = text(content)?;
    keys.object += 1;
    keys.expected = 0;
    let object = keys.object;
    object::walk(text, &mut Row { keys, columns })?;
    for (place, &seen_in) in keys.wanted.iter().zip(&keys.seen_in) {
        if let Some(place) = *place
            && seen_in != object
        {
            columns[place].push_null();
        }
    }
    Ok(())
}

/// An object's text, if it is text.
pub(crate) fn text(content: &[u8]) -> Result<&str, BadRecord> {
    std::str::from_utf8(content).map_err(|error| {
        let at = error.valid_up_to();
        let byte = content.get(at).copied().unwrap_or_default();
        BadRecord {
            code: "bad_encoding",
            column: None,
            message: format!("byte 0x{byte:02X} at position {} is not UTF-8 there", at + 1),
            hint: Some("JSON is written in UTF-8".to_owned()),
        }
    })
}

struct Row<'r> {
    keys: &'r mut Keys,
    columns: &'r mut [Column],
}

impl Cells for Row<'_> {
    fn column(&mut self, key: &str) -> Result<Option<usize>, BadRecord> {
        let keys = &mut *self.keys;
        let fields = keys.schema.fields();
        let position = match fields.get(keys.expected) {
            Some(field) if field.name() == key => keys.expected,
            _ => match keys.positions.get(key) {
                Some(&position) => position,
                None => return Ok(None),
            },
        };
        keys.expected = position + 1;
        if std::mem::replace(&mut keys.seen_in[position], keys.object) == keys.object {
            return Err(twice(key));
        }
        Ok(keys.wanted[position].is_some().then_some(position))
    }

    fn cell(&mut self, position: usize, cell: Cell<'_>) -> Result<(), BadRecord> {
        let Some(place) = self.keys.wanted[position] else { return Ok(()) };
        let column = &mut self.columns[place];
        let column_type = column.column_type();
        let (declared, reading) = (column_type.declared, column_type.reading);
        let inferred = reading == Reading::Inferred;
        // The reading, or nothing where the cell's own type rules it out.
        let (text, reading) = match cell {
            Cell::Null => {
                column.push_null();
                return Ok(());
            }
            Cell::String("") if !inferred && !column_type.is_text() => {
                column.push_null();
                return Ok(());
            }
            Cell::String(text) => {
                let plain = matches!(
                    declared,
                    DeclaredType::Int64 | DeclaredType::Float64 | DeclaredType::Boolean
                );
                (text, (!(inferred && plain)).then_some(reading))
            }
            Cell::Number(text) => {
                let fits = !(inferred && declared == DeclaredType::Boolean);
                (text, fits.then_some(Reading::Declared))
            }
            Cell::Boolean(text) => (text, Some(reading)),
            Cell::Nested(text) => (text, column_type.is_text().then_some(reading)),
        };
        let pushed = reading
            .and_then(|reading| column.push(text.as_bytes(), &self.keys.notation, reading).ok());
        pushed.ok_or_else(|| {
            let field = self.keys.schema.field(position);
            BadRecord::misfit(field.name(), &type_name(field.data_type()), text, !inferred)
        })
    }
}

/// A key that an object has twice.
pub(crate) fn twice(key: &str) -> BadRecord {
    let key = crate::bad::shortened(key);
    BadRecord::malformed(format!("key `{key}` stands twice in the object"), None)
}
