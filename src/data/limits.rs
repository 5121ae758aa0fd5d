//! How many images are read at most.

use super::{DataError, idx::Kind};

/// The most images that a set may have: more than any set of small images has.
const MOST_IMAGES: u64 = 1_000_000;
/// The most bytes that they may have together, so that a small compressed file cannot fill the memory.
const MOST_BYTES: u64 = 1 << 30;

/// Checks a number of images or labels of `item_len` bytes each.
///
/// # Errors
/// If there are none or too many.
pub(super) fn check_count(
    file: &str,
    kind: Kind,
    count: u64,
    item_len: usize,
) -> Result<usize, DataError> {
    let most = MOST_IMAGES.min(MOST_BYTES / item_len.max(1) as u64);
    match count {
        0 => Err(DataError::Empty { file: file.to_owned(), kind }),
        1.. if count <= most => Ok(count as usize),
        _ => Err(DataError::TooMany { file: file.to_owned(), count, kind, most }),
    }
}
