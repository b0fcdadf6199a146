//! The records of one CSV file, good and bad.

use std::sync::Arc;

use arrow_schema::{Field, SchemaRef};

use crate::bad::{BadRecord, TEXT_BYTES_MAX};
use crate::column::{Column, ColumnType};
use crate::csv::dialect::Dialect;
use crate::csv::split::{Form, Span, Split, split, unescape};
use crate::declared::type_name;
use crate::error::SourceError;
use crate::parts::Part;
use crate::text::{Records, Step, Window};
use crate::value::Reading;

/// What comes next in a file.
pub(crate) enum Event {
    /// A record; its bytes and spans are in the reader until it is passed.
    Record(Whole),
    /// A record that cannot be split; it is passed.
    Bad { line: u64, record: BadRecord, raw: Vec<u8>, bytes: usize },
    /// Nothing.
    End,
}

/// A whole record at the start of the window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole {
    content: usize,
    length: usize,
    lines: u64,
}

/// Splits a file into records.
pub(crate) struct Reader {
    pub(crate) window: Window,
    dialect: Arc<Dialect>,
    /// Spans of the record at hand.
    pub(crate) fields: Vec<Span>,
    /// Fields that a record of several lines has at most before it is given up.
    fields_max: usize,
}

impl Reader {
    pub(crate) fn open(
        part: &Part,
        dialect: Arc<Dialect>,
        (offset, line): (u64, u64),
        columns: usize,
    ) -> Result<Self, SourceError> {
        let window = Window::open(part, dialect.encoded, offset, line)?;
        Ok(Self { window, dialect, fields: Vec::new(), fields_max: fields_max(columns) })
    }

    /// How the file is written.
    pub(crate) fn dialect(&self) -> &Arc<Dialect> {
        &self.dialect
    }

    /// Says how many columns the file has.
    pub(crate) fn expect(&mut self, columns: usize) {
        self.fields_max = fields_max(columns);
    }

    /// Finds the next record, past blank lines.
    pub(crate) fn next(&mut self) -> Result<Event, SourceError> {
        // With the line end; what is longer is judged the same whatever the
        // window holds beyond it.
        let limit = self.dialect.record_bytes_max + 2;
        loop {
            let bytes = self.window.bytes();
            let ended = self.window.ended();
            match bytes {
                [] if ended => return Ok(Event::End),
                [b'\n', ..] => {
                    self.window.consume(1, 1);
                    continue;
                }
                [b'\r', b'\n', ..] => {
                    self.window.consume(2, 1);
                    continue;
                }
                [b'\r'] if ended => {
                    self.window.consume(1, 1);
                    continue;
                }
                [] | [b'\r'] => {
                    self.window.more()?;
                    continue;
                }
                _ => {}
            }
            let seen = &bytes[..bytes.len().min(limit)];
            let all = ended && bytes.len() <= limit;
            let bad = match split(&self.dialect, seen, all, self.fields_max, &mut self.fields) {
                Split::Open { .. } if !ended && bytes.len() < limit => {
                    self.window.more()?;
                    continue;
                }
                Split::Record { content, .. } if content > self.dialect.record_bytes_max => {
                    BadRecord::too_long(self.dialect.record_bytes_max)
                }
                Split::Record { content, length, lines } => {
                    return Ok(Event::Record(Whole { content, length, lines }));
                }
                Split::Open { quoted: true } => {
                    let field = self.fields.len() + 1;
                    let max = self.dialect.record_bytes_max;
                    let place = if all { String::new() } else { format!(" within {max} bytes") };
                    BadRecord::malformed(
                        format!("the quote that opens field {field} is not closed{place}"),
                        Some("close it, or double quotes that belong to the text"),
                    )
                }
                Split::Open { quoted: false } => BadRecord::too_long(self.dialect.record_bytes_max),
                Split::Stray { newlines: lines @ 1.. } => BadRecord::malformed(
                    format!(
                        "the quote that opens field {} is not closed before line {}, where text \
                         follows the next quote",
                        self.fields.len(),
                        self.window.line() + lines
                    ),
                    Some("close it, or double quotes that belong to the text"),
                ),
                Split::Stray { .. } => BadRecord::malformed(
                    format!("text follows the closing quote of field {}", self.fields.len()),
                    Some("double quotes that belong to the text"),
                ),
                Split::Sprawling => BadRecord::malformed(
                    format!("more than {} fields over several lines", self.fields_max),
                    Some("a quote is opened that should not be, or not closed"),
                ),
            };
            let (line, start) = (self.window.line(), self.window.offset());
            let raw = self.window.skip_line(TEXT_BYTES_MAX + 1)?;
            let bytes = usize::try_from(self.window.offset() - start).unwrap_or(usize::MAX);
            return Ok(Event::Bad { line, record: bad, raw, bytes });
        }
    }

    /// The record's bytes, without its line end.
    pub(crate) fn content(&self, record: Whole) -> &[u8] {
        &self.window.bytes()[..record.content]
    }

    /// Goes on to the next record.
    pub(crate) fn pass(&mut self, record: Whole) {
        self.window.consume(record.length, record.lines);
    }
}

/// Twice the columns and some: a limit, so that one stray quote does not make
/// every line after it be read as far as `record_bytes_max`.
fn fields_max(columns: usize) -> usize {
    columns.saturating_mul(2).saturating_add(16)
}

/// The bytes of a field as they stand in the record.
#[inline]
pub(crate) fn field<'a>(content: &'a [u8], span: &Span) -> &'a [u8] {
    content.get(span.start as usize..span.end as usize).unwrap_or_default()
}

/// Null: a word for it, unless it is the quoted text of a text column.
#[inline]
pub(crate) fn is_null(dialect: &Dialect, text: &[u8], form: Form, is_text: bool) -> bool {
    (form == Form::Plain || !is_text) && dialect.is_null(text)
}

/// Records of one file as cells.
pub(crate) struct CsvRecords {
    reader: Reader,
    /// Per column of the projection, the position of its field.
    fields: Vec<usize>,
    schema: SchemaRef,
    columns_in_file: usize,
    scratch: Vec<u8>,
}

impl CsvRecords {
    pub(crate) fn open(
        part: &Part,
        dialect: Arc<Dialect>,
        start: (u64, u64),
        schema: SchemaRef,
        fields: Vec<usize>,
        columns_in_file: usize,
    ) -> Result<Self, SourceError> {
        let reader = Reader::open(part, dialect, start, columns_in_file)?;
        Ok(Self { reader, fields, schema, columns_in_file, scratch: Vec::new() })
    }

    /// Adds a record's cells, or says what is wrong with it.
    fn cells(&mut self, record: Whole, columns: &mut [Column]) -> Result<(), BadRecord> {
        let reader = &self.reader;
        if reader.fields.len() != self.columns_in_file {
            return Err(ragged(self.columns_in_file, reader.fields.len(), record.lines));
        }
        let content = reader.content(record);
        if let Err(error) = std::str::from_utf8(content) {
            return Err(self.undecodable(content, error.valid_up_to()));
        }
        for ((column, &position), named) in
            columns.iter_mut().zip(&self.fields).zip(self.schema.fields())
        {
            let span = &reader.fields[position];
            let mut text = field(content, span);
            if span.form == Form::Escaped {
                self.scratch.clear();
                unescape(&reader.dialect, text, &mut self.scratch);
                text = &self.scratch;
            }
            let column_type = column.column_type();
            if is_null(&reader.dialect, text, span.form, column_type.is_text()) {
                column.push_null();
            } else if column.push(text, &reader.dialect.notation, column_type.reading).is_err() {
                return Err(misfit(named, column_type, text));
            }
        }
        Ok(())
    }

    fn undecodable(&self, content: &[u8], at: usize) -> BadRecord {
        let reader = &self.reader;
        let position = reader.fields.iter().rposition(|span| span.start as usize <= at);
        let column = position.and_then(|position| {
            let column = self.fields.iter().position(|&field| field == position)?;
            Some(self.schema.field(column).name().clone())
        });
        let encoding = reader.window.encoding();
        let place = match &column {
            Some(column) => format!("column `{column}`"),
            None => format!("field {}", position.unwrap_or(0) + 1),
        };
        let (message, hint) = if encoding == "UTF-8" {
            let byte = content.get(at).copied().unwrap_or_default();
            (
                format!("cannot read {place}: byte 0x{byte:02X} is not UTF-8 there"),
                "set `encoding`, for example \"windows-1252\"",
            )
        } else {
            (format!("cannot read {place}: it holds what is not {encoding}"), "check `encoding`")
        };
        BadRecord { code: "bad_encoding", column, message, hint: Some(hint.to_owned()) }
    }
}

fn ragged(expected: usize, found: usize, lines: u64) -> BadRecord {
    let mut message = format!("expected {expected} fields, found {found}");
    if lines > 1 {
        message.push_str(&format!(" on {lines} lines"));
    }
    let hint = if found > expected {
        "quote fields that hold the delimiter"
    } else {
        "fields are missing, or the line is broken in two"
    };
    BadRecord::malformed(message, Some(hint))
}

fn misfit(named: &Field, column_type: ColumnType, text: &[u8]) -> BadRecord {
    BadRecord::misfit(
        named.name(),
        &type_name(named.data_type()),
        &String::from_utf8_lossy(text),
        column_type.reading == Reading::Declared,
    )
}

impl Records for CsvRecords {
    fn read(&mut self, columns: &mut [Column]) -> Result<Step, SourceError> {
        match self.reader.next()? {
            Event::End => Ok(Step::End),
            Event::Bad { line, record, raw, bytes } => Ok(Step::Bad { line, bytes, record, raw }),
            Event::Record(record) => {
                let line = self.reader.window.line();
                let bytes = record.length;
                let step = match self.cells(record, columns) {
                    Ok(()) => Step::Good { line, bytes },
                    Err(bad) => {
                        let content = self.reader.content(record);
                        let raw = content[..content.len().min(TEXT_BYTES_MAX + 1)].to_vec();
                        Step::Bad { line, bytes, record: bad, raw }
                    }
                };
                self.reader.pass(record);
                Ok(step)
            }
        }
    }

    fn place(&self) -> Option<(u64, u64)> {
        Some((self.reader.window.offset(), self.reader.window.line()))
    }
}
