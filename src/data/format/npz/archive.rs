//! The zip archive around the arrays of an `.npz` file.

use std::{
    fmt,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use crc32fast::Hasher;
use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::array::Array;
use crate::data::{
    DataError,
    file::{head, open},
    sniff,
};

const EXPECTED: &str = "an .npz file of NumPy";
/// How arrays' names end in an archive.
const SUFFIX: &str = ".npy";
/// Deflate makes data at most about 1,032 times as small.
const MOST_RATIO: u64 = 1_100;

/// An open archive.
pub(super) struct Archive {
    file: String,
    zip: ZipArchive<BufReader<File>>,
}

impl Archive {
    /// Opens the archive and reads its directory.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let file = path.display().to_string();
        let (source, _) = open(path, EXPECTED)?;
        let zip =
            ZipArchive::new(BufReader::new(source)).map_err(|error| {
                match sniff::identify(&head(path)) {
                    Some(foreign) if foreign.what != "a zip archive" => {
                        DataError::foreign(&file, foreign, EXPECTED)
                    }
                    _ => unreadable(&file, &error),
                }
            })?;
        Ok(Self { file, zip })
    }

    /// Names of the arrays in it.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.zip.file_names().filter_map(Result::ok);
        names.filter_map(|name| name.strip_suffix(SUFFIX).map(str::to_owned)).collect()
    }

    /// The array of this name, or the first.
    ///
    /// # Errors
    /// If there is none, or it does not start as an array of supported kind does.
    pub(super) fn array(mut self, name: Option<&str>) -> Result<Array, DataError> {
        let file = self.file.clone();
        let first = || self.names().into_iter().next();
        let Some(name) = name.map(str::to_owned).or_else(first) else {
            return Err(DataError::unusable(file, "holds no arrays", EXPECTED));
        };
        let wanted = format!("{name}{SUFFIX}");
        let index = self.zip.file_names().position(|name| name.is_ok_and(|name| name == wanted));
        let file = format!("{file} ({name})");
        let Some(index) = index else {
            return Err(DataError::unusable(file, "is not there", EXPECTED));
        };
        let member = self.zip.by_index_raw(index).map_err(|error| unreadable(&file, &error))?;
        let is_packed = match member.compression() {
            CompressionMethod::STORE => false,
            CompressionMethod::DEFLATE => true,
            other => {
                let found = format!("is packed with {other}");
                return Err(DataError::unusable(
                    file,
                    found,
                    "numpy.savez or numpy.savez_compressed",
                ));
            }
        };
        if member.encrypted() {
            return Err(DataError::unusable(file, "is encrypted", EXPECTED));
        }
        let (packed, size, crc) = (member.compressed_size(), member.size(), member.crc32());
        let most = if is_packed { packed.saturating_mul(MOST_RATIO) } else { packed };
        let start = member.data_start().filter(|_| size <= most);
        let Some(start) = start else {
            return Err(unreadable(&file, &format!("{packed} bytes cannot hold {size}")));
        };
        drop(member);
        let source = self.zip.into_inner().into_inner();
        Array::new(Member { file, source, start, packed, size, crc, is_packed })
    }
}

/// A file in an archive.
pub(super) struct Member {
    /// Names it in errors.
    pub(super) file: String,
    source: File,
    start: u64,
    packed: u64,
    /// Bytes once unpacked.
    pub(super) size: u64,
    crc: u32,
    is_packed: bool,
}

impl Member {
    /// Reads it from its start.
    pub(super) fn open(&mut self) -> Result<Unpacked<'_>, DataError> {
        let Self { file, source, start, packed, crc, is_packed, .. } = self;
        let refused = |reason| DataError::Read { file: file.clone(), reason };
        source.seek(SeekFrom::Start(*start)).map_err(refused)?;
        let raw = BufReader::new(source.take(*packed));
        let source: Box<dyn Read> =
            if *is_packed { Box::new(DeflateDecoder::new(raw)) } else { Box::new(raw) };
        Ok(Unpacked { file, source, hasher: Hasher::new(), crc: *crc })
    }
}

/// The contents of a file in an archive.
pub(super) struct Unpacked<'a> {
    file: &'a str,
    source: Box<dyn Read + 'a>,
    hasher: Hasher,
    crc: u32,
}

impl Unpacked<'_> {
    /// Appends exactly `count` bytes.
    pub(super) fn fill(&mut self, bytes: &mut Vec<u8>, count: usize) -> Result<(), DataError> {
        let start = bytes.len();
        let read = self.source.by_ref().take(count as u64).read_to_end(bytes);
        let read = read.map_err(|reason| match reason.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                unreadable(self.file, &reason)
            }
            _ => DataError::Read { file: self.file.to_owned(), reason },
        })?;
        self.hasher.update(&bytes[start..]);
        if read < count {
            return Err(unreadable(self.file, &"it ends too early"));
        }
        Ok(())
    }

    /// Checks that nothing follows, and that what was read is what was packed.
    pub(super) fn end(mut self) -> Result<(), DataError> {
        let goes_on = self.fill(&mut Vec::new(), 1).is_ok();
        if goes_on || self.hasher.finalize() != self.crc {
            return Err(unreadable(self.file, &"its checksum is wrong"));
        }
        Ok(())
    }
}

fn unreadable(file: &str, reason: &dyn fmt::Display) -> DataError {
    let found = format!("cannot be unpacked ({reason})");
    DataError::unusable(file, found, "an intact .npz file: fetch it again")
}
