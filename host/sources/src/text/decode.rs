//! From the bytes on disk to UTF-8: decompression, then the encoding.
//!
//! Compression and byte order marks are known by their magic bytes, never by a
//! file's name. What an encoding cannot mean becomes the byte 0xFF, which is no
//! UTF-8: the record that holds it is found where all records are checked.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use flate2::bufread::MultiGzDecoder;

use crate::error::SourceError;
use crate::parts::Part;
use crate::settings::SourceKind;

const RAW_BYTES: usize = 64 << 10;

/// Largest window of a zstd frame, as a power of two: what decompression may
/// take in memory.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// How a file is to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encoded {
    /// The kind in the job file, for messages.
    pub(crate) kind: SourceKind,
    /// The encoding that the job names.
    pub(crate) encoding: Option<&'static Encoding>,
}

/// The encoding of a WHATWG label.
pub(crate) fn encoding_of(label: Option<&str>) -> Result<Option<&'static Encoding>, SourceError> {
    let Some(label) = label else { return Ok(None) };
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        Some(encoding) => Ok(Some(encoding)),
        None => Err(SourceError::Setting {
            setting: "csv.encoding",
            expected: "a WHATWG label such as `utf-8`, `utf-16le` or `windows-1252`",
            found: label.to_owned(),
        }),
    }
}

/// A file as UTF-8, without its byte order mark.
pub(crate) struct Decoded {
    input: Box<dyn Read + Send>,
    transcoder: Option<Transcoder>,
    encoding: &'static Encoding,
    compressed: bool,
}

impl Decoded {
    /// Opens a file so that the next byte is the one at `offset` of its decoded
    /// text: by seeking where the text is the file, else by decoding up to it.
    pub(crate) fn open(part: &Part, encoded: Encoded, offset: u64) -> Result<Self, SourceError> {
        let refused = |source| SourceError::Read { file: part.name.clone(), source };
        let mut file = File::open(&part.path).map_err(refused)?;
        let head = first_bytes(&mut file).map_err(refused)?;
        file.seek(SeekFrom::Start(0)).map_err(refused)?;
        let compression = Compression::of(&head);
        let damaged = |source| SourceError::Decompress { file: part.name.clone(), line: 1, source };
        let mut input: Box<dyn Read + Send> = match compression {
            None => {
                known_format(part, encoded.kind, &head)?;
                let (encoding, mark) = encoding(&head, encoded);
                if encoding == UTF_8 {
                    let start = mark as u64 + offset;
                    if offset > 0 && start > file.metadata().map_err(refused)?.len() {
                        return Err(shortened(part, offset));
                    }
                    file.seek(SeekFrom::Start(start)).map_err(refused)?;
                    let input = Box::new(file);
                    return Ok(Self { input, transcoder: None, encoding, compressed: false });
                }
                Box::new(file)
            }
            Some(Compression::Gzip) => {
                Box::new(MultiGzDecoder::new(BufReader::with_capacity(RAW_BYTES, file)))
            }
            Some(Compression::Zstd) => {
                let mut decoder = zstd::Decoder::new(file).map_err(damaged)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(damaged)?;
                Box::new(decoder)
            }
        };
        let compressed = compression.is_some();
        let broken = |source| if compressed { damaged(source) } else { refused(source) };
        let head = first_bytes(&mut input).map_err(broken)?;
        known_format(part, encoded.kind, &head)?;
        let (encoding, mark) = encoding(&head, encoded);
        let rest = io::Cursor::new(head[mark..].to_vec()).chain(input);
        let transcoder = (encoding != UTF_8).then(|| Transcoder::new(encoding));
        let mut decoded = Self { input: Box::new(rest), transcoder, encoding, compressed };
        let mut left = offset;
        let mut skipped = vec![0; RAW_BYTES];
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(RAW_BYTES).min(RAW_BYTES);
            // The transcoder needs room for a character: what is too much is kept.
            let read = decoded.read_at_most(&mut skipped, wanted).map_err(broken)?;
            if read == 0 {
                return Err(shortened(part, offset));
            }
            left -= read as u64;
        }
        Ok(decoded)
    }

    /// The next bytes of text; 0 at the end. `into` has room for 64 bytes at least.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.transcoder {
            None => loop {
                match self.input.read(into) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => return result,
                }
            },
            Some(transcoder) => transcoder.read(&mut self.input, into),
        }
    }

    fn read_at_most(&mut self, into: &mut [u8], wanted: usize) -> io::Result<usize> {
        match &mut self.transcoder {
            None => self.read(&mut into[..wanted]),
            Some(transcoder) => {
                let read = transcoder.read(&mut self.input, into)?;
                if read > wanted {
                    transcoder.unread(&into[wanted..read]);
                }
                Ok(read.min(wanted))
            }
        }
    }

    /// The encoding that the file is read in.
    pub(crate) fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// The file is compressed: failures are damage more likely than refusals.
    pub(crate) fn compressed(&self) -> bool {
        self.compressed
    }
}

fn shortened(part: &Part, offset: u64) -> SourceError {
    SourceError::Shortened { file: part.name.clone(), offset }
}

fn first_bytes(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(16);
    input.by_ref().take(16).read_to_end(&mut head)?;
    Ok(head)
}

/// The encoding of a text and the bytes of its mark: the mark goes before the
/// job's word, as the WHATWG *Encoding Standard* has it.
fn encoding(head: &[u8], encoded: Encoded) -> (&'static Encoding, usize) {
    Encoding::for_bom(head).unwrap_or((encoded.encoding.unwrap_or(UTF_8), 0))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&[0x1f, 0x8b, 0x08]) {
            Some(Compression::Gzip)
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Some(Compression::Zstd)
        } else {
            None
        }
    }
}

/// Refuses what is no text by its first bytes, with the right name for it.
fn known_format(part: &Part, kind: SourceKind, head: &[u8]) -> Result<(), SourceError> {
    let (found, instead) = if head.starts_with(b"PAR1") {
        ("Parquet", Some(SourceKind::Parquet))
    } else if head.starts_with(b"ARROW1") || head.starts_with(&[0xff, 0xff, 0xff, 0xff]) {
        ("Arrow IPC", Some(SourceKind::Arrow))
    } else if head.starts_with(b"PK\x03\x04") {
        ("a ZIP archive or an Excel workbook", None)
    } else if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        ("an old Office document", None)
    } else if head.starts_with(b"BZh") && head.get(4..10) == Some(b"1AY&SY") {
        ("compressed with bzip2", None)
    } else if head.starts_with(b"\xfd7zXZ\0") {
        ("compressed with xz", None)
    } else if head.starts_with(b"Obj\x01") {
        ("Avro", None)
    } else {
        return Ok(());
    };
    Err(SourceError::OtherFormat { file: part.name.clone(), kind, found, instead })
}

/// Another encoding to UTF-8.
struct Transcoder {
    decoder: Decoder,
    raw: Vec<u8>,
    start: usize,
    end: usize,
    /// Text that was given back.
    unread: Vec<u8>,
    ended: bool,
}

impl Transcoder {
    fn new(encoding: &'static Encoding) -> Self {
        Self {
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: vec![0; RAW_BYTES],
            start: 0,
            end: 0,
            unread: Vec::new(),
            ended: false,
        }
    }

    fn unread(&mut self, text: &[u8]) {
        self.unread = text.to_vec();
    }

    fn read(&mut self, input: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
        if !self.unread.is_empty() {
            let given = self.unread.len().min(into.len());
            into[..given].copy_from_slice(&self.unread[..given]);
            self.unread.drain(..given);
            return Ok(given);
        }
        let mut last = false;
        while !self.ended {
            if self.start == self.end && !last {
                self.start = 0;
                self.end = match input.read(&mut self.raw) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                        self.end = 0;
                        continue;
                    }
                    result => result?,
                };
                last = self.end == 0;
            }
            // One byte is kept free for the mark of what could not be decoded.
            let room = into.len() - 1;
            let (result, read, mut written) = self.decoder.decode_to_utf8_without_replacement(
                &self.raw[self.start..self.end],
                &mut into[..room],
                last,
            );
            self.start += read;
            match result {
                DecoderResult::Malformed(_, _) => {
                    into[written] = 0xff;
                    written += 1;
                }
                DecoderResult::InputEmpty if last => self.ended = true,
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}
