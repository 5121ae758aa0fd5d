//! Opening the files of a set.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use super::{DataError, sniff::HEAD};

/// The error for a file or folder that the system refuses.
pub(super) fn unreadable(path: &Path, reason: io::Error) -> DataError {
    DataError::Read { file: path.display().to_string(), reason }
}

/// Opens a regular file and says how long it is.
///
/// # Errors
/// If it is none, or cannot be opened.
pub(super) fn open(path: &Path, expected: &'static str) -> Result<(File, u64), DataError> {
    // Asked before opening, because opening a pipe without a writer blocks.
    let metadata = fs::metadata(path).map_err(|reason| unreadable(path, reason))?;
    if !metadata.is_file() {
        return Err(DataError::NotAFile { file: path.display().to_string(), expected });
    }
    let file = File::open(path).map_err(|reason| unreadable(path, reason))?;
    Ok((file, metadata.len()))
}

/// The first bytes of a file; none if it cannot be read.
pub(super) fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    if let Ok((file, _)) = open(path, "a file") {
        // A start that cannot be read is no start that is known.
        let _ = file.take(HEAD as u64).read_to_end(&mut head);
    }
    head
}
