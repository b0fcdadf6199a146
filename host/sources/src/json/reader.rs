//! Where the objects of a JSON file start and end.
//!
//! Keeps no state between objects that its place does not tell, so reading can
//! go on from any.

use crate::bad::{BadRecord, TEXT_BYTES_MAX};
use crate::error::SourceError;
use crate::parts::Part;
use crate::settings::SourceKind;
use crate::text::{Encoded, Window};

/// How the objects of a file are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One per line.
    Lines,
    /// In one array.
    Array,
}

/// What comes next in a file.
pub(crate) enum Event {
    /// An object; its text is in the reader until it is passed.
    Object(Whole),
    /// What is no object; it is passed.
    Bad { line: u64, record: BadRecord, raw: Vec<u8>, bytes: usize },
    /// Nothing.
    End,
}

/// An object at the start of the window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole {
    content: usize,
    /// With what ends it.
    pub(crate) length: usize,
    lines: u64,
}

/// Splits a file into objects.
pub(crate) struct Reader {
    pub(crate) window: Window,
    shape: Shape,
    record_bytes_max: usize,
    /// The last thing passed was the array's `]`, or its absence has been told.
    closed: bool,
    /// Its absence has been told: there is nothing to come.
    pub(crate) finished: bool,
}

/// JSON is UTF-8; a byte order mark may say otherwise.
const ENCODED: Encoded = Encoded { kind: SourceKind::Json, encoding: None };

/// How a file is laid out, by its first character.
pub(crate) fn shape(part: &Part) -> Result<Shape, SourceError> {
    let mut window = Window::open(part, ENCODED, 0, 1)?;
    loop {
        let bytes = window.bytes();
        let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        match bytes.get(blank) {
            Some(b'[') => return Ok(Shape::Array),
            Some(_) => return Ok(Shape::Lines),
            None if window.ended() => return Ok(Shape::Lines),
            None => {
                window.consume(blank, 0);
                window.more()?;
            }
        }
    }
}

impl Reader {
    pub(crate) fn open(
        part: &Part,
        shape: Shape,
        (offset, line): (u64, u64),
        record_bytes_max: usize,
    ) -> Result<Self, SourceError> {
        Ok(Self {
            window: Window::open(part, ENCODED, offset, line)?,
            shape,
            record_bytes_max,
            closed: false,
            finished: false,
        })
    }

    /// Finds the next object.
    pub(crate) fn next(&mut self) -> Result<Event, SourceError> {
        match self.shape {
            Shape::Lines => self.next_line(),
            Shape::Array => self.next_element(),
        }
    }

    /// The object's bytes.
    pub(crate) fn content(&self, object: Whole) -> &[u8] {
        &self.window.bytes()[..object.content]
    }

    /// Goes on to the next object.
    pub(crate) fn pass(&mut self, object: Whole) {
        self.window.consume(object.length, object.lines);
    }

    fn next_line(&mut self) -> Result<Event, SourceError> {
        loop {
            let (bytes, ended) = (self.window.bytes(), self.window.ended());
            // With the line end.
            let limit = self.record_bytes_max + 2;
            let seen = &bytes[..bytes.len().min(limit)];
            let (line, length) = match seen.iter().position(|&byte| byte == b'\n') {
                Some(end) => (&seen[..end], end + 1),
                None if bytes.is_empty() && ended => return Ok(Event::End),
                None if ended && bytes.len() <= limit => (seen, seen.len()),
                None if bytes.len() >= limit => {
                    return self.bad(BadRecord::too_long(self.record_bytes_max));
                }
                None => {
                    self.window.more()?;
                    continue;
                }
            };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() > self.record_bytes_max {
                return self.bad(BadRecord::too_long(self.record_bytes_max));
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                self.window.consume(length, 1);
                continue;
            }
            return Ok(Event::Object(Whole { content: line.len(), length, lines: 1 }));
        }
    }

    fn next_element(&mut self) -> Result<Event, SourceError> {
        loop {
            let (bytes, ended) = (self.window.bytes(), self.window.ended());
            let Some(&first) = bytes.first() else {
                if !ended {
                    self.window.more()?;
                    continue;
                }
                if self.closed {
                    return Ok(Event::End);
                }
                self.closed = true;
                self.finished = true;
                let record = BadRecord::malformed(
                    "the array is not closed",
                    Some("the file may be cut short: copy it again"),
                );
                let line = self.window.line();
                return Ok(Event::Bad { line, record, raw: Vec::new(), bytes: 0 });
            };
            // Brackets and commas only part the objects: what is missing or doubled
            // between them loses nothing.
            match first {
                b']' => {
                    self.closed = true;
                    self.window.consume(1, 0);
                }
                b'[' | b',' => {
                    self.closed = false;
                    self.window.consume(1, 0);
                }
                byte if byte.is_ascii_whitespace() => {
                    self.window.consume(1, u64::from(byte == b'\n'));
                }
                b'{' => {
                    self.closed = false;
                    let seen = &bytes[..bytes.len().min(self.record_bytes_max)];
                    if let Some((length, lines)) = object_end(seen) {
                        return Ok(Event::Object(Whole { content: length, length, lines }));
                    }
                    if bytes.len() >= self.record_bytes_max {
                        return self.bad(BadRecord::too_long(self.record_bytes_max));
                    }
                    if ended {
                        let hint = Some("the file may be cut short: copy it again");
                        return self.bad(BadRecord::malformed("the object is not closed", hint));
                    }
                    self.window.more()?;
                }
                _ => {
                    self.closed = false;
                    return self.bad(BadRecord::malformed("expected an object of the array", None));
                }
            }
        }
    }

    /// Gives up the line at hand.
    fn bad(&mut self, record: BadRecord) -> Result<Event, SourceError> {
        let (line, start) = (self.window.line(), self.window.offset());
        let raw = self.window.skip_line(TEXT_BYTES_MAX + 1)?;
        let bytes = usize::try_from(self.window.offset() - start).unwrap_or(usize::MAX);
        Ok(Event::Bad { line, record, raw, bytes })
    }
}

/// Bytes and line feeds of the object that `bytes` start with, if it ends there.
fn object_end(bytes: &[u8]) -> Option<(usize, u64)> {
    let (mut depth, mut lines) = (0_u32, 0);
    let mut rest = bytes.iter().enumerate();
    while let Some((at, byte)) = rest.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some((at + 1, lines));
                }
            }
            b'\n' => lines += 1,
            b'"' => loop {
                match rest.next()?.1 {
                    b'"' => break,
                    b'\\' => {
                        rest.next();
                    }
                    // Strings hold none: the quote before it is a stray one.
                    b'\n' => {
                        lines += 1;
                        break;
                    }
                    _ => {}
                }
            },
            _ => {}
        }
    }
    None
}
