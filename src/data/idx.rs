//! Reads IDX files, the format of the MNIST files, raw or gzip, and believes nothing in them
//! unchecked.
//!
//! A file of images is a big-endian header of four `u32` (0x803, count, rows, columns) and then a
//! byte a pixel, row by row; a file of labels is a header of two (0x801, count) and then a byte a
//! label. QMNIST's labels are of 32 bits, in rows (0xc02, count, columns) whose first column is
//! the class. The header is checked against the file's length before memory is allocated for the rest;
//! where the length is not known, in a gzip file, memory grows only with what has arrived.

mod header;

use std::{
    fmt,
    io::{self, Cursor, Read},
    path::Path,
};

use flate2::read::MultiGzDecoder;

use super::{DataError, file::open, sniff};
use header::Header;

/// Memory for data of unknown length grows in steps of at least this many bytes.
const FIRST_STEP: usize = 1 << 16;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Images of bytes.
    Images,
    /// Labels.
    Labels,
}

impl Kind {
    /// What a file of this kind is, for errors.
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Images => "IDX images, raw or .gz",
            Self::Labels => "IDX labels, raw or .gz",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Images => "images",
            Self::Labels => "labels",
        })
    }
}

/// An open IDX file whose header is read and checked, and whose items are not read yet.
pub struct IdxReader {
    file: String,
    header: Header,
    /// What follows the header.
    source: Box<dyn Read>,
    encoding: Encoding,
}

/// How the bytes of a source are wrapped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Raw,
    Gzip,
}

impl IdxReader {
    /// Opens a file, which may be gzip whatever its name says, and checks its header.
    ///
    /// # Errors
    /// If it cannot be read, is no regular file, or its header or its length is not that of such a
    /// file.
    pub fn open(path: &Path, kind: Kind) -> Result<Self, DataError> {
        let file = path.display().to_string();
        let (mut source, length) = open(path, kind.file())?;
        let start = fill(&file, Encoding::Raw, &mut source, 2)?;
        let is_gzip = start == [0x1f, 0x8b];
        let source = Cursor::new(start).chain(source);
        if is_gzip { Self::gzip(kind, file, source) } else { Self::raw(kind, file, source, length) }
    }

    /// Reads the header from a raw source of `length` bytes; `file` names it in errors.
    ///
    /// # Errors
    /// If the source fails, or the header or the length is not that of such a file.
    pub fn raw(
        kind: Kind,
        file: String,
        source: impl Read + 'static,
        length: u64,
    ) -> Result<Self, DataError> {
        let reader = Self::with_header(kind, file, Box::new(source), Encoding::Raw)?;
        reader.header.check_length(&reader.file, length)?;
        Ok(reader)
    }

    /// Reads the header from a gzip source; `file` names it in errors.
    ///
    /// # Errors
    /// If the source fails or is not gzip, or the header is not that of such a file.
    pub fn gzip(kind: Kind, file: String, source: impl Read + 'static) -> Result<Self, DataError> {
        let source = Box::new(MultiGzDecoder::new(source));
        Self::with_header(kind, file, source, Encoding::Gzip)
    }

    fn with_header(
        kind: Kind,
        file: String,
        mut source: Box<dyn Read>,
        encoding: Encoding,
    ) -> Result<Self, DataError> {
        // More than the header, to tell what a file is that has none.
        let mut head = fill(&file, encoding, &mut source, sniff::HEAD)?;
        let header = Header::parse(kind, &file, &head)?;
        let source = Box::new(Cursor::new(head.split_off(header.len())).chain(source));
        Ok(Self { file, header, source, encoding })
    }

    /// The number of images or labels that the header announces, at least 1.
    pub fn count(&self) -> u32 {
        self.header.count
    }

    /// Rows and columns of the images; `[1, 1]` for labels.
    pub fn size(&self) -> [usize; 2] {
        self.header.size()
    }

    /// Reads all images (`[count, rows, columns]`, a byte a pixel) or labels (`[count]`).
    ///
    /// # Errors
    /// If the source fails, ends early or goes on, a label is above 99, or there is no memory.
    pub fn read(mut self) -> Result<Vec<u8>, DataError> {
        let expected = self.header.file_len();
        let body = self.header.count as usize * self.header.item_len();
        let mut items = Vec::new();
        while items.len() < body {
            let missing = body - items.len();
            let step = match self.encoding {
                Encoding::Raw => missing,
                Encoding::Gzip => missing.min(items.len().max(FIRST_STEP)),
            };
            reserve(&mut items, step, &self.file, body as u64)?;
            if self.fill(&mut items, step)? < step {
                let found = (self.header.len() + items.len()) as u64;
                return Err(DataError::Truncated { file: self.file, found, expected });
            }
        }
        // Also makes the gzip decoder compare its checksum.
        if self.fill(&mut Vec::new(), 1)? > 0 {
            let found = expected + 1;
            return Err(DataError::TrailingBytes { file: self.file, found, expected });
        }
        self.header.items(&self.file, items)
    }

    /// Appends up to `count` bytes and returns how many, fewer only at the end of the source.
    fn fill(&mut self, bytes: &mut Vec<u8>, count: usize) -> Result<usize, DataError> {
        append(&self.file, self.encoding, &mut self.source, bytes, count)
    }
}

/// Up to `count` bytes, fewer only at the end of the source.
fn fill(
    file: &str,
    encoding: Encoding,
    source: &mut impl Read,
    count: usize,
) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::with_capacity(count);
    append(file, encoding, source, &mut bytes, count)?;
    Ok(bytes)
}

fn append(
    file: &str,
    encoding: Encoding,
    source: &mut impl Read,
    bytes: &mut Vec<u8>,
    count: usize,
) -> Result<usize, DataError> {
    source.take(count as u64).read_to_end(bytes).map_err(|reason| {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let file = file.to_owned();
        match (encoding, reason.kind()) {
            (Encoding::Gzip, InvalidData | InvalidInput | UnexpectedEof) => {
                DataError::BadGzip { file, reason }
            }
            _ => DataError::Read { file, reason },
        }
    })
}

/// Takes memory for `step` more bytes of the `all` that a file has.
pub(super) fn reserve(
    bytes: &mut Vec<u8>,
    step: usize,
    file: &str,
    all: u64,
) -> Result<(), DataError> {
    let refused = |_| DataError::OutOfMemory { file: file.to_owned(), bytes: all };
    bytes.try_reserve_exact(step).map_err(refused)
}

/// Takes the images or labels out of a whole IDX file in memory; `file` names it in errors.
///
/// # Errors
/// If the header, the length or a label is not that of such a file.
pub fn parse(kind: Kind, file: &str, mut bytes: Vec<u8>) -> Result<Vec<u8>, DataError> {
    let header = Header::parse(kind, file, &bytes)?;
    header.check_length(file, bytes.len() as u64)?;
    // A move within the buffer: a second buffer would double the memory.
    bytes.drain(..header.len());
    header.items(file, bytes)
}

/// Checks that all labels are below `classes`.
pub(super) fn check_labels(file: &str, classes: usize, labels: &[u8]) -> Result<(), DataError> {
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        None => Ok(()),
        Some(position) => {
            let (file, label) = (file.to_owned(), i64::from(labels[position]));
            let highest = classes.saturating_sub(1);
            Err(DataError::BadLabel { file, position, label, lowest: 0, highest })
        }
    }
}
