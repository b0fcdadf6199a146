//! Requests as the parts of a `$batch` body.
//!
//! The service is strict: every line ends in CRLF, the closing delimiter too
//! (*Execute batch operations*). No changesets: each operation stands alone.

use std::fmt::Write as _;

use uuid::Uuid;

use super::{Operation, Write};

/// A `$batch` body under construction.
#[derive(Debug)]
pub(crate) struct BatchBody {
    boundary: String,
    body: Vec<u8>,
}

impl BatchBody {
    pub(crate) fn new() -> Self {
        Self { boundary: format!("batch_{}", Uuid::new_v4().simple()), body: Vec::new() }
    }

    /// `multipart/mixed; boundary=...`.
    pub(crate) fn content_type(&self) -> String {
        format!("multipart/mixed; boundary={}", self.boundary)
    }

    /// Adds a GET; `url` is ready for the request line.
    pub(crate) fn get(&mut self, url: &str, headers: &[(&str, &str)]) {
        self.delimiter();
        self.body.extend_from_slice(format!("GET {url} HTTP/1.1\r\n").as_bytes());
        self.headers(headers);
        // A blank line after the headers, and the line end before the next
        // delimiter: without a body both are needed all the same.
        self.body.extend_from_slice(b"\r\n\r\n");
    }

    /// Adds all records of a write, each as its own operation. `root` stands
    /// before the entity set, `suffix` after the address.
    pub(crate) fn operations(
        &mut self,
        write: &Write,
        root: &str,
        suffix: &str,
        headers: &[(&str, &str)],
    ) {
        let verb = match write.operation() {
            Operation::Create => "POST ",
            Operation::Update | Operation::Upsert => "PATCH ",
        };
        let mut tail = format!("{suffix} HTTP/1.1\r\nContent-Type: application/json\r\n");
        if write.operation() == Operation::Update {
            tail.push_str("If-Match: *\r\n");
        }
        for (name, value) in headers {
            // Writing to a string does not fail.
            let _written = write!(tail, "{name}: {value}\r\n");
        }
        tail.push_str("\r\n");
        self.body.reserve(write.bytes() + write.len() * (tail.len() + root.len() + 200));
        for position in 0..write.len() {
            self.delimiter();
            self.body.extend_from_slice(verb.as_bytes());
            self.body.extend_from_slice(root.as_bytes());
            write.url_into(position, &mut self.body);
            self.body.extend_from_slice(tail.as_bytes());
            write.operation_body_into(position, &mut self.body);
            self.body.extend_from_slice(b"\r\n");
        }
    }

    /// The whole body.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        self.body
    }

    fn delimiter(&mut self) {
        self.body.extend_from_slice(b"--");
        self.body.extend_from_slice(self.boundary.as_bytes());
        self.body.extend_from_slice(
            b"\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n",
        );
    }

    fn headers(&mut self, headers: &[(&str, &str)]) {
        for (name, value) in headers {
            self.body.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    }
}
