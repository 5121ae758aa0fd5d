//! The start of an IDX file.

use std::cmp::Ordering;

use super::{DataError, Kind, check_labels};
use crate::{
    config::SIDES,
    data::{info::CLASS_COUNTS, limits::check_count, sniff},
};

/// Most columns of labels; QMNIST has eight.
const MOST_COLUMNS: u32 = 16;

/// A header that announces what can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    kind: Kind,
    /// Whether numbers have 32 bits, and not 8.
    is_wide: bool,
    dimensions: usize,
    pub(super) count: u32,
    /// 1 where there is no such dimension.
    rows: u32,
    columns: u32,
}

impl Header {
    /// Reads the header at the start of `bytes`.
    pub(super) fn parse(kind: Kind, file: &str, bytes: &[u8]) -> Result<Self, DataError> {
        if let Some(foreign) = sniff::identify(bytes) {
            return Err(DataError::foreign(file, foreign, kind.file()));
        }
        let file = || file.to_owned();
        let shortest = if kind == Kind::Images { 3 } else { 1 };
        let field = |index: usize, dimensions: usize| {
            let field = bytes.get(4 * index..).and_then(<[u8]>::first_chunk);
            let (found, expected) = (bytes.len() as u64, 4 + 4 * dimensions as u64);
            field.map(|bytes| u32::from_be_bytes(*bytes)).ok_or_else(|| DataError::Truncated {
                file: file(),
                found,
                expected,
            })
        };
        let magic = field(0, shortest)?;
        let (is_wide, dimensions) = match (kind, magic) {
            (Kind::Images, 0x0803) => (false, 3),
            (Kind::Labels, 0x0801) => (false, 1),
            (Kind::Labels, 0x0c01) => (true, 1),
            (Kind::Labels, 0x0c02) => (true, 2),
            _ => return Err(DataError::BadMagic { file: file(), found: magic, kind }),
        };
        let count = field(1, dimensions)?;
        let rows = if dimensions == 3 { field(2, dimensions)? } else { 1 };
        let columns = if dimensions > 1 { field(dimensions, dimensions)? } else { 1 };
        let header = Self { kind, is_wide, dimensions, count, rows, columns };
        if kind == Kind::Images && !header.size().iter().all(|side| SIDES.contains(side)) {
            return Err(DataError::BadDimensions {
                file: file(),
                rows: rows.into(),
                columns: columns.into(),
            });
        }
        if kind == Kind::Labels && !(1..=MOST_COLUMNS).contains(&columns) {
            let found = format!("has {columns} numbers for each label");
            let expected = format!("1 to {MOST_COLUMNS}, the first of which is the class");
            return Err(DataError::unusable(file(), found, expected));
        }
        check_count(&file(), kind, count.into(), header.item_len())?;
        Ok(header)
    }

    /// Bytes in the header.
    pub(super) fn len(self) -> usize {
        4 + 4 * self.dimensions
    }

    /// Rows and columns of an item.
    pub(super) fn size(self) -> [usize; 2] {
        [self.rows as usize, self.columns as usize]
    }

    /// Bytes in one image, or in the labels of one image.
    pub(super) fn item_len(self) -> usize {
        let [rows, columns] = self.size();
        rows * columns * if self.is_wide { 4 } else { 1 }
    }

    /// Bytes in the whole file.
    pub(super) fn file_len(self) -> u64 {
        self.len() as u64 + u64::from(self.count) * self.item_len() as u64
    }

    /// Compares the length of a file with what its header announces.
    pub(super) fn check_length(self, file: &str, found: u64) -> Result<(), DataError> {
        let (file, expected) = (|| file.to_owned(), self.file_len());
        match found.cmp(&expected) {
            Ordering::Less => Err(DataError::Truncated { file: file(), found, expected }),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(DataError::TrailingBytes { file: file(), found, expected }),
        }
    }

    /// The images, or a checked byte for each label, of the bytes after the header.
    pub(super) fn items(self, file: &str, bytes: Vec<u8>) -> Result<Vec<u8>, DataError> {
        if self.kind == Kind::Images {
            return Ok(bytes);
        }
        let classes = *CLASS_COUNTS.end();
        if !self.is_wide {
            check_labels(file, classes, &bytes)?;
            return Ok(bytes);
        }
        let numbers = bytes.chunks_exact(self.item_len()).enumerate();
        let label = |(position, item): (usize, &[u8])| {
            let label = item.first_chunk().map_or(0, |bytes| i32::from_be_bytes(*bytes));
            let byte = u8::try_from(label).ok().filter(|&label| usize::from(label) < classes);
            let (file, label) = (file.to_owned(), i64::from(label));
            byte.ok_or(DataError::BadLabel {
                file,
                position,
                label,
                lowest: 0,
                highest: classes - 1,
            })
        };
        numbers.map(label).collect()
    }
}
