//! Reads IDX files, the format of the MNIST files, raw or gzip, and believes nothing in them
//! unchecked.
//!
//! A file of images is a big-endian header of four `u32` (0x803, count, rows, columns) and then a
//! byte a pixel, row by row; a file of labels is a header of two (0x801, count) and then a byte a
//! label. The header is compared with the length of the file before memory is taken for the rest;
//! where the length is not known, in a gzip file, memory grows only with what has arrived.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::{CLASSES, DataError, Dataset, PIXELS, SIDE};

/// The most images or labels that a file may announce: far above every MNIST-like set of digits,
/// and low enough that a small compressed file cannot fill the memory.
pub const MAX_COUNT: u32 = 1_000_000;

/// Memory for data of unknown length grows in steps of at least this many bytes.
const FIRST_STEP: usize = 1 << 16;

/// What an IDX file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Images of 28×28 bytes.
    Images,
    /// Labels of one byte.
    Labels,
}

impl Kind {
    /// The first four bytes of such a file, big-endian: type 8 (unsigned bytes), 3 dimensions or 1.
    pub const fn magic(self) -> u32 {
        match self {
            Self::Images => 0x0803,
            Self::Labels => 0x0801,
        }
    }

    /// Bytes in the header.
    pub const fn header_len(self) -> usize {
        match self {
            Self::Images => 16,
            Self::Labels => 8,
        }
    }

    /// Bytes in one image or label.
    pub const fn item_len(self) -> usize {
        match self {
            Self::Images => PIXELS,
            Self::Labels => 1,
        }
    }

    /// Bytes in a whole file of `count` images or labels.
    const fn file_len(self, count: u32) -> u64 {
        self.header_len() as u64 + count as u64 * self.item_len() as u64
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
    kind: Kind,
    file: String,
    source: Box<dyn Read>,
    encoding: Encoding,
    count: u32,
}

/// How the bytes of a source are wrapped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Raw,
    Gzip,
}

impl IdxReader {
    /// Opens a file, gzip if its name ends in `.gz`, and checks its header.
    ///
    /// # Errors
    /// If it cannot be read, is no regular file, or its header or its length is not that of such a
    /// file.
    pub fn open(path: &Path, kind: Kind) -> Result<Self, DataError> {
        let file = path.display().to_string();
        let refused = |reason| DataError::Read { file: file.clone(), reason };
        // Asked before opening, because opening a pipe without a writer waits for ever.
        let metadata = fs::metadata(path).map_err(refused)?;
        if !metadata.is_file() {
            return Err(DataError::NotAFile { file, kind });
        }
        let source = File::open(path).map_err(refused)?;
        if path.extension().is_some_and(|extension| extension == "gz") {
            Self::gzip(kind, file, source)
        } else {
            Self::raw(kind, file, source, metadata.len())
        }
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
        check_length(kind, &reader.file, reader.count, length)?;
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
        source: Box<dyn Read>,
        encoding: Encoding,
    ) -> Result<Self, DataError> {
        let mut reader = Self { kind, file, source, encoding, count: 0 };
        let mut header = Vec::with_capacity(kind.header_len());
        reader.fill(&mut header, kind.header_len())?;
        reader.count = parse_header(kind, &reader.file, &header)?;
        Ok(reader)
    }

    /// The number of images or labels that the header announces, at least 1.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Reads all images (`[count, 28, 28]`, a byte a pixel) or labels (`[count]`).
    ///
    /// # Errors
    /// If the source fails, ends early or goes on, a label is above 9, or there is no memory.
    pub fn read(mut self) -> Result<Vec<u8>, DataError> {
        let expected = self.kind.file_len(self.count);
        let body = self.count as usize * self.kind.item_len();
        let mut items = Vec::new();
        while items.len() < body {
            let missing = body - items.len();
            let step = match self.encoding {
                Encoding::Raw => missing,
                Encoding::Gzip => missing.min(items.len().max(FIRST_STEP)),
            };
            items.try_reserve_exact(step).map_err(|_| DataError::OutOfMemory {
                file: self.file.clone(),
                bytes: body as u64,
            })?;
            if self.fill(&mut items, step)? < step {
                let found = (self.kind.header_len() + items.len()) as u64;
                return Err(DataError::Truncated { file: self.file, found, expected });
            }
        }
        // Also makes the gzip decoder compare its checksum.
        if self.fill(&mut Vec::new(), 1)? > 0 {
            let found = expected + 1;
            return Err(DataError::TrailingBytes { file: self.file, found, expected });
        }
        if self.kind == Kind::Labels {
            check_labels(&self.file, CLASSES, &items)?;
        }
        Ok(items)
    }

    /// Appends up to `count` bytes and returns how many, fewer only at the end of the source.
    fn fill(&mut self, bytes: &mut Vec<u8>, count: usize) -> Result<usize, DataError> {
        self.source.by_ref().take(count as u64).read_to_end(bytes).map_err(|reason| {
            use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
            let file = self.file.clone();
            match (self.encoding, reason.kind()) {
                (Encoding::Gzip, InvalidData | InvalidInput | UnexpectedEof) => {
                    DataError::BadGzip { file, reason }
                }
                _ => DataError::Read { file, reason },
            }
        })
    }
}

/// Reads a file of images and the file of their labels. The counts are compared before either is
/// read.
///
/// # Errors
/// If either is not such a file, or they do not belong together.
pub fn read_pair(images: &Path, labels: &Path) -> Result<Dataset, DataError> {
    let images = IdxReader::open(images, Kind::Images)?;
    let labels = IdxReader::open(labels, Kind::Labels)?;
    if images.count != labels.count {
        return Err(DataError::CountsDiffer {
            images_file: images.file,
            images: images.count,
            labels_file: labels.file,
            labels: labels.count,
        });
    }
    let labels = labels.read()?;
    Dataset::new([1, SIDE, SIDE], CLASSES, images.read()?, labels)
}

/// Takes the images or labels out of a whole IDX file in memory; `file` names it in errors.
///
/// # Errors
/// If the header, the length or a label is not that of such a file.
pub fn parse(kind: Kind, file: &str, mut bytes: Vec<u8>) -> Result<Vec<u8>, DataError> {
    let count = parse_header(kind, file, &bytes)?;
    check_length(kind, file, count, bytes.len() as u64)?;
    // A move within the buffer: a second buffer would double the memory.
    bytes.drain(..kind.header_len());
    if kind == Kind::Labels {
        check_labels(file, CLASSES, &bytes)?;
    }
    Ok(bytes)
}

/// Checks the header at the start of `bytes` and returns the count in it.
fn parse_header(kind: Kind, file: &str, bytes: &[u8]) -> Result<u32, DataError> {
    let field = |index: usize| {
        let bytes = bytes.get(index * 4..)?.first_chunk()?;
        Some(u32::from_be_bytes(*bytes))
    };
    let needed = || DataError::Truncated {
        file: file.to_owned(),
        found: bytes.len() as u64,
        expected: kind.header_len() as u64,
    };
    let magic = field(0).ok_or_else(needed)?;
    if magic != kind.magic() {
        return Err(DataError::BadMagic { file: file.to_owned(), found: magic, kind });
    }
    let count = field(1).ok_or_else(needed)?;
    if kind == Kind::Images {
        let (rows, columns) = (field(2).ok_or_else(needed)?, field(3).ok_or_else(needed)?);
        if [rows, columns] != [SIDE as u32; 2] {
            return Err(DataError::BadDimensions { file: file.to_owned(), rows, columns });
        }
    }
    match count {
        0 => Err(DataError::Empty { file: file.to_owned(), kind }),
        1..=MAX_COUNT => Ok(count),
        _ => Err(DataError::TooMany { file: file.to_owned(), count, kind }),
    }
}

/// Compares the length of a file with what its header announces.
fn check_length(kind: Kind, file: &str, count: u32, found: u64) -> Result<(), DataError> {
    let (file, expected) = (|| file.to_owned(), kind.file_len(count));
    match found.cmp(&expected) {
        std::cmp::Ordering::Less => Err(DataError::Truncated { file: file(), found, expected }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => {
            Err(DataError::TrailingBytes { file: file(), found, expected })
        }
    }
}

/// Checks that all labels are below `classes`.
pub(super) fn check_labels(file: &str, classes: usize, labels: &[u8]) -> Result<(), DataError> {
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        None => Ok(()),
        Some(position) => {
            let (file, label) = (file.to_owned(), labels[position]);
            Err(DataError::BadLabel { file, position, label, classes })
        }
    }
}
